/* virtio_net.h - a virtio network card (virtio 1.2, 5.1): who it is and whether its link is up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/virtio/virtio_pci.h"
#include "kernel/abi/work.h"

struct virtio_net {
    struct virtio_pci pci;
    uint64_t mac; /* first byte lowest */
};

/* NO_DEVICE, NOT_SUPPORTED (no MAC address among other things), DEVICE_TIMEOUT. */
enum kerr virtio_net_start(struct virtio_net *card, const struct kwe_device_info *info);
/* Is the link up now? A card that cannot say is up. DEVICE_GONE: its configuration cannot be read. */
enum kerr virtio_net_link(const struct virtio_net *card, bool *up);
