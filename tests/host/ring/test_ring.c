/* The ring: full, empty, across the wrap of its counts, and with a peer that lies. */
/* uses: kernel/lib/ring.c */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/ring.h"

#define SLOTS 8u

struct pair {
    struct ring *shared;
    struct ring_producer producer;
    struct ring_consumer consumer;
};

/* Exactly as large as it must be, so that ASan sees what lies outside. */
static struct pair make(uint32_t start)
{
    struct pair pair = { .shared = aligned_alloc(64, ring_bytes(SLOTS)) };
    assert(pair.shared != NULL);
    ring_init(pair.shared, start);
    ring_producer_init(&pair.producer, pair.shared, SLOTS, start);
    ring_consumer_init(&pair.consumer, pair.shared, SLOTS, start);
    return pair;
}

static struct ring_slot item(uint64_t number)
{
    struct ring_slot slot;
    for (unsigned i = 0; i < 8; i++) {
        slot.word[i] = number * 8 + i;
    }
    return slot;
}

static void expect(struct pair *pair, uint64_t number)
{
    struct ring_slot got, wanted = item(number);
    assert(ring_pop(&pair->consumer, &got) == RING_OK);
    assert(memcmp(&got, &wanted, sizeof(got)) == 0);
}

static void test_push_refuses_when_full_and_changes_nothing(void)
{
    struct pair pair = make(0);
    for (uint64_t i = 0; i < SLOTS; i++) {
        struct ring_slot slot = item(i);
        assert(ring_push(&pair.producer, &slot) == RING_OK);
    }

    struct ring_slot more = item(99);
    assert(ring_push(&pair.producer, &more) == RING_FULL);

    for (uint64_t i = 0; i < SLOTS; i++) {
        expect(&pair, i);
    }
    assert(ring_pop(&pair.consumer, &more) == RING_EMPTY);
    free(pair.shared);
}

static void test_counts_wrap_without_notice(void)
{
    struct pair pair = make(UINT32_MAX - 3);
    uint64_t in = 0, out = 0;
    uint32_t used, room;

    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 1 + round % SLOTS; i++, in++) {
            struct ring_slot slot = item(in);
            assert(ring_push(&pair.producer, &slot) == RING_OK);
        }
        assert(ring_used(&pair.consumer, &used) == RING_OK && used == in - out);
        assert(ring_room(&pair.producer, &room) == RING_OK && room == SLOTS - used);
        for (; out < in; out++) {
            expect(&pair, out);
        }
    }
    assert(pair.shared->tail < 1000); /* it did wrap */
    free(pair.shared);
}

static void test_peeking_takes_nothing(void)
{
    struct pair pair = make(UINT32_MAX);
    struct ring_slot got, slot;
    for (uint64_t i = 0; i < 3; i++) {
        slot = item(i);
        ring_push(&pair.producer, &slot);
    }

    ring_peek(&pair.consumer, 2, &got);

    slot = item(2);
    assert(memcmp(&got, &slot, sizeof(got)) == 0);
    expect(&pair, 0);
    ring_take(&pair.consumer, 1);
    expect(&pair, 2);
    free(pair.shared);
}

/* Both sides walk a piece by a pointer: it ends where the ring does. */
static void test_pieces_end_with_the_ring(void)
{
    for (uint32_t start = 0; start < 2 * SLOTS; start++) {
        struct pair pair = make(start - SLOTS);
        const uint32_t to_end = SLOTS - start % SLOTS;

        assert(ring_back_to_wrap(&pair.producer, 0) == to_end);
        assert(ring_front_to_wrap(&pair.consumer, 0) == to_end);
        assert(ring_back(&pair.producer, to_end) == &pair.shared->slot[0]);
        assert(ring_front(&pair.consumer, to_end - 1) == &pair.shared->slot[SLOTS - 1]);
        assert(ring_back_to_wrap(&pair.producer, to_end) == SLOTS);
        assert(ring_front_to_wrap(&pair.consumer, to_end - 1) == 1);
        free(pair.shared);
    }
}

