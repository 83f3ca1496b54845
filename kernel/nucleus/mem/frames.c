/* frames.c - physical memory in frames of 4 KiB. */
#include "kernel/nucleus/mem/frames.h"

/* Constant size: the compiler makes it `rep stosq`, with no call. */
static void wipe(paddr_t frame)
{
    __builtin_memset(port_direct(frame), 0, PAGE_SIZE);
}

static paddr_t address_of(const struct frames *frames, uint32_t index)
{
    return paddr((frames->first_number + index) << PAGE_SHIFT);
}

/* The index of a frame that ought to be one of ours. */
static uint32_t index_of(const struct frames *frames, paddr_t frame)
{
    uint64_t number = frame.value >> PAGE_SHIFT;
    KASSERT((frame.value & (PAGE_SIZE - 1)) == 0, "frame 0x%llx", (unsigned long long)frame.value);
    KASSERT(number >= frames->first_number && number - frames->first_number < frames->count,
            "frame 0x%llx is no memory", (unsigned long long)frame.value);
    return (uint32_t)(number - frames->first_number);
}

static void expect_state(const struct frames *frames, uint32_t index, enum frame_state expected)
{
    enum frame_state state = (enum frame_state)frames->table[index].state;
    KASSERT(state == expected, "frame 0x%llx is in state %d, expected %d",
            (unsigned long long)address_of(frames, index).value, (int)state, (int)expected);
}

/* ---- the free list ---- */

static void push_free(struct frames *frames, uint32_t index)
{
    struct frame *frame = &frames->table[index];
    frame->state = FRAME_FREE;
    frame->previous = FRAMES_NONE;
    frame->next = frames->first_free;
    if (frame->next != FRAMES_NONE) {
        frames->table[frame->next].previous = index;
    }
    frames->first_free = index;
    frames->free_frames++;
}

static void remove_free(struct frames *frames, uint32_t index, enum frame_state state)
{
    struct frame *frame = &frames->table[index];
    expect_state(frames, index, FRAME_FREE);
    if (frame->previous == FRAMES_NONE) {
        frames->first_free = frame->next;
    } else {
        frames->table[frame->previous].next = frame->next;
    }
    if (frame->next != FRAMES_NONE) {
        frames->table[frame->next].previous = frame->previous;
    }
    frame->state = (uint8_t)state;
    frame->next = FRAMES_NONE;
    frames->free_frames--;
}

/* ---- the quarantine ---- */

static bool fence_passed(const struct frames *frames, const struct frames_fence *fence)
{
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (frames->loads[cpu] < fence->load[cpu]) {
            return false;
        }
    }
    return true;
}

static void release_batch(struct frames *frames, const struct frames_batch *batch)
{
    uint32_t index = batch->first;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t next = frames->table[index].next;
        expect_state(frames, index, FRAME_QUARANTINED);
        push_free(frames, index);
        index = next;
    }
    frames->quarantined_frames -= batch->count;
}

static void release_due(struct frames *frames)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < frames->batch_count; i++) {
        if (fence_passed(frames, &frames->batch[i].fence)) {
            release_batch(frames, &frames->batch[i]);
        } else {
            frames->batch[kept++] = frames->batch[i];
        }
    }
    frames->batch_count = kept;
}

/* The batch that a frame with this fence joins. */
static struct frames_batch *batch_for(struct frames *frames, const struct frames_fence *fence)
{
    struct frames_batch *newest = &frames->batch[FRAMES_MAX_BATCHES - 1];
    if (frames->batch_count > 0) {
        newest = &frames->batch[frames->batch_count - 1];
        if (__builtin_memcmp(&newest->fence, fence, sizeof(*fence)) == 0) {
            return newest;
        }
    }
    if (frames->batch_count < FRAMES_MAX_BATCHES) {
        newest = &frames->batch[frames->batch_count++];
        *newest = (struct frames_batch){ .fence = *fence, .first = FRAMES_NONE };
        return newest;
    }
    /* No place for a batch of its own: waiting for more than one must is always right. */
    frames_fence_join(&newest->fence, fence);
    return newest;
}

static void quarantine(struct frames *frames, uint32_t index, const struct frames_fence *fence)
{
    struct frames_batch *batch = batch_for(frames, fence);
    frames->table[index].state = FRAME_QUARANTINED;
    frames->table[index].next = batch->first;
    batch->first = index;
    batch->count++;
    frames->quarantined_frames++;
}

void frames_fence_add(const struct frames *frames, struct frames_fence *fence, uint32_t cpu_mask)
{
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if ((cpu_mask >> cpu & 1) != 0 && fence->load[cpu] <= frames->loads[cpu]) {
            fence->load[cpu] = frames->loads[cpu] + 1;
        }
    }
}

void frames_fence_join(struct frames_fence *fence, const struct frames_fence *other)
{
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (fence->load[cpu] < other->load[cpu]) {
            fence->load[cpu] = other->load[cpu];
        }
    }
}

void frames_release_due(struct frames *frames)
{
    port_lock_acquire(&frames->lock);
    release_due(frames);
    port_lock_release(&frames->lock);
}

/* ---- taking and giving ---- */

bool frames_take(struct frames *frames, paddr_t *frame)
{
    port_lock_acquire(&frames->lock);
    uint32_t index = frames->first_free;
    if (index != FRAMES_NONE) {
        remove_free(frames, index, FRAME_SINGLE);
        *frame = address_of(frames, index);
    }
    port_lock_release(&frames->lock);
    return index != FRAMES_NONE;
}

bool frames_take_zeroed(struct frames *frames, paddr_t *frame)
{
    if (!frames_take(frames, frame)) {
        return false;
    }
    wipe(*frame);
    return true;
}

