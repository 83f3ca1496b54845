/* virtio_net_core.c - frames of a virtio network card on pairs of virtqueues (virtio 1.2, 5.1.2 to 5.1.6). */
#include "drivers/virtio_net/virtio_net.h"

#include <assert.h>
#include <string.h>

#define FEATURE_MAC     (1ull << 5)
#define FEATURE_STATUS  (1ull << 16)
#define FEATURE_CTRL_VQ (1ull << 17)

#define CONFIG_MAC     0
#define MAC_BYTES      6u
#define CONFIG_STATUS  6
#define STATUS_LINK_UP 1u
#define CONFIG_PAIRS   8
#define MOST_PAIRS     0x8000u

#define CONTROL_MQ       4u /* class */
#define CONTROL_MQ_PAIRS 0u
#define CONTROL_OK       0u
#define CONTROL_NOT_YET  0xffu
#define COMMAND_BYTES    offsetof(struct virtio_net_command, answer)

#define NO_SLOT    UINT16_MAX
#define LEAST_SIZE 64u /* a frame's header and parts, and a power of two */
_Static_assert(LEAST_SIZE > VIRTIO_NET_PARTS, "the longest frame finds room in an empty queue");

/*
 * Each part of the driver's memory begins on a page. Of a queue that must be so: behind an IOMMU QEMU (7.2) writes an element of the used
 * ring that lies across the end of a page only up to there, and with 256 elements, begun on a page, none does.
 */
static size_t whole_pages(size_t bytes)
{
    return (bytes + 4095) & ~(size_t)4095;
}

static size_t queue_bytes(void)
{
    return whole_pages(virtqueue_bytes(VIRTIO_NET_QUEUE_SIZE));
}

static size_t out_bytes(void)
{
    return VIRTIO_NET_QUEUE_SIZE * sizeof(struct virtio_net_out);
}

static size_t pair_bytes(void)
{
    return 2 * queue_bytes() + whole_pages(out_bytes()) +
           VIRTIO_NET_BUFFERS * VIRTIO_NET_BUFFER_BYTES;
}

static size_t control_bytes(void)
{
    return whole_pages(virtqueue_bytes(VIRTIO_NET_CONTROL_SIZE)) +
           whole_pages(sizeof(struct virtio_net_command));
}

size_t virtio_net_memory_bytes(uint32_t pairs)
{
    return pairs * pair_bytes() + (pairs > 1 ? control_bytes() : 0);
}

/* ---- features ----------------------------------------------------------------------------------------------------------- */

/* A feature is of use only with those that it hangs on (5.1.3.1): the driver must not take it without them. */
static uint64_t wanted_features(uint64_t offered)
{
    uint64_t wanted = VIRTIO_NET_CSUM | VIRTIO_NET_GUEST_CSUM | VIRTIO_NET_MRG_RXBUF |
                      FEATURE_STATUS | VIRTIO_F_EVENT_IDX;
    /* A large frame lies in several buffers, or in none: they are of one page. */
    const uint64_t merging = VIRTIO_NET_GUEST_CSUM | VIRTIO_NET_MRG_RXBUF;

    if ((offered & VIRTIO_NET_CSUM) != 0) {
        wanted |= VIRTIO_NET_HOST_TSO4 | VIRTIO_NET_HOST_TSO6;
    }
    if ((offered & merging) == merging) {
        wanted |= VIRTIO_NET_GUEST_TSO4 | VIRTIO_NET_GUEST_TSO6;
    }
    return wanted;
}

/* How many pairs there are to be had. *wanted gets what it takes. */
static bool read_pairs(struct virtio_net *card, uint64_t offered, uint32_t most_pairs,
                       uint64_t *wanted)
{
    const uint64_t several = FEATURE_CTRL_VQ | VIRTIO_NET_MQ;
    uint16_t pairs = 1;

    card->pairs_offered = 1;
    if ((offered & several) != several || most_pairs == 1) {
        return true;
    }
    if (!virtio_pci_config(&card->pci, CONFIG_PAIRS, &pairs, sizeof(pairs)) || pairs == 0 ||
        pairs > MOST_PAIRS) {
        return false;
    }
    if (pairs > 1) {
        *wanted |= several;
        card->control_index = (uint16_t)(2u * pairs); /* behind all that it has (5.1.2) */
        card->pairs_offered = pairs < most_pairs ? pairs : most_pairs;
    }
    return true;
}

