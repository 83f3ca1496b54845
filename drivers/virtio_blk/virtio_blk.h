/*
 * virtio_blk.h - a virtio disk (virtio 1.2, 5.2): requests go in, more than one at a time, and come back in any order.
 * The driver is not reentrant and never waits: virtio_blk_harvest() is called when the interrupt came.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virtio/virtio_pci.h"
#include "kernel/abi/work.h"

#define VIRTIO_BLK_SECTOR     512u
#define VIRTIO_BLK_QUEUE_SIZE 256u
#define VIRTIO_BLK_REQUESTS   64u /* in flight at once */
#define VIRTIO_BLK_SEGMENTS   16u /* of one request, at most */
/* of one request, at most: QEMU cuts it in pages behind an IOMMU, and takes 1024 pieces */
#define VIRTIO_BLK_BYTES (1u << 20)

enum virtio_blk_kind {
    VIRTIO_BLK_READ = 0,
    VIRTIO_BLK_WRITE = 1,
    VIRTIO_BLK_FLUSH = 4,
};

struct virtio_blk_segment {
    void *address;
    uint32_t bytes;
};

/* A request: the caller's memory, untouched by the caller until it comes back. Sizes are whole sectors. */
struct virtio_blk_request {
    enum virtio_blk_kind kind;
    uint64_t sector;
    uint32_t segment_count; /* 0 for a flush */
    struct virtio_blk_segment segment[VIRTIO_BLK_SEGMENTS];
    enum kerr result; /* when it is back: OK, IO_ERROR, NOT_SUPPORTED */
    void *cookie;     /* the caller's */
    uint32_t slot;    /* the driver's */
};

/* What the device reads and writes of a request besides its data. */
struct virtio_blk_slot {
    uint32_t kind;
    uint32_t reserved;
    uint64_t sector;
    uint8_t status;
    uint8_t unused[15];
};
_Static_assert(sizeof(struct virtio_blk_slot) == 32 &&
                   offsetof(struct virtio_blk_slot, status) == 16,
               "virtio 1.2, 5.2.6");

struct virtio_blk {
    struct virtio_pci pci;
    struct virtio_queue queue;
    struct virtqueue_private private[VIRTIO_BLK_QUEUE_SIZE];
    struct virtio_blk_slot *slot; /* memory that the device reaches */
    uint32_t free_slot[VIRTIO_BLK_REQUESTS];
    uint32_t free_count;
    uint64_t sectors;
    uint32_t segments_max;
    uint32_t bytes_max; /* of one request */
    bool read_only;
    bool has_flush;
};

/* Bytes of zeroed memory that the device reaches, which virtio_blk_start() wants. */
size_t virtio_blk_memory_bytes(void);
/* NO_DEVICE, NOT_SUPPORTED, DEVICE_TIMEOUT: as virtio_pci.h says. Interrupts come by the device's MSI-X entry 0. */
enum kerr virtio_blk_start(struct virtio_blk *disk, const struct kwe_device_info *info,
                           void *memory);
/* Take a request; the device sees it after virtio_blk_kick(). False: no room now. BAD requests are a bug of the caller (asserted). */
bool virtio_blk_submit(struct virtio_blk *disk, struct virtio_blk_request *request);
void virtio_blk_kick(struct virtio_blk *disk);
/*
 * Take back what is done: up to `room` requests. *count 0: nothing more, and an interrupt will tell of the next.
 * DEVICE_REFUSED: the device broke the rules of its queue; nothing more will come.
 */
enum kerr virtio_blk_harvest(struct virtio_blk *disk, struct virtio_blk_request **done,
                             uint32_t room, uint32_t *count);
/* The device says that it cannot go on. A register, so not for every turn: when an interrupt brought nothing. */
bool virtio_blk_needs_reset(const struct virtio_blk *disk);
