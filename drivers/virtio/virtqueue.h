/*
 * virtqueue.h - a split virtqueue (virtio 1.2, 2.7), the driver's side. Device addresses equal the driver's own addresses.
 *
 * In memory shared with the device:             written by
 *   descriptor[]                                driver     parts of buffers, chained by `next`
 *   available.index, ring[]                     driver     chains handed over, free-running
 *   available.used_event                        driver     "interrupt me when the used index passes this"
 *   used.index, ring[]                          device     chains given back, free-running
 *   used.available_event                        device     "notify me when the available index passes this"
 *
 * The device may be wrong or hostile: the driver keeps descriptors' links, who owns what and its own indices in private memory, and
 * reads every word of the device once. What cannot be is VIRTQUEUE_BROKEN; nothing but a reset helps then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTQUEUE_MAX_SIZE 1024u

struct virtqueue_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};
_Static_assert(sizeof(struct virtqueue_descriptor) == 16, "virtio 1.2, 2.7.5");
#define VIRTQUEUE_NEXT          1u
#define VIRTQUEUE_DEVICE_WRITES 2u

struct virtqueue_available {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[]; /* [size], then used_event */
};
_Static_assert(offsetof(struct virtqueue_available, ring) == 4, "virtio 1.2, 2.7.6");

struct virtqueue_used_element {
    uint32_t head;
    uint32_t written; /* bytes the device wrote into the chain */
};
struct virtqueue_used {
    uint16_t flags;
    uint16_t index;
    struct virtqueue_used_element ring[]; /* [size], then available_event */
};
_Static_assert(offsetof(struct virtqueue_used, ring) == 4, "virtio 1.2, 2.7.8");
#define VIRTQUEUE_USED_NO_NOTIFY 1u

enum virtqueue_status {
    VIRTQUEUE_OK,
    VIRTQUEUE_FULL,
    VIRTQUEUE_EMPTY,
    VIRTQUEUE_BROKEN, /* the device breaks the rules */
};

/* One piece of memory of a chain. Those that the device reads come before those that it writes. */
struct virtqueue_part {
    const void *address;
    uint32_t length;
    bool device_writes;
};

/* What the driver remembers of a descriptor. */
struct virtqueue_private {
    void *cookie;      /* head of a chain in the device's hands: the caller's */
    uint32_t writable; /* head: bytes the device may write */
    uint16_t next;     /* in the chain, or in the list of free ones */
    uint16_t count;    /* head: parts of the chain; else, and when it is not with the device: 0 */
};

struct virtqueue {
    struct virtqueue_descriptor *descriptor;
    struct virtqueue_available *available;
    struct virtqueue_used *used;
    struct virtqueue_private *private;
    uint16_t size;
    uint16_t free_first;
    uint16_t free_count;
    uint16_t available_index; /* chains added */
    uint16_t published_index; /* chains the device was told of */
    uint16_t used_index;      /* chains taken back */
    bool event_index;
    bool broken;
};

/*
 * Bytes of memory shared with the device, for `size` descriptors; align it to 16, or to a page where QEMU's device is behind an IOMMU: the used
 * ring must then not lie across a page's end (virtio_net_core.c says why), which it does not with up to 256.
 */
size_t virtqueue_bytes(uint16_t size);
/* `memory` zeroed, virtqueue_bytes() of it; `private` [size]. size: a power of two up to VIRTQUEUE_MAX_SIZE. */
void virtqueue_init(struct virtqueue *queue, uint16_t size, void *memory,
                    struct virtqueue_private *private, bool event_index);
/* Add a chain of 1.. parts. FULL: nothing changed. The device sees it after virtqueue_publish(). */
enum virtqueue_status virtqueue_add(struct virtqueue *queue, const struct virtqueue_part *part,
                                    uint16_t count, void *cookie);
/* Hand over what was added; true: the device must be notified. */
bool virtqueue_publish(struct virtqueue *queue);
/* Take one chain back. *written is at most what the chain let the device write. EMPTY, BROKEN. */
enum virtqueue_status virtqueue_take(struct virtqueue *queue, void **cookie, uint32_t *written);
/* Ask for an interrupt for the next chain given back; true: one lies there already, take it first. */
bool virtqueue_arm(struct virtqueue *queue);
