/* network_card.c - see network_card.h. */
#include "kernel/decks/network/network_card.h"

#include <stddef.h>

#include "kernel/decks/network/network_wait.h"
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/tcp.h>
#include <lwip/prot/udp.h>
#include <netif/ethernet.h>

#define MTU 1500
/* Frames behind the card's queue. More are dropped, as a wire would. */
#define BACKLOG 1024u
/* Frames taken in one turn: then answers go out. */
#define TURN_FRAMES  128u
#define SENT_AT_ONCE 64u
/* So many of the card's buffers may wait in connections that nobody reads; what comes then is copied. */
#define HELD_MAX  (VIRTIO_NET_BUFFERS * 3 / 4)
#define LET_GO_NS 10000000000ull

/* A pbuf that refers to a buffer of the card. */
struct lent {
    struct pbuf_custom pbuf; /* first: lwIP gives its address back */
    uint16_t buffer;
};

/* The instance's one state; a deck is one thread. */
static struct {
    struct virtio_net net;
    enum kerr status;
    struct lent lent[VIRTIO_NET_BUFFERS];
    struct pbuf *backlog[BACKLOG]; /* behind the card's queue */
    uint32_t backlog_first, backlog_count;
    uint64_t accepted, done; /* frames that lwIP gave, and that were let go */
    struct network_waiters settling;
    bool config_changed;
} card = { .status = KERR_NO_DEVICE };

