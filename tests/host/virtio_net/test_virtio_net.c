/*
 * test_virtio_net.c - frames out and in against a card that plays by the rules, and against one that lies.
 *
 * uses: drivers/virtio_net/virtio_net_core.c drivers/virtio/virtqueue_core.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/virtio_net/virtio_net.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define MERGE (1ull << 15)
#define CSUM  (1ull << 0)

/* ---- the card: its registers by the functions of virtio_pci.h, its side of the queues ------------------------------------------ */

static struct {
    uint64_t offered;
    uint16_t queue_size;
    uint16_t available_seen[2]; /* chains taken, by queue */
    unsigned doorbells;
} device;

enum kerr virtio_pci_find(struct virtio_pci *pci, const uint8_t *config,
                          const uint64_t *bar_address, const uint64_t *bar_bytes)
{
    (void)config, (void)bar_address, (void)bar_bytes;
    memset(pci, 0, sizeof(*pci));
    return KERR_OK;
}

enum kerr virtio_pci_begin(struct virtio_pci *pci, uint64_t required, uint64_t wanted)
{
    pci->features = (required | wanted) & device.offered;
    return (device.offered & required) == required ? KERR_OK : KERR_NOT_SUPPORTED;
}

uint16_t virtio_pci_queue_size(struct virtio_pci *pci, uint16_t index)
{
    (void)pci, (void)index;
    return device.queue_size;
}

enum kerr virtio_pci_queue(struct virtio_pci *pci, uint16_t index, uint16_t size, void *memory,
                           struct virtqueue_private *private, uint16_t vector,
                           struct virtio_queue *queue)
{
    (void)vector;
    virtqueue_init(&queue->ring, size, memory, private, (pci->features & VIRTIO_F_EVENT_IDX) != 0);
    queue->index = index;
    return KERR_OK;
}

bool virtio_pci_config_vector(struct virtio_pci *pci, uint16_t vector)
{
    (void)pci, (void)vector;
    return true;
}

void virtio_pci_go(struct virtio_pci *pci)
{
    (void)pci;
}

void virtio_pci_kick(struct virtio_queue *queue)
{
    device.doorbells += virtqueue_publish(&queue->ring) ? 1 : 0;
}

bool virtio_pci_needs_reset(const struct virtio_pci *pci)
{
    (void)pci;
    return false;
}

bool virtio_pci_config(const struct virtio_pci *pci, size_t offset, void *to, size_t bytes)
{
    (void)pci;
    static const uint8_t config[8] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0 };
    memcpy(to, config + offset, bytes);
    return true;
}

/* The next chain that the driver handed over; false: none. */
static bool take_chain(struct virtio_queue *queue, uint16_t *head)
{
    uint16_t *seen = &device.available_seen[queue->index];
    if (*seen == queue->ring.available->index) {
        return false;
    }
    *head = queue->ring.available->ring[*seen & (queue->ring.size - 1)];
    (*seen)++;
    return true;
}

static void use_chain(struct virtio_queue *queue, uint16_t head, uint32_t written)
{
    struct virtqueue_used *used = queue->ring.used;
    used->ring[used->index & (queue->ring.size - 1)] =
        (struct virtqueue_used_element){ head, written };
    used->index++;
}

/* Put bytes into the next receive buffer. */
static void put(struct virtio_net *card, const void *bytes, uint32_t count)
{
    uint16_t head;
    CHECK(take_chain(&card->receive, &head));
    const struct virtqueue_descriptor *part = &card->receive.ring.descriptor[head];
    CHECK(part->length == VIRTIO_NET_BUFFER_BYTES && part->flags == VIRTQUEUE_DEVICE_WRITES);
    memcpy((void *)(uintptr_t)part->address, bytes, count);
    use_chain(&card->receive, head, count);
}

static void put_frame(struct virtio_net *card, struct virtio_net_header header, const char *text)
{
    uint8_t bytes[256];
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), text, strlen(text));
    put(card, bytes, (uint32_t)(sizeof(header) + strlen(text)));
}

