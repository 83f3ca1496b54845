/* polling.c - see polling.h. */
#include "kernel/nucleus/program/polling.h"

#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/rings.h"

static unsigned index_of(const struct nucleus *nucleus, const struct program_rings *rings)
{
    unsigned index = 0;

    while (nucleus->ring[index] != rings) {
        index++;
    }
    return index;
}

static struct polled_ring *polled_of(struct nucleus *nucleus, const struct program_rings *rings)
{
    return &nucleus->polled[index_of(nucleus, rings)];
}

void polling_begin(struct nucleus *nucleus, struct program_rings *rings)
{
    struct polled_ring *polled = polled_of(nucleus, rings);

    rings->polled = true;
    rings->program->looks = true;
    nucleus->polled_count++;
    __atomic_store_n(&polled->head, &rings->ring.results.shared->head, __ATOMIC_RELAXED);
    __atomic_store_n(&polled->seen_tail, rings->ring.events.head, __ATOMIC_RELAXED);
    __atomic_store_n(&polled->starved, false, __ATOMIC_RELAXED);
    __atomic_store_n(&polled->tail, &rings->ring.events.shared->tail, __ATOMIC_RELEASE);
    if (nucleus->awake_count == 0) {
        (void)ring_prepare_wait(&rings->ring.events);
    }
}

void polling_end(struct nucleus *nucleus, struct program_rings *rings)
{
    if (rings->polled) {
        rings->polled = false;
        nucleus->polled_count--;
        /* A CPU that still looks through it reads a word of some frame: for nothing, but without harm. */
        __atomic_store_n(&polled_of(nucleus, rings)->tail, NULL, __ATOMIC_RELAXED);
    }
}

void polling_look(struct nucleus *nucleus, const struct program_rings *rings)
{
    struct polled_ring *polled;

    if (rings->polled) {
        polled = polled_of(nucleus, rings);
        __atomic_store_n(&polled->seen_tail, __atomic_load_n(polled->tail, __ATOMIC_RELAXED),
                         __ATOMIC_RELAXED);
        __atomic_store_n(&polled->seen_head, __atomic_load_n(polled->head, __ATOMIC_RELAXED),
                         __ATOMIC_RELAXED);
    }
}

void polling_served(struct nucleus *nucleus, const struct program_rings *rings)
{
    if (rings->polled) {
        __atomic_store_n(&polled_of(nucleus, rings)->starved, rings->ring.starved,
                         __ATOMIC_RELAXED);
    }
}

static bool has_changed(const uint32_t *shared, const uint32_t *seen)
{
    return __atomic_load_n(shared, __ATOMIC_RELAXED) != __atomic_load_n(seen, __ATOMIC_RELAXED);
}

static bool has_news(const struct polled_ring *polled)
{
    const uint32_t *tail = __atomic_load_n(&polled->tail, __ATOMIC_ACQUIRE);

    return tail != NULL && (has_changed(tail, &polled->seen_tail) ||
                            (__atomic_load_n(&polled->starved, __ATOMIC_RELAXED) &&
                             has_changed(polled->head, &polled->seen_head)));
}

bool polling_has_news(const struct nucleus *nucleus)
{
    for (unsigned i = 0; i < MAX_RINGS; i++) {
        if (has_news(&nucleus->polled[i])) {
            return true;
        }
    }
    return false;
}

void polling_serve(struct nucleus *nucleus)
{
    for (unsigned i = 0; i < MAX_RINGS; i++) {
        struct program_rings *rings = nucleus->ring[i];
        if (rings != NULL && rings->polled && !rings->program->ending &&
            has_news(&nucleus->polled[i])) {
            if (!program_rings_serve(nucleus, rings, port_now_ns())) {
                program_rings_broken(nucleus, rings);
            }
        }
    }
}

void polling_wake(struct nucleus *nucleus, struct cpu *cpu)
{
    if (cpu->keeps_awake) {
        return;
    }
    cpu->keeps_awake = true;
    if (nucleus->awake_count++ != 0) {
        return;
    }
    for (unsigned i = 0; nucleus->polled_count != 0 && i < MAX_RINGS; i++) {
        if (nucleus->ring[i] != NULL && nucleus->ring[i]->polled) {
            ring_end_wait(&nucleus->ring[i]->ring.events);
        }
    }
}

bool polling_sleep(struct nucleus *nucleus, struct cpu *cpu)
{
    bool is_quiet = true;

    if (!cpu->keeps_awake) {
        return true;
    }
    cpu->keeps_awake = false;
    if (--nucleus->awake_count != 0) {
        return true;
    }
    for (unsigned i = 0; nucleus->polled_count != 0 && i < MAX_RINGS; i++) {
        struct program_rings *rings = nucleus->ring[i];
        /* Those of a starved ring wait for a slot, and answers bring that. */
        if (rings != NULL && rings->polled && !ring_prepare_wait(&rings->ring.events) &&
            !rings->ring.starved) {
            is_quiet = false;
        }
    }
    return is_quiet;
}
