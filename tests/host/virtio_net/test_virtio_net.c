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

#define MERGE      VIRTIO_NET_MRG_RXBUF
#define CSUM       VIRTIO_NET_CSUM
#define CONTROL    (1ull << 17)
#define ALL_TSO    (VIRTIO_NET_HOST_TSO4 | VIRTIO_NET_HOST_TSO6 | GUEST_TSO)
#define GUEST_TSO  (VIRTIO_NET_GUEST_TSO4 | VIRTIO_NET_GUEST_TSO6)
#define FIRST_FULL (VIRTIO_NET_BUFFER_BYTES - sizeof(struct virtio_net_header))

/* ---- the card: its registers by the functions of virtio_pci.h, its side of the queues ------------------------------------------ */

static struct {
    uint64_t offered;
    uint16_t queue_size;
    uint16_t pairs;
    uint16_t available_seen[2 * VIRTIO_NET_PAIRS + 1]; /* chains taken, by queue */
    uint16_t entry[2 * VIRTIO_NET_PAIRS + 1];          /* of interrupts, by queue */
    bool is_going;
    unsigned doorbells;
} device;

enum kerr virtio_pci_find(struct virtio_pci *pci, const uint8_t *config,
                          const uint64_t *bar_address, const uint64_t *bar_bytes)
{
    (void)config, (void)bar_address, (void)bar_bytes;
    memset(pci, 0, sizeof(*pci));
    return KERR_OK;
}

enum kerr virtio_pci_reset(struct virtio_pci *pci, uint64_t *offered)
{
    (void)pci;
    *offered = device.offered;
    return KERR_OK;
}

enum kerr virtio_pci_accept(struct virtio_pci *pci, uint64_t offered, uint64_t required,
                            uint64_t wanted)
{
    pci->features = (required | wanted) & offered;
    return (offered & required) == required ? KERR_OK : KERR_NOT_SUPPORTED;
}

uint16_t virtio_pci_queue_size(struct virtio_pci *pci, uint16_t index)
{
    (void)pci;
    return index < 2 * device.pairs + 1 ? device.queue_size : 0;
}

enum kerr virtio_pci_queue(struct virtio_pci *pci, uint16_t index, uint16_t size, void *memory,
                           struct virtqueue_private *private, uint16_t vector,
                           struct virtio_queue *queue)
{
    CHECK(!device.is_going);
    device.entry[index] = vector;
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
    device.is_going = true;
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
    uint8_t config[10] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0 };
    memcpy(config + 8, &device.pairs, 2);
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

/* Put bytes into the pair's next receive buffer. */
static void put_at(struct virtio_net *card, uint32_t pair, const void *bytes, uint32_t count)
{
    uint16_t head;
    struct virtio_queue *queue = &card->pair[pair].receive;
    CHECK(take_chain(queue, &head));
    const struct virtqueue_descriptor *part = &queue->ring.descriptor[head];
    CHECK(part->length == VIRTIO_NET_BUFFER_BYTES && part->flags == VIRTQUEUE_DEVICE_WRITES);
    memcpy((void *)(uintptr_t)part->address, bytes, count);
    use_chain(queue, head, count);
}

static void put(struct virtio_net *card, const void *bytes, uint32_t count)
{
    put_at(card, 0, bytes, count);
}

/* ... and fill it, behind the header. */
static void put_full(struct virtio_net *card, struct virtio_net_header header, uint8_t byte)
{
    uint8_t bytes[VIRTIO_NET_BUFFER_BYTES];
    memset(bytes, byte, sizeof(bytes));
    memcpy(bytes, &header, sizeof(header));
    put(card, bytes, sizeof(bytes));
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
    struct virtio_queue *queue = &card->pair[0].send;
    CHECK(take_chain(queue, &head));
    const struct virtqueue_descriptor *part = &queue->ring.descriptor[head];
    const uint8_t *first = (void *)(uintptr_t)part->address;
    CHECK(part->length >= sizeof(*header));
    memcpy(header, first, sizeof(*header));
    bytes = part->length - sizeof(*header);
    memcpy(frame, first + sizeof(*header), bytes);
    while ((part->flags & VIRTQUEUE_NEXT) != 0) {
        part = &queue->ring.descriptor[part->next];
        memcpy(frame + bytes, (void *)(uintptr_t)part->address, part->length);
        bytes += part->length;
    }
    use_chain(queue, head, 0);
    return bytes;
}

