/*
 * virtio_net.h - a virtio network card (virtio 1.2, 5.1): frames go out and come in, many at a time, over one or several pairs of queues.
 *
 *   entry 0   frames have come, on whichever pair      entry 1   frames are out (only when virtio_net_arm_sent() asked)
 *   entry 2   the link changed, or the card has answered virtio_net_start()
 *
 * The driver is not reentrant and never waits. Frames that come in lie in buffers of the driver until they are given back; frames that go
 * out lie in the caller's memory, which the card reads, until they come back from virtio_net_sent(). One caller serves all pairs, so they
 * share their interrupts: one of its own for each would tell nothing that the caller does not look for anyway.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virtio/virtio_pci.h"
#include "kernel/abi/work.h"

#define VIRTIO_NET_PAIRS        8u
#define VIRTIO_NET_QUEUE_SIZE   256u
#define VIRTIO_NET_CONTROL_SIZE 16u
#define VIRTIO_NET_BUFFERS      256u /* of a pair */
#define VIRTIO_NET_BUFFER_BYTES 4096u
#define VIRTIO_NET_FRAME_BYTES  1514u  /* of Ethernet, without its checksum */
#define VIRTIO_NET_LARGE_BYTES  65589u /* of a frame that stands for several (5.1.6.3) */
#define VIRTIO_NET_HEAD_BYTES                                                                      \
    116u /* headers of a frame that goes out: Ethernet, IPv6, TCP with options */
#define VIRTIO_NET_PARTS 48u /* of a frame that goes out, behind its head */
/* Buffers of a frame that comes in. */
#define VIRTIO_NET_MERGED                                                                          \
    ((VIRTIO_NET_LARGE_BYTES + sizeof(struct virtio_net_header) + VIRTIO_NET_BUFFER_BYTES - 1) /   \
     VIRTIO_NET_BUFFER_BYTES)

#define VIRTIO_NET_ENTRY_RECEIVED 0u
#define VIRTIO_NET_ENTRY_SENT     1u
#define VIRTIO_NET_ENTRY_CONFIG   2u

/* Features (5.1.3) that others than the driver care about; they are bits of virtio_net_features(). */
#define VIRTIO_NET_CSUM       (1ull << 0)
#define VIRTIO_NET_GUEST_CSUM (1ull << 1)
#define VIRTIO_NET_GUEST_TSO4 (1ull << 7)
#define VIRTIO_NET_GUEST_TSO6 (1ull << 8)
#define VIRTIO_NET_HOST_TSO4  (1ull << 11)
#define VIRTIO_NET_HOST_TSO6  (1ull << 12)
#define VIRTIO_NET_MRG_RXBUF  (1ull << 15)
#define VIRTIO_NET_MQ         (1ull << 22)

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
#define VIRTIO_NET_SEGMENT_NONE          0u
#define VIRTIO_NET_SEGMENT_TCP4          1u
#define VIRTIO_NET_SEGMENT_TCP6          4u

struct virtio_net_part {
    const void *data;
    uint32_t bytes;
};

/* A frame that goes out: its head, which is copied, and its parts, which are not. */
struct virtio_net_frame {
    const void *head;
    uint32_t head_bytes; /* 0: all of it lies in the parts */
    struct virtio_net_part part[VIRTIO_NET_PARTS];
    uint32_t part_count;
    /* CSUM: have the card put the sum of all from there on at start + offset, where the pseudo-header's lies. 0: no. */
    uint16_t checksum_start, checksum_offset;
    /* HOST_TSO4, HOST_TSO6, with a checksum: cut what follows the head into segments of so many bytes. 0: no. */
    uint16_t segment_bytes;
    uint8_t segmentation; /* VIRTIO_NET_SEGMENT_ */
};

/* A frame that came in: its pieces, each in a buffer to be given back. All but the last are full. */
struct virtio_net_received {
    struct {
        uint8_t *data;
        uint32_t bytes;
        uint16_t buffer;
    } piece[VIRTIO_NET_MERGED];
    uint32_t piece_count;
    uint32_t bytes;  /* of all pieces */
    bool is_checked; /* the card, or the host, vouches for its TCP or UDP checksum */
};

/* A frame on its way out. */
struct virtio_net_slot {
    void *cookie;
    uint16_t next_free;
};

