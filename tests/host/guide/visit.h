/*
 * visit.h - a deck instance's two rings, for tests that hold its work in arrays: what guide_take() placed is copied out, an answer goes in by a
 * DoneRing. The rings are made anew each time, with counts that wrap.
 */
#pragma once

#include "kernel/nucleus/guide/guide.h"

#define VISIT_SLOTS 256u
#define VISIT_START 0xfffffff0u

union visit_ring {
    struct ring ring;
    uint8_t bytes[sizeof(struct ring) + VISIT_SLOTS * RING_SLOT_BYTES];
};

static inline uint32_t visit_take(struct guide *guide, uint32_t instance, uint64_t now_ns,
                                  struct kwe_work *work, struct kwe_work_frame *frames,
                                  uint32_t room, struct guide_vector *vector)
{
    static union visit_ring memory;
    struct ring_producer ring;

    ring_init(&memory.ring, VISIT_START);
    ring_producer_init(&ring, &memory.ring, VISIT_SLOTS, VISIT_START);
    const uint32_t count = guide_take(guide, instance, now_ns, &ring, frames, room, vector);
    for (uint32_t i = 0; i < count; i++) {
        ring_copy_slot(&work[i], ring_back(&ring, i));
    }
    return count;
}

/* As if the instance had put these answers into its DoneRing and come in. */
static inline enum kerr visit_answer(struct guide *guide, uint32_t instance,
                                     const struct kwe_completion *answers, uint32_t count,
                                     uint64_t now_ns)
{
    static union visit_ring memory;
    struct ring_producer producer;
    struct ring_consumer consumer;

    ring_init(&memory.ring, VISIT_START);
    ring_producer_init(&producer, &memory.ring, VISIT_SLOTS, VISIT_START);
    ring_consumer_init(&consumer, &memory.ring, VISIT_SLOTS, VISIT_START);
    for (uint32_t i = 0; i < count; i++) {
        ring_place(&producer, i, &answers[i]);
    }
    ring_give(&producer, count);
    return guide_harvest(guide, instance, &consumer, count, now_ns);
}