/* Answer what was asked on the control queue; returns how many pairs the driver wants. */
static uint16_t answer(struct virtio_net *card, uint8_t with)
{
    uint16_t head;
    uint16_t pairs;
    CHECK(take_chain(&card->control, &head));
    const struct virtqueue_descriptor *part = &card->control.ring.descriptor[head];
    const uint8_t *asked = (void *)(uintptr_t)part->address;
    CHECK(part->length == 4 && part->flags == VIRTQUEUE_NEXT && asked[0] == 4 && asked[1] == 0);
    memcpy(&pairs, asked + 2, 2);
    part = &card->control.ring.descriptor[part->next];
    CHECK(part->length == 1 && part->flags == VIRTQUEUE_DEVICE_WRITES);
    *(uint8_t *)(uintptr_t)part->address = with;
    use_chain(&card->control, head, 1);
    return pairs;
}

static enum kerr open_card(struct virtio_net *card, uint64_t more, uint16_t pairs,
                           uint32_t most_pairs)
{
    static const struct kwe_device_info info = { .present = 1 };
    memset(&device, 0, sizeof(device));
    device.offered = VIRTIO_F_EVENT_IDX | 1ull << 5 | more;
    device.queue_size = 64;
    device.pairs = pairs;
    return virtio_net_open(card, &info, most_pairs);
}

static struct virtio_net *start_pairs(uint64_t more, uint16_t pairs, uint32_t most_pairs)
{
    struct virtio_net *card = malloc(sizeof(*card));
    CHECK(open_card(card, more, pairs, most_pairs) == KERR_OK);
    void *memory = NULL;
    const size_t bytes = virtio_net_memory_bytes(card->pairs_offered);
    CHECK(posix_memalign(&memory, 4096, bytes) == 0);
    memset(memory, 0, bytes);
    CHECK(virtio_net_start(card, card->pairs_offered, memory) == KERR_OK);
    return card;
}

static struct virtio_net *start(uint64_t more)
{
    return start_pairs(more, 1, 1);
}

static void stop(struct virtio_net *card)
{
    free(card->pair[0].receive.ring.descriptor);
    free(card);
}

static struct virtio_net_received receive(struct virtio_net *card)
{
    struct virtio_net_received frame;
    bool some = false;
    CHECK(virtio_net_receive(card, 0, &frame, &some) == KERR_OK && some);
    return frame;
}

static void give_back(struct virtio_net *card, const struct virtio_net_received *frame)
{
    for (uint32_t i = 0; i < frame->piece_count; i++) {
        virtio_net_give_back(card, frame->piece[i].buffer);
    }
    virtio_net_kick(card);
}

static void test_a_card_says_who_it_is(void)
{
    struct virtio_net *card = start(0);
    bool up = false;

    CHECK(card->mac == 0x563412005452);
    CHECK(virtio_net_link(card, &up) == KERR_OK && up);
    stop(card);
}

/* ---- what is agreed on ------------------------------------------------------------------------------------------------------------ */

static void test_a_feature_is_taken_only_with_what_it_hangs_on(void)
{
    static const uint64_t host = VIRTIO_NET_HOST_TSO4 | VIRTIO_NET_HOST_TSO6;
    static const struct {
        uint64_t offered, taken;
    } cases[] = {
        { ALL_TSO, 0 },
        { ALL_TSO | CSUM, host | CSUM },
        { ALL_TSO | MERGE, MERGE },
        { ALL_TSO | VIRTIO_NET_GUEST_CSUM, VIRTIO_NET_GUEST_CSUM },
        { GUEST_TSO | MERGE | VIRTIO_NET_GUEST_CSUM, GUEST_TSO | MERGE | VIRTIO_NET_GUEST_CSUM },
        { VIRTIO_NET_MQ, 0 },
        { CONTROL, 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct virtio_net *card = start_pairs(cases[i].offered, 4, 4);
        const uint64_t usual = VIRTIO_F_EVENT_IDX | 1ull << 5;
        CHECK(virtio_net_features(card) == (cases[i].taken | usual));
        CHECK(card->pair_count == 1);
        stop(card);
    }
}

static void test_several_pairs_are_used_once_the_card_agrees(void)
{
    struct virtio_net *card = start_pairs(CONTROL | VIRTIO_NET_MQ, 6, 4);
    bool agreed = true;

    CHECK(card->pair_count == 4 && (virtio_net_features(card) & VIRTIO_NET_MQ) != 0);
    CHECK(card->control.index == 12);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(card->pair[i].receive.index == 2 * i && card->pair[i].send.index == 2 * i + 1);
        CHECK(device.entry[2 * i] == VIRTIO_NET_ENTRY_RECEIVED);
        CHECK(device.entry[2 * i + 1] == VIRTIO_NET_ENTRY_SENT);
    }
    CHECK(virtio_net_agreed(card, &agreed) == KERR_OK && !agreed && card->pairs_agreed == 1);
    CHECK(answer(card, 0) == 4);
    CHECK(virtio_net_agreed(card, &agreed) == KERR_OK && agreed && card->pairs_agreed == 4);
    CHECK(virtio_net_agreed(card, &agreed) == KERR_OK && agreed);

    const uint8_t bytes[20] = { 0 };
    struct virtio_net_received frame;
    bool some = false;
    put_at(card, 3, bytes, sizeof(bytes));
    CHECK(virtio_net_receive(card, 2, &frame, &some) == KERR_OK && !some);
    CHECK(virtio_net_receive(card, 3, &frame, &some) == KERR_OK && some && frame.bytes == 8);
    CHECK(card->pair[3].held == 1);
    give_back(card, &frame);
    CHECK(card->pair[3].held == 0);
    stop(card);
}

