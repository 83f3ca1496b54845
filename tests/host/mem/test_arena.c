/* Arenas: one address everywhere, one writer a segment, devices too, and frames that wait until nobody knows them. */
/* uses: kernel/nucleus/mem/arena.c kernel/nucleus/mem/frames.c kernel/nucleus/mem/heap.c kernel/nucleus/mem/region.c kernel/nucleus/mem/space.c kernel/nucleus/mem/space_copy.c kernel/nucleus/mem/space_lent.c kernel/nucleus/mem/space_user.c tests/host/port_fake.c tests/host/log_fake.c tests/host/relax_fake.c */
#include <assert.h>
#include <string.h>

#include "kernel/nucleus/mem/arena.h"
#include "kernel/nucleus/mem/region.h"
#include "tests/host/port_fake.h"

static struct fake_machine machine;
static struct space *program, *deck;
static struct arena *arena;

static const uint64_t sizes[4] = { 3 * PAGE_SIZE, 0, 5 * PAGE_SIZE - 7, 1 };

static void begin(uint64_t seed)
{
    fake_machine_start(&machine, 4000, seed);
    program = space_create(&machine.frames, &machine.heap, 0);
    deck = space_create(&machine.frames, &machine.heap, 0);
    arena = arena_create(&machine.frames, &machine.heap, sizes, 4);
    assert(program != NULL && deck != NULL && arena != NULL);
}

static void end(void)
{
    space_destroy(program);
    space_destroy(deck);
    assert(machine.heap.used_blocks == 0);
    assert(machine.frames.free_frames == machine.frames.total_frames - machine.heap.held_frames);
    fake_machine_stop(&machine);
}

static uaddr_t place(uint32_t segment, uint64_t offset)
{
    return (uaddr_t){ arena->base.value + arena->segment[segment].offset + offset };
}

static void test_each_segment_has_one_writer_and_all_can_read(void)
{
    char text[6];
    begin(1);
    assert(arena_map(arena, program, 0) == KERR_OK);
    assert(arena_map(arena, deck, 2) == KERR_OK);

    assert(space_copy_out(program, place(0, PAGE_SIZE - 2), "input", 6) == KERR_OK);
    assert(space_copy_out(program, place(2, 0), "x", 1) == KERR_BAD_ADDRESS);
    assert(space_copy_out(deck, place(0, 0), "x", 1) == KERR_BAD_ADDRESS);
    assert(space_copy_out(deck, place(3, 0), "x", 1) == KERR_BAD_ADDRESS);
    assert(space_copy_out(deck, place(2, 5 * PAGE_SIZE - 4), "end", 4) == KERR_OK);

    assert(space_copy_in(deck, text, place(0, PAGE_SIZE - 2), 6) == KERR_OK);
    assert(strcmp(text, "input") == 0);
    assert(arena_read(arena, 2, 5 * PAGE_SIZE - 4, text, 4) && strcmp(text, "end") == 0);
    arena_unmap(arena, program);
    arena_unmap(arena, deck);
    arena_destroy(arena);
    end();
}

static void test_gaps_between_segments_are_odd_and_never_mapped(void)
{
    char byte;
    begin(2);
    assert(arena_map(arena, program, ARENA_NO_SEGMENT) == KERR_OK);

    uint64_t end_of_first = arena->segment[0].offset + arena->segment[0].bytes;
    uint64_t gap = arena->segment[2].offset - end_of_first;

    assert(gap >= PAGE_SIZE && arena->segment[3].offset % PAGE_SIZE == 0);
    assert((arena->segment[3].offset - arena->segment[2].offset - arena->segment[2].bytes) /
               PAGE_SIZE % 2 ==
           1);
    assert(space_copy_in(program, &byte, place(0, arena->segment[0].bytes), 1) == KERR_BAD_ADDRESS);
    assert(space_copy_in(program, &byte, place(2, arena->segment[2].bytes), 1) == KERR_BAD_ADDRESS);
    assert(space_copy_out(program, place(0, 0), "x", 1) == KERR_BAD_ADDRESS); /* it owns none */
    arena_unmap(arena, program);
    arena_destroy(arena);
    end();
}

static void test_reads_and_writes_of_the_nucleus_stay_inside_a_segment(void)
{
    uint8_t bytes[2 * PAGE_SIZE];
    begin(3);
    memset(bytes, 0x5a, sizeof(bytes));

    assert(arena_write(arena, 0, 100, bytes, sizeof(bytes)));
    assert(!arena_write(arena, 0, PAGE_SIZE + 1, bytes, sizeof(bytes)));
    assert(!arena_read(arena, 0, 3 * PAGE_SIZE, bytes, 1));
    assert(!arena_read(arena, 0, UINT64_MAX, bytes, 2));
    assert(!arena_read(arena, 1, 0, bytes, 1));
    assert(!arena_read(arena, 4, 0, bytes, 1));
    assert(arena_page(arena, 0, 3 * PAGE_SIZE) == NULL);

    memset(bytes, 0, sizeof(bytes));
    assert(arena_read(arena, 0, 99, bytes, 3));
    assert(bytes[0] == 0 && bytes[1] == 0x5a && bytes[2] == 0x5a);
    assert(*(uint8_t *)arena_page(arena, 0, PAGE_SIZE) == 0x5a);
    arena_destroy(arena);
    end();
}