enum kerr virtio_net_open(struct virtio_net *card, const struct kwe_device_info *info,
                          uint32_t most_pairs)
{
    uint64_t offered = 0;

    assert(most_pairs != 0 && most_pairs <= VIRTIO_NET_PAIRS);
    memset(card, 0, sizeof(*card));
    if (!info->present) {
        return KERR_NO_DEVICE;
    }
    enum kerr error = virtio_pci_find(&card->pci, info->config, info->bar_address, info->bar_bytes);
    if (error == KERR_OK) {
        error = virtio_pci_reset(&card->pci, &offered);
    }
    if (error != KERR_OK) {
        return error;
    }
    uint64_t wanted = wanted_features(offered);
    if (!read_pairs(card, offered, most_pairs, &wanted)) {
        return KERR_NOT_SUPPORTED;
    }
    error = virtio_pci_accept(&card->pci, offered, FEATURE_MAC, wanted);
    if (error == KERR_OK && !virtio_pci_config(&card->pci, CONFIG_MAC, &card->mac, MAC_BYTES)) {
        error = KERR_NOT_SUPPORTED;
    }
    return error;
}

uint64_t virtio_net_features(const struct virtio_net *card)
{
    return card->pci.features;
}

/* ---- queues -------------------------------------------------------------------------------------------------------------- */

/* The size to use a queue with, of those that the device offers; 0: none will do. */
static uint16_t queue_size(struct virtio_net *card, uint16_t index, uint16_t least, uint16_t most)
{
    uint16_t size = virtio_pci_queue_size(&card->pci, index);

    size = size > most ? most : size;
    return size < least || (size & (size - 1)) != 0 ? 0 : size;
}

static enum kerr start_queue(struct virtio_net *card, uint32_t index, void *memory,
                             struct virtqueue_private *private, uint16_t entry,
                             struct virtio_queue *queue)
{
    const uint16_t size =
        queue_size(card, (uint16_t)index, LEAST_SIZE, (uint16_t)VIRTIO_NET_QUEUE_SIZE);

    if (size == 0) {
        return KERR_NOT_SUPPORTED;
    }
    return virtio_pci_queue(&card->pci, (uint16_t)index, size, memory, private, entry, queue);
}

static void init_slots(struct virtio_net_pair *pair)
{
    for (uint16_t i = 0; i < VIRTIO_NET_QUEUE_SIZE; i++) {
        pair->slot[i].next_free =
            i + 1 < (uint16_t)VIRTIO_NET_QUEUE_SIZE ? (uint16_t)(i + 1) : NO_SLOT;
    }
}

/* Lend the card all the buffers that the pair's queue has room for: each is a chain of one. */
static void lend_buffers(struct virtio_net *card, uint32_t index)
{
    struct virtio_net_pair *pair = &card->pair[index];

    for (uint32_t i = 0; i < VIRTIO_NET_BUFFERS && i < pair->receive.ring.size; i++) {
        pair->held++;
        virtio_net_give_back(card, (uint16_t)(index * VIRTIO_NET_BUFFERS + i));
    }
}

static enum kerr start_pair(struct virtio_net *card, uint32_t index, uint8_t *memory)
{
    struct virtio_net_pair *pair = &card->pair[index];
    enum kerr error = start_queue(card, 2 * index, memory, pair->receive_private,
                                  VIRTIO_NET_ENTRY_RECEIVED, &pair->receive);

    if (error == KERR_OK) {
        error = start_queue(card, 2 * index + 1, memory + queue_bytes(), pair->send_private,
                            VIRTIO_NET_ENTRY_SENT, &pair->send);
    }
    if (error != KERR_OK) {
        return error;
    }
    memory += 2 * queue_bytes();
    pair->out = (struct virtio_net_out *)(void *)memory;
    pair->buffers = memory + whole_pages(out_bytes());
    init_slots(pair);
    lend_buffers(card, index);
    return KERR_OK;
}

