/* Address spaces: rights, copies across borders, quotas, reservations, quarantine, and nothing left over at the end. */
/* uses: kernel/nucleus/mem/arena.c kernel/nucleus/mem/frames.c kernel/nucleus/mem/heap.c kernel/nucleus/mem/region.c kernel/nucleus/mem/space.c kernel/nucleus/mem/space_copy.c kernel/nucleus/mem/space_lent.c kernel/nucleus/mem/space_user.c tests/host/port_fake.c tests/host/log_fake.c tests/host/relax_fake.c */
#include <assert.h>
#include <string.h>

#include "kernel/nucleus/mem/region.h"
#include "tests/host/port_fake.h"

#define RW       (PORT_READ | PORT_WRITE)
#define RX       (PORT_READ | PORT_EXEC)
#define PAGES(n) ((uint64_t)(n) * PAGE_SIZE)

static struct fake_machine machine;
static struct space *space;

static void begin(uint64_t seed)
{
    fake_machine_start(&machine, 4000, seed);
    space = space_create(&machine.frames, &machine.heap, PAGES(100));
    assert(space != NULL);
}

/* Everything goes back but what the heap keeps for next time. */
static void end(void)
{
    space_destroy(space);
    assert(machine.heap.used_blocks == 0);
    assert(machine.frames.free_frames == machine.frames.total_frames - machine.heap.held_frames);
    fake_machine_stop(&machine);
}

static uaddr_t at(vaddr_t address, uint64_t offset)
{
    return (uaddr_t){ address.value + offset };
}

static vaddr_t mapped(uint64_t bytes, unsigned rights)
{
    vaddr_t address;
    enum kerr status = space_map_anonymous(space, REGION_MMAP, bytes, rights, &address);
    assert(status == KERR_OK);
    return address;
}

static void test_writable_and_executable_is_refused_everywhere(void)
{
    vaddr_t address;
    begin(1);

    assert(space_map_anonymous(space, REGION_MMAP, 1, RW | PORT_EXEC, &address) ==
           KERR_NOT_PERMITTED);
    assert(space_map_at(space, REGION_IMAGE, vaddr(0x400000), 1, RW | PORT_EXEC) ==
           KERR_NOT_PERMITTED);
    address = mapped(1, RW);
    assert(space_mmap_fixed(space, address, 1, RW | PORT_EXEC) == KERR_NOT_PERMITTED);
    assert(space_protect(space, address, 1, RW | PORT_EXEC) == KERR_NOT_PERMITTED);
    end();
}

static void test_data_never_becomes_code_and_code_never_becomes_data(void)
{
    begin(2);
    vaddr_t data = mapped(1, RW);
    vaddr_t text = vaddr(0x400000);
    assert(space_map_at(space, REGION_IMAGE, text, 1, RX) == KERR_OK);

    assert(space_protect(space, data, 1, RX) == KERR_NOT_PERMITTED);
    assert(space_protect(space, text, 1, RW) == KERR_NOT_PERMITTED);
    assert(space_protect(space, text, 1, PORT_READ) == KERR_OK);
    assert(space_protect(space, text, 1, RX) ==
           KERR_NOT_PERMITTED); /* once taken away it is gone */
    end();
}

static void test_copies_go_across_page_borders(void)
{
    uint8_t out[3 * PAGE_SIZE], in[3 * PAGE_SIZE];
    begin(3);
    vaddr_t address = mapped(PAGES(4), RW);
    for (size_t i = 0; i < sizeof(out); i++) {
        out[i] = (uint8_t)(i * 7);
    }

    assert(space_copy_out(space, at(address, 100), out, sizeof(out)) == KERR_OK);
    assert(space_copy_in(space, in, at(address, 100), sizeof(in)) == KERR_OK);

    assert(memcmp(in, out, sizeof(in)) == 0);
    assert(space_copy_in(space, in, at(address, 0), 100) == KERR_OK);
    assert(in[0] == 0 && in[99] == 0); /* fresh pages are zero */
    end();
}

