/* rng_deck.c - for tests: virtio-rng (virtio 1.2, 5.4), with descriptors that point wherever they are told. */
#include "kernel/decks/rng/rng_ops.h"

#include "drivers/virtio/virtio_pci.h"

#define QUEUE_SIZE  8u
#define BYTES       64u
#define PATIENCE_NS 500000000u

static struct {
    struct virtio_pci pci;
    struct virtio_queue queue;
    struct virtqueue_private private[QUEUE_SIZE];
    uint8_t *memory;
} rng;

enum kerr deck_start(const struct kwe_deck_info *info)
{
    const struct kwe_device_info *device = &info->device[0];

    if (info->device_count == 0 || !device->present) {
        return KERR_NO_DEVICE;
    }
    enum kerr status =
        virtio_pci_find(&rng.pci, device->config, device->bar_address, device->bar_bytes);
    if (status == KERR_OK) {
        status = virtio_pci_begin(&rng.pci, 0, 0);
    }
    rng.memory = deck_dma_alloc(4096 + virtqueue_bytes(QUEUE_SIZE));
    if (status == KERR_OK && rng.memory == NULL) {
        status = KERR_NO_MEMORY;
    }
    if (status == KERR_OK) {
        status = virtio_pci_queue(&rng.pci, 0, QUEUE_SIZE, rng.memory + 4096, rng.private, 0,
                                  &rng.queue);
    }
    if (status == KERR_OK) {
        virtio_pci_go(&rng.pci);
    }
    return status;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits;
}

uint64_t deck_idle(void)
{
    return UINT64_MAX;
}

enum kerr rng_fill(struct rng_fill_call *call)
{
    uint64_t to = call->params->address == 0 ? (uintptr_t)call->room.data : call->params->address;
    struct virtqueue_part part = { .address = (const void *)(uintptr_t)to,
                                   .length = BYTES,
                                   .device_writes = true };
    uint64_t until_ns = deck_now_ns() + PATIENCE_NS;
    enum virtqueue_status status;
    void *cookie;
    uint32_t written;

    call->memory = (uintptr_t)rng.memory;
    if (virtqueue_add(&rng.queue.ring, &part, 1, call) != VIRTQUEUE_OK) {
        return KERR_DEVICE_REFUSED;
    }
    virtio_pci_kick(&rng.queue);
    while ((status = virtqueue_take(&rng.queue.ring, &cookie, &written)) == VIRTQUEUE_EMPTY) {
        struct fibre_event tick = { .waiter = NULL };
        if (virtio_pci_needs_reset(&rng.pci)) {
            return KERR_DEVICE_REFUSED;
        }
        if (deck_now_ns() > until_ns) {
            return KERR_DEVICE_TIMEOUT;
        }
        fibre_wait(&tick, deck_now_ns() + 2000000);
    }
    call->written = written;
    call->room.length = BYTES;
    return status == VIRTQUEUE_OK ? KERR_OK : KERR_DEVICE_REFUSED;
}