/* The bytes of the next frame that goes out, with its header. */
static size_t get_frame(struct virtio_net *card, struct virtio_net_header *header, uint8_t *frame)
{
    uint16_t head;
    size_t bytes = 0;
    CHECK(take_chain(&card->send, &head));
    const struct virtqueue_descriptor *part = &card->send.ring.descriptor[head];
    CHECK(part->length == sizeof(*header));
    memcpy(header, (void *)(uintptr_t)part->address, sizeof(*header));
    while ((part->flags & VIRTQUEUE_NEXT) != 0) {
        part = &card->send.ring.descriptor[part->next];
        memcpy(frame + bytes, (void *)(uintptr_t)part->address, part->length);
        bytes += part->length;
    }
    use_chain(&card->send, head, 0);
    return bytes;
}

static struct virtio_net *start(uint64_t more)
{
    static const struct kwe_device_info info = { .present = 1 };
    struct virtio_net *card = malloc(sizeof(*card));
    memset(&device, 0, sizeof(device));
    device.offered = VIRTIO_F_EVENT_IDX | 1ull << 5 | more;
    device.queue_size = 64;
    CHECK(virtio_net_start(card, &info, calloc(1, virtio_net_memory_bytes())) == KERR_OK);
    return card;
}

static void stop(struct virtio_net *card)
{
    free(card->receive.ring.descriptor);
    free(card);
}

static struct virtio_net_received receive(struct virtio_net *card)
{
    struct virtio_net_received frame;
    bool some = false;
    CHECK(virtio_net_receive(card, &frame, &some) == KERR_OK && some);
    return frame;
}

static void give_back(struct virtio_net *card, const struct virtio_net_received *frame)
{
    for (uint32_t i = 0; i < frame->piece_count; i++) {
        virtio_net_give_back(card, frame->piece[i].buffer);
    }
    virtio_net_kick(card);
}

/* ---- what comes in -------------------------------------------------------------------------------------------------------- */

static void test_a_card_says_who_it_is(void)
{
    struct virtio_net *card = start(0);
    bool up = false;

    CHECK(card->mac == 0x563412005452);
    CHECK(virtio_net_link(card, &up) == KERR_OK && up);
    stop(card);
}

static void test_frames_come_in_and_their_buffers_go_round(void)
{
    struct virtio_net *card = start(0);

    for (int i = 0; i < 1000; i++) {
        char text[24];
        snprintf(text, sizeof(text), "frame %d", i);
        put_frame(card, (struct virtio_net_header){ .buffer_count = 77 }, text);
        struct virtio_net_received frame = receive(card);
        CHECK(frame.piece_count == 1 && frame.piece[0].bytes == strlen(text));
        CHECK(memcmp(frame.piece[0].data, text, strlen(text)) == 0 && !frame.is_checked);
        CHECK(card->held == 1);
        give_back(card, &frame);
    }
    CHECK(card->held == 0);
    stop(card);
}

static void test_a_held_buffer_is_not_written_again(void)
{
    struct virtio_net *card = start(0);

    put_frame(card, (struct virtio_net_header){ .flags = 0 }, "kept");
    struct virtio_net_received kept = receive(card);
    for (int i = 0; i < 200; i++) {
        put_frame(card, (struct virtio_net_header){ .flags = 0 }, "else");
        struct virtio_net_received frame = receive(card);
        give_back(card, &frame);
    }
    CHECK(memcmp(kept.piece[0].data, "kept", 4) == 0);
    stop(card);
}

static void test_merged_buffers_are_one_frame(void)
{
    struct virtio_net *card = start(MERGE);

    put_frame(card, (struct virtio_net_header){ .buffer_count = 2, .flags = 2 }, "first");
    put(card, "second", 6);
    put_frame(card, (struct virtio_net_header){ .buffer_count = 1 }, "next");
    struct virtio_net_received frame = receive(card);
    CHECK(frame.piece_count == 2 && frame.piece[0].bytes == 5 && frame.piece[1].bytes == 6);
    CHECK(memcmp(frame.piece[1].data, "second", 6) == 0 && frame.is_checked);
    frame = receive(card);
    CHECK(frame.piece_count == 1 && !frame.is_checked);
    stop(card);
}

static void test_a_card_that_lies_about_its_buffers_is_refused(void)
{
    static const uint16_t counts[] = { 0, 3, VIRTIO_NET_MERGED + 1, 0xffff };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct virtio_net *card = start(MERGE);
        struct virtio_net_received frame;
        bool some = true;
        put_frame(card, (struct virtio_net_header){ .buffer_count = counts[i] }, "first");
        put(card, "second", 6);

        CHECK(virtio_net_receive(card, &frame, &some) == KERR_DEVICE_REFUSED && !some);
        stop(card);
    }
}