static void test_a_copy_that_touches_a_hole_is_refused_and_writes_nothing(void)
{
    uint8_t bytes[PAGE_SIZE];
    begin(4);
    memset(bytes, 1, sizeof(bytes));
    vaddr_t address = mapped(PAGES(3), RW);
    assert(space_unmap(space, vaddr(address.value + PAGES(1)), PAGES(1)) == KERR_OK);

    assert(space_copy_out(space, at(address, 4000), bytes, 200) == KERR_BAD_ADDRESS);
    assert(space_copy_in(space, bytes, at(address, PAGES(1)), 1) == KERR_BAD_ADDRESS);
    assert(space_copy_in(space, bytes, at(address, PAGES(3) - 1), 2) == KERR_BAD_ADDRESS);

    assert(space_copy_in(space, bytes, at(address, 4000), 96) == KERR_OK);
    assert(bytes[0] == 0 && bytes[95] == 0);
    end();
}

static void test_wild_addresses_are_refused(void)
{
    static const uint64_t wild[] = { 0,
                                     1,
                                     0x400000,
                                     UINT64_MAX,
                                     UINT64_MAX - 4095,
                                     0x7fffffffffff,
                                     0x800000000000,
                                     0xffffffff80000000,
                                     SPACE_STACK_END - 1 };
    uint8_t bytes[16];
    begin(5);
    vaddr_t address = mapped(1, RW);

    for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        uaddr_t from = { wild[i] };
        assert(space_copy_in(space, bytes, from, 16) == KERR_BAD_ADDRESS);
        assert(space_copy_out(space, from, bytes, 16) == KERR_BAD_ADDRESS);
        assert(space_copy_in_string(space, (char *)bytes, 16, from) == KERR_BAD_ADDRESS);
        assert(space_copy_in(space, bytes, from, 0) == KERR_OK);
    }
    assert(space_check(space, at(address, 0), UINT64_MAX, PORT_READ) == KERR_BAD_ADDRESS);
    assert(space_check(space, at(address, 8), UINT64_MAX - 4, PORT_READ) == KERR_BAD_ADDRESS);
    end();
}

static void test_what_is_read_only_to_ring_3_is_not_written_for_it(void)
{
    uint8_t byte = 1;
    begin(6);
    vaddr_t address = mapped(1, PORT_READ);

    assert(space_copy_out(space, at(address, 0), &byte, 1) == KERR_BAD_ADDRESS);
    assert(space_copy_in(space, &byte, at(address, 0), 1) == KERR_OK && byte == 0);
    assert(space_protect(space, address, 1, 0) == KERR_OK);
    assert(space_copy_in(space, &byte, at(address, 0), 1) == KERR_BAD_ADDRESS);
    end();
}

static void test_device_registers_are_no_memory_to_copy(void)
{
    uint8_t byte;
    vaddr_t address;
    begin(7);

    assert(space_map_device(space, paddr(0xfeb00000), PAGES(4), &address) == KERR_OK);

    assert(space_copy_in(space, &byte, at(address, 0), 1) == KERR_BAD_ADDRESS);
    assert(space_copy_out(space, at(address, 0), &byte, 1) == KERR_BAD_ADDRESS);
    end();
}

static void test_a_string_ends_at_its_nul_or_is_refused(void)
{
    char text[64], long_text[300];
    begin(8);
    vaddr_t address = mapped(PAGES(2), RW);
    memset(long_text, 'x', sizeof(long_text));
    assert(space_copy_out(space, at(address, PAGES(1) - 3), "kernel", 7) == KERR_OK);
    assert(space_copy_out(space, at(address, PAGES(2) - 300), long_text, 300) == KERR_OK);

    assert(space_copy_in_string(space, text, sizeof(text), at(address, PAGES(1) - 3)) == KERR_OK);
    assert(strcmp(text, "kernel") == 0);
    assert(space_copy_in_string(space, text, 6, at(address, PAGES(1) - 3)) == KERR_BAD_ADDRESS);
    assert(space_copy_in_string(space, text, sizeof(text), at(address, PAGES(2) - 10)) ==
           KERR_BAD_ADDRESS);
    assert(space_copy_in_string(space, text, 0, at(address, 0)) == KERR_BAD_ADDRESS);
    end();
}

static void test_the_quota_holds_and_comes_back(void)
{
    vaddr_t address, more;
    begin(9);

    assert(space_map_anonymous(space, REGION_MMAP, PAGES(101), RW, &address) == KERR_NO_MEMORY);
    assert(space_map_anonymous(space, REGION_MMAP, PAGES(60), RW, &address) == KERR_OK);
    assert(space_brk(space, space_brk(space, 0) + PAGES(41)) == space->brk_begin);
    assert(space_brk(space, space_brk(space, 0) + PAGES(40)) == space->brk_begin + PAGES(40));
    assert(space_map_anonymous(space, REGION_MMAP, 1, RW, &more) == KERR_NO_MEMORY);
    assert(space_map_dma(space, 0, 1, &more) == KERR_NO_MEMORY);
    assert(space_unmap(space, address, PAGES(10)) == KERR_OK);
    assert(space_map_anonymous(space, REGION_MMAP, PAGES(10), RW, &more) == KERR_OK);

    /* Images and stacks are the nucleus's choice and do not count. */
    assert(space_map_stack(space, PAGES(50), &more) == KERR_OK);
    end();
}

