/* The ring between two threads, across the wrap, under ThreadSanitizer; and the consumer sleeping whenever the ring is empty. */
/* uses: kernel/lib/ring.c */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

#include "kernel/lib/ring.h"

#define SLOTS 16u
#define ITEMS 1000000u
#define START (UINT32_MAX - ITEMS / 2) /* half-way through, the counts wrap */

static struct ring_producer producer;
static struct ring_consumer consumer;
static sem_t wake;

static void *produce(void *unused)
{
    for (uint64_t i = 0; i < ITEMS; i++) {
        struct ring_slot slot = { .word = { i, ~i, i * 3, 0, 0, 0, 0, i } };
        enum ring_status status;
        while ((status = ring_push(&producer, &slot)) == RING_FULL) {
            sched_yield();
        }
        assert(status == RING_OK);
        if (ring_must_wake(&producer)) {
            sem_post(&wake);
        }
    }
    return unused;
}

int main(void)
{
    struct ring *shared = aligned_alloc(64, ring_bytes(SLOTS));
    pthread_t thread;
    uint64_t sleeps = 0;

    ring_init(shared, START);
    ring_producer_init(&producer, shared, SLOTS, START);
    ring_consumer_init(&consumer, shared, SLOTS, START);
    sem_init(&wake, 0, 0);
    pthread_create(&thread, NULL, produce, NULL);
    for (uint64_t i = 0; i < ITEMS;) {
        struct ring_slot slot;
        enum ring_status status = ring_pop(&consumer, &slot);
        if (status == RING_EMPTY) {
            if (ring_prepare_wait(&consumer)) {
                sem_wait(&wake); /* a lost wake-up would hang here */
                sleeps++;
            }
            ring_end_wait(&consumer);
            continue;
        }
        assert(status == RING_OK);
        assert(slot.word[0] == i && slot.word[1] == ~i && slot.word[2] == i * 3 &&
               slot.word[7] == i);
        i++;
    }
    pthread_join(thread, NULL);
    assert(consumer.head == START + ITEMS && sleeps > 0);
    free(shared);
    return 0;
}