static void test_a_frame_shorter_than_its_header_is_refused(void)
{
    struct virtio_net *card = start(0);
    struct virtio_net_received frame;
    bool some = true;
    put(card, "short", 5);

    CHECK(virtio_net_receive(card, &frame, &some) == KERR_DEVICE_REFUSED);
    stop(card);
}

static void test_a_buffer_given_back_twice_is_refused(void)
{
    struct virtio_net *card = start(0);
    struct virtio_net_received frame;
    bool some = true;
    put_frame(card, (struct virtio_net_header){ .flags = 0 }, "once");
    (void)receive(card);
    use_chain(&card->receive, 0, 20);

    CHECK(virtio_net_receive(card, &frame, &some) == KERR_DEVICE_REFUSED);
    stop(card);
}

/* ---- what goes out ---------------------------------------------------------------------------------------------------------- */

static void test_a_frame_goes_out_from_all_its_parts(void)
{
    struct virtio_net *card = start(CSUM);
    struct virtio_net_header header;
    uint8_t out[64];
    void *cookie = NULL;
    uint32_t count = 0;
    const struct virtio_net_frame frame = { .part = { { "head", 4 }, { "data", 4 } },
                                            .part_count = 2,
                                            .checksum_start = 34,
                                            .checksum_offset = 16 };

    CHECK(virtio_net_send(card, &frame, &out));
    CHECK(virtio_net_sent(card, &cookie, 1, &count) == KERR_OK && count == 0);
    virtio_net_kick(card);
    CHECK(get_frame(card, &header, out) == 8 && memcmp(out, "headdata", 8) == 0);
    CHECK(header.flags == 1 && header.checksum_start == 34 && header.checksum_offset == 16);
    CHECK(virtio_net_sent(card, &cookie, 1, &count) == KERR_OK && count == 1 && cookie == &out);
    stop(card);
}

static void test_a_batch_rings_once(void)
{
    struct virtio_net *card = start(0);
    const struct virtio_net_frame frame = { .part = { { "data", 4 } }, .part_count = 1 };
    device.doorbells = 0;

    for (int i = 0; i < 20; i++) {
        CHECK(virtio_net_send(card, &frame, NULL));
    }
    virtio_net_kick(card);
    CHECK(device.doorbells == 1);
    stop(card);
}

static void test_a_full_queue_takes_no_more_and_recovers(void)
{
    struct virtio_net *card = start(0);
    const struct virtio_net_frame frame = { .part = { { "data", 4 } }, .part_count = 1 };
    uint32_t sent = 0;
    uint32_t back = 0;

    for (int round = 0; round < 100; round++) {
        struct virtio_net_header header;
        uint8_t out[8];
        void *cookies[8];
        uint32_t count = 0;
        while (virtio_net_send(card, &frame, (void *)(uintptr_t)(sent + 1))) {
            sent++;
        }
        CHECK(card->frames_sent - card->frames_back == 32);
        virtio_net_kick(card);
        for (int i = 0; i < 5; i++) {
            CHECK(get_frame(card, &header, out) == 4);
        }
        CHECK(virtio_net_sent(card, cookies, 8, &count) == KERR_OK && count == 5);
        for (uint32_t i = 0; i < count; i++) {
            CHECK(cookies[i] == (void *)(uintptr_t)(++back));
        }
    }
    stop(card);
}

static void test_a_frame_that_was_not_sent_cannot_come_back(void)
{
    struct virtio_net *card = start(0);
    void *cookie = NULL;
    uint32_t count = 0;
    use_chain(&card->send, 3, 0);

    CHECK(virtio_net_sent(card, &cookie, 1, &count) == KERR_DEVICE_REFUSED && count == 0);
    stop(card);
}

int main(void)
{
    test_a_card_says_who_it_is();
    test_frames_come_in_and_their_buffers_go_round();
    test_a_held_buffer_is_not_written_again();
    test_merged_buffers_are_one_frame();
    test_a_card_that_lies_about_its_buffers_is_refused();
    test_a_frame_shorter_than_its_header_is_refused();
    test_a_buffer_given_back_twice_is_refused();
    test_a_frame_goes_out_from_all_its_parts();
    test_a_batch_rings_once();
    test_a_full_queue_takes_no_more_and_recovers();
    test_a_frame_that_was_not_sent_cannot_come_back();
    return 0;
}
