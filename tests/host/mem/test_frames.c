/* Physical frames: a random walk against a model, runs, wrong gives, and the quarantine of what CPUs may still know. */
/* uses: kernel/nucleus/mem/frames.c kernel/nucleus/mem/heap.c tests/host/port_fake.c tests/host/log_fake.c tests/host/relax_fake.c */
#include <assert.h>
#include <string.h>

#include "tests/host/port_fake.h"

#define FRAMES 600u

static struct fake_machine machine;

static bool is_zero(paddr_t frame)
{
    static const uint8_t zeros[PAGE_SIZE];
    return memcmp(port_direct(frame), zeros, PAGE_SIZE) == 0;
}

static void test_every_frame_is_taken_once_until_none_is_left(void)
{
    static bool seen[FRAMES + 2];
    struct frames *frames = &machine.frames;
    paddr_t frame;

    memset(seen, 0, sizeof(seen));
    fake_machine_start(&machine, FRAMES, 1);
    uint64_t total = frames->total_frames;
    for (uint64_t i = 0; i < total; i++) {
        assert(frames_take(frames, &frame));
        assert(!seen[frame.value / PAGE_SIZE]);
        seen[frame.value / PAGE_SIZE] = true;
    }

    assert(frames->free_frames == 0);
    assert(!frames_take(frames, &frame));
    assert(total > FRAMES - 10 && total < FRAMES); /* the table itself lies in some */
    fake_machine_stop(&machine);
}

struct holding {
    paddr_t first;
    uint32_t count; /* 0: nothing */
    uint8_t mark;
};

static void fill(const struct holding *held)
{
    memset(port_direct(held->first), held->mark, (size_t)held->count * PAGE_SIZE);
}

static bool is_untouched(const struct holding *held)
{
    const uint8_t *bytes = port_direct(held->first);
    for (size_t i = 0; i < (size_t)held->count * PAGE_SIZE; i += 512) {
        if (bytes[i] != held->mark) {
            return false;
        }
    }
    return true;
}

static void test_a_random_walk_never_hands_a_frame_to_two_owners(void)
{
    static struct holding held[200];
    struct frames *frames = &machine.frames;

    memset(held, 0, sizeof(held));
    fake_machine_start(&machine, FRAMES, 2);
    uint64_t total = frames->total_frames, used = 0;
    for (unsigned step = 0; step < 20000; step++) {
        struct holding *one = &held[port_random_u64() % 200];
        if (one->count > 0) {
            assert(is_untouched(one));
            if (one->count == 1) {
                frames_give(frames, one->first);
            } else {
                frames_give_run(frames, one->first, one->count);
            }
            used -= one->count;
            one->count = 0;
            continue;
        }
        uint32_t count = port_random_u64() % 4 == 0 ? 2 + (uint32_t)(port_random_u64() % 20) : 1;
        bool got = count == 1 ? frames_take_zeroed(frames, &one->first)
                              : frames_take_run(frames, count, &one->first);
        if (got) {
            assert(is_zero(one->first));
            one->count = count;
            one->mark = (uint8_t)(1 + step % 255);
            used += count;
            fill(one);
        }
        assert(frames->free_frames == total - used);
    }
    fake_machine_stop(&machine);
}

static void test_a_run_is_contiguous_and_zeroed(void)
{
    paddr_t first;
    fake_machine_start(&machine, FRAMES, 3);

    assert(frames_take_run(&machine.frames, 257, &first));

    for (uint32_t i = 0; i < 257; i++) {
        assert(is_zero(paddr(first.value + i * PAGE_SIZE)));
    }
    assert(!frames_take_run(&machine.frames, FRAMES, &first));
    fake_machine_stop(&machine);
}

static void test_a_wrong_give_panics(void)
{
    paddr_t single, run;
    struct frames *frames = &machine.frames;
    fake_machine_start(&machine, FRAMES, 4);
    assert(frames_take(frames, &single) && frames_take_run(frames, 4, &run));

    assert(FAKE_PANICS(frames_give(frames, paddr(single.value + 1))));
    assert(FAKE_PANICS(frames_give(frames, paddr(1ull << 40))));
    assert(FAKE_PANICS(frames_give(frames, run)));
    assert(FAKE_PANICS(frames_give_run(frames, run, 3)));
    assert(FAKE_PANICS(frames_give_run(frames, paddr(run.value + PAGE_SIZE), 3)));
    assert(FAKE_PANICS(frames_give_run(frames, single, 1)));
    frames_give(frames, single);
    assert(FAKE_PANICS(frames_give(frames, single)));
    /* The table's own frames are nobody's to give. */
    assert(FAKE_PANICS(frames_give(frames, paddr((uint64_t)FRAMES * PAGE_SIZE))));
    fake_machine_stop(&machine);
}

