/* Sessions with a worker that is played here: greeting, answers, death by epoch, by a stopped heart, by a broken ring. */
// uses: drivers/ivshmem/ivshmem_link.c kernel/lib/ring.c
#include <assert.h>
#include <string.h>

#include "drivers/ivshmem/ivshmem_link.h"

#define BYTES (64u * 1024)

static _Alignas(4096) uint8_t memory[BYTES];

static struct kwe_accel_control *control(void)
{
    return (struct kwe_accel_control *)memory;
}

static void server_prepares(void)
{
    memset(memory, 0, sizeof(memory));
    control()->magic = KWE_ACCEL_MAGIC;
    control()->version = KWE_ACCEL_VERSION;
    control()->slots = KWE_ACCEL_SLOTS;
    control()->window_bytes = BYTES;
}

static void worker_starts(void)
{
    control()->worker_session = 0;
    control()->heartbeat_ns++;
    control()->epoch++;
}

static void worker_answers_greeting(void)
{
    ring_init((struct ring *)(memory + KWE_ACCEL_REQUESTS), 0);
    ring_init((struct ring *)(memory + KWE_ACCEL_RESPONSES), 0);
    control()->worker_session = control()->guest_session;
}

static struct link up(void)
{
    struct link link;
    server_prepares();
    worker_starts();
    assert(link_init(&link, memory, BYTES, 1));
    link_greet(&link);
    worker_answers_greeting();
    assert(link_poll(&link, 0) == LINK_CAME_UP);
    return link;
}

static void test_init_refuses_memory_that_speaks_something_else(void)
{
    struct link link;

    server_prepares();
    control()->magic++;
    assert(!link_init(&link, memory, BYTES, 1));

    server_prepares();
    control()->window_bytes = BYTES + 1;
    assert(!link_init(&link, memory, BYTES, 1));
}

static void test_nothing_is_posted_before_the_worker_has_answered(void)
{
    struct link link;
    struct kwe_accel_request request = { .id = 1 };
    server_prepares();
    assert(link_init(&link, memory, BYTES, 1));

    link_greet(&link);

    assert(link_poll(&link, 0) == LINK_NO_NEWS);
    assert(!link_post(&link, &request));
    assert(control()->guest_peer == 1 && control()->guest_session == 1);
}

static void test_a_request_goes_out_and_its_answer_comes_back(void)
{
    struct link link = up();
    struct ring_consumer worker_in;
    struct ring_producer worker_out;
    struct kwe_accel_request request = { .id = 77, .op = KWE_ACCEL_CONVOLVE }, seen;
    struct kwe_accel_response response = { .id = 77 }, taken;
    ring_consumer_init(&worker_in, (struct ring *)(memory + KWE_ACCEL_REQUESTS), KWE_ACCEL_SLOTS,
                       0);
    ring_producer_init(&worker_out, (struct ring *)(memory + KWE_ACCEL_RESPONSES), KWE_ACCEL_SLOTS,
                       0);

    assert(link_post(&link, &request));
    assert(ring_pop(&worker_in, &seen) == RING_OK && seen.id == 77);
    assert(ring_push(&worker_out, &response) == RING_OK);

    assert(link_take(&link, &taken) && taken.id == 77);
    assert(!link_take(&link, &taken));
}

static void test_a_new_epoch_loses_the_link_and_a_greeting_brings_it_back(void)
{
    struct link link = up();

    worker_starts();
    assert(link_poll(&link, 1) == LINK_LOST);
    assert(link_poll(&link, 2) == LINK_NO_NEWS);
    link_greet(&link);
    assert(link_poll(&link, 3) == LINK_NO_NEWS);
    worker_answers_greeting();

    assert(link_poll(&link, 4) == LINK_CAME_UP);
}

static void test_a_stopped_heart_loses_the_link_and_a_beating_one_does_not(void)
{
    struct link link = up();
    uint64_t now_ns = 0;

    for (unsigned beat = 0; beat < 10; beat++) {
        now_ns += LINK_HEART_STOPPED_NS;
        control()->heartbeat_ns++;
        assert(link_poll(&link, now_ns) == LINK_NO_NEWS);
    }
    assert(link_poll(&link, now_ns + LINK_HEART_STOPPED_NS) == LINK_NO_NEWS);

    assert(link_poll(&link, now_ns + LINK_HEART_STOPPED_NS + 1) == LINK_LOST);
}

static void test_time_in_which_nobody_watched_does_not_count(void)
{
    struct link link = up();
    uint64_t later_ns = 1000 * LINK_HEART_STOPPED_NS;

    link_watch(&link, later_ns);

    assert(link_poll(&link, later_ns + 1) == LINK_NO_NEWS);
}

static void test_a_broken_ring_loses_the_link(void)
{
    struct kwe_accel_response response;
    struct link link = up();
    ((struct ring *)(memory + KWE_ACCEL_RESPONSES))->tail = KWE_ACCEL_SLOTS + 1;
    assert(!link_take(&link, &response));
    assert(link_poll(&link, 1) == LINK_LOST);

    link = up();
    ((struct ring *)(memory + KWE_ACCEL_REQUESTS))->head = 5;
    assert(link_poll(&link, 1) == LINK_LOST);
}

static void test_a_new_guest_goes_on_from_the_last_session(void)
{
    struct link link = up();
    uint32_t last = link.session;

    assert(link_init(&link, memory, BYTES, 1));
    link_greet(&link);

    assert(link.session == last + 1);
    assert(link_poll(&link, 0) == LINK_NO_NEWS); /* the old answer does not count */
}

int main(void)
{
    test_init_refuses_memory_that_speaks_something_else();
    test_nothing_is_posted_before_the_worker_has_answered();
    test_a_request_goes_out_and_its_answer_comes_back();
    test_a_new_epoch_loses_the_link_and_a_greeting_brings_it_back();
    test_a_stopped_heart_loses_the_link_and_a_beating_one_does_not();
    test_time_in_which_nobody_watched_does_not_count();
    test_a_broken_ring_loses_the_link();
    test_a_new_guest_goes_on_from_the_last_session();
    return 0;
}
