/* network_card.c - see network_card.h. */
#include "kernel/decks/network/network_card.h"

#include "kernel/decks/network/network_lanes.h"
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/pbuf.h>

#define MTU 1500
/* Frames taken of a pair in one turn: then answers go out. */
#define TURN_FRAMES 128u
/* So many of a pair's buffers may wait in connections that nobody reads; what comes then is copied. */
#define HELD_MAX (VIRTIO_NET_BUFFERS * 3 / 4)

/* A pbuf that refers to a buffer of the card. */
struct lent {
    struct pbuf_custom pbuf; /* first: lwIP gives its address back */
    uint16_t buffer;
};

/* The instance's one state; a deck is one thread. */
static struct {
    struct virtio_net net;
    enum kerr status;
    struct lent lent[VIRTIO_NET_PAIRS * VIRTIO_NET_BUFFERS];
    uint64_t received, merged_received, dropped; /* frames */
    bool config_changed;
} card = { .status = KERR_NO_DEVICE };

static enum kerr start(const struct kwe_device_info *info, uint32_t cpus)
{
    const uint32_t most_pairs = cpus < VIRTIO_NET_PAIRS ? cpus : VIRTIO_NET_PAIRS;
    enum kerr error = virtio_net_open(&card.net, info, most_pairs);

    if (error != KERR_OK) {
        return error;
    }
    void *memory = deck_dma_alloc(virtio_net_memory_bytes(card.net.pairs_offered));
    if (memory == NULL) {
        return KERR_NO_MEMORY;
    }
    error = virtio_net_start(&card.net, card.net.pairs_offered, memory);
    return error == KERR_OK ? network_lanes_start(&card.net) : error;
}

enum kerr network_card_start(const struct kwe_device_info *info, uint32_t cpus)
{
    card.status = start(info, cpus);
    return card.status;
}

enum kerr network_card_link(uint64_t *mac, bool *up)
{
    if (card.status != KERR_OK) {
        return card.status;
    }
    *mac = card.net.mac;
    return virtio_net_link(&card.net, up);
}

enum kerr network_card_status(void)
{
    return card.status;
}

/* ---- out ------------------------------------------------------------------------------------------------------------------ */

static err_t output(struct netif *netif, struct pbuf *pbuf)
{
    (void)netif;
    return network_lanes_take(pbuf);
}

void network_card_held(uint32_t *buffers, uint32_t *frames)
{
    *buffers = 0;
    for (uint32_t i = 0; i < card.net.pair_count; i++) {
        *buffers += card.net.pair[i].held;
    }
    *frames = network_lanes_held();
}

void network_card_traffic(struct network_traffic *traffic)
{
    const struct network_sent sent = network_lanes_sent();

    *traffic = (struct network_traffic){ .features = virtio_net_features(&card.net),
                                         .queue_pairs = card.net.pairs_agreed,
                                         .packets_sent = sent.packets,
                                         .frames_sent = sent.frames,
                                         .merged_sent = sent.merged,
                                         .frames_received = card.received,
                                         .merged_received = card.merged_received,
                                         .frames_dropped = card.dropped };
}

/* ---- in ------------------------------------------------------------------------------------------------------------------- */

static void give_back(struct pbuf *pbuf)
{
    virtio_net_give_back(&card.net, ((struct lent *)(void *)pbuf)->buffer);
}

static void give_back_all(const struct virtio_net_received *frame)
{
    for (uint32_t i = 0; i < frame->piece_count; i++) {
        virtio_net_give_back(&card.net, frame->piece[i].buffer);
    }
}

static struct pbuf *copy_frame(const struct virtio_net_received *frame)
{
    struct pbuf *pbuf = pbuf_alloc(PBUF_RAW, (uint16_t)frame->bytes, PBUF_RAM);
    uint16_t at = 0;
    for (uint32_t i = 0; i < frame->piece_count && pbuf != NULL; i++) {
        (void)pbuf_take_at(pbuf, frame->piece[i].data, (uint16_t)frame->piece[i].bytes, at);
        at = (uint16_t)(at + frame->piece[i].bytes);
    }
    give_back_all(frame);
    return pbuf;
}

/* The frame as a pbuf, NULL: it is dropped. Each of its buffers is given back with its part of the pbuf, or was already. */
static struct pbuf *wrap_frame(const struct virtio_net_received *frame)
{
    struct pbuf *rest = NULL;