static void test_a_large_reservation_takes_no_frames(void)
{
    begin(10);
    uint64_t free_before = machine.frames.free_frames;

    vaddr_t address = mapped(1ull << 40, 0);

    assert(free_before - machine.frames.free_frames <= 1); /* the heap's slab at most */
    vaddr_t inside = vaddr(address.value + (1ull << 39));
    assert(space_protect(space, inside, PAGES(2), RW) == KERR_OK);
    assert(space_copy_out(space, at(inside, PAGES(2) - 1), "x", 1) == KERR_OK);
    assert(space_copy_out(space, at(inside, PAGES(2)), "x", 1) == KERR_BAD_ADDRESS);
    assert(space->charged_frames == 2);
    assert(space_protect(space, address, PAGES(200), RW) == KERR_NO_MEMORY);
    assert(space->charged_frames == 2);
    assert(space_unmap(space, address, 1ull << 40) == KERR_OK);
    assert(space->charged_frames == 0 && space->first == NULL);
    end();
}

static void test_what_an_allocator_does_at_its_start_works(void)
{
    begin(
        11); /* musl's mallocng: two pages of brk, the first of them turned into a guard, then mmap and mprotect */
    uint64_t start = space_brk(space, 0);
    uint8_t byte = 7;

    assert(space_brk(space, start + PAGES(2)) == start + PAGES(2));
    assert(space_mmap_fixed(space, vaddr(start), PAGE_SIZE, 0) == KERR_OK);
    assert(space_brk(space, start + PAGES(3)) == start + PAGES(3));
    vaddr_t area = mapped(PAGES(8), 0);
    assert(space_protect(space, vaddr(area.value + PAGES(1)), PAGES(1), RW) == KERR_OK);
    assert(space_protect(space, vaddr(area.value + PAGES(2)), PAGES(6), RW) == KERR_OK);

    assert(space_copy_out(space, (uaddr_t){ start }, &byte, 1) == KERR_BAD_ADDRESS);
    assert(space_copy_out(space, (uaddr_t){ start + PAGES(3) - 1 }, &byte, 1) == KERR_OK);
    assert(space_copy_out(space, at(area, PAGES(1)), &byte, 1) == KERR_OK);
    assert(space_copy_out(space, at(area, PAGES(2)), &byte, 1) == KERR_OK);
    assert(space_brk(space, start) == start); /* the guard goes too */
    assert(space->charged_frames == 7);
    end();
}

static void test_the_break_moves_by_bytes_and_shrinks(void)
{
    begin(12);
    uint64_t start = space_brk(space, 0);

    assert(space_brk(space, start + 10) == start + 10);
    assert(space->charged_frames == 1);
    assert(space_brk(space, start + PAGE_SIZE) == start + PAGE_SIZE);
    assert(space->charged_frames == 1);
    assert(space_brk(space, start + PAGE_SIZE + 1) == start + PAGE_SIZE + 1);
    assert(space->charged_frames == 2);
    assert(space_brk(space, start + 1) == start + 1);
    assert(space->charged_frames == 1);
    assert(space_brk(space, start - 1) == start + 1);
    assert(space_brk(space, SPACE_BRK_END + 1) == start + 1);
    assert(space_brk(space, UINT64_MAX) == start + 1);
    end();
}