static void test_a_quarantined_frame_waits_for_each_cpu_that_may_know_it(void)
{
    struct frames *frames = &machine.frames;
    struct frames_fence fence = { { 0 } };
    paddr_t frame;
    fake_machine_start(&machine, FRAMES, 5);
    uint64_t free_before = frames->free_frames;
    frames_cpu_loaded(frames, 0);
    assert(frames_take(frames, &frame));

    frames_fence_add(frames, &fence, 1u << 0 | 1u << 2);
    frames_give_after(frames, frame, &fence);

    assert(frames->quarantined_frames == 1 && frames->free_frames == free_before - 1);
    frames_cpu_loaded(frames, 0);
    frames_cpu_loaded(frames, 1);
    assert(frames->quarantined_frames == 1);
    assert(FAKE_PANICS(frames_give(frames, frame)));
    frames_cpu_loaded(frames, 2);
    assert(frames->quarantined_frames == 0 && frames->free_frames == free_before);
    fake_machine_stop(&machine);
}

static void test_more_batches_than_there_is_room_for_only_wait_longer(void)
{
    struct frames *frames = &machine.frames;
    fake_machine_start(&machine, FRAMES, 6);
    uint64_t free_before = frames->free_frames;

    /* CPU 1 never reloads, and CPU 0's count is another one for each frame. */
    for (unsigned i = 0; i < 3 * FRAMES_MAX_BATCHES; i++) {
        struct frames_fence fence = { { 0 } };
        paddr_t run;
        assert(frames_take_run(frames, 3, &run));
        frames_fence_add(frames, &fence, 3);
        frames_give_run_after(frames, run, 3, &fence);
        frames_cpu_loaded(frames, 0);
    }

    assert(frames->quarantined_frames == 9 * FRAMES_MAX_BATCHES);
    frames_cpu_loaded(frames, 1);
    assert(frames->quarantined_frames == 0 && frames->free_frames == free_before);
    fake_machine_stop(&machine);
}

static void test_a_passed_fence_holds_nothing_back(void)
{
    struct frames *frames = &machine.frames;
    struct frames_fence fence = { { 0 } };
    paddr_t frame;
    fake_machine_start(&machine, FRAMES, 7);
    assert(frames_take(frames, &frame));
    frames_fence_add(frames, &fence, 1);
    frames_cpu_loaded(frames, 0);

    frames_give_after(frames, frame, &fence);

    assert(frames->quarantined_frames == 0);
    fake_machine_stop(&machine);
}

static void test_holes_between_ranges_and_odd_ends_are_not_memory(void)
{
    struct frames *frames = &machine.frames;
    fake_machine_start(&machine, FRAMES, 8);
    struct boot_info boot = { .usable_count = 3 };
    boot.usable[0] = (struct boot_range){ .base = 10 * PAGE_SIZE + 1, .size_bytes = 3 * PAGE_SIZE };
    boot.usable[1] = (struct boot_range){ .base = 100 * PAGE_SIZE, .size_bytes = 50 * PAGE_SIZE };
    boot.usable[2] = (struct boot_range){ .base = 20 * PAGE_SIZE + 5, .size_bytes = 100 };

    frames_init(frames, &boot);

    assert(frames->total_frames == 2 + 50 - 1); /* one holds the table */
    paddr_t run;
    assert(frames_take_run(frames, 49, &run) && run.value == 100 * PAGE_SIZE);
    assert(!frames_take_run(frames, 3, &run));
    assert(frames_take_run(frames, 2, &run) && run.value == 11 * PAGE_SIZE);
    assert(FAKE_PANICS(frames_give(frames, paddr(13 * PAGE_SIZE))));
    fake_machine_stop(&machine);
}

int main(void)
{
    test_every_frame_is_taken_once_until_none_is_left();
    test_a_random_walk_never_hands_a_frame_to_two_owners();
    test_a_run_is_contiguous_and_zeroed();
    test_a_wrong_give_panics();
    test_a_quarantined_frame_waits_for_each_cpu_that_may_know_it();
    test_more_batches_than_there_is_room_for_only_wait_longer();
    test_a_passed_fence_holds_nothing_back();
    test_holes_between_ranges_and_odd_ends_are_not_memory();
    return 0;
}
