/*
 * frames.h - physical memory in frames of 4 KiB: single ones in O(1), contiguous runs for rings.
 *
 *               take                    give
 *        FREE --------> SINGLE / RUN --------> FREE
 *         ^                  | give_after(fence)
 *         +-- QUARANTINED <--+      fence passed: every CPU that may still know the frame has reloaded
 *
 * Every frame has a state, so that a frame given twice, or never taken, is a panic and not a leak of
 * somebody's memory. The free ones have a lock of their own, for the heap's sake, which any CPU may call; all that is about fences is called with
 * nucleus->lock.
 */
#pragma once

#include "kernel/nucleus/entry.h"
#include "kernel/nucleus/port.h"
#include "kernel/nucleus/types.h"

/*
 * Counts of page-table loads, per CPU, that must have been reached before an unmapped frame may be
 * used again: until then a CPU's TLB may still lead to it. All 0: nothing to wait for.
 */
struct frames_fence {
    uint64_t load[MAX_CPUS];
};

/* Frames that wait for the same fence. */
struct frames_batch {
    struct frames_fence fence;
    uint32_t first; /* linked by frame->next */
    uint32_t count;
};
#define FRAMES_MAX_BATCHES 32

enum frame_state {
    FRAME_NOT_RAM = 0,
    FRAME_FREE,
    FRAME_SINGLE,
    FRAME_RUN_HEAD, /* frame->next is the run's length */
    FRAME_RUN_BODY,
    FRAME_QUARANTINED,
};

struct frame {
    uint32_t next, previous; /* in the free list, by index; previous only while FREE */
    uint8_t state;           /* enum frame_state */
};

struct frames {
    struct port_lock lock;
    struct frame *table; /* one for each frame number in [first_number, first_number + count) */
    uint64_t first_number;
    uint32_t count;
    uint32_t first_free; /* index, FRAMES_NONE: none */

    uint64_t loads[MAX_CPUS];                      /* page-table loads so far */
    struct frames_batch batch[FRAMES_MAX_BATCHES]; /* oldest first */
    uint32_t batch_count;

    /* for statistics */
    uint64_t total_frames, free_frames, quarantined_frames;
};

#define FRAMES_NONE UINT32_MAX

/*
 * Take over all usable memory; the table itself lies at the end of the largest range. Panics when no range has
 * room for it.
 */
void frames_init(struct frames *frames, const struct boot_info *boot);

/* One frame, as its last owner left it: for the nucleus's own use. False: none left. */
bool frames_take(struct frames *frames, paddr_t *frame);
/* One frame, all zero: for ring 3 and for tables. */
bool frames_take_zeroed(struct frames *frames, paddr_t *frame);
/* `count` frames in a row, all zero. O(frames): for rings and the like, not for every day. */
bool frames_take_run(struct frames *frames, uint32_t count, paddr_t *first);

/* Back to the free ones, at once: no CPU's TLB and no device leads to it any more. */
void frames_give(struct frames *frames, paddr_t frame);
void frames_give_run(struct frames *frames, paddr_t first, uint32_t count);
/* Back as soon as `fence` has passed. */
void frames_give_after(struct frames *frames, paddr_t frame, const struct frames_fence *fence);
void frames_give_run_after(struct frames *frames, paddr_t first, uint32_t count,
                           const struct frames_fence *fence);

/* Have `fence` wait for the next page-table load of each CPU in the mask. */
void frames_fence_add(const struct frames *frames, struct frames_fence *fence, uint32_t cpu_mask);
void frames_fence_join(struct frames_fence *fence, const struct frames_fence *other);
/* Frames whose fence has passed are free. */
void frames_release_due(struct frames *frames);
/* This CPU has loaded another page table (or the same again): space_loaded() and space_unloaded() call it. */
static inline void frames_cpu_loaded(struct frames *frames, unsigned cpu_index)
{
    frames->loads[cpu_index]++;
    if (frames->batch_count > 0) {
        frames_release_due(frames);
    }
}