static void test_programs_cannot_unmap_or_replace_what_the_nucleus_mapped(void)
{
    vaddr_t stack, ring, dma;
    paddr_t frames;
    struct frames_fence fence = { { 0 } };
    begin(13);
    assert(space_map_stack(space, PAGES(4), &stack) == KERR_OK);
    assert(frames_take_run(&machine.frames, 3, &frames));
    assert(space_map_frames(space, frames, 3, RW, &ring) == KERR_OK);
    assert(space_map_dma(space, 0, PAGES(2), &dma) == KERR_OK);

    assert(space_unmap(space, vaddr(stack.value - PAGES(4)), PAGES(4)) == KERR_NOT_PERMITTED);
    assert(space_unmap(space, ring, PAGES(1)) == KERR_NOT_PERMITTED);
    assert(space_unmap(space, dma, PAGES(1)) == KERR_NOT_PERMITTED);
    assert(space_protect(space, ring, PAGES(1), PORT_READ) == KERR_BAD_ADDRESS);
    assert(space_mmap_fixed(space, ring, PAGES(1), RW) == KERR_BAD_ADDRESS);
    assert(space_mmap_fixed(space, vaddr(SPACE_ARENA_BEGIN), PAGES(1), RW) == KERR_BAD_ADDRESS);
    assert(space_mmap_fixed(space, vaddr(0), PAGES(1), RW) == KERR_BAD_ADDRESS);
    assert(space_unmap(space, vaddr(0), UINT64_MAX) == KERR_BAD_ADDRESS);

    space_unmap_lent(space, ring, &fence);
    frames_give_run_after(&machine.frames, frames, 3, &fence);
    assert(FAKE_PANICS(space_unmap_lent(space, ring, &fence)));
    end();
}

static void test_places_differ_by_seed_and_never_touch_each_other(void)
{
    uint64_t last = 0;
    for (uint64_t seed = 20; seed < 24; seed++) {
        begin(seed);
        vaddr_t first = mapped(PAGES(2), RW);
        for (unsigned i = 0; i < 40; i++) {
            vaddr_t address = mapped(PAGES(1 + i % 2), RW);
            if (i % 3 == 0) {
                assert(space_unmap(space, address, PAGES(1)) == KERR_OK);
            }
        }
        for (const struct region *region = space->first; region->next != NULL;
             region = region->next) {
            assert(region->end < region->next->begin);
        }
        assert(first.value >= SPACE_MMAP_BEGIN && first.value < SPACE_MMAP_END &&
               first.value != last);
        last = first.value;
        end();
    }
}

static void test_memory_that_comes_and_goes_does_not_wander_through_the_address_space(void)
{
    begin(25);
    vaddr_t first = mapped(PAGES(20), RW);
    uint64_t highest = 0;
    assert(space_unmap(space, first, PAGES(20)) == KERR_OK);

    for (unsigned i = 0; i < 1000; i++) {
        vaddr_t address = mapped(PAGES(20), RW);
        highest = address.value > highest ? address.value : highest;
        assert(space_unmap(space, address, PAGES(20)) == KERR_OK);
    }

    assert(highest - space->mmap_base < PAGES(100)); /* page tables are not given back one by one */
    end();
}

static void test_frames_wait_for_other_cpus_but_not_for_this_one(void)
{
    vaddr_t ring;
    paddr_t frame;
    struct frames_fence fence = { { 0 } };
    begin(26);
    vaddr_t address = mapped(PAGES(5), RW);
    port_space_load(space->root);
    space_loaded(space, 0);

    assert(space_unmap(space, address, PAGES(1)) == KERR_OK); /* only here: INVLPG did it */
    assert(machine.frames.quarantined_frames == 0);
    space_loaded(space, 1);
    assert(space_unmap(space, vaddr(address.value + PAGES(1)), PAGES(1)) == KERR_OK);
    assert(machine.frames.quarantined_frames == 1);
    assert(frames_take_run(&machine.frames, 1, &frame));
    assert(space_map_frames(space, frame, 1, RW, &ring) == KERR_OK);
    space_unmap_lent(space, ring, &fence);
    frames_give_run_after(&machine.frames, frame, 1, &fence);
    assert(machine.frames.quarantined_frames == 2);

    space_unloaded(space, 1);
    assert(machine.frames.quarantined_frames == 2);
    assert(FAKE_PANICS(space_destroy(space)));
    port_space_load(port_space_kernel_root());
    space_unloaded(space, 0);
    assert(machine.frames.quarantined_frames == 0);
    end();
}