enum kerr network_card_start(const struct kwe_device_info *info)
{
    void *memory = deck_dma_alloc(virtio_net_memory_bytes());
    card.status = memory == NULL ? KERR_NO_MEMORY : virtio_net_start(&card.net, info, memory);
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

/* ---- out ------------------------------------------------------------------------------------------------------------------ */

/* The sum over a pseudo-header is what the card goes on from (5.1.6.2); lwIP left the field 0. */
static void put_pseudo_sum(uint8_t *field, const uint8_t *addresses, uint32_t address_bytes,
                           uint32_t protocol, uint32_t payload_bytes)
{
    uint32_t sum = protocol + (payload_bytes >> 16) + (payload_bytes & 0xffff);
    for (uint32_t i = 0; i < address_bytes; i += 2) {
        sum += (uint32_t)(addresses[i] << 8 | addresses[i + 1]);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    field[0] = (uint8_t)(sum >> 8);
    field[1] = (uint8_t)sum;
}

/* Leave the sum of a TCP or UDP frame to the card. All headers lie in the first pbuf: lwIP puts them into one. */
static void ask_for_sum(const struct pbuf *pbuf, struct virtio_net_frame *frame)
{
    uint8_t *bytes = pbuf->payload;
    const uint32_t type = (uint32_t)(bytes[12] << 8 | bytes[13]);
    const bool is_v6 = type == ETHTYPE_IPV6;
    if ((!is_v6 && type != ETHTYPE_IP) || pbuf->len < SIZEOF_ETH_HDR + 40) {
        return;
    }
    uint8_t *ip = bytes + SIZEOF_ETH_HDR;
    const uint32_t protocol = is_v6 ? ip[6] : ip[9];
    const uint32_t header = is_v6 ? 40 : (ip[0] & 15u) * 4;
    const bool is_part = !is_v6 && ((ip[6] & 0x3f) != 0 || ip[7] != 0);
    const uint32_t offset = protocol == IP_PROTO_TCP ? offsetof(struct tcp_hdr, chksum)
                                                     : offsetof(struct udp_hdr, chksum);
    if ((protocol != IP_PROTO_TCP && protocol != IP_PROTO_UDP) || is_part ||
        pbuf->len < SIZEOF_ETH_HDR + header + offset + 2) {
        return;
    }
    put_pseudo_sum(ip + header + offset, is_v6 ? ip + 8 : ip + 12, is_v6 ? 32 : 8, protocol,
                   pbuf->tot_len - SIZEOF_ETH_HDR - header);
    frame->checksum_start = (uint16_t)(SIZEOF_ETH_HDR + header);
    frame->checksum_offset = (uint16_t)offset;
}

/* Give the card a frame; it keeps our reference. False: its queue is full. */
static bool give(struct pbuf *pbuf)
{
    struct virtio_net_frame frame = { .part_count = 0 };
    for (const struct pbuf *part = pbuf; part != NULL; part = part->next) {
        if (part->len != 0) {
            frame.part[frame.part_count++] = (struct virtio_net_part){ part->payload, part->len };
        }
    }
    if (card.net.has_checksums) {
        ask_for_sum(pbuf, &frame);
    }
    return virtio_net_send(&card.net, &frame, pbuf);
}

static void drain_backlog(void)
{
    while (card.backlog_count != 0 && give(card.backlog[card.backlog_first])) {
        card.backlog_first = (card.backlog_first + 1) % BACKLOG;
        card.backlog_count--;
    }
}

static err_t output(struct netif *netif, struct pbuf *pbuf)
{
    (void)netif;
    if (card.backlog_count == BACKLOG) {
        return ERR_MEM;
    }
    if (pbuf_clen(pbuf) > VIRTIO_NET_PARTS) {
        pbuf = pbuf_clone(PBUF_RAW, PBUF_RAM, pbuf);
        if (pbuf == NULL) {
            return ERR_MEM;
        }
    } else {
        pbuf_ref(pbuf);
    }
    card.accepted++;
    if (card.backlog_count != 0 || !give(pbuf)) {
        card.backlog[(card.backlog_first + card.backlog_count) % BACKLOG] = pbuf;
        card.backlog_count++;
    }
    return ERR_OK;
}

/* Free what is out. */
static void reclaim(void)
{
    void *done[SENT_AT_ONCE];
    const uint64_t before = card.done;
    uint32_t count = 0;
    do {
        if (virtio_net_sent(&card.net, done, SENT_AT_ONCE, &count) != KERR_OK) {
            deck_die("the network card breaks the rules of its queue");
        }
        for (uint32_t i = 0; i < count; i++) {
            pbuf_free(done[i]);
        }
        card.done += count;
        drain_backlog();
        /* Only who waits wants to be told. */
    } while (count != 0 || ((card.backlog_count != 0 || card.settling.first != NULL) &&
                            virtio_net_arm_sent(&card.net)));
    /* Else who waits would be woken in each turn, and the deck would never rest while the card has a frame. */
    if (card.done != before) {
        network_wake(&card.settling);
    }
}

void network_card_settle(void)
{
    /* The card may let go in another order; counted so, a frame that it is late with is one that nobody needs any more. */
    const uint64_t until = card.accepted;
    const uint64_t deadline_ns = deck_now_ns() + LET_GO_NS;
    reclaim();
    while (card.done < until) {
        if (network_wait_plain(&card.settling, deadline_ns) != KERR_OK) {
            deck_die("the network card keeps frames");
        }
    }
}

void network_card_held(uint32_t *buffers, uint32_t *frames)
{
    *buffers = card.net.held;
    *frames = (uint32_t)(card.accepted - card.done);
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
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < frame->piece_count; i++) {
        bytes += frame->piece[i].bytes;
    }
    struct pbuf *pbuf = pbuf_alloc(PBUF_RAW, (uint16_t)bytes, PBUF_RAM);
    uint16_t at = 0;
    for (uint32_t i = 0; i < frame->piece_count && pbuf != NULL; i++) {
        (void)pbuf_take_at(pbuf, frame->piece[i].data, (uint16_t)frame->piece[i].bytes, at);
        at = (uint16_t)(at + frame->piece[i].bytes);
    }
    give_back_all(frame);
    return pbuf;
}

/* The frame as a pbuf, NULL: no memory. Its buffer is given back with the pbuf, or was already. */
static struct pbuf *wrap_frame(const struct virtio_net_received *frame)
{
    if (frame->piece_count != 1 || card.net.held > HELD_MAX) {
        return copy_frame(frame);
    }
    struct lent *lent = &card.lent[frame->piece[0].buffer];
    lent->buffer = frame->piece[0].buffer;
    lent->pbuf.custom_free_function = give_back;
    return pbuf_alloced_custom(PBUF_RAW, (uint16_t)frame->piece[0].bytes, PBUF_REF, &lent->pbuf,
                               frame->piece[0].data, (uint16_t)frame->piece[0].bytes);
}

/* What lwIP computes itself: not what the card does. Set anew for each frame that comes in, which is dealt with before the next. */
static void set_sums(struct netif *netif, bool is_checked)
{
    unsigned own = NETIF_CHECKSUM_ENABLE_ALL;

    if (card.net.has_checksums) {
        own &= ~(unsigned)(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP);
    }
    if (is_checked) {
        own &= ~(unsigned)(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
    }
    NETIF_SET_CHECKSUM_CTRL(netif, (uint16_t)own);
}

static bool take_frames(struct netif *netif, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) {
        struct virtio_net_received frame;
        bool some = false;
        if (virtio_net_receive(&card.net, &frame, &some) != KERR_OK) {
            deck_die("the network card breaks the rules of its queue");
        }
        if (!some) {
            return false;
        }
        if (netif == NULL) {
            give_back_all(&frame);
            continue;
        }
        struct pbuf *pbuf = wrap_frame(&frame);
        if (pbuf == NULL) {
            continue;
        }
        set_sums(netif, frame.is_checked);
        if (netif->input(pbuf, netif) != ERR_OK) {
            pbuf_free(pbuf);
        }
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
    if (card.status != KERR_OK) {
        return false;
    }
    if (card.config_changed) {
        look_at_link(netif);
    }
    const bool more = take_frames(netif, one_by_one ? 1 : TURN_FRAMES);
    reclaim();
    return more;
}

void network_card_kick(void)
{
    if (card.status == KERR_OK) {
        virtio_net_kick(&card.net);
    }
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