static void test_a_card_that_says_no_serves_one_pair(void)
{
    struct virtio_net *card = start_pairs(CONTROL | VIRTIO_NET_MQ, 2, 8);
    bool agreed = true;

    CHECK(answer(card, 1) == 2);
    CHECK(virtio_net_agreed(card, &agreed) == KERR_OK && !agreed && card->pairs_agreed == 1);
    stop(card);
}

static void test_a_card_that_answers_what_nobody_asked_is_refused(void)
{
    struct virtio_net *card = start_pairs(CONTROL | VIRTIO_NET_MQ, 2, 8);
    bool agreed = false;
    use_chain(&card->control, 5, 1);

    CHECK(virtio_net_agreed(card, &agreed) == KERR_DEVICE_REFUSED);
    stop(card);
}

static void test_pairs_that_cannot_be_are_refused(void)
{
    static const uint16_t pairs[] = { 0, 0x8001, 0xffff };
    struct virtio_net card;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        CHECK(open_card(&card, CONTROL | VIRTIO_NET_MQ, pairs[i], 8) == KERR_NOT_SUPPORTED);
    }
    CHECK(open_card(&card, CONTROL | VIRTIO_NET_MQ, 1, 8) == KERR_OK && card.pairs_offered == 1);
    CHECK((virtio_net_features(&card) & VIRTIO_NET_MQ) == 0); /* nothing to ask for */
    CHECK(open_card(&card, CONTROL | VIRTIO_NET_MQ, 8, 1) == KERR_OK && card.pairs_offered == 1);
}

/* ---- what comes in ---------------------------------------------------------------------------------------------------------------- */

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
        CHECK(card->pair[0].held == 1);
        give_back(card, &frame);
    }
    CHECK(card->pair[0].held == 0);
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

    put_full(card, (struct virtio_net_header){ .buffer_count = 2, .flags = 2 }, 'a');
    put(card, "second", 6);
    put_frame(card, (struct virtio_net_header){ .buffer_count = 1 }, "next");
    struct virtio_net_received frame = receive(card);
    CHECK(frame.piece_count == 2 && frame.piece[0].bytes == FIRST_FULL &&
          frame.bytes == FIRST_FULL + 6);
    CHECK(frame.piece[0].data[0] == 'a' && memcmp(frame.piece[1].data, "second", 6) == 0);
    CHECK(frame.piece[1].bytes == 6 && frame.is_checked);
    frame = receive(card);
    CHECK(frame.piece_count == 1 && !frame.is_checked);
    stop(card);
}