static enum kerr start_control(struct virtio_net *card, uint8_t *memory)
{
    const uint16_t size =
        queue_size(card, card->control_index, 2, (uint16_t)VIRTIO_NET_CONTROL_SIZE);

    if (size == 0) {
        return KERR_NOT_SUPPORTED;
    }
    card->command = (struct virtio_net_command *)(void *)(memory + whole_pages(virtqueue_bytes(
                                                                       VIRTIO_NET_CONTROL_SIZE)));
    return virtio_pci_queue(&card->pci, card->control_index, size, memory, card->control_private,
                            VIRTIO_NET_ENTRY_CONFIG, &card->control);
}

/* Ask for the pairs that were set up (5.1.6.5.6). Until the card says yes, it serves the first. */
static void ask_for_pairs(struct virtio_net *card)
{
    *card->command = (struct virtio_net_command){ .class = CONTROL_MQ,
                                                  .command = CONTROL_MQ_PAIRS,
                                                  .pairs = (uint16_t)card->pair_count,
                                                  .answer = CONTROL_NOT_YET };
    const struct virtqueue_part part[] = { { card->command, COMMAND_BYTES, false },
                                           { &card->command->answer, 1, true } };

    (void)virtqueue_add(&card->control.ring, part, 2, card->command); /* an empty queue has room */
    (void)virtqueue_arm(&card->control.ring);
    virtio_pci_kick(&card->control);
}

enum kerr virtio_net_start(struct virtio_net *card, uint32_t pairs, void *memory)
{
    uint8_t *bytes = memory;
    enum kerr error = KERR_OK;

    assert(pairs != 0 && pairs <= card->pairs_offered);
    card->pairs_agreed = 1;
    for (; error == KERR_OK && card->pair_count < pairs; card->pair_count++) {
        error = start_pair(card, card->pair_count, bytes);
        bytes += pair_bytes();
    }
    if (error == KERR_OK && pairs > 1) {
        error = start_control(card, bytes);
    }
    if (error != KERR_OK) {
        return error;
    }
    if ((card->pci.features & FEATURE_STATUS) != 0) {
        (void)virtio_pci_config_vector(&card->pci, VIRTIO_NET_ENTRY_CONFIG);
    }
    virtio_pci_go(&card->pci);
    for (uint32_t i = 0; i < card->pair_count; i++) {
        (void)virtqueue_arm(&card->pair[i].receive.ring);
    }
    virtio_net_kick(card);
    if (card->command != NULL) {
        ask_for_pairs(card);
    }
    return KERR_OK;
}

enum kerr virtio_net_agreed(struct virtio_net *card, bool *agreed)
{
    void *cookie = NULL;
    uint32_t written = 0;

    if (card->command != NULL) {
        switch (virtqueue_take(&card->control.ring, &cookie, &written)) {
        case VIRTQUEUE_OK:
            card->pairs_agreed = card->command->answer == CONTROL_OK ? card->pair_count : 1;
            card->command = NULL;
            break;
        case VIRTQUEUE_BROKEN:
            return KERR_DEVICE_REFUSED;
        default:
            break;
        }
    }
    *agreed = card->pairs_agreed == card->pair_count;
    return KERR_OK;
}

enum kerr virtio_net_link(const struct virtio_net *card, bool *up)
{
    uint16_t status = STATUS_LINK_UP;
    if ((card->pci.features & FEATURE_STATUS) != 0 &&
        !virtio_pci_config(&card->pci, CONFIG_STATUS, &status, sizeof(status))) {
        return KERR_DEVICE_GONE;
    }
    *up = (status & STATUS_LINK_UP) != 0;
    return KERR_OK;
}

/* ---- frames that come in ------------------------------------------------------------------------------------------------- */

