/*
 * ring.h - one-producer, one-consumer ring of 64-byte slots in memory shared with a peer that may be hostile.
 *
 * tail    producer writes   slots ever published (free-running, wraps at 2^32)
 * head    consumer writes   slots ever taken     (free-running, wraps at 2^32)
 * slot[]  producer writes   readable in [head, tail)
 * waiting consumer writes   1: about to sleep or asleep; the producer clears nothing, it only looks (after a fence) and wakes
 *
 * Invariant: tail - head <= slots in uint32_t. Each side keeps its own count and the slot count in private memory; the shared words
 * are only news for the peer, and a breach of the invariant is the peer's fault (RING_CORRUPT). Sizes never come from the ring.
 * Used for EventRing, ResultRing, WorkRing, DoneRing, the CPUs' inboxes and in the host tests: the one implementation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RING_SLOT_BYTES 64u

struct ring_slot {
    _Alignas(64) uint64_t word[8];
};

/* Shared. Each index has a cache line of its own; the slots follow. */
struct ring {
    _Alignas(64) uint32_t tail;
    /* for the producer's use: the nucleus sets KWE_RING_AWAKE in result rings */
    uint32_t producer_flags;
    _Alignas(64) uint32_t head;
    uint32_t waiting;
    /* deck instances: a mark that long operations bump; else unused */
    _Alignas(64) uint64_t progress;
    struct ring_slot slot[];
};
_Static_assert(sizeof(struct ring) == 192, "three lines before the slots");
_Static_assert(sizeof(struct ring_slot) == RING_SLOT_BYTES, "a slot is one cache line");

enum ring_status {
    RING_OK,
    RING_FULL,
    RING_EMPTY,
    RING_CORRUPT, /* the peer's index cannot be: it erred or lies */
};

/* Private to each side. */
struct ring_producer {
    struct ring *shared;
    uint32_t tail;
    uint32_t slots; /* a power of two */
};
struct ring_consumer {
    struct ring *shared;
    uint32_t head;
    uint32_t slots;
};

static inline uint64_t ring_bytes(uint32_t slots)
{
    return sizeof(struct ring) + (uint64_t)slots * RING_SLOT_BYTES;
}

/* Both sides start at `start` (0 but in tests of the wrap); one side initialises the shared words. */
void ring_init(struct ring *shared, uint32_t start);
void ring_producer_init(struct ring_producer *producer, struct ring *shared, uint32_t slots,
                        uint32_t start);
void ring_consumer_init(struct ring_consumer *consumer, struct ring *shared, uint32_t slots,
                        uint32_t start);

/* Publish one slot. RING_FULL: nothing changed. */
enum ring_status ring_push(struct ring_producer *producer, const void *slot);
/* Free places now. RING_CORRUPT or RING_OK. */
enum ring_status ring_room(const struct ring_producer *producer, uint32_t *count);
/* Write the slot `ahead` places behind the newest without publishing it; only after ring_room() said that there is room. */
void ring_place(const struct ring_producer *producer, uint32_t ahead, const void *slot);
/* Publish `count` slots that were placed: they are the consumer's. */
void ring_give(struct ring_producer *producer, uint32_t count);

/* Copy the oldest slot out and take it. RING_EMPTY: none. */
enum ring_status ring_pop(struct ring_consumer *consumer, void *slot);
/* How many can be taken now. */
enum ring_status ring_used(const struct ring_consumer *consumer, uint32_t *count);
/* Copy the slot `ahead` places behind the oldest without taking it; only after ring_used() said that it is there. */
void ring_peek(const struct ring_consumer *consumer, uint32_t ahead, void *slot);
/* The same where it lies, until it is taken: only when the peer is trusted to leave it alone. */
const void *ring_front(const struct ring_consumer *consumer, uint32_t ahead);
/* Take `count` slots that were peeked at. */
void ring_take(struct ring_consumer *consumer, uint32_t count);

/*
 * Sleep and wake. The consumer: ring_prepare_wait(); if it says true, the ring is empty and the peer will see the flag: sleep; after it,
 * or when it says false, ring_end_wait(). The producer, after its pushes: if ring_must_wake(), wake the consumer.
 * Each side writes its word, fences, then reads the other's: at least one of the two sees the other's write.
 */
bool ring_prepare_wait(struct ring_consumer *consumer);
void ring_end_wait(struct ring_consumer *consumer);
bool ring_must_wake(const struct ring_producer *producer);
