/*
 * test_virtqueue.c - the virtqueue against a device that plays by the rules, in any order, across the wrap; and against one that lies.
 *
 * uses: drivers/virtio/virtqueue_core.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/virtio/virtqueue.h"

#define SIZE 8u

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A queue and the device's view of it. */
struct bench {
    struct virtqueue queue;
    struct virtqueue_private private[SIZE];
    void *memory;
    uint16_t device_available; /* chains the device has seen */
};

static void bench_start(struct bench *bench, uint16_t start, bool event_index)
{
    bench->memory = aligned_alloc(64, (virtqueue_bytes(SIZE) + 63) / 64 * 64);
    memset(bench->memory, 0, virtqueue_bytes(SIZE));
    virtqueue_init(&bench->queue, SIZE, bench->memory, bench->private, event_index);
    bench->queue.available_index = start;
    bench->queue.published_index = start;
    bench->queue.used_index = start;
    bench->queue.available->index = start;
    bench->queue.used->index = start;
    bench->queue.used->ring[SIZE].head = 0;
    bench->device_available = start;
}

static void bench_end(struct bench *bench)
{
    free(bench->memory);
}

/* Both words of the event index lie behind the rings. */
static void device_wants(struct bench *bench, uint16_t event)
{
    memcpy(&bench->queue.used->ring[SIZE], &event, sizeof(event));
}

static uint16_t driver_wants(const struct bench *bench)
{
    return bench->queue.available->ring[SIZE];
}

/* The device takes the next chain: its head. */
static uint16_t device_take(struct bench *bench)
{
    CHECK(bench->device_available != bench->queue.available->index);
    return bench->queue.available->ring[bench->device_available++ % SIZE];
}

static void device_give(struct bench *bench, uint32_t head, uint32_t written)
{
    struct virtqueue_used *used = bench->queue.used;
    used->ring[used->index % SIZE] = (struct virtqueue_used_element){ head, written };
    used->index++;
}

static const struct virtqueue_part *three_parts(void)
{
    static uint8_t header[16];
    static uint8_t data[100];
    static uint8_t status;
    static struct virtqueue_part part[3];
    part[0] = (struct virtqueue_part){ header, sizeof(header), false };
    part[1] = (struct virtqueue_part){ data, sizeof(data), true };
    part[2] = (struct virtqueue_part){ &status, 1, true };
    return part;
}

static void test_a_chain_is_laid_out_as_the_spec_says(void)
{
    struct bench bench;
    bench_start(&bench, 0, false);
    const struct virtqueue_part *part = three_parts();

    CHECK(virtqueue_add(&bench.queue, part, 3, NULL) == VIRTQUEUE_OK);
    CHECK(virtqueue_publish(&bench.queue));

    const struct virtqueue_descriptor *at = &bench.queue.descriptor[device_take(&bench)];
    CHECK(at->address == (uintptr_t)part[0].address && at->length == 16 &&
          at->flags == VIRTQUEUE_NEXT);
    at = &bench.queue.descriptor[at->next];
    CHECK(at->length == 100 && at->flags == (VIRTQUEUE_NEXT | VIRTQUEUE_DEVICE_WRITES));
    at = &bench.queue.descriptor[at->next];
    CHECK(at->length == 1 && at->flags == VIRTQUEUE_DEVICE_WRITES);
    bench_end(&bench);
}

static void test_add_refuses_when_full(void)
{
    struct bench bench;
    bench_start(&bench, 0, false);

    CHECK(virtqueue_add(&bench.queue, three_parts(), 3, NULL) == VIRTQUEUE_OK);
    CHECK(virtqueue_add(&bench.queue, three_parts(), 3, NULL) == VIRTQUEUE_OK);
    CHECK(virtqueue_add(&bench.queue, three_parts(), 3, NULL) == VIRTQUEUE_FULL);
    CHECK(virtqueue_add(&bench.queue, three_parts(), 2, NULL) == VIRTQUEUE_OK);
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_FULL);
    bench_end(&bench);
}

/* Random traffic, answered in random order; starts below the wrap of the 16-bit indices. */
static void test_every_chain_comes_back_once_in_any_order(bool event_index)
{
    struct bench bench;
    bench_start(&bench, 65500, event_index);
    static int token[SIZE];
    bool with_device[SIZE] = { false };
    uint16_t head_of[SIZE];
    uint32_t held = 0;
    uint16_t heads[SIZE];
    srand(1);

    for (int step = 0; step < 20000; step++) {
        const unsigned choice = (unsigned)rand() % 3;
        if (choice == 0) {
            unsigned i = 0;
            while (i < SIZE && with_device[i]) {
                i++;
            }
            const uint16_t parts = (uint16_t)(1 + rand() % 3);
            if (i < SIZE &&
                virtqueue_add(&bench.queue, three_parts(), parts, &token[i]) == VIRTQUEUE_OK) {
                with_device[i] = true;
                head_of[i] = 0;
            }
            (void)virtqueue_publish(&bench.queue);
        } else if (choice == 1) {
            while (bench.device_available != bench.queue.available->index) {
                heads[held++] = device_take(&bench);
            }
            if (held != 0) {
                const uint32_t pick = (uint32_t)rand() % held;
                device_give(&bench, heads[pick], 0);
                heads[pick] = heads[--held];
            }
        } else {
            void *cookie = NULL;
            uint32_t written = 0;
            const enum virtqueue_status status = virtqueue_take(&bench.queue, &cookie, &written);
            CHECK(status == VIRTQUEUE_OK || status == VIRTQUEUE_EMPTY);
            if (status == VIRTQUEUE_OK) {
                const size_t i = (size_t)((int *)cookie - token);
                CHECK(i < SIZE && with_device[i]);
                with_device[i] = false;
                (void)head_of[i];
            }
        }
    }
    bench_end(&bench);
}

