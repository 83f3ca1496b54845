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
    *producer = (struct ring_producer){
        .shared = shared, .tail = start, .slots = slots, .mask = slots - 1
    };
}

void ring_consumer_init(struct ring_consumer *consumer, struct ring *shared, uint32_t slots,
                        uint32_t start)
{
    *consumer = (struct ring_consumer){
        .shared = shared, .head = start, .slots = slots, .mask = slots - 1
    };
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