static void test_who_may_know_old_pages_loads_again_before_it_runs_the_space(void)
{
    begin(33);
    vaddr_t address = mapped(PAGES(5), RW);
    port_space_load(space->root);
    space_loaded(space, 0);
    assert(space_unmap(space, address, PAGES(1)) == KERR_OK);
    assert(!space_is_stale(space, 0)); /* only here: INVLPG did it */

    space_loaded(space, 1); /* it idles with it, say */
    assert(space_unmap(space, vaddr(address.value + PAGES(1)), PAGES(1)) == KERR_OK);
    assert(space_is_stale(space, 0) && space_is_stale(space, 1));
    space_unloaded(space, 1);
    assert(space_is_stale(space, 0) && !space_is_stale(space, 1));
    space_loaded(space, 1);
    assert(!space_is_stale(space, 1));
    assert(space_protect(space, vaddr(address.value + PAGES(2)), PAGES(1), PORT_READ) == KERR_OK);
    assert(space_is_stale(space, 1));

    space_unloaded(space, 1);
    port_space_load(port_space_kernel_root());
    space_unloaded(space, 0);
    assert(space->stale_cpus == 0 && machine.frames.quarantined_frames == 0);
    end();
}

static void test_less_rights_reload_this_cpus_tlb(void)
{
    begin(27);
    vaddr_t address = mapped(1, RW);
    port_space_load(space->root);
    space_loaded(space, 0);
    uint64_t before = fake_reloads();

    assert(space_protect(space, address, 1, PORT_READ) == KERR_OK);

    assert(fake_reloads() == before + 1);
    port_space_load(port_space_kernel_root());
    space_unloaded(space, 0);
    end();
}

static void test_dma_memory_is_in_the_domain_at_its_own_address(void)
{
    vaddr_t address;
    begin(28);

    assert(space_map_dma(space, 3, PAGES(3), &address) == KERR_OK);

    assert(fake_iommu_pages(3) == 3);
    assert(fake_iommu_rights(3, address.value + PAGES(2)) == RW);
    port_iommu_domain_destroy(3);
    end();
}

static void test_a_mapping_that_runs_out_of_tables_leaves_nothing_behind(void)
{
    vaddr_t address;
    paddr_t run;
    begin(29);
    assert(frames_take_run(&machine.frames, 8, &run));
    vaddr_t kept = mapped(PAGES(2), RW);

    for (uint64_t allowed = 0; allowed < 8; allowed++) {
        uint64_t private_before = space->private_frames;
        fake_maps_left(allowed);
        assert(space_map_anonymous(space, REGION_MMAP, PAGES(8), RW, &address) == KERR_NO_MEMORY);
        fake_maps_left(allowed);
        assert(space_map_frames(space, run, 8, RW, &address) == KERR_NO_MEMORY);
        fake_maps_left(8 + allowed);
        assert(space_map_dma(space, 1, PAGES(8), &address) == KERR_NO_MEMORY);
        assert(fake_iommu_pages(1) == 0);
        fake_maps_left(allowed);
        assert(space_brk(space, space->brk_begin + PAGES(8)) == space->brk_begin);
        assert(space->private_frames == private_before && space->charged_frames == 2);
        assert(space->first->next == NULL);
    }
    fake_maps_left(UINT64_MAX);
    assert(space_copy_out(space, at(kept, 0), "x", 1) == KERR_OK);
    port_iommu_domain_destroy(1);
    frames_give_run(&machine.frames, run, 8);
    end();
}

static void test_a_failed_protect_gives_the_frames_of_reservations_back(void)
{
    begin(30);
    vaddr_t address = mapped(PAGES(12), 0);
    assert(space_protect(space, vaddr(address.value + PAGES(4)), PAGES(2), RW) == KERR_OK);
    fake_maps_left(6); /* 4 before the committed part, then 2 of the 6 behind it */

    assert(space_protect(space, address, PAGES(12), RW) == KERR_NO_MEMORY);

    assert(space->charged_frames == 2);
    fake_maps_left(UINT64_MAX);
    assert(space_protect(space, address, PAGES(12), RW) == KERR_OK);
    assert(space->charged_frames == 12);
    end();
}

static void test_growing_in_place_keeps_a_gap_to_the_next(void)
{
    begin(31);
    vaddr_t address = mapped(PAGES(2), RW);
    assert(space_grow(space, address, PAGES(2), PAGES(6)) == KERR_OK);
    assert(space_copy_out(space, at(address, PAGES(6) - 1), "x", 1) == KERR_OK);
    assert(space_map_at(space, REGION_MMAP, vaddr(address.value + PAGES(8)), PAGES(1), RW) ==
           KERR_OK);

    assert(space_grow(space, address, PAGES(6), PAGES(8)) == KERR_NO_MEMORY);
    assert(space_grow(space, address, PAGES(6), PAGES(7)) == KERR_OK);
    assert(space_grow(space, address, PAGES(6), PAGES(7)) == KERR_NO_MEMORY);
    assert(space_grow(space, vaddr(address.value + PAGES(7)), PAGES(1), PAGES(2)) ==
           KERR_BAD_ADDRESS);
    end();
}

