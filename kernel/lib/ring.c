/* ring.c - the one ring implementation. The table of who writes what is in ring.h. */
#include "kernel/lib/ring.h"

#include "kernel/lib/string.h"

void ring_init(struct ring *shared, uint32_t start)
{
    memset(shared, 0, sizeof(*shared));
    shared->tail = start;
    shared->head = start;
}

void ring_producer_init(struct ring_producer *producer, struct ring *shared, uint32_t slots,
                        uint32_t start)
{
    *producer = (struct ring_producer){ .shared = shared, .tail = start, .slots = slots };
}

void ring_consumer_init(struct ring_consumer *consumer, struct ring *shared, uint32_t slots,
                        uint32_t start)
{
    *consumer = (struct ring_consumer){ .shared = shared, .head = start, .slots = slots };
}

static void copy_slot(void *to, const void *from)
{
    uint64_t *words = to;
    const uint64_t *source = from;
#pragma GCC unroll 8 /* one line: not worth a loop, and REP is slow for so little */
    for (unsigned i = 0; i < RING_SLOT_BYTES / sizeof(uint64_t); i++) {
        words[i] = source[i];
    }
}

enum ring_status ring_room(const struct ring_producer *producer, uint32_t *count)
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

void ring_place(const struct ring_producer *producer, uint32_t ahead, const void *slot)
{
    copy_slot(&producer->shared->slot[(producer->tail + ahead) & (producer->slots - 1)], slot);
}

void ring_give(struct ring_producer *producer, uint32_t count)
{
    producer->tail += count;
    /* Release: the slots before the count. Pairs with the acquire in ring_used(). */
    __atomic_store_n(&producer->shared->tail, producer->tail, __ATOMIC_RELEASE);
}

enum ring_status ring_push(struct ring_producer *producer, const void *slot)
{
    uint32_t room;
    enum ring_status status = ring_room(producer, &room);
    if (status != RING_OK) {
        return status;
    }
    if (room == 0) {
        return RING_FULL;
    }
    ring_place(producer, 0, slot);
    ring_give(producer, 1);
    return RING_OK;
}

enum ring_status ring_used(const struct ring_consumer *consumer, uint32_t *count)
{
    /* Acquire: the slots that the count announces. Pairs with the release in ring_push(). */
    uint32_t used = __atomic_load_n(&consumer->shared->tail, __ATOMIC_ACQUIRE) - consumer->head;
    if (used > consumer->slots) {
        *count = 0;
        return RING_CORRUPT;
    }
    *count = used;
    return RING_OK;
}

const void *ring_front(const struct ring_consumer *consumer, uint32_t ahead)
{
    return &consumer->shared->slot[(consumer->head + ahead) & (consumer->slots - 1)];
}

void ring_peek(const struct ring_consumer *consumer, uint32_t ahead, void *slot)
{
    copy_slot(slot, ring_front(consumer, ahead));
}

void ring_take(struct ring_consumer *consumer, uint32_t count)
{
    consumer->head += count;
    /* Release: the slots have been read. Pairs with the acquire in ring_room(). */
    __atomic_store_n(&consumer->shared->head, consumer->head, __ATOMIC_RELEASE);
}

enum ring_status ring_pop(struct ring_consumer *consumer, void *slot)
{
    uint32_t used;
    enum ring_status status = ring_used(consumer, &used);
    if (status != RING_OK) {
        return status;
    }
    if (used == 0) {
        return RING_EMPTY;
    }
    ring_peek(consumer, 0, slot);
    ring_take(consumer, 1);
    return RING_OK;
}

bool ring_prepare_wait(struct ring_consumer *consumer)
{
    uint32_t used;
    __atomic_store_n(&consumer->shared->waiting, 1, __ATOMIC_RELAXED);
    /* The flag before the look at tail. Pairs with the fence in ring_must_wake(). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return ring_used(consumer, &used) == RING_OK && used == 0;
}

void ring_end_wait(struct ring_consumer *consumer)
{
    __atomic_store_n(&consumer->shared->waiting, 0, __ATOMIC_RELAXED);
}

bool ring_must_wake(const struct ring_producer *producer)
{
    /* The tail before the look at the flag. Pairs with the fence in ring_prepare_wait(). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&producer->shared->waiting, __ATOMIC_RELAXED) != 0;
}
