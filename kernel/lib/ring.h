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
    uint32_t mask;  /* of a slot's index: slots - 1 */
};
struct ring_consumer {
    struct ring *shared;
    uint32_t head;
    uint32_t slots;
    uint32_t mask;
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

/* One line: not worth a loop, and REP is slow for so little. */
static inline void ring_copy_slot(void *to, const void *from)
{
    uint64_t *words = to;
    const uint64_t *source = from;
#pragma GCC unroll 8
    for (unsigned i = 0; i < RING_SLOT_BYTES / sizeof(uint64_t); i++) {
        words[i] = source[i];
    }
}

/* ---- the producer's side ------------------------------------------------------------------------------------------------ */

/* Free places now. RING_CORRUPT or RING_OK. */
static inline enum ring_status ring_room(const struct ring_producer *producer, uint32_t *count)
{
    /* Acquire: the consumer is done with the slots. Pairs with the release in ring_take(). */
    uint32_t used = producer->tail - __atomic_load_n(&producer->shared->head, __ATOMIC_ACQUIRE);
    if (used > producer->slots) {
        *count = 0;
        return RING_CORRUPT;
    }
    *count = producer->slots - used;
    return RING_OK;
}

/* The slot `ahead` places behind the newest, to be written; only after ring_room() said that there is room. */
static inline void *ring_back(const struct ring_producer *producer, uint32_t ahead)
{
    return &producer->shared->slot[(producer->tail + ahead) & producer->mask];
}

/* How many slots from there on lie in one piece. */
static inline uint32_t ring_back_to_wrap(const struct ring_producer *producer, uint32_t ahead)
{
    return producer->slots - ((producer->tail + ahead) & producer->mask);
}

/* Write that slot without publishing it. */
static inline void ring_place(const struct ring_producer *producer, uint32_t ahead,
                              const void *slot)
{
    ring_copy_slot(ring_back(producer, ahead), slot);
}

/* Publish `count` slots that were placed: they are the consumer's. */
static inline void ring_give(struct ring_producer *producer, uint32_t count)
{
    producer->tail += count;
    /* Release: the slots before the count. Pairs with the acquire in ring_used(). */
    __atomic_store_n(&producer->shared->tail, producer->tail, __ATOMIC_RELEASE);
}

/* Publish one slot. RING_FULL: nothing changed. */
enum ring_status ring_push(struct ring_producer *producer, const void *slot);

/* ---- the consumer's side ------------------------------------------------------------------------------------------------ */

/* How many can be taken now. */
static inline enum ring_status ring_used(const struct ring_consumer *consumer, uint32_t *count)
{
    /* Acquire: the slots that the count announces. Pairs with the release in ring_give(). */
    uint32_t used = __atomic_load_n(&consumer->shared->tail, __ATOMIC_ACQUIRE) - consumer->head;
    if (used > consumer->slots) {
        *count = 0;
        return RING_CORRUPT;
    }
    *count = used;
    return RING_OK;
}

/*
 * The slot `ahead` places behind the oldest, where it lies until it is taken; only after ring_used() said that it is there. Its words may
 * change under the reader's hands unless the peer is trusted: each that decides something is read once.
 */
static inline const void *ring_front(const struct ring_consumer *consumer, uint32_t ahead)
{
    return &consumer->shared->slot[(consumer->head + ahead) & consumer->mask];
}

/* How many slots from there on lie in one piece. */
static inline uint32_t ring_front_to_wrap(const struct ring_consumer *consumer, uint32_t ahead)
{
    return consumer->slots - ((consumer->head + ahead) & consumer->mask);
}

/* Copy that slot out without taking it. */
static inline void ring_peek(const struct ring_consumer *consumer, uint32_t ahead, void *slot)
{
    ring_copy_slot(slot, ring_front(consumer, ahead));
}

/* The next `count` slots have been looked at, and are still in use: the next ring_take(), be it of none, takes them along. */
static inline void ring_pass(struct ring_consumer *consumer, uint32_t count)
{
    consumer->head += count;
}

/* Take `count` slots that were peeked at. */
static inline void ring_take(struct ring_consumer *consumer, uint32_t count)
{
    consumer->head += count;
    /* Release: the slots have been read. Pairs with the acquire in ring_room(). */
    __atomic_store_n(&consumer->shared->head, consumer->head, __ATOMIC_RELEASE);
}

/* Copy the oldest slot out and take it. RING_EMPTY: none. */
enum ring_status ring_pop(struct ring_consumer *consumer, void *slot);

/*
 * Sleep and wake. The consumer: ring_prepare_wait(); if it says true, the ring is empty and the peer will see the flag: sleep; after it,
 * or when it says false, ring_end_wait(). The producer, after its pushes: if ring_must_wake(), wake the consumer.
 * Each side writes its word, fences, then reads the other's: at least one of the two sees the other's write.
 */
bool ring_prepare_wait(struct ring_consumer *consumer);
void ring_end_wait(struct ring_consumer *consumer);
bool ring_must_wake(const struct ring_producer *producer);