/* The highest run of `count` free frames: single ones come from the low end, so runs stay to be found. */
static uint32_t find_run(const struct frames *frames, uint32_t count)
{
    uint32_t found = 0;
    for (uint32_t index = frames->count; index-- > 0;) {
        found = frames->table[index].state == FRAME_FREE ? found + 1 : 0;
        if (found == count) {
            return index;
        }
    }
    return FRAMES_NONE;
}

bool frames_take_run(struct frames *frames, uint32_t count, paddr_t *first)
{
    KASSERT(count > 0, "a run of no frames");
    port_lock_acquire(&frames->lock);
    uint32_t head = count > frames->free_frames ? FRAMES_NONE : find_run(frames, count);
    for (uint32_t i = 0; head != FRAMES_NONE && i < count; i++) {
        remove_free(frames, head + i, i == 0 ? FRAME_RUN_HEAD : FRAME_RUN_BODY);
    }
    if (head != FRAMES_NONE) {
        frames->table[head].next = count;
    }
    port_lock_release(&frames->lock);
    if (head == FRAMES_NONE) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        wipe(address_of(frames, head + i));
    }
    *first = address_of(frames, head);
    return true;
}

/* The first frame's index, when [first, first + count) is exactly one run. */
static uint32_t expect_run(const struct frames *frames, paddr_t first, uint32_t count)
{
    uint32_t head = index_of(frames, first);
    expect_state(frames, head, FRAME_RUN_HEAD);
    KASSERT(frames->table[head].next == count, "a run of %u frames, given as %u",
            frames->table[head].next, count);
    for (uint32_t i = 1; i < count; i++) {
        expect_state(frames, head + i, FRAME_RUN_BODY);
    }
    return head;
}

void frames_give(struct frames *frames, paddr_t frame)
{
    port_lock_acquire(&frames->lock);
    uint32_t index = index_of(frames, frame);
    expect_state(frames, index, FRAME_SINGLE);
    push_free(frames, index);
    port_lock_release(&frames->lock);
}

void frames_give_run(struct frames *frames, paddr_t first, uint32_t count)
{
    port_lock_acquire(&frames->lock);
    uint32_t head = expect_run(frames, first, count);
    for (uint32_t i = count; i-- > 0;) {
        push_free(frames, head + i);
    }
    port_lock_release(&frames->lock);
}

void frames_give_after(struct frames *frames, paddr_t frame, const struct frames_fence *fence)
{
    if (fence_passed(frames, fence)) {
        frames_give(frames, frame);
        return;
    }
    port_lock_acquire(&frames->lock);
    uint32_t index = index_of(frames, frame);
    expect_state(frames, index, FRAME_SINGLE);
    quarantine(frames, index, fence);
    port_lock_release(&frames->lock);
}

void frames_give_run_after(struct frames *frames, paddr_t first, uint32_t count,
                           const struct frames_fence *fence)
{
    if (fence_passed(frames, fence)) {
        frames_give_run(frames, first, count);
        return;
    }
    port_lock_acquire(&frames->lock);
    uint32_t head = expect_run(frames, first, count);
    for (uint32_t i = 0; i < count; i++) {
        quarantine(frames, head + i, fence);
    }
    port_lock_release(&frames->lock);
}

/* ---- start ---- */

struct span {
    uint64_t begin, end; /* frame numbers, half open */
};

/* The whole frames of a range; low memory's frame 0 never counts, so that address 0 is nobody's frame. */
static struct span span_of(const struct boot_range *range)
{
    struct span span = { .begin = (range->base + PAGE_SIZE - 1) >> PAGE_SHIFT,
                         .end = (range->base + range->size_bytes) >> PAGE_SHIFT };
    if (span.begin == 0) {
        span.begin = 1;
    }
    if (span.end < span.begin) {
        span.end = span.begin;
    }
    return span;
}

void frames_init(struct frames *frames, const struct boot_info *boot)
{
    struct span all = { UINT64_MAX, 0 }, largest = { 0, 0 };

    *frames = (struct frames){ .first_free = FRAMES_NONE };
    for (uint32_t i = 0; i < boot->usable_count; i++) {
        struct span span = span_of(&boot->usable[i]);
        if (span.begin == span.end) {
            continue;
        }
        all.begin = span.begin < all.begin ? span.begin : all.begin;
        all.end = span.end > all.end ? span.end : all.end;
        if (span.end - span.begin > largest.end - largest.begin) {
            largest = span;
        }
    }
    KASSERT(all.begin < all.end && all.end - all.begin < FRAMES_NONE, "%u usable ranges",
            boot->usable_count);

    frames->first_number = all.begin;
    frames->count = (uint32_t)(all.end - all.begin);
    uint64_t table_bytes = round_up_u64(frames->count * sizeof(struct frame), PAGE_SIZE);
    uint64_t table_number = largest.end - (table_bytes >> PAGE_SHIFT);
    KASSERT(table_bytes >> PAGE_SHIFT < largest.end - largest.begin,
            "a table of %llu bytes fits no range", (unsigned long long)table_bytes);
    frames->table = port_direct(paddr(table_number << PAGE_SHIFT));
    __builtin_memset(frames->table, 0, table_bytes);

    /* From the top down, so that the lowest frame is the first that is taken. */
    for (uint32_t index = frames->count; index-- > 0;) {
        uint64_t number = frames->first_number + index;
        bool usable = false;
        for (uint32_t i = 0; i < boot->usable_count && !usable; i++) {
            struct span span = span_of(&boot->usable[i]);
            usable = number >= span.begin && number < span.end;
        }
        if (usable && !(number >= table_number && number < largest.end)) {
            push_free(frames, index);
        }
    }
    frames->total_frames = frames->free_frames;
}