static void test_devices_write_their_decks_segment_only(void)
{
    begin(4);

    assert(arena_map_device(arena, 7, 2) == KERR_OK);

    assert(fake_iommu_pages(7) == 3 + 5 + 1);
    assert(fake_iommu_rights(7, place(0, 0).value) == PORT_READ);
    assert(fake_iommu_rights(7, place(2, 4 * PAGE_SIZE).value) == (PORT_READ | PORT_WRITE));
    uint64_t flushes = fake_iommu_flushes();
    arena_unmap_device(arena, 7);
    assert(fake_iommu_pages(7) == 0 && fake_iommu_flushes() == flushes + 1);
    port_iommu_domain_destroy(7);
    arena_destroy(arena);
    end();
}

static void test_frames_are_not_used_again_while_a_cpu_may_still_know_them(void)
{
    begin(5);
    uint64_t held = 3 + 5 + 1;
    assert(arena_map(arena, deck, 2) == KERR_OK);
    space_loaded(deck, 1); /* another CPU runs the deck */

    arena_unmap(arena, deck);
    arena_destroy(arena);

    assert(machine.frames.quarantined_frames == held);
    space_unloaded(deck, 1);
    assert(machine.frames.quarantined_frames == 0);
    end();
}

static void test_an_arena_that_is_mapped_cannot_go(void)
{
    begin(6);
    assert(arena_map(arena, deck, 2) == KERR_OK);

    assert(FAKE_PANICS(arena_destroy(arena)));

    arena_unmap(arena, deck);
    arena_destroy(arena);
    end();
}

static void test_running_out_leaves_nothing_behind(void)
{
    static const uint64_t huge[2] = { PAGE_SIZE, 1ull << 50 };
    static const uint64_t large[2] = { 2000 * PAGE_SIZE, 1990 * PAGE_SIZE };
    begin(7);
    uint64_t blocks = machine.heap.used_blocks;

    assert(arena_create(&machine.frames, &machine.heap, huge, 2) == NULL);
    assert(arena_create(&machine.frames, &machine.heap, large, 2) == NULL);
    assert(arena_create(&machine.frames, &machine.heap, huge, ARENA_MAX_SEGMENTS + 1) == NULL);
    for (uint64_t allowed = 0; allowed < 9; allowed++) {
        fake_maps_left(allowed);
        assert(arena_map(arena, deck, 2) == KERR_NO_MEMORY);
        assert(deck->first == NULL);
        fake_maps_left(allowed);
        assert(arena_map_device(arena, 2, 2) == KERR_NO_MEMORY);
        assert(fake_iommu_pages(2) == 0);
    }

    fake_maps_left(UINT64_MAX);
    assert(machine.heap.used_blocks == blocks && arena->map_count == 0);
    port_iommu_domain_destroy(2);
    arena_destroy(arena);
    end();
}

static void test_places_are_random_and_in_the_arenas_range(void)
{
    uint64_t last = 0;
    for (uint64_t seed = 10; seed < 20; seed++) {
        begin(seed);
        assert(arena->base.value >= SPACE_ARENA_BEGIN && arena->base.value % PAGE_SIZE == 0);
        assert(arena->base.value + arena->bytes <= SPACE_ARENA_END);
        assert(arena->base.value != last);
        last = arena->base.value;
        arena_destroy(arena);
        end();
    }
}

static void test_fresh_segments_are_zero(void)
{
    uint8_t bytes[PAGE_SIZE];
    begin(8);
    for (uint64_t page = 0; page < 5; page++) {
        assert(arena_read(arena, 2, page * PAGE_SIZE, bytes, PAGE_SIZE));
        for (size_t i = 0; i < PAGE_SIZE; i++) {
            assert(bytes[i] == 0);
        }
    }
    arena_destroy(arena);
    end();
}

int main(void)
{
    test_each_segment_has_one_writer_and_all_can_read();
    test_gaps_between_segments_are_odd_and_never_mapped();
    test_reads_and_writes_of_the_nucleus_stay_inside_a_segment();
    test_devices_write_their_decks_segment_only();
    test_frames_are_not_used_again_while_a_cpu_may_still_know_them();
    test_an_arena_that_is_mapped_cannot_go();
    test_running_out_leaves_nothing_behind();
    test_places_are_random_and_in_the_arenas_range();
    test_fresh_segments_are_zero();
    return 0;
}
