/* virtio_pci_core.c - where a virtio device's register blocks are (virtio 1.2, 4.1.4): reads the copy of configuration space, no hardware. */
#include <string.h>

#include "drivers/virtio/virtio_pci.h"

#define PCI_STATUS              0x06
#define PCI_STATUS_CAPABILITIES 0x10u
#define PCI_CAPABILITIES        0x34
#define PCI_VENDOR_CAPABILITY   9u
#define CONFIG_BYTES            256u

enum block_kind {
    BLOCK_COMMON = 1,
    BLOCK_NOTIFY = 2,
    BLOCK_DEVICE = 4,
};

/* struct virtio_pci_cap, and the multiplier behind it for BLOCK_NOTIFY. */
struct capability {
    uint8_t id, next, length;
    uint8_t kind;
    uint8_t bar;
    uint8_t unused[3];
    uint32_t offset;
    uint32_t bytes;
    uint32_t multiplier;
};
_Static_assert(sizeof(struct capability) == 20, "virtio 1.2, 4.1.4");
#define CAPABILITY_BYTES 16u

/* Where the block is mapped; NULL when it does not lie inside a mapped BAR. */
static uint8_t *map_block(const struct capability *capability, const uint64_t *bar_address,
                          const uint64_t *bar_bytes, uint64_t least)
{
    if (capability->bar >= VIRTIO_PCI_BARS || bar_address[capability->bar] == 0 ||
        capability->bytes < least ||
        (uint64_t)capability->offset + capability->bytes > bar_bytes[capability->bar] ||
        capability->offset % 4 != 0) {
        return NULL;
    }
    return (uint8_t *)(uintptr_t)(bar_address[capability->bar] + capability->offset);
}

/* The first usable block of each kind counts: the spec lets a device offer several, the best first. */
static void use_capability(struct virtio_pci *device, const struct capability *capability,
                           const uint64_t *bar_address, const uint64_t *bar_bytes)
{
    if (capability->kind == BLOCK_COMMON && device->common == NULL) {
        device->common = map_block(capability, bar_address, bar_bytes, VIRTIO_COMMON_BYTES);
    } else if (capability->kind == BLOCK_NOTIFY && device->notify == NULL &&
               capability->length >= sizeof(struct capability)) {
        device->notify = map_block(capability, bar_address, bar_bytes, sizeof(uint16_t));
        device->notify_bytes = capability->bytes;
        device->notify_multiplier = capability->multiplier;
    } else if (capability->kind == BLOCK_DEVICE && device->device == NULL) {
        device->device = map_block(capability, bar_address, bar_bytes, 1);
        device->device_bytes = capability->bytes;
    }
}

enum kerr virtio_pci_find(struct virtio_pci *device, const uint8_t *config,
                          const uint64_t *bar_address, const uint64_t *bar_bytes)
{
    memset(device, 0, sizeof(*device));
    if ((config[PCI_STATUS] & PCI_STATUS_CAPABILITIES) == 0) {
        return KERR_NO_DEVICE;
    }
    uint32_t at = config[PCI_CAPABILITIES] & 0xfcu;
    /* A list cannot be longer than its room has places: bounds one that runs in a circle. */
    for (uint32_t i = 0; at >= 0x40 && i < CONFIG_BYTES / 4; i++) {
        struct capability capability = { 0 };
        const size_t left = CONFIG_BYTES - at;
        memcpy(&capability, config + at, left < sizeof(capability) ? left : sizeof(capability));
        if (capability.id == PCI_VENDOR_CAPABILITY && capability.length >= CAPABILITY_BYTES &&
            capability.length <= left) {
            use_capability(device, &capability, bar_address, bar_bytes);
        }
        at = capability.next & 0xfcu;
    }
    return device->common != NULL && device->notify != NULL ? KERR_OK : KERR_NO_DEVICE;
}