void virtio_net_give_back(struct virtio_net *card, uint16_t buffer)
{
    struct virtio_net_pair *pair = &card->pair[buffer / VIRTIO_NET_BUFFERS];
    const uint32_t index = buffer % VIRTIO_NET_BUFFERS;
    uint8_t *address = pair->buffers + (size_t)index * VIRTIO_NET_BUFFER_BYTES;
    const struct virtqueue_part part = { address, VIRTIO_NET_BUFFER_BYTES, true };

    assert(buffer < VIRTIO_NET_PAIRS * VIRTIO_NET_BUFFERS && !pair->is_with_card[index]);
    pair->is_with_card[index] = true;
    pair->held--;
    /* As many chains of one as were lent: there is room, unless the queue is broken, which virtio_net_receive() says. */
    (void)virtqueue_add(&pair->receive.ring, &part, 1, address);
}

/* One more piece: the pair's next buffer, without its first `skip` bytes. EMPTY, BROKEN. */
static enum virtqueue_status take_piece(struct virtio_net *card, uint32_t index, uint32_t skip,
                                        struct virtio_net_received *frame)
{
    struct virtio_net_pair *pair = &card->pair[index];
    void *cookie = NULL;
    uint32_t written = 0;
    const enum virtqueue_status status = virtqueue_take(&pair->receive.ring, &cookie, &written);
    if (status != VIRTQUEUE_OK) {
        return status;
    }
    uint8_t *address = cookie;
    const uint32_t buffer = (uint32_t)((size_t)(address - pair->buffers) / VIRTIO_NET_BUFFER_BYTES);
    const uint32_t bytes = written < skip ? 0 : written - skip;
    pair->is_with_card[buffer] = false;
    pair->held++;
    frame->piece[frame->piece_count].data = address + skip;
    frame->piece[frame->piece_count].bytes = bytes;
    frame->piece[frame->piece_count].buffer = (uint16_t)(index * VIRTIO_NET_BUFFERS + buffer);
    frame->piece_count++;
    frame->bytes += bytes;
    return written < skip ? VIRTQUEUE_BROKEN : VIRTQUEUE_OK;
}

/*
 * The rest of a frame that is spread over buffers. The card uses all but the last to their ends, and gives all back at once (5.1.6.4), so
 * nobody else ever meets an empty piece, or headers in two.
 */
static bool take_rest(struct virtio_net *card, uint32_t index, uint32_t count,
                      struct virtio_net_received *frame)
{
    const uint32_t first = (uint32_t)(VIRTIO_NET_BUFFER_BYTES - sizeof(struct virtio_net_header));

    while (frame->piece_count < count) {
        const uint32_t full = frame->piece_count == 1 ? first : VIRTIO_NET_BUFFER_BYTES;
        if (frame->piece[frame->piece_count - 1].bytes != full ||
            take_piece(card, index, 0, frame) != VIRTQUEUE_OK) {
            return false;
        }
    }
    return frame->piece_count == 1 || frame->piece[frame->piece_count - 1].bytes != 0;
}

enum kerr virtio_net_receive(struct virtio_net *card, uint32_t pair,
                             struct virtio_net_received *frame, bool *some)
{
    struct virtio_net_header header;
    enum virtqueue_status status;
    *some = false;
    frame->piece_count = 0;
    frame->bytes = 0;
    do {
        status = take_piece(card, pair, sizeof(header), frame);
        if (status == VIRTQUEUE_BROKEN) {
            return KERR_DEVICE_REFUSED;
        }
    } while (status == VIRTQUEUE_EMPTY && virtqueue_arm(&card->pair[pair].receive.ring));
    if (status == VIRTQUEUE_EMPTY) {
        return KERR_OK;
    }
    /* Once: the card could write it again. */
    memcpy(&header, frame->piece[0].data - sizeof(header), sizeof(header));
    const bool is_merging = (card->pci.features & VIRTIO_NET_MRG_RXBUF) != 0;
    const uint32_t count = is_merging ? header.buffer_count : 1;
    if (count == 0 || count > VIRTIO_NET_MERGED || !take_rest(card, pair, count, frame)) {
        return KERR_DEVICE_REFUSED;
    }
    /* NEEDS_CHECKSUM: it never was on a wire, and nobody has computed it (5.1.6.4.1). */
    frame->is_checked =
        (header.flags & (VIRTIO_NET_HEADER_NEEDS_CHECKSUM | VIRTIO_NET_HEADER_CHECKSUM_VALID)) != 0;
    *some = true;
    return KERR_OK;
}

