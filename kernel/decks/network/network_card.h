/*
 * network_card.h - the virtio card as lwIP's network interface.
 *
 *   frames in   card's buffers --> pbufs that refer to them, a chain for a large frame --> lwIP; freed: back to the card
 *   frames out  network_lanes.h
 */
#pragma once

#include "drivers/virtio_net/virtio_net.h"
#include "kernel/decks/network/network_metrics_core.h"
#include "userland/libkwe/deck/deck.h"
#include <lwip/netif.h>

/* With as many pairs of queues as it has, and as the system has CPUs. NO_DEVICE, NOT_SUPPORTED, DEVICE_TIMEOUT, NO_MEMORY. */
enum kerr network_card_start(const struct kwe_device_info *info, uint32_t cpus);
enum kerr network_card_link(uint64_t *mac, bool *up);
/* The same errors, without a look at the card's registers: each costs a trip to the device. */
enum kerr network_card_status(void);
/* netif_add()'s init function. */
err_t network_card_netif(struct netif *netif);
/* Buffers of frames that came in and are not given back; frames that go out and have not come back. */
void network_card_held(uint32_t *buffers, uint32_t *frames);
/* What the card can do, and what has passed it. */
void network_card_traffic(struct network_traffic *traffic);
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
