/* virtio_pci_hw.c - the registers of a virtio PCI device (virtio 1.2, 3.1.1 and 4.1.4): reset, features, queues, doorbells. */
#include "drivers/virtio/virtio_pci.h"

#define RESET_POLLS  1000000u
#define CONFIG_TRIES 16u

static uint8_t read8(const struct virtio_pci *device, enum virtio_common offset)
{
    return *(volatile uint8_t *)(device->common + offset);
}

static uint16_t read16(const struct virtio_pci *device, enum virtio_common offset)
{
    return *(volatile uint16_t *)(device->common + offset);
}

static uint32_t read32(const struct virtio_pci *device, enum virtio_common offset)
{
    return *(volatile uint32_t *)(device->common + offset);
}

static void write8(struct virtio_pci *device, enum virtio_common offset, uint8_t value)
{
    *(volatile uint8_t *)(device->common + offset) = value;
}

static void write16(struct virtio_pci *device, enum virtio_common offset, uint16_t value)
{
    *(volatile uint16_t *)(device->common + offset) = value;
}

static void write32(struct virtio_pci *device, enum virtio_common offset, uint32_t value)
{
    *(volatile uint32_t *)(device->common + offset) = value;
}

/* An address, in two halves: 64-bit registers are written by 32 bits (4.1.3.1). */
static void write_address(struct virtio_pci *device, enum virtio_common offset, const void *address)
{
    const uint64_t value = (uint64_t)(uintptr_t)address;
    write32(device, offset, (uint32_t)value);
    write32(device, offset + 4, (uint32_t)(value >> 32));
}

static void add_status(struct virtio_pci *device, uint8_t bits)
{
    write8(device, VIRTIO_COMMON_STATUS, (uint8_t)(read8(device, VIRTIO_COMMON_STATUS) | bits));
}

static bool reset(struct virtio_pci *device)
{
    write8(device, VIRTIO_COMMON_STATUS, 0);
    for (uint32_t i = 0; i < RESET_POLLS; i++) {
        if (read8(device, VIRTIO_COMMON_STATUS) == 0) {
            return true;
        }
    }
    return false;
}

static uint64_t offered_features(struct virtio_pci *device)
{
    write32(device, VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 0);
    const uint64_t low = read32(device, VIRTIO_COMMON_DEVICE_FEATURE);
    write32(device, VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 1);
    return low | (uint64_t)read32(device, VIRTIO_COMMON_DEVICE_FEATURE) << 32;
}

enum kerr virtio_pci_reset(struct virtio_pci *device, uint64_t *offered)
{
    if (!reset(device)) {
        return KERR_DEVICE_TIMEOUT;
    }
    add_status(device, VIRTIO_STATUS_ACKNOWLEDGE);
    add_status(device, VIRTIO_STATUS_DRIVER);
    *offered = offered_features(device);
    return KERR_OK;
}

enum kerr virtio_pci_accept(struct virtio_pci *device, uint64_t offered, uint64_t required,
                            uint64_t wanted)
{
    required |= VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM;
    if ((offered & required) != required) {
        add_status(device, VIRTIO_STATUS_FAILED);
        return KERR_NOT_SUPPORTED;
    }
    device->features = offered & (required | wanted);
    write32(device, VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 0);
    write32(device, VIRTIO_COMMON_DRIVER_FEATURE, (uint32_t)device->features);
    write32(device, VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 1);
    write32(device, VIRTIO_COMMON_DRIVER_FEATURE, (uint32_t)(device->features >> 32));
    add_status(device, VIRTIO_STATUS_FEATURES_OK);
    if ((read8(device, VIRTIO_COMMON_STATUS) & VIRTIO_STATUS_FEATURES_OK) == 0) {
        add_status(device, VIRTIO_STATUS_FAILED);
        return KERR_NOT_SUPPORTED;
    }
    write16(device, VIRTIO_COMMON_CONFIG_VECTOR, VIRTIO_NO_VECTOR);
    return KERR_OK;
}