static void test_what_is_passed_goes_back_with_the_next_take(void)
{
    struct pair pair = make(UINT32_MAX);
    uint32_t room, used;
    for (uint64_t i = 0; i < 3; i++) {
        struct ring_slot slot = item(i);
        ring_push(&pair.producer, &slot);
    }

    ring_pass(&pair.consumer, 2);

    assert(ring_room(&pair.producer, &room) == RING_OK && room == SLOTS - 3);
    assert(ring_used(&pair.consumer, &used) == RING_OK && used == 1);
    ring_take(&pair.consumer, 0);
    assert(ring_room(&pair.producer, &room) == RING_OK && room == SLOTS - 1);
    expect(&pair, 2);
    free(pair.shared);
}

/* Whatever the peer writes: an answer that says so, and no access outside (ASan) and nothing past the truth that a side keeps for itself. */
static void test_a_lying_consumer_is_caught(void)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        struct pair pair = make(100);
        struct ring_slot slot = item(1);
        uint32_t room;
        ring_push(&pair.producer, &slot);

        pair.shared->head = 100u ^ (1u << bit);

        uint32_t used = 101u - pair.shared->head;
        enum ring_status wanted = used > SLOTS ? RING_CORRUPT : RING_OK;
        assert(ring_room(&pair.producer, &room) == wanted);
        assert(room <= SLOTS);
        enum ring_status pushed = ring_push(&pair.producer, &slot);
        assert(wanted == RING_CORRUPT ? pushed == RING_CORRUPT
                                      : pushed == RING_OK || pushed == RING_FULL);
        free(pair.shared);
    }
}

static void test_a_lying_producer_is_caught(void)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        struct pair pair = make(100);
        struct ring_slot got;
        uint32_t used;

        pair.shared->tail = 100u ^ (1u << bit);

        uint32_t claimed = pair.shared->tail - 100u;
        enum ring_status wanted = claimed > SLOTS ? RING_CORRUPT : RING_OK;
        assert(ring_used(&pair.consumer, &used) == wanted);
        assert(used <= SLOTS);
        assert(ring_pop(&pair.consumer, &got) == wanted);
        free(pair.shared);
    }
}

/* Each side goes on by its own count: what a liar writes over its own word does not come back. */
static void test_own_words_are_never_read_back(void)
{
    struct pair pair = make(0);
    struct ring_slot slot = item(0);
    ring_push(&pair.producer, &slot);

    pair.shared->tail = 77;
    slot = item(1);
    assert(ring_push(&pair.producer, &slot) == RING_OK);

    assert(pair.shared->tail == 2);
    expect(&pair, 0);
    pair.shared->head = 55;
    expect(&pair, 1);
    assert(pair.shared->head == 2);
    free(pair.shared);
}

static void test_a_waiting_consumer_is_seen(void)
{
    struct pair pair = make(0);
    struct ring_slot slot = item(0);

    assert(!ring_must_wake(&pair.producer));
    assert(ring_prepare_wait(&pair.consumer)); /* empty: it may sleep */
    ring_push(&pair.producer, &slot);
    assert(ring_must_wake(&pair.producer));
    assert(!ring_prepare_wait(&pair.consumer)); /* something came: it may not */
    ring_end_wait(&pair.consumer);
    assert(!ring_must_wake(&pair.producer));
    free(pair.shared);
}

int main(void)
{
    test_push_refuses_when_full_and_changes_nothing();
    test_counts_wrap_without_notice();
    test_peeking_takes_nothing();
    test_pieces_end_with_the_ring();
    test_what_is_passed_goes_back_with_the_next_take();
    test_a_lying_consumer_is_caught();
    test_a_lying_producer_is_caught();
    test_own_words_are_never_read_back();
    test_a_waiting_consumer_is_seen();
    return 0;
}