static void test_the_longest_frame_is_whole_and_its_buffers_go_round(void)
{
    struct virtio_net *card = start(MERGE | VIRTIO_NET_GUEST_CSUM | GUEST_TSO);
    const uint32_t whole = VIRTIO_NET_LARGE_BYTES + (uint32_t)sizeof(struct virtio_net_header);
    uint8_t bytes[VIRTIO_NET_BUFFER_BYTES] = { 0 };

    for (int round = 0; round < 20; round++) {
        put_full(card, (struct virtio_net_header){ .buffer_count = VIRTIO_NET_MERGED, .flags = 1 },
                 'a');
        for (uint32_t i = 1; i + 1 < VIRTIO_NET_MERGED; i++) {
            put(card, bytes, VIRTIO_NET_BUFFER_BYTES);
        }
        put(card, bytes, whole % VIRTIO_NET_BUFFER_BYTES);
        struct virtio_net_received frame = receive(card);
        CHECK(frame.piece_count == VIRTIO_NET_MERGED && frame.bytes == VIRTIO_NET_LARGE_BYTES);
        CHECK(card->pair[0].held == VIRTIO_NET_MERGED);
        give_back(card, &frame);
    }
    CHECK(card->pair[0].held == 0);
    stop(card);
}

/* What a row of buffers must not look like: (bytes of the first, of the second, of the third, how many they say to be). */
static void test_a_card_that_leaves_gaps_in_a_frame_is_refused(void)
{
    static const struct {
        uint32_t bytes[3];
        uint16_t count;
    } bad[] = {
        { { VIRTIO_NET_BUFFER_BYTES - 1, 5, 0 }, 2 },
        { { 12, VIRTIO_NET_BUFFER_BYTES, 5 }, 3 },
        { { VIRTIO_NET_BUFFER_BYTES, 0, 5 }, 3 },
        { { VIRTIO_NET_BUFFER_BYTES, VIRTIO_NET_BUFFER_BYTES - 1, 5 }, 3 },
        { { VIRTIO_NET_BUFFER_BYTES, VIRTIO_NET_BUFFER_BYTES, 0 }, 3 },
        { { VIRTIO_NET_BUFFER_BYTES, 0, 0 }, 2 },
        { { VIRTIO_NET_BUFFER_BYTES, VIRTIO_NET_BUFFER_BYTES + 1, 0 }, 2 },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct virtio_net *card = start(MERGE);
        struct virtio_net_received frame;
        const struct virtio_net_header header = { .buffer_count = bad[i].count };
        uint8_t bytes[VIRTIO_NET_BUFFER_BYTES] = { 0 };
        uint16_t head;
        bool some = true;
        memcpy(bytes, &header, sizeof(header));
        put(card, bytes, bad[i].bytes[0]);
        for (uint32_t j = 1; j < 3; j++) {
            CHECK(take_chain(&card->pair[0].receive, &head));
            use_chain(&card->pair[0].receive, head, bad[i].bytes[j]);
        }

        CHECK(virtio_net_receive(card, 0, &frame, &some) == KERR_DEVICE_REFUSED && !some);
        stop(card);
    }
}

static void test_a_card_that_lies_about_its_buffers_is_refused(void)
{
    static const uint16_t counts[] = { 0, 3, VIRTIO_NET_MERGED + 1, 0xffff };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct virtio_net *card = start(MERGE);
        struct virtio_net_received frame;
        bool some = true;
        const uint8_t full[VIRTIO_NET_BUFFER_BYTES] = { 0 };
        put_full(card, (struct virtio_net_header){ .buffer_count = counts[i] }, 'a');
        put(card, full, sizeof(full));

        CHECK(virtio_net_receive(card, 0, &frame, &some) == KERR_DEVICE_REFUSED && !some);
        stop(card);
    }
}

static void test_a_frame_shorter_than_its_header_is_refused(void)
{
    struct virtio_net *card = start(0);
    struct virtio_net_received frame;
    bool some = true;
    put(card, "short", 5);

    CHECK(virtio_net_receive(card, 0, &frame, &some) == KERR_DEVICE_REFUSED);
    stop(card);
}

static void test_a_buffer_given_back_twice_is_refused(void)
{
    struct virtio_net *card = start(0);
    struct virtio_net_received frame;
    bool some = true;
    put_frame(card, (struct virtio_net_header){ .flags = 0 }, "once");
    (void)receive(card);
    use_chain(&card->pair[0].receive, 0, 20);

    CHECK(virtio_net_receive(card, 0, &frame, &some) == KERR_DEVICE_REFUSED);
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

    CHECK(virtio_net_send(card, 0, &frame, &out));
    CHECK(virtio_net_sent(card, 0, &cookie, 1, &count) == KERR_OK && count == 0);
    virtio_net_kick(card);
    CHECK(get_frame(card, &header, out) == 8 && memcmp(out, "headdata", 8) == 0);
    CHECK(header.flags == 1 && header.checksum_start == 34 && header.checksum_offset == 16);
    CHECK(virtio_net_sent(card, 0, &cookie, 1, &count) == KERR_OK && count == 1 && cookie == &out);
    stop(card);
}

