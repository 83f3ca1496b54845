/*
 * network_card.h - the virtio card as lwIP's network interface.
 *
 *   frames in   card's buffer --> pbuf that refers to it --> lwIP; freed: back to the card
 *   frames out  lwIP's pbuf, referred to --> the card, or the backlog when its queue is full; back from the card: freed
 */
#pragma once

#include "drivers/virtio_net/virtio_net.h"
#include "userland/libkwe/deck/deck.h"
#include <lwip/netif.h>

/* NO_DEVICE, NOT_SUPPORTED, DEVICE_TIMEOUT, NO_MEMORY. */
enum kerr network_card_start(const struct kwe_device_info *info);
enum kerr network_card_link(uint64_t *mac, bool *up);
/* netif_add()'s init function. */
err_t network_card_netif(struct netif *netif);
/* Buffers of frames that came in and are not given back; frames that go out and have not come back. */
void network_card_held(uint32_t *buffers, uint32_t *frames);
/*
 * Main loop: hand what came in to the stack, one frame or many of them, free what is out. True: there is more. A card that breaks the rules
 * ends the deck.
 */
bool network_card_poll(struct netif *netif, bool one_by_one);
/* Main loop: hand the stack what it has sent to itself. */
void network_card_loop(struct netif *netif);
/* Main loop, when nothing else can go on: tell the card of the frames since the last time, all at once. */
void network_card_kick(void);
/* Main loop, after an interrupt. */
void network_card_interrupt(uint64_t bits);
/*
 * On a fibre: wait until the card has let go of all frames that it has now. Whose bytes were sent from where they lie may then do with
 * them as they like.
 */
void network_card_settle(void);