/* What the card reads before the parts. */
struct virtio_net_out {
    struct virtio_net_header header;
    uint8_t head[VIRTIO_NET_HEAD_BYTES];
};
_Static_assert(sizeof(struct virtio_net_out) == 128, "none lies across a page's end");

/* A queue for each direction. */
struct virtio_net_pair {
    struct virtio_queue receive, send;
    struct virtqueue_private receive_private[VIRTIO_NET_QUEUE_SIZE];
    struct virtqueue_private send_private[VIRTIO_NET_QUEUE_SIZE];
    uint8_t *buffers;           /* memory that the card reaches, as the next */
    struct virtio_net_out *out; /* by slot */
    struct virtio_net_slot slot[VIRTIO_NET_QUEUE_SIZE];
    uint16_t free_slot;
    bool is_with_card[VIRTIO_NET_BUFFERS];
    uint32_t held; /* buffers that were received and not given back */
};

/* What the card is asked on its control queue (5.1.6.5), and where it answers. */
struct virtio_net_command {
    uint8_t class, command;
    uint16_t pairs;
    uint8_t answer;
};

struct virtio_net {
    struct virtio_pci pci;
    uint64_t mac;           /* first byte lowest */
    uint32_t pairs_offered; /* of which virtio_net_start() may be asked for */
    uint32_t pair_count;    /* that are set up */
    uint32_t pairs_agreed;  /* that the card serves */
    uint16_t control_index;
    struct virtio_queue control;
    struct virtqueue_private control_private[VIRTIO_NET_CONTROL_SIZE];
    struct virtio_net_command *command; /* memory that the card reaches; NULL: nothing was asked */
    struct virtio_net_pair pair[VIRTIO_NET_PAIRS];
};

/*
 * Find the card and agree on features; several pairs are offered, up to `most_pairs`, only where the card has as many.
 * NO_DEVICE, NOT_SUPPORTED (no MAC address among other things), DEVICE_TIMEOUT.
 */
enum kerr virtio_net_open(struct virtio_net *card, const struct kwe_device_info *info,
                          uint32_t most_pairs);
/* Bytes of zeroed memory that the card reaches, which virtio_net_start() wants for so many pairs. */
size_t virtio_net_memory_bytes(uint32_t pairs);
/*
 * Set up 1..pairs_offered pairs. Frames come in from now on, and may go out by the first; by the others, when the card has agreed.
 * NOT_SUPPORTED: the card's queues are too small, or it refuses them.
 */
enum kerr virtio_net_start(struct virtio_net *card, uint32_t pairs, void *memory);
/* The features agreed on: bits of virtio, 5.1.3 and 6. */
uint64_t virtio_net_features(const struct virtio_net *card);
/* Has the card agreed to serve all pairs? Cheap; true at once where there is one, never when it says no. DEVICE_REFUSED: it breaks the rules. */
enum kerr virtio_net_agreed(struct virtio_net *card, bool *agreed);
/* Is the link up now? A card that cannot say is up. DEVICE_GONE: its configuration cannot be read. */
enum kerr virtio_net_link(const struct virtio_net *card, bool *up);
/*
 * Take the next frame that came in on a pair. *some false: none, and an interrupt tells of the next.
 * DEVICE_REFUSED: the card breaks the rules; nothing more will come.
 */
enum kerr virtio_net_receive(struct virtio_net *card, uint32_t pair,
                             struct virtio_net_received *frame, bool *some);
/* Give a received buffer back; the card sees it after virtio_net_kick(). */
void virtio_net_give_back(struct virtio_net *card, uint16_t buffer);
/* Take a frame, which must not be empty; the card sees it after virtio_net_kick(). False: no room now. */
bool virtio_net_send(struct virtio_net *card, uint32_t pair, const struct virtio_net_frame *frame,
                     void *cookie);
/* Hand over what was given back and taken, ringing each doorbell once at most. */
void virtio_net_kick(struct virtio_net *card);
/* Take back the cookies of up to `room` frames that the card is done with. DEVICE_REFUSED as above. */
enum kerr virtio_net_sent(struct virtio_net *card, uint32_t pair, void **cookies, uint32_t room,
                          uint32_t *count);
/* Ask for an interrupt when the pair's next frame is out. True: some are already. */
bool virtio_net_arm_sent(struct virtio_net *card, uint32_t pair);
/* The card says that it cannot go on. A register, so not for every turn: when an interrupt brought nothing. */
bool virtio_net_needs_reset(const struct virtio_net *card);