enum kerr virtio_pci_begin(struct virtio_pci *device, uint64_t required, uint64_t wanted)
{
    uint64_t offered = 0;
    const enum kerr error = virtio_pci_reset(device, &offered);

    return error == KERR_OK ? virtio_pci_accept(device, offered, required, wanted) : error;
}

uint16_t virtio_pci_queue_size(struct virtio_pci *device, uint16_t index)
{
    if (index >= read16(device, VIRTIO_COMMON_QUEUE_COUNT)) {
        return 0;
    }
    write16(device, VIRTIO_COMMON_QUEUE_SELECT, index);
    return read16(device, VIRTIO_COMMON_QUEUE_SIZE);
}

enum kerr virtio_pci_queue(struct virtio_pci *device, uint16_t index, uint16_t size, void *memory,
                           struct virtqueue_private *private, uint16_t vector,
                           struct virtio_queue *queue)
{
    const bool event_index = (device->features & VIRTIO_F_EVENT_IDX) != 0;
    write16(device, VIRTIO_COMMON_QUEUE_SELECT, index);
    const uint64_t offset =
        (uint64_t)read16(device, VIRTIO_COMMON_QUEUE_NOTIFY_OFFSET) * device->notify_multiplier;
    if (offset + sizeof(uint16_t) > device->notify_bytes) {
        return KERR_NOT_SUPPORTED;
    }
    queue->index = index;
    queue->doorbell = device->notify + offset;
    virtqueue_init(&queue->ring, size, memory, private, event_index);
    write16(device, VIRTIO_COMMON_QUEUE_SIZE, size);
    write16(device, VIRTIO_COMMON_QUEUE_VECTOR, vector);
    if (read16(device, VIRTIO_COMMON_QUEUE_VECTOR) != vector) {
        return KERR_NOT_SUPPORTED;
    }
    write_address(device, VIRTIO_COMMON_QUEUE_DESCRIPTOR, queue->ring.descriptor);
    write_address(device, VIRTIO_COMMON_QUEUE_AVAILABLE, queue->ring.available);
    write_address(device, VIRTIO_COMMON_QUEUE_USED, queue->ring.used);
    write16(device, VIRTIO_COMMON_QUEUE_ENABLE, 1);
    return KERR_OK;
}

bool virtio_pci_config_vector(struct virtio_pci *device, uint16_t vector)
{
    write16(device, VIRTIO_COMMON_CONFIG_VECTOR, vector);
    return read16(device, VIRTIO_COMMON_CONFIG_VECTOR) == vector;
}

void virtio_pci_go(struct virtio_pci *device)
{
    add_status(device, VIRTIO_STATUS_DRIVER_OK);
}

void virtio_pci_kick(struct virtio_queue *queue)
{
    if (virtqueue_publish(&queue->ring)) {
        *(volatile uint16_t *)queue->doorbell = queue->index;
    }
}

bool virtio_pci_needs_reset(const struct virtio_pci *device)
{
    return (read8(device, VIRTIO_COMMON_STATUS) & VIRTIO_STATUS_NEEDS_RESET) != 0;
}

bool virtio_pci_config(const struct virtio_pci *device, size_t offset, void *to, size_t bytes)
{
    if (device->device == NULL || offset > device->device_bytes ||
        bytes > device->device_bytes - offset) {
        return false;
    }
    for (uint32_t i = 0; i < CONFIG_TRIES; i++) {
        const uint8_t before = read8(device, VIRTIO_COMMON_GENERATION);
        for (size_t j = 0; j < bytes; j++) {
            ((uint8_t *)to)[j] = *(volatile uint8_t *)(device->device + offset + j);
        }
        if (read8(device, VIRTIO_COMMON_GENERATION) == before) {
            return true;
        }
    }
    return false;
}