    if (frame->bytes > UINT16_MAX) {
        give_back_all(frame); /* 54 bytes more may come, than lwIP can count of one frame */
        return NULL;
    }
    if (card.net.pair[frame->piece[0].buffer / VIRTIO_NET_BUFFERS].held > HELD_MAX) {
        return copy_frame(frame);
    }
    for (uint32_t i = frame->piece_count; i-- > 0;) {
        const uint16_t bytes = (uint16_t)frame->piece[i].bytes;
        struct lent *lent = &card.lent[frame->piece[i].buffer];
        lent->buffer = frame->piece[i].buffer;
        lent->pbuf.custom_free_function = give_back;
        struct pbuf *pbuf = pbuf_alloced_custom(PBUF_RAW, bytes, PBUF_REF, &lent->pbuf,
                                                frame->piece[i].data, bytes);
        if (rest != NULL) {
            pbuf->next = rest;
            pbuf->tot_len = (uint16_t)(bytes + rest->tot_len);
        }
        rest = pbuf;
    }
    return rest;
}

/* What lwIP computes itself: not what the card does. Set anew for each frame that comes in, which is dealt with before the next. */
static void set_sums(struct netif *netif, bool is_checked)
{
    unsigned own = NETIF_CHECKSUM_ENABLE_ALL;

    if ((virtio_net_features(&card.net) & VIRTIO_NET_CSUM) != 0) {
        own &= ~(unsigned)(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP);
    }
    if (is_checked) {
        own &= ~(unsigned)(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
    }
    NETIF_SET_CHECKSUM_CTRL(netif, (uint16_t)own);
}

static void take_frame(struct netif *netif, const struct virtio_net_received *frame)
{
    if (netif == NULL) {
        give_back_all(frame);
        return;
    }
    card.received++;
    card.merged_received += frame->bytes > VIRTIO_NET_FRAME_BYTES ? 1 : 0;
    struct pbuf *pbuf = wrap_frame(frame);
    if (pbuf == NULL) {
        card.dropped++;
        return;
    }
    set_sums(netif, frame->is_checked);
    if (netif->input(pbuf, netif) != ERR_OK) {
        pbuf_free(pbuf);
    }
}

/* True: the pair may have more. */
static bool take_frames(struct netif *netif, uint32_t pair, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) {
        struct virtio_net_received frame;
        bool some = false;
        if (virtio_net_receive(&card.net, pair, &frame, &some) != KERR_OK) {
            deck_die("the network card breaks the rules of its queue");
        }
        if (!some) {
            return false;
        }
        take_frame(netif, &frame);
    }
    return true;
}

void network_card_loop(struct netif *netif)
{
    set_sums(netif, true); /* nothing has computed them */
    netif_poll(netif);
}

static void look_at_link(struct netif *netif)
{
    bool up = false;
    card.config_changed = false;
    if (netif == NULL || virtio_net_link(&card.net, &up) != KERR_OK) {
        return;
    }
    if (up) {
        netif_set_link_up(netif);
    } else {
        netif_set_link_down(netif);
    }
}

bool network_card_poll(struct netif *netif, bool one_by_one)
{
    bool more = false;

    if (card.status != KERR_OK) {
        return false;
    }
    if (card.config_changed) {
        look_at_link(netif);
    }
    for (uint32_t i = 0; i < card.net.pair_count && !(one_by_one && more); i++) {
        more |= take_frames(netif, i, one_by_one ? 1 : TURN_FRAMES);
    }
    network_lanes_reclaim();
    return more;
}

void network_card_kick(void)
{
    if (card.status != KERR_OK) {
        return;
    }
    do {
        network_lanes_flush();
        virtio_net_kick(&card.net);
    } while (network_lanes_have_room());
}

void network_card_interrupt(uint64_t bits)
{
    if ((bits & 1ull << VIRTIO_NET_ENTRY_CONFIG) != 0 && card.status == KERR_OK) {
        card.config_changed = true;
        if (virtio_net_needs_reset(&card.net)) {
            deck_die("the network card asks for a reset");
        }
    }
}

err_t network_card_netif(struct netif *netif)
{
    bool up = false;
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->mtu = MTU;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    for (unsigned i = 0; i < ETH_HWADDR_LEN; i++) {
        netif->hwaddr[i] = (uint8_t)(card.net.mac >> 8 * i);
    }
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = output;
    set_sums(netif, false);
    if (virtio_net_link(&card.net, &up) == KERR_OK && up) {
        netif_set_link_up(netif);
    }
    return ERR_OK;
}