static void test_a_large_frame_says_how_to_cut_it(void)
{
    static const uint8_t kinds[] = { VIRTIO_NET_SEGMENT_TCP4, VIRTIO_NET_SEGMENT_TCP6 };
    for (unsigned i = 0; i < 2; i++) {
        struct virtio_net *card = start(CSUM | ALL_TSO);
        struct virtio_net_header header;
        uint8_t out[64];
        const struct virtio_net_frame frame = { .head = "headers",
                                                .head_bytes = 7,
                                                .part = { { "firstsecond", 11 }, { "last", 4 } },
                                                .part_count = 2,
                                                .checksum_start = 34,
                                                .checksum_offset = 16,
                                                .segment_bytes = 6,
                                                .segmentation = kinds[i] };

        CHECK(virtio_net_send(card, 0, &frame, NULL));
        virtio_net_kick(card);
        CHECK(get_frame(card, &header, out) == 22 &&
              memcmp(out, "headersfirstsecondlast", 22) == 0);
        CHECK(header.flags == 1 && header.checksum_start == 34 && header.checksum_offset == 16);
        CHECK(header.segmentation == kinds[i] && header.segment_bytes == 6);
        CHECK(header.header_bytes == 7 && header.buffer_count == 0);
        stop(card);
    }
}

static void test_a_head_may_be_all_there_is(void)
{
    struct virtio_net *card = start(0);
    struct virtio_net_header header;
    uint8_t out[VIRTIO_NET_HEAD_BYTES];
    uint8_t head[VIRTIO_NET_HEAD_BYTES] = "acknowledgement";
    const struct virtio_net_frame frame = { .head = head, .head_bytes = sizeof(head) };

    CHECK(virtio_net_send(card, 0, &frame, NULL));
    memset(head, 0, sizeof(head)); /* it was copied */
    virtio_net_kick(card);
    CHECK(get_frame(card, &header, out) == sizeof(head) &&
          strcmp((char *)out, "acknowledgement") == 0);
    stop(card);
}

static void test_a_batch_rings_once(void)
{
    struct virtio_net *card = start(0);
    const struct virtio_net_frame frame = { .part = { { "data", 4 } }, .part_count = 1 };
    device.doorbells = 0;

    for (int i = 0; i < 20; i++) {
        CHECK(virtio_net_send(card, 0, &frame, NULL));
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
        while (virtio_net_send(card, 0, &frame, (void *)(uintptr_t)(sent + 1))) {
            sent++;
        }
        CHECK(sent - back == 32);
        virtio_net_kick(card);
        for (int i = 0; i < 5; i++) {
            CHECK(get_frame(card, &header, out) == 4);
        }
        CHECK(virtio_net_sent(card, 0, cookies, 8, &count) == KERR_OK && count == 5);
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
    use_chain(&card->pair[0].send, 3, 0);

    CHECK(virtio_net_sent(card, 0, &cookie, 1, &count) == KERR_DEVICE_REFUSED && count == 0);
    stop(card);
}

int main(void)
{
    test_a_card_says_who_it_is();
    test_a_feature_is_taken_only_with_what_it_hangs_on();
    test_several_pairs_are_used_once_the_card_agrees();
    test_a_card_that_says_no_serves_one_pair();
    test_a_card_that_answers_what_nobody_asked_is_refused();
    test_pairs_that_cannot_be_are_refused();
    test_frames_come_in_and_their_buffers_go_round();
    test_a_held_buffer_is_not_written_again();
    test_merged_buffers_are_one_frame();
    test_the_longest_frame_is_whole_and_its_buffers_go_round();
    test_a_card_that_leaves_gaps_in_a_frame_is_refused();
    test_a_card_that_lies_about_its_buffers_is_refused();
    test_a_frame_shorter_than_its_header_is_refused();
    test_a_buffer_given_back_twice_is_refused();
    test_a_frame_goes_out_from_all_its_parts();
    test_a_large_frame_says_how_to_cut_it();
    test_a_head_may_be_all_there_is();
    test_a_batch_rings_once();
    test_a_full_queue_takes_no_more_and_recovers();
    test_a_frame_that_was_not_sent_cannot_come_back();
    return 0;
}
