/*
 * virtio_net.h - a virtio network card (virtio 1.2, 5.1): frames go out and come in, many at a time, over one pair of queues.
 *
 *   entry 0   frames have come      entry 1   frames are out (only when virtio_net_arm_sent() asked)      entry 2   the link changed
 *
 * The driver is not reentrant and never waits. Frames that come in lie in buffers of the driver until they are given back; frames that go
 * out lie in the caller's memory, which the card reads, until they come back from virtio_net_sent().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virtio/virtio_pci.h"
#include "kernel/abi/work.h"

#define VIRTIO_NET_QUEUE_SIZE   256u
#define VIRTIO_NET_BUFFERS      256u
#define VIRTIO_NET_BUFFER_BYTES 2048u
#define VIRTIO_NET_FRAME_BYTES  1514u /* of Ethernet, without its checksum */
#define VIRTIO_NET_PARTS        16u   /* of a frame that goes out */
#define VIRTIO_NET_MERGED       4u /* buffers of a frame that comes in: none is longer than 1514 bytes */

#define VIRTIO_NET_ENTRY_RECEIVED 0u
#define VIRTIO_NET_ENTRY_SENT     1u
#define VIRTIO_NET_ENTRY_CONFIG   2u

/* Before each frame, in both directions (5.1.6). */
struct virtio_net_header {
    uint8_t flags;
    uint8_t segmentation;
    uint16_t header_bytes;
    uint16_t segment_bytes;
    uint16_t checksum_start;  /* in the frame */
    uint16_t checksum_offset; /* behind the start */
    uint16_t buffer_count;    /* of a frame that comes in */
};
_Static_assert(sizeof(struct virtio_net_header) == 12, "virtio 1.2, 5.1.6");
#define VIRTIO_NET_HEADER_NEEDS_CHECKSUM 1u
#define VIRTIO_NET_HEADER_CHECKSUM_VALID 2u

struct virtio_net_part {
    const void *data;
    uint32_t bytes;
};

/* A frame that goes out. */
struct virtio_net_frame {
    struct virtio_net_part part[VIRTIO_NET_PARTS];
    uint32_t part_count;
    /* has_checksums: have the card put the sum of all from there on at start + offset, where the pseudo-header's lies. 0: no. */
    uint16_t checksum_start, checksum_offset;
};

/* A frame that came in: its pieces, each in a buffer to be given back. */
struct virtio_net_received {
    struct {
        uint8_t *data;
        uint32_t bytes;
        uint16_t buffer;
    } piece[VIRTIO_NET_MERGED];
    uint32_t piece_count;
    bool is_checked; /* the card, or the host, vouches for its TCP or UDP checksum */
};

/* A frame on its way out. */
struct virtio_net_slot {
    void *cookie;
    uint16_t next_free;
};

struct virtio_net {
    struct virtio_pci pci;
    uint64_t mac; /* first byte lowest */
    bool has_checksums;
    bool is_merging;
    struct virtio_queue receive, send;
    struct virtqueue_private receive_private[VIRTIO_NET_QUEUE_SIZE];
    struct virtqueue_private send_private[VIRTIO_NET_QUEUE_SIZE];
    uint8_t *buffers;                 /* memory that the card reaches, as the next */
    struct virtio_net_header *header; /* of frames on their way out, by slot */
    struct virtio_net_slot slot[VIRTIO_NET_QUEUE_SIZE];
    uint16_t free_slot;
    bool is_with_card[VIRTIO_NET_BUFFERS];
    uint32_t held; /* buffers that were received and not given back */
    uint64_t frames_sent, frames_back;
};

/* Bytes of zeroed memory that the card reaches, which virtio_net_start() wants. */
size_t virtio_net_memory_bytes(void);
/* NO_DEVICE, NOT_SUPPORTED (no MAC address among other things), DEVICE_TIMEOUT. Frames come in from now on. */
enum kerr virtio_net_start(struct virtio_net *card, const struct kwe_device_info *info,
                           void *memory);
/* Is the link up now? A card that cannot say is up. DEVICE_GONE: its configuration cannot be read. */
enum kerr virtio_net_link(const struct virtio_net *card, bool *up);
/*
 * Take the next frame that came in. *some false: none, and an interrupt tells of the next.
 * DEVICE_REFUSED: the card breaks the rules; nothing more will come.
 */
enum kerr virtio_net_receive(struct virtio_net *card, struct virtio_net_received *frame,
                             bool *some);
/* Give a received buffer back; the card sees it after virtio_net_kick(). */
void virtio_net_give_back(struct virtio_net *card, uint16_t buffer);
/* Take a frame, which must not be empty; the card sees it after virtio_net_kick(). False: no room now. */
bool virtio_net_send(struct virtio_net *card, const struct virtio_net_frame *frame, void *cookie);
/* Hand over what was given back and taken, ringing each doorbell once at most. */
void virtio_net_kick(struct virtio_net *card);
/* Take back the cookies of up to `room` frames that the card is done with. DEVICE_REFUSED as above. */
enum kerr virtio_net_sent(struct virtio_net *card, void **cookies, uint32_t room, uint32_t *count);
/* Ask for an interrupt when the next frame is out. True: some are already. */
bool virtio_net_arm_sent(struct virtio_net *card);
/* The card says that it cannot go on. A register, so not for every turn: when an interrupt brought nothing. */
bool virtio_net_needs_reset(const struct virtio_net *card);
