/* network_deck.c - Network: the virtio card's address and link. */
#include "drivers/virtio_net/virtio_net.h"
#include "kernel/decks/network/network_ops.h"

/* The instance's one state; a deck is one thread. */
static struct {
    struct virtio_net card;
    enum kerr status;
} network;

/* Without a card the deck is there all the same: its operations say what is missing. */
enum kerr deck_start(const struct kwe_deck_info *info)
{
    if (info->device_count == 0 || !info->device[0].present) {
        network.status = KERR_NO_DEVICE;
        return KERR_OK;
    }
    void *memory = deck_dma_alloc(virtio_net_memory_bytes());
    network.status = memory == NULL
                         ? KERR_NO_MEMORY
                         : virtio_net_start(&network.card, &info->device[0], memory);
    if (network.status != KERR_OK) {
        deck_log("the network card cannot be used: error %d", (int)network.status);
    }
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits; /* no queue is set up yet, and the link is looked at when somebody asks */
}

uint64_t deck_idle(void)
{
    return UINT64_MAX;
}

enum kerr network_link(struct network_link_call *call)
{
    bool up = false;
    if (network.status != KERR_OK) {
        return network.status;
    }
    enum kerr error = virtio_net_link(&network.card, &up);
    if (error != KERR_OK) {
        return error;
    }
    call->mac = network.card.mac;
    call->up = up ? 1 : 0;
    return KERR_OK;
}
