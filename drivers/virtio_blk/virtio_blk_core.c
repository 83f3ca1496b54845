/* virtio_blk_core.c - requests of a virtio disk (virtio 1.2, 5.2.6) on a virtqueue. */
#include "drivers/virtio_blk/virtio_blk.h"

#include <assert.h>

#define FEATURE_SIZE_MAX  (1ull << 1)
#define FEATURE_SEG_MAX   (1ull << 2)
#define FEATURE_READ_ONLY (1ull << 5)
#define FEATURE_FLUSH     (1ull << 9)

#define CONFIG_CAPACITY 0
#define CONFIG_SIZE_MAX 8
#define CONFIG_SEG_MAX  12

#define STATUS_OK          0u
#define STATUS_UNSUPPORTED 2u
#define STATUS_NOT_YET     0xffu

static size_t queue_bytes(void)
{
    return (virtqueue_bytes(VIRTIO_BLK_QUEUE_SIZE) + 63) & ~(size_t)63;
}

size_t virtio_blk_memory_bytes(void)
{
    return queue_bytes() + VIRTIO_BLK_REQUESTS * sizeof(struct virtio_blk_slot);
}

/* The limits of one request. */
static bool read_limits(struct virtio_blk *disk)
{
    uint32_t size_max = VIRTIO_BLK_BYTES;
    uint32_t segments_max = VIRTIO_BLK_SEGMENTS;
    const struct virtio_pci *pci = &disk->pci;
    if (!virtio_pci_config(pci, CONFIG_CAPACITY, &disk->sectors, sizeof(disk->sectors)) ||
        disk->sectors > UINT64_MAX / VIRTIO_BLK_SECTOR) {
        return false;
    }
    if ((pci->features & FEATURE_SIZE_MAX) != 0 &&
        !virtio_pci_config(pci, CONFIG_SIZE_MAX, &size_max, sizeof(size_max))) {
        return false;
    }
    if ((pci->features & FEATURE_SEG_MAX) != 0 &&
        !virtio_pci_config(pci, CONFIG_SEG_MAX, &segments_max, sizeof(segments_max))) {
        return false;
    }
    disk->segments_max =
        segments_max == 0
            ? 1
            : (segments_max < VIRTIO_BLK_SEGMENTS ? segments_max : VIRTIO_BLK_SEGMENTS);
    disk->bytes_max =
        (size_max < VIRTIO_BLK_BYTES ? size_max : VIRTIO_BLK_BYTES) & ~(VIRTIO_BLK_SECTOR - 1);
    disk->read_only = (pci->features & FEATURE_READ_ONLY) != 0;
    disk->has_flush = (pci->features & FEATURE_FLUSH) != 0;
    return disk->bytes_max != 0;
}

enum kerr virtio_blk_start(struct virtio_blk *disk, const struct kwe_device_info *info,
                           void *memory)
{
    *disk = (struct virtio_blk){ .slot = (struct virtio_blk_slot *)((uint8_t *)memory +
                                                                    queue_bytes()) };
    if (!info->present) {
        return KERR_NO_DEVICE;
    }
    enum kerr error = virtio_pci_find(&disk->pci, info->config, info->bar_address, info->bar_bytes);
    if (error != KERR_OK) {
        return error;
    }
    const uint64_t wanted =
        FEATURE_SIZE_MAX | FEATURE_SEG_MAX | FEATURE_READ_ONLY | FEATURE_FLUSH | VIRTIO_F_EVENT_IDX;
    error = virtio_pci_begin(&disk->pci, 0, wanted);
    if (error != KERR_OK) {
        return error;
    }
    uint16_t size = virtio_pci_queue_size(&disk->pci, 0);
    size = size > VIRTIO_BLK_QUEUE_SIZE ? VIRTIO_BLK_QUEUE_SIZE : size;
    if (!read_limits(disk) || size < VIRTIO_BLK_SEGMENTS + 2 || (size & (size - 1)) != 0) {
        return KERR_NOT_SUPPORTED;
    }
    error = virtio_pci_queue(&disk->pci, 0, size, memory, disk->private, 0, &disk->queue);
    if (error != KERR_OK) {
        return error;
    }
    for (uint32_t i = 0; i < VIRTIO_BLK_REQUESTS; i++) {
        disk->free_slot[i] = i;
    }
    disk->free_count = VIRTIO_BLK_REQUESTS;
    virtio_pci_go(&disk->pci);
    (void)virtqueue_arm(&disk->queue.ring);
    return KERR_OK;
}

bool virtio_blk_submit(struct virtio_blk *disk, struct virtio_blk_request *request)
{
    assert(request->segment_count <= disk->segments_max);
    if (disk->free_count == 0) {
        return false;
    }
    request->slot = disk->free_slot[disk->free_count - 1];
    struct virtio_blk_slot *slot = &disk->slot[request->slot];
    *slot = (struct virtio_blk_slot){ .kind = request->kind,
                                      .sector = request->sector,
                                      .status = STATUS_NOT_YET };
    struct virtqueue_part part[VIRTIO_BLK_SEGMENTS + 2];
    uint16_t count = 0;
    part[count++] =
        (struct virtqueue_part){ slot, offsetof(struct virtio_blk_slot, status), false };
    for (uint32_t i = 0; i < request->segment_count; i++) {
        part[count++] =
            (struct virtqueue_part){ request->segment[i].address, request->segment[i].bytes,
                                     request->kind == VIRTIO_BLK_READ };
    }
    part[count++] = (struct virtqueue_part){ &slot->status, 1, true };
    if (virtqueue_add(&disk->queue.ring, part, count, request) != VIRTQUEUE_OK) {
        return false; /* full, or broken: virtio_blk_harvest() says so */
    }
    disk->free_count--;
    return true;
}

void virtio_blk_kick(struct virtio_blk *disk)
{
    virtio_pci_kick(&disk->queue);
}

static void finish(struct virtio_blk *disk, struct virtio_blk_request *request)
{
    const uint8_t status = *(volatile uint8_t *)&disk->slot[request->slot].status;
    request->result = status == STATUS_OK
                          ? KERR_OK
                          : (status == STATUS_UNSUPPORTED ? KERR_NOT_SUPPORTED : KERR_IO_ERROR);
    disk->free_slot[disk->free_count++] = request->slot;
}

enum kerr virtio_blk_harvest(struct virtio_blk *disk, struct virtio_blk_request **done,
                             uint32_t room, uint32_t *count)
{
    *count = 0;
    while (*count < room) {
        void *cookie = NULL;
        uint32_t written = 0;
        const enum virtqueue_status status = virtqueue_take(&disk->queue.ring, &cookie, &written);
        if (status == VIRTQUEUE_BROKEN) {
            return KERR_DEVICE_REFUSED;
        }
        if (status == VIRTQUEUE_OK) {
            finish(disk, cookie);
            done[(*count)++] = cookie;
        } else if (!virtqueue_arm(&disk->queue.ring)) {
            break;
        }
    }
    return KERR_OK;
}

bool virtio_blk_needs_reset(const struct virtio_blk *disk)
{
    return virtio_pci_needs_reset(&disk->pci);
}
