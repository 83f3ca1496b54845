/* rings.c - the program's side of its two rings: submit, wait, take results. */
#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/program/kwe.h"

static int create(struct kwe_rings *rings, uint32_t slots, uint64_t flags)
{
    struct kwe_ring_info info;
    int64_t answer = kwe_call_ring_create(slots, &info, flags);

    if (answer < 0) {
        return (int)answer;
    }
    ring_producer_init(&rings->events, (struct ring *)(uintptr_t)info.event_ring, info.slots, 0);
    ring_consumer_init(&rings->results, (struct ring *)(uintptr_t)info.result_ring, info.slots, 0);
    rings->id = info.ring;
    rings->end = 0;
    rings->known = 0;
    rings->polled = flags != 0;
    return 0;
}

int kwe_rings_create(struct kwe_rings *rings, uint32_t slots)
{
    return create(rings, slots, 0);
}

int kwe_rings_create_polled(struct kwe_rings *rings, uint32_t slots)
{
    return create(rings, slots, KWE_RING_POLLED);
}

int kwe_rings_destroy(struct kwe_rings *rings)
{
    return (int)kwe_call_ring_destroy(rings->id);
}

int kwe_notify(struct kwe_rings *rings)
{
    return rings->polled && !ring_must_wake(&rings->events)
               ? 0
               : (int)kwe_call_kernel_notify(rings->id, KWE_NOTIFY_SUBMIT, 0, 0);
}

uint32_t kwe_event_room(struct kwe_rings *rings)
{
    uint32_t room;

    (void)ring_room(&rings->events, &room); /* none, should the count be wrong */
    rings->end = rings->events.tail + room;
    return room;
}

int kwe_event_give(struct kwe_rings *rings, uint32_t count)
{
    ring_give(&rings->events, count);
    /* With none, too: what was left in a full ring goes on when the kernel hears that results have been read. */
    return kwe_notify(rings);
}

int kwe_submit(struct kwe_rings *rings, const struct kwe_event *events, uint32_t count)
{
    struct kwe_event *place;
    uint32_t pushed = 0;

    while (pushed < count && (place = kwe_event_place(rings, pushed)) != NULL) {
        ring_copy_slot(place, &events[pushed++]);
    }
    int answer = kwe_event_give(rings, pushed);
    return answer < 0 ? answer : (int)pushed;
}

int kwe_wait(struct kwe_rings *rings, uint32_t min, uint64_t timeout_ns)
{
    uint32_t count;

    /* A result that is still held may hold the very slot that the next event waits for. */
    kwe_result_release(rings);
    if (ring_used(&rings->results, &count) == RING_OK && count > 0 && count >= min) {
        return (int)count;
    }
    return (int)kwe_call_kernel_notify(rings->id, KWE_NOTIFY_SUBMIT | KWE_NOTIFY_WAIT, min,
                                       timeout_ns);
}

/* A program that only looks, and never waits: events that were left behind for want of room go on when the kernel hears of it. */
static void tell_of_left(struct kwe_rings *rings)
{
    uint32_t room;

    if (rings->polled && ring_room(&rings->events, &room) == RING_OK &&
        room < rings->events.slots && ring_must_wake(&rings->events)) {
        (void)kwe_call_kernel_notify(rings->id, KWE_NOTIFY_SUBMIT, 0, 0);
    }
}

bool kwe_results_look(struct kwe_rings *rings)
{
    uint32_t count;

    if (ring_used(&rings->results, &count) != RING_OK || count == 0) {
        tell_of_left(rings);
        return false;
    }
    rings->known = rings->results.head + count;
    return true;
}

int kwe_event_give_wait(struct kwe_rings *rings, uint32_t count, uint32_t min, uint64_t timeout_ns)
{
    kwe_result_release(rings);
    ring_give(&rings->events, count);
    return (int)kwe_call_kernel_notify(rings->id, KWE_NOTIFY_SUBMIT | KWE_NOTIFY_WAIT, min,
                                       timeout_ns);
}

int kwe_cancel(struct kwe_rings *rings, uint64_t cookie)
{
    return (int)kwe_call_event_cancel(rings->id, cookie);
}

const void *kwe_result_bytes(const struct kwe_workflow_info *info, const struct kwe_result *result)
{
    return result->length == 0 ? NULL
                               : (const void *)(uintptr_t)(info->arena_base + result->offset);
}
