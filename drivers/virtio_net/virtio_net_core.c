/* virtio_net_core.c - frames of a virtio network card on two virtqueues (virtio 1.2, 5.1.3 to 5.1.6). */
#include "drivers/virtio_net/virtio_net.h"

#include <assert.h>
#include <string.h>

#define FEATURE_CSUM       (1ull << 0)
#define FEATURE_GUEST_CSUM (1ull << 1)
#define FEATURE_MAC        (1ull << 5)
#define FEATURE_MRG_RXBUF  (1ull << 15)
#define FEATURE_STATUS     (1ull << 16)

#define CONFIG_MAC     0
#define MAC_BYTES      6u
#define CONFIG_STATUS  6
#define STATUS_LINK_UP 1u

#define QUEUE_RECEIVE 0u
#define QUEUE_SEND    1u
#define NO_SLOT       UINT16_MAX
#define LEAST_SIZE    (VIRTIO_NET_PARTS + 1)

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

size_t virtio_net_memory_bytes(void)
{
    return 2 * queue_bytes() +
           whole_pages(VIRTIO_NET_QUEUE_SIZE * sizeof(struct virtio_net_header)) +
           VIRTIO_NET_BUFFERS * VIRTIO_NET_BUFFER_BYTES;
}

static enum kerr start_queue(struct virtio_net *card, uint16_t index, void *memory,
                             struct virtqueue_private *private, uint16_t entry,
                             struct virtio_queue *queue)
{
    uint16_t size = virtio_pci_queue_size(&card->pci, index);
    size = size > VIRTIO_NET_QUEUE_SIZE ? VIRTIO_NET_QUEUE_SIZE : size;
    if (size < LEAST_SIZE || (size & (size - 1)) != 0) {
        return KERR_NOT_SUPPORTED;
    }
    return virtio_pci_queue(&card->pci, index, size, memory, private, entry, queue);
}

static enum kerr start_queues(struct virtio_net *card, uint8_t *memory)
{
    enum kerr error = start_queue(card, QUEUE_RECEIVE, memory, card->receive_private,
                                  VIRTIO_NET_ENTRY_RECEIVED, &card->receive);
    if (error == KERR_OK) {
        error = start_queue(card, QUEUE_SEND, memory + queue_bytes(), card->send_private,
                            VIRTIO_NET_ENTRY_SENT, &card->send);
    }
    return error;
}

static void init_slots(struct virtio_net *card)
{
    for (uint16_t i = 0; i < VIRTIO_NET_QUEUE_SIZE; i++) {
        card->slot[i].next_free =
            i + 1 < (uint16_t)VIRTIO_NET_QUEUE_SIZE ? (uint16_t)(i + 1) : NO_SLOT;
    }
}

/* Lend the card all the buffers that its queue has room for: each is a chain of one. */
static void lend_buffers(struct virtio_net *card)
{
    for (uint16_t i = 0; i < VIRTIO_NET_BUFFERS && i < card->receive.ring.size; i++) {
        card->held++;
        virtio_net_give_back(card, i);
    }
}