/* ---- frames that go out -------------------------------------------------------------------------------------------------- */

static void fill_out(const struct virtio_net *card, const struct virtio_net_frame *frame,
                     struct virtio_net_out *out)
{
    out->header = (struct virtio_net_header){ .flags = 0 };
    if (frame->checksum_start != 0) {
        assert((card->pci.features & VIRTIO_NET_CSUM) != 0);
        out->header.flags = VIRTIO_NET_HEADER_NEEDS_CHECKSUM;
        out->header.checksum_start = frame->checksum_start;
        out->header.checksum_offset = frame->checksum_offset;
    }
    if (frame->segment_bytes != 0) {
        assert(frame->checksum_start != 0 && frame->head_bytes != 0);
        assert((card->pci.features &
                (frame->segmentation == VIRTIO_NET_SEGMENT_TCP6 ? VIRTIO_NET_HOST_TSO6
                                                                : VIRTIO_NET_HOST_TSO4)) != 0);
        out->header.segmentation = frame->segmentation;
        out->header.header_bytes = (uint16_t)frame->head_bytes;
        out->header.segment_bytes = frame->segment_bytes;
    }
    if (frame->head_bytes != 0) {
        memcpy(out->head, frame->head, frame->head_bytes);
    }
}

bool virtio_net_send(struct virtio_net *card, uint32_t pair, const struct virtio_net_frame *frame,
                     void *cookie)
{
    struct virtio_net_pair *to = &card->pair[pair];
    struct virtqueue_part part[VIRTIO_NET_PARTS + 1];
    const uint16_t index = to->free_slot;

    assert(frame->head_bytes + frame->part_count != 0 && frame->part_count <= VIRTIO_NET_PARTS &&
           frame->head_bytes <= VIRTIO_NET_HEAD_BYTES && pair < card->pairs_agreed);
    if (index == NO_SLOT) {
        return false;
    }
    fill_out(card, frame, &to->out[index]);
    part[0] = (struct virtqueue_part){
        &to->out[index], (uint32_t)sizeof(struct virtio_net_header) + frame->head_bytes, false
    };
    for (uint32_t i = 0; i < frame->part_count; i++) {
        part[i + 1] = (struct virtqueue_part){ frame->part[i].data, frame->part[i].bytes, false };
    }
    if (virtqueue_add(&to->send.ring, part, (uint16_t)(frame->part_count + 1), &to->slot[index]) !=
        VIRTQUEUE_OK) {
        return false; /* full, or broken: virtio_net_sent() says so */
    }
    to->free_slot = to->slot[index].next_free;
    to->slot[index].cookie = cookie;
    return true;
}

enum kerr virtio_net_sent(struct virtio_net *card, uint32_t pair, void **cookies, uint32_t room,
                          uint32_t *count)
{
    struct virtio_net_pair *from = &card->pair[pair];
    *count = 0;
    while (*count < room) {
        void *cookie = NULL;
        uint32_t written = 0;
        const enum virtqueue_status status = virtqueue_take(&from->send.ring, &cookie, &written);
        if (status == VIRTQUEUE_BROKEN) {
            return KERR_DEVICE_REFUSED;
        }
        if (status == VIRTQUEUE_EMPTY) {
            break;
        }
        struct virtio_net_slot *slot = cookie;
        cookies[(*count)++] = slot->cookie;
        slot->next_free = from->free_slot;
        from->free_slot = (uint16_t)(slot - from->slot);
    }
    return KERR_OK;
}

bool virtio_net_arm_sent(struct virtio_net *card, uint32_t pair)
{
    return virtqueue_arm(&card->pair[pair].send.ring);
}

void virtio_net_kick(struct virtio_net *card)
{
    for (uint32_t i = 0; i < card->pair_count; i++) {
        virtio_pci_kick(&card->pair[i].receive);
        virtio_pci_kick(&card->pair[i].send);
    }
}

bool virtio_net_needs_reset(const struct virtio_net *card)
{
    return virtio_pci_needs_reset(&card->pci);
}
