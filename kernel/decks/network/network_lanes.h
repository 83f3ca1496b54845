/*
 * network_lanes.h - frames on their way out: a lane for each pair of the card's queues, and each connection in one of them.
 *
 *   lwIP --> lane, until the deck rests --> merged, where they follow each other --> the card --> freed
 */
#pragma once

#include "drivers/virtio_net/virtio_net.h"
#include <lwip/err.h>
#include <lwip/pbuf.h>

/* What went out so far. */
struct network_sent {
    uint64_t packets; /* of lwIP's, that are out */
    uint64_t frames;  /* that the card was given for them */
    uint64_t merged;  /* of those, made of several packets */
};

/* The card is open and started. NO_MEMORY. */
enum kerr network_lanes_start(struct virtio_net *card);
/* Take a frame of lwIP's: a reference, until it is out. ERR_MEM: too many wait. */
err_t network_lanes_take(struct pbuf *pbuf);
/* Give the card what waits, merged; it sees it after virtio_net_kick(). */
void network_lanes_flush(void);
/*
 * After virtio_net_kick(): frames had no room in the card's queue, and there is some already: flush once more. Else, where frames wait, an
 * interrupt tells of it.
 */
bool network_lanes_have_room(void);
/* Free what is out, and give the card what had no room. A card that breaks the rules ends the deck. */
void network_lanes_reclaim(void);
/*
 * On a fibre: wait until the card has let go of all frames that there are now. Whose bytes were sent from where they lie may then do with
 * them as they like.
 */
void network_lanes_settle(void);
/* Frames of lwIP's that were taken and not freed. */
uint32_t network_lanes_held(void);
struct network_sent network_lanes_sent(void);