enum kerr virtio_net_start(struct virtio_net *card, const struct kwe_device_info *info,
                           void *memory)
{
    uint8_t *bytes = memory;
    memset(card, 0, sizeof(*card));
    if (!info->present) {
        return KERR_NO_DEVICE;
    }
    enum kerr error = virtio_pci_find(&card->pci, info->config, info->bar_address, info->bar_bytes);
    if (error != KERR_OK) {
        return error;
    }
    /* No segmentation of what comes in (GUEST_TSO): a frame fits one buffer, and merging has nothing to merge on a card that keeps to that. */
    error = virtio_pci_begin(&card->pci, FEATURE_MAC,
                             FEATURE_CSUM | FEATURE_GUEST_CSUM | FEATURE_MRG_RXBUF |
                                 FEATURE_STATUS | VIRTIO_F_EVENT_IDX);
    if (error != KERR_OK) {
        return error;
    }
    if (!virtio_pci_config(&card->pci, CONFIG_MAC, &card->mac, MAC_BYTES)) {
        return KERR_NOT_SUPPORTED;
    }
    card->has_checksums = (card->pci.features & FEATURE_CSUM) != 0;
    card->is_merging = (card->pci.features & FEATURE_MRG_RXBUF) != 0;
    error = start_queues(card, bytes);
    if (error != KERR_OK) {
        return error;
    }
    bytes += 2 * queue_bytes();
    card->header = (struct virtio_net_header *)(void *)bytes;
    card->buffers = bytes + whole_pages(VIRTIO_NET_QUEUE_SIZE * sizeof(struct virtio_net_header));
    init_slots(card);
    if ((card->pci.features & FEATURE_STATUS) != 0) {
        (void)virtio_pci_config_vector(&card->pci, VIRTIO_NET_ENTRY_CONFIG);
    }
    lend_buffers(card);
    virtio_pci_go(&card->pci);
    (void)virtqueue_arm(&card->receive.ring);
    virtio_net_kick(card);
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

static uint8_t *buffer_address(const struct virtio_net *card, uint16_t buffer)
{
    return card->buffers + (size_t)buffer * VIRTIO_NET_BUFFER_BYTES;
}

void virtio_net_give_back(struct virtio_net *card, uint16_t buffer)
{
    assert(buffer < VIRTIO_NET_BUFFERS && !card->is_with_card[buffer]);
    uint8_t *address = buffer_address(card, buffer);
    const struct virtqueue_part part = { address, VIRTIO_NET_BUFFER_BYTES, true };
    card->is_with_card[buffer] = true;
    card->held--;
    /* As many chains of one as were lent: there is room, unless the queue is broken, which virtio_net_receive() says. */
    (void)virtqueue_add(&card->receive.ring, &part, 1, address);
}

/* One more piece: the next buffer, without its first `skip` bytes. EMPTY, BROKEN. */
static enum virtqueue_status take_piece(struct virtio_net *card, uint32_t skip,
                                        struct virtio_net_received *frame)
{
    void *cookie = NULL;
    uint32_t written = 0;
    const enum virtqueue_status status = virtqueue_take(&card->receive.ring, &cookie, &written);
    if (status != VIRTQUEUE_OK) {
        return status;
    }
    uint8_t *address = cookie;
    const uint16_t buffer = (uint16_t)((size_t)(address - card->buffers) / VIRTIO_NET_BUFFER_BYTES);
    card->is_with_card[buffer] = false;
    card->held++;
    frame->piece[frame->piece_count].data = address + skip;
    frame->piece[frame->piece_count].bytes = written < skip ? 0 : written - skip;
    frame->piece[frame->piece_count].buffer = buffer;
    frame->piece_count++;
    return written < skip ? VIRTQUEUE_BROKEN : VIRTQUEUE_OK;
}

enum kerr virtio_net_receive(struct virtio_net *card, struct virtio_net_received *frame, bool *some)
{
    struct virtio_net_header header;
    enum virtqueue_status status;
    *some = false;
    frame->piece_count = 0;
    do {
        status = take_piece(card, sizeof(header), frame);
        if (status == VIRTQUEUE_BROKEN) {
            return KERR_DEVICE_REFUSED;
        }
    } while (status == VIRTQUEUE_EMPTY && virtqueue_arm(&card->receive.ring));
    if (status == VIRTQUEUE_EMPTY) {
        return KERR_OK;
    }
    /* Once: the card could write it again. */
    memcpy(&header, frame->piece[0].data - sizeof(header), sizeof(header));
    const uint32_t count = card->is_merging ? header.buffer_count : 1;
    if (count == 0 || count > VIRTIO_NET_MERGED) {
        return KERR_DEVICE_REFUSED;
    }
    while (frame->piece_count < count) {
        /* All of a frame's buffers are given back at once (5.1.6.4). */
        if (take_piece(card, 0, frame) != VIRTQUEUE_OK) {
            return KERR_DEVICE_REFUSED;
        }
    }
    /* NEEDS_CHECKSUM: it never was on a wire, and nobody has computed it (5.1.6.4.1). */
    frame->is_checked =
        (header.flags & (VIRTIO_NET_HEADER_NEEDS_CHECKSUM | VIRTIO_NET_HEADER_CHECKSUM_VALID)) != 0;
    *some = true;
    return KERR_OK;
}

/* ---- frames that go out -------------------------------------------------------------------------------------------------- */

bool virtio_net_send(struct virtio_net *card, const struct virtio_net_frame *frame, void *cookie)
{
    assert(frame->part_count != 0 && frame->part_count <= VIRTIO_NET_PARTS);
    const uint16_t index = card->free_slot;
    if (index == NO_SLOT) {
        return false;
    }
    struct virtqueue_part part[VIRTIO_NET_PARTS + 1];
    struct virtio_net_header *header = &card->header[index];
    *header = (struct virtio_net_header){ .flags = 0 };
    if (frame->checksum_start != 0) {
        assert(card->has_checksums);
        header->flags = VIRTIO_NET_HEADER_NEEDS_CHECKSUM;
        header->checksum_start = frame->checksum_start;
        header->checksum_offset = frame->checksum_offset;
    }
    part[0] = (struct virtqueue_part){ header, sizeof(*header), false };
    for (uint32_t i = 0; i < frame->part_count; i++) {
        part[i + 1] = (struct virtqueue_part){ frame->part[i].data, frame->part[i].bytes, false };
    }
    if (virtqueue_add(&card->send.ring, part, (uint16_t)(frame->part_count + 1),
                      &card->slot[index]) != VIRTQUEUE_OK) {
        return false; /* full, or broken: virtio_net_sent() says so */
    }
    card->free_slot = card->slot[index].next_free;
    card->slot[index].cookie = cookie;
    card->frames_sent++;
    return true;
}

enum kerr virtio_net_sent(struct virtio_net *card, void **cookies, uint32_t room, uint32_t *count)
{
    *count = 0;
    while (*count < room) {
        void *cookie = NULL;
        uint32_t written = 0;
        const enum virtqueue_status status = virtqueue_take(&card->send.ring, &cookie, &written);
        if (status == VIRTQUEUE_BROKEN) {
            return KERR_DEVICE_REFUSED;
        }
        if (status == VIRTQUEUE_EMPTY) {
            break;
        }
        struct virtio_net_slot *slot = cookie;
        cookies[(*count)++] = slot->cookie;
        slot->next_free = card->free_slot;
        card->free_slot = (uint16_t)(slot - card->slot);
        card->frames_back++;
    }
    return KERR_OK;
}

bool virtio_net_arm_sent(struct virtio_net *card)
{
    return virtqueue_arm(&card->send.ring);
}

void virtio_net_kick(struct virtio_net *card)
{
    virtio_pci_kick(&card->receive);
    virtio_pci_kick(&card->send);
}

bool virtio_net_needs_reset(const struct virtio_net *card)
{
    return virtio_pci_needs_reset(&card->pci);
}