static void test_a_program_cannot_fill_the_nucleuss_heap_with_tiny_reservations(void)
{
    vaddr_t address;
    unsigned made = 0;
    begin(33);

    while (space_map_anonymous(space, REGION_MMAP, PAGES(3), 0, &address) == KERR_OK) {
        made++;
    }

    assert(made == SPACE_MAX_REGIONS && space->charged_frames == 0);
    address = vaddr(space->first->begin + PAGES(1));
    assert(space_protect(space, address, PAGES(1), RW) ==
           KERR_NO_MEMORY); /* it would have to be split */
    assert(space_unmap(space, vaddr(space->first->begin), PAGES(3)) == KERR_OK);
    assert(space_map_anonymous(space, REGION_MMAP, PAGES(1), 0, &address) == KERR_OK);
    end();
}

/* Whatever ring 3 asks for, what the space says and what the page tables say agree. */
static void test_random_calls_keep_regions_and_pages_in_step(void)
{
    static const unsigned rights[] = { 0, PORT_READ, RW, RX, RW | PORT_EXEC };
    begin(32);
    vaddr_t base = mapped(PAGES(64), 0);

    for (unsigned step = 0; step < 20000; step++) {
        vaddr_t address = vaddr(base.value + PAGES(port_random_u64() % 64));
        uint64_t bytes = PAGES(1 + port_random_u64() % 16);
        unsigned want = rights[port_random_u64() % 5];
        switch (port_random_u64() % 4) {
        case 0:
            space_unmap(space, address, bytes);
            break;
        case 1:
            space_mmap_fixed(space, address, bytes, want & ~(unsigned)PORT_EXEC);
            break;
        case 2:
            space_protect(space, address, bytes, want);
            break;
        default:
            space_grow(space, address, bytes, bytes + PAGES(port_random_u64() % 4));
            break;
        }
        uint64_t frames = 0;
        for (const struct region *region = space->first; region != NULL; region = region->next) {
            assert(region->begin < region->end);
            assert(region->next == NULL || region->end <= region->next->begin);
            frames += region->rights != 0 ? (region->end - region->begin) / PAGE_SIZE : 0;
            for (uint64_t page = region->begin; page < region->end; page += PAGE_SIZE) {
                paddr_t frame;
                unsigned prot = 0;
                bool is_mapped = port_space_query(space->root, vaddr(page), &frame, &prot);
                assert(is_mapped == (region->rights != 0) && prot == region->rights);
            }
        }
        assert(frames == space->charged_frames && frames == space->private_frames);
        assert(frames <= space->quota_frames);
    }
    end();
}

int main(void)
{
    test_writable_and_executable_is_refused_everywhere();
    test_data_never_becomes_code_and_code_never_becomes_data();
    test_copies_go_across_page_borders();
    test_a_copy_that_touches_a_hole_is_refused_and_writes_nothing();
    test_wild_addresses_are_refused();
    test_what_is_read_only_to_ring_3_is_not_written_for_it();
    test_device_registers_are_no_memory_to_copy();
    test_a_string_ends_at_its_nul_or_is_refused();
    test_the_quota_holds_and_comes_back();
    test_a_large_reservation_takes_no_frames();
    test_what_an_allocator_does_at_its_start_works();
    test_the_break_moves_by_bytes_and_shrinks();
    test_programs_cannot_unmap_or_replace_what_the_nucleus_mapped();
    test_places_differ_by_seed_and_never_touch_each_other();
    test_memory_that_comes_and_goes_does_not_wander_through_the_address_space();
    test_frames_wait_for_other_cpus_but_not_for_this_one();
    test_who_may_know_old_pages_loads_again_before_it_runs_the_space();
    test_less_rights_reload_this_cpus_tlb();
    test_dma_memory_is_in_the_domain_at_its_own_address();
    test_a_mapping_that_runs_out_of_tables_leaves_nothing_behind();
    test_a_failed_protect_gives_the_frames_of_reservations_back();
    test_growing_in_place_keeps_a_gap_to_the_next();
    test_a_program_cannot_fill_the_nucleuss_heap_with_tiny_reservations();
    test_random_calls_keep_regions_and_pages_in_step();
    return 0;
}
