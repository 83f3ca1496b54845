/* virtio_net_core.c - configuration of a virtio network card (virtio 1.2, 5.1.4). */
#include "drivers/virtio_net/virtio_net.h"

#define FEATURE_MAC    (1ull << 5)
#define FEATURE_STATUS (1ull << 16)

#define CONFIG_MAC     0
#define MAC_BYTES      6u
#define CONFIG_STATUS  6
#define STATUS_LINK_UP 1u

enum kerr virtio_net_start(struct virtio_net *card, const struct kwe_device_info *info)
{
    *card = (struct virtio_net){ .mac = 0 };
    if (!info->present) {
        return KERR_NO_DEVICE;
    }
    enum kerr error = virtio_pci_find(&card->pci, info->config, info->bar_address, info->bar_bytes);
    if (error != KERR_OK) {
        return error;
    }
    error = virtio_pci_begin(&card->pci, FEATURE_MAC, FEATURE_STATUS);
    if (error != KERR_OK) {
        return error;
    }
    if (!virtio_pci_config(&card->pci, CONFIG_MAC, &card->mac, MAC_BYTES)) {
        return KERR_NOT_SUPPORTED;
    }
    virtio_pci_go(&card->pci);
    return KERR_OK;
}

enum kerr virtio_net_link(const struct virtio_net *card, bool *up)
{
    uint16_t status = STATUS_LINK_UP;
    if ((card->pci.features & FEATURE_STATUS) != 0 &&
        !virtio_pci_config(&card->pci, CONFIG_STATUS, &status, sizeof(status))) {
        return KERR_DEVICE_GONE;
    }
    *up = (status & STATUS_LINK_UP) != 0;
    return KERR_OK;
}