static void test_the_device_is_notified_when_its_event_is_passed(void)
{
    struct bench bench;
    bench_start(&bench, 65534, true);

    device_wants(&bench, 65535); /* "when you publish the one with index 65535" */
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    CHECK(!virtqueue_publish(&bench.queue));
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    CHECK(virtqueue_publish(&bench.queue));
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    CHECK(!virtqueue_publish(&bench.queue));
    CHECK(!virtqueue_publish(&bench.queue));
    bench_end(&bench);
}

static void test_without_event_index_the_flag_decides(void)
{
    struct bench bench;
    bench_start(&bench, 0, false);

    bench.queue.used->flags = VIRTQUEUE_USED_NO_NOTIFY;
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    CHECK(!virtqueue_publish(&bench.queue));
    bench.queue.used->flags = 0;
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    CHECK(virtqueue_publish(&bench.queue));
    bench_end(&bench);
}

static void test_arming_sees_what_came_in_between(void)
{
    struct bench bench;
    bench_start(&bench, 65535, true);
    void *cookie = NULL;
    uint32_t written = 0;

    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    (void)virtqueue_publish(&bench.queue);
    CHECK(!virtqueue_arm(&bench.queue));
    CHECK(driver_wants(&bench) == 65535);
    device_give(&bench, device_take(&bench), 0);
    CHECK(virtqueue_arm(&bench.queue));
    CHECK(virtqueue_take(&bench.queue, &cookie, &written) == VIRTQUEUE_OK);
    CHECK(!virtqueue_arm(&bench.queue));
    CHECK(driver_wants(&bench) == 0);
    bench_end(&bench);
}

/* One chain of three parts (101 bytes writable) is with the device; then it lies. */
static void one_lie(void (*lie)(struct bench *bench, uint16_t head))
{
    struct bench bench;
    bench_start(&bench, 0, false);
    void *cookie = NULL;
    uint32_t written = 0;
    CHECK(virtqueue_add(&bench.queue, three_parts(), 3, &bench) == VIRTQUEUE_OK);
    (void)virtqueue_publish(&bench.queue);

    lie(&bench, device_take(&bench));

    CHECK(virtqueue_take(&bench.queue, &cookie, &written) == VIRTQUEUE_BROKEN);
    CHECK(cookie == NULL);
    CHECK(virtqueue_take(&bench.queue, &cookie, &written) == VIRTQUEUE_BROKEN);
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_BROKEN);
    bench_end(&bench);
}

static void lie_head_outside(struct bench *bench, uint16_t head)
{
    (void)head;
    device_give(bench, SIZE, 0);
}

static void lie_head_huge(struct bench *bench, uint16_t head)
{
    (void)head;
    device_give(bench, 0x10000, 0);
}

static void lie_head_not_given(struct bench *bench, uint16_t head)
{
    device_give(bench, (head + 1u) % SIZE, 0); /* inside the chain, but not its head */
}

static void lie_too_much_written(struct bench *bench, uint16_t head)
{
    device_give(bench, head, 102);
}

static void lie_index_jumps(struct bench *bench, uint16_t head)
{
    device_give(bench, head, 0);
    bench->queue.used->index = 5;
}

static void test_a_chain_given_back_twice_is_refused(void)
{
    struct bench bench;
    bench_start(&bench, 0, false);
    void *cookie = NULL;
    uint32_t written = 0;
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    (void)virtqueue_publish(&bench.queue);
    const uint16_t head = device_take(&bench);

    device_give(&bench, head, 0);
    device_give(&bench, head, 0);

    CHECK(virtqueue_take(&bench.queue, &cookie, &written) == VIRTQUEUE_OK);
    CHECK(virtqueue_take(&bench.queue, &cookie, &written) == VIRTQUEUE_BROKEN);
    bench_end(&bench);
}

static void test_a_device_that_scribbles_over_descriptors_changes_nothing(void)
{
    struct bench bench;
    bench_start(&bench, 0, false);
    void *cookie = NULL;
    uint32_t written = 0;
    CHECK(virtqueue_add(&bench.queue, three_parts(), 3, &bench) == VIRTQUEUE_OK);
    (void)virtqueue_publish(&bench.queue);
    const uint16_t head = device_take(&bench);

    memset(bench.queue.descriptor, 0xff, SIZE * sizeof(struct virtqueue_descriptor));
    device_give(&bench, head, 101);

    CHECK(virtqueue_take(&bench.queue, &cookie, &written) == VIRTQUEUE_OK);
    CHECK(cookie == &bench && written == 101);
    CHECK(bench.queue.free_count == SIZE);
    for (unsigned i = 0; i < SIZE; i++) {
        CHECK(virtqueue_add(&bench.queue, three_parts(), 1, NULL) == VIRTQUEUE_OK);
    }
    bench_end(&bench);
}

int main(void)
{
    test_a_chain_is_laid_out_as_the_spec_says();
    test_add_refuses_when_full();
    test_every_chain_comes_back_once_in_any_order(false);
    test_every_chain_comes_back_once_in_any_order(true);
    test_the_device_is_notified_when_its_event_is_passed();
    test_without_event_index_the_flag_decides();
    test_arming_sees_what_came_in_between();
    one_lie(lie_head_outside);
    one_lie(lie_head_huge);
    one_lie(lie_head_not_given);
    one_lie(lie_too_much_written);
    one_lie(lie_index_jumps);
    test_a_chain_given_back_twice_is_refused();
    test_a_device_that_scribbles_over_descriptors_changes_nothing();
    return 0;
}
