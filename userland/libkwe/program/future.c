/*
 * future.c - futures: an upcall takes what lies in the ResultRing and completes what each cookie names, the address of a future.
 *
 *   ResultRing   head            head + seen                tail
 *                | told of, kept  | to be told of by harvest() |
 *
 * A result's place, and with it its buffer, is the program's until the ring's head passes it: released ones go in the ring's order.
 * The upcall runs on the program's own thread, at any point of it: where harvest() may not come in between, `busy` keeps it out, and whoever
 * set it looks again afterwards. No locks, no allocation inside.
 */
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/common/clock.h"
#include "userland/libkwe/program/kwe.h"

#define MOST_RINGS 8u

struct kwe_futures {
    struct kwe_rings *rings;
    uint32_t seen;          /* results behind the head that have been told of */
    volatile uint32_t busy; /* harvest() is not to run */
    uint8_t released[];     /* by place */
};

/* Rings with futures, by which the upcall finds them. */
static struct kwe_futures *all[MOST_RINGS];

static void harvest(struct kwe_futures *futures)
{
    struct ring_consumer *results = &futures->rings->results;
    struct kwe_result result;
    uint32_t count;

    while (ring_used(results, &count) == RING_OK && futures->seen < count) {
        ring_peek(results, futures->seen, &result);
        struct kwe_future *future = (struct kwe_future *)(uintptr_t)result.cookie;
        future->result = result;
        future->place = (results->head + futures->seen) % results->slots;
        futures->seen++;
        /* Release: the result before the word that says it is there. One thread, but the compiler may not turn them round. */
        __atomic_store_n(&future->done, true, __ATOMIC_RELEASE);
    }
}

static void enter(struct kwe_futures *futures)
{
    futures->busy++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* What came while the upcall was kept out is looked at here. */
static void leave(struct kwe_futures *futures)
{
    harvest(futures);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    futures->busy--;
}

/* The kernel calls it, on our thread. */
static _Noreturn void on_results(uint64_t ring)
{
    for (unsigned i = 0; i < MOST_RINGS; i++) {
        if (all[i] != NULL && all[i]->rings->id == ring && all[i]->busy == 0) {
            harvest(all[i]);
        }
    }
    kwe_call_upcall_return();
    abort();
}

int kwe_futures_begin(struct kwe_rings *rings)
{
    unsigned index = 0;

    while (index < MOST_RINGS && all[index] != NULL) {
        index++;
    }
    if (index == MOST_RINGS) {
        return -KERR_TOO_MANY;
    }
    struct kwe_futures *futures = calloc(1, sizeof(*futures) + rings->results.slots);
    if (futures == NULL) {
        return -KERR_NO_MEMORY;
    }
    futures->rings = rings;
    rings->futures = futures;
    all[index] = futures;
    int answer = (int)kwe_call_upcall_set(rings->id, (uint64_t)(uintptr_t)on_results, 0);
    if (answer < 0) {
        kwe_futures_end(rings);
    }
    return answer;
}

void kwe_futures_end(struct kwe_rings *rings)
{
    (void)kwe_call_upcall_set(rings->id, 0, 0);
    for (unsigned i = 0; i < MOST_RINGS; i++) {
        all[i] = all[i] == rings->futures ? NULL : all[i];
    }
    free(rings->futures);
    rings->futures = NULL;
}

int kwe_submit_futures(struct kwe_rings *rings, const struct kwe_event *events,
                       struct kwe_future *futures, uint32_t count)
{
    uint32_t pushed = 0;

    for (; pushed < count; pushed++) {
        struct kwe_event *place = kwe_event_place(rings, pushed);
        if (place == NULL) {
            break;
        }
        ring_copy_slot(place, &events[pushed]);
        place->cookie = (uint64_t)(uintptr_t)&futures[pushed];
        futures[pushed].done = false;
    }
    int answer = kwe_event_give(rings, pushed);
    return answer < 0 ? answer : (int)pushed;
}

bool kwe_future_done(const struct kwe_future *future)
{
    /* Acquire: the result is there too. */
    return __atomic_load_n(&future->done, __ATOMIC_ACQUIRE);
}

bool kwe_future_wait(struct kwe_rings *rings, struct kwe_future *future, uint64_t timeout_ns)
{
    const uint64_t now_ns = kwe_now_ns();
    const uint64_t until_ns = timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
    struct kwe_futures *futures = rings->futures;

    /* The upcall is kept out: else it could take the very result that WAIT is to wake us for. */
    enter(futures);
    for (;;) {
        harvest(futures);
        const uint64_t at_ns = kwe_now_ns();
        const bool is_full = futures->seen == rings->results.slots; /* nothing was released */
        if (kwe_future_done(future) || at_ns >= until_ns || is_full) {
            break;
        }
        (void)kwe_call_kernel_notify(rings->id, KWE_NOTIFY_SUBMIT | KWE_NOTIFY_WAIT,
                                     futures->seen + 1u, until_ns - at_ns);
    }
    leave(futures);
    return kwe_future_done(future);
}

void kwe_future_release(struct kwe_rings *rings, struct kwe_future *future)
{
    struct kwe_futures *futures = rings->futures;
    struct ring_consumer *results = &rings->results;

    enter(futures);
    futures->released[future->place] = 1;
    while (futures->seen > 0 && futures->released[results->head % results->slots] != 0) {
        futures->released[results->head % results->slots] = 0;
        futures->seen--;
        ring_take(results, 1);
    }
    leave(futures);
}
