/* The nucleus's heap: a random walk against a model, alignment, no leaks, and a panic for each way to misuse it. */
/* uses: kernel/nucleus/mem/frames.c kernel/nucleus/mem/heap.c tests/host/port_fake.c tests/host/log_fake.c tests/host/relax_fake.c */
#include <assert.h>
#include <string.h>

#include "tests/host/port_fake.h"

static struct fake_machine machine;

struct holding {
    uint8_t *block;
    size_t bytes;
    uint8_t mark;
};

static size_t random_size(void)
{
    switch (port_random_u64() % 4) {
    case 0:
        return 1 + port_random_u64() % 64;
    case 1:
        return 1 + port_random_u64() % 2048;
    case 2:
        return 1 + port_random_u64() % 20000;
    default:
        return PAGE_SIZE * (1 + port_random_u64() % 3);
    }
}

static void check(const struct holding *one)
{
    for (size_t i = 0; i < one->bytes; i++) {
        assert(one->block[i] == one->mark);
    }
}

static void test_a_random_walk_keeps_every_block_intact_and_leaks_nothing(void)
{
    static struct holding held[150];
    struct heap *heap = &machine.heap;
    fake_machine_start(&machine, 2000, 1);

    memset(held, 0, sizeof(held));
    for (unsigned step = 0; step < 30000; step++) {
        struct holding *one = &held[port_random_u64() % 150];
        if (one->block != NULL) {
            check(one);
            heap_free(heap, one->block, one->bytes);
            one->block = NULL;
            continue;
        }
        one->bytes = random_size();
        one->block = heap_alloc(heap, one->bytes);
        one->mark = (uint8_t)step;
        assert(one->block != NULL);
        assert(one->bytes > HEAP_LARGEST_BLOCK
                   ? (uintptr_t)one->block % PAGE_SIZE == 0
                   : (uintptr_t)one->block % (one->bytes > 24 ? 64 : 32) == 0);
        memset(one->block, one->mark, one->bytes);
    }
    for (unsigned i = 0; i < 150; i++) {
        heap_free(heap, held[i].block, held[i].bytes);
    }

    assert(heap->used_blocks == 0 && heap->used_bytes == 0);
    assert(heap->held_frames <= HEAP_CLASSES); /* one empty slab a class may stay */
    assert(machine.frames.free_frames == machine.frames.total_frames - heap->held_frames);
    fake_machine_stop(&machine);
}

static void test_zeroed_blocks_are_zero_after_others_have_used_them(void)
{
    static const size_t sizes[] = { 1, 24, 100, 1000, HEAP_LARGEST_BLOCK, 1977, 4096, 9000 };
    fake_machine_start(&machine, 200, 2);

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            uint8_t *block = heap_alloc_zeroed(&machine.heap, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at++) {
                assert(block[at] == 0);
            }
            memset(block, 0xff, sizes[i]);
            heap_free(&machine.heap, block, sizes[i]);
        }
    }
    fake_machine_stop(&machine);
}

static void test_no_memory_is_null_and_changes_nothing(void)
{
    fake_machine_start(&machine, 20, 3);
    uint64_t free_before = machine.frames.free_frames;

    assert(heap_alloc(&machine.heap, 100 * PAGE_SIZE) == NULL);

    assert(machine.frames.free_frames == free_before && machine.heap.used_blocks == 0);
    while (heap_alloc(&machine.heap, 1500) != NULL) {
    }
    assert(machine.frames.free_frames == 0);
    heap_free(&machine.heap, NULL, 5); /* allowed, as with free() */
    fake_machine_stop(&machine);
}

static void test_misuse_panics(void)
{
    struct heap *heap = &machine.heap;
    fake_machine_start(&machine, 200, 4);

    uint8_t *overrun = heap_alloc(heap, 56);
    overrun[56] ^= 1;
    assert(FAKE_PANICS(heap_free(heap, overrun, 56)));

    uint8_t *twice = heap_alloc(heap, 100);
    heap_free(heap, twice, 100);
    assert(FAKE_PANICS(heap_free(heap, twice, 100)));

    uint8_t *wrong_size = heap_alloc(heap, 100);
    assert(FAKE_PANICS(heap_free(heap, wrong_size, 1000)));
    assert(FAKE_PANICS(heap_free(heap, wrong_size, 3 * PAGE_SIZE)));
    assert(FAKE_PANICS(heap_free(heap, wrong_size + 16, 100)));

    uint8_t *large = heap_alloc(heap, 5000);
    large[2 * PAGE_SIZE - 1] ^= 1;
    assert(FAKE_PANICS(heap_free(heap, large, 5000)));
    large[2 * PAGE_SIZE - 1] ^= 1;
    assert(FAKE_PANICS(heap_free(heap, large, 9000)));
    heap_free(heap, large, 5000);
    assert(FAKE_PANICS(heap_free(heap, large, 5000)));
    fake_machine_stop(&machine);
}

static void test_a_write_to_a_free_block_is_seen_when_it_is_taken_again(void)
{
    fake_machine_start(&machine, 200, 5);
    uint8_t *block = heap_alloc(&machine.heap, 56);
    heap_free(&machine.heap, block, 56);

    memset(block, 1, 64);

    assert(FAKE_PANICS(heap_alloc(&machine.heap, 56)));
    fake_machine_stop(&machine);
}

int main(void)
{
    test_a_random_walk_keeps_every_block_intact_and_leaks_nothing();
    test_zeroed_blocks_are_zero_after_others_have_used_them();
    test_no_memory_is_null_and_changes_nothing();
    test_misuse_panics();
    test_a_write_to_a_free_block_is_seen_when_it_is_taken_again();
    return 0;
}
