/*
 * virtio_pci.h - a virtio device behind modern PCI (virtio 1.2, 4.1), driven from a deck: the nucleus owns configuration space and MSI-X
 * tables, the deck has a copy of the former and the other BARs mapped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virtio/virtqueue.h"
#include "kernel/abi/errors.h"

#define VIRTIO_PCI_BARS  6u
#define VIRTIO_NO_VECTOR 0xffffu

#define VIRTIO_F_EVENT_IDX       (1ull << 29)
#define VIRTIO_F_VERSION_1       (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)

/* Register block of the common configuration (4.1.4.3). Offsets, not a struct: each access has the width the spec names. */
enum virtio_common {
    VIRTIO_COMMON_DEVICE_FEATURE_SELECT = 0,
    VIRTIO_COMMON_DEVICE_FEATURE = 4,
    VIRTIO_COMMON_DRIVER_FEATURE_SELECT = 8,
    VIRTIO_COMMON_DRIVER_FEATURE = 12,
    VIRTIO_COMMON_CONFIG_VECTOR = 16,
    VIRTIO_COMMON_QUEUE_COUNT = 18,
    VIRTIO_COMMON_STATUS = 20,
    VIRTIO_COMMON_GENERATION = 21,
    VIRTIO_COMMON_QUEUE_SELECT = 22,
    VIRTIO_COMMON_QUEUE_SIZE = 24,
    VIRTIO_COMMON_QUEUE_VECTOR = 26,
    VIRTIO_COMMON_QUEUE_ENABLE = 28,
    VIRTIO_COMMON_QUEUE_NOTIFY_OFFSET = 30,
    VIRTIO_COMMON_QUEUE_DESCRIPTOR = 32,
    VIRTIO_COMMON_QUEUE_AVAILABLE = 40,
    VIRTIO_COMMON_QUEUE_USED = 48,
    VIRTIO_COMMON_BYTES = 56,
};

#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED      128u

/* Where a device's register blocks are mapped. */
struct virtio_pci {
    uint8_t *common;
    uint8_t *notify;
    uint64_t notify_bytes;
    uint32_t notify_multiplier;
    uint8_t *device; /* NULL: no configuration of its own */
    uint64_t device_bytes;
    uint64_t features; /* accepted by both */
};

/* A queue that is set up, and its doorbell. */
struct virtio_queue {
    struct virtqueue ring;
    uint16_t index;
    uint8_t *doorbell;
};

/* ---- virtio_pci_core.c ---- */

/*
 * Find the register blocks through the capabilities in `config`, 256 bytes. bar_address: where each BAR is mapped, 0: it is not.
 * NO_DEVICE: no modern virtio device, or blocks that do not lie inside mapped BARs.
 */
enum kerr virtio_pci_find(struct virtio_pci *device, const uint8_t *config,
                          const uint64_t *bar_address, const uint64_t *bar_bytes);

/* ---- virtio_pci_hw.c ---- */

/* Reset, and read which features the device offers. DEVICE_TIMEOUT: the reset does not end. */
enum kerr virtio_pci_reset(struct virtio_pci *device, uint64_t *offered);
/*
 * Agree on features: VERSION_1 and ACCESS_PLATFORM, `required`, and of `wanted` those that are offered.
 * NOT_SUPPORTED: the device lacks a required one or refuses the set.
 */
enum kerr virtio_pci_accept(struct virtio_pci *device, uint64_t offered, uint64_t required,
                            uint64_t wanted);
/* Both, for a device none of whose features hangs on another. */
enum kerr virtio_pci_begin(struct virtio_pci *device, uint64_t required, uint64_t wanted);
/* The size the device offers for a queue, 0: there is no such queue. */
uint16_t virtio_pci_queue_size(struct virtio_pci *device, uint16_t index);
/*
 * Set a queue up, its memory as virtqueue_init() wants it; `vector`: MSI-X entry or VIRTIO_NO_VECTOR.
 * NOT_SUPPORTED: the device refuses the vector, or the doorbell lies outside its block.
 */
enum kerr virtio_pci_queue(struct virtio_pci *device, uint16_t index, uint16_t size, void *memory,
                           struct virtqueue_private *private, uint16_t vector,
                           struct virtio_queue *queue);
/* Have changes of the device's configuration raise this MSI-X entry. False: it refuses. */
bool virtio_pci_config_vector(struct virtio_pci *device, uint16_t vector);
/* All queues are set up: go. */
void virtio_pci_go(struct virtio_pci *device);
/* Hand over what was added to the queue, and ring if the device wants that. */
void virtio_pci_kick(struct virtio_queue *queue);
/* The device says that it is in trouble. */
bool virtio_pci_needs_reset(const struct virtio_pci *device);
/* Copy device configuration, unchanged in between. False: outside of it, or it never stays the same. */
bool virtio_pci_config(const struct virtio_pci *device, size_t offset, void *to, size_t bytes);
