/* network_lanes.c - see network_lanes.h. */
#include "kernel/decks/network/network_lanes.h"

#include <stdlib.h>

#include "kernel/decks/network/network_offload_core.h"
#include "kernel/decks/network/network_wait.h"
#include "userland/libkwe/deck/deck.h"

/* Frames of a lane that wait for the card. More are dropped, as a wire would. */
#define WAITING      1024u
#define SENT_AT_ONCE 64u
#define LET_GO_NS    10000000000ull

/* A frame of lwIP's that waits. */
struct waiting {
    struct pbuf *pbuf;
    bool is_segment; /* whose sum, at least, is the card's business */
    struct network_segment segment;
};

/* The frames of lwIP's that the card has as one. */
struct given {
    struct pbuf *pbuf[NETWORK_MERGED_MAX];
    uint32_t count;
    struct given *next_free;
};

struct lane {
    struct waiting waiting[WAITING];
    uint32_t first, count;
    struct given given[VIRTIO_NET_QUEUE_SIZE];
    struct given *free;
    bool is_full; /* the card's queue was, when it was last tried */
};

/* The instance's one state; a deck is one thread. */
static struct {
    struct virtio_net *card;
    struct lane *lane; /* a pair's each */
    uint32_t lane_count;
    uint32_t lanes_used;     /* by which frames go: one, until the card has agreed to more */
    uint64_t accepted, done; /* frames of lwIP's: taken, and freed */
    struct network_sent sent;
    struct network_waiters settling;
} lanes;

enum kerr network_lanes_start(struct virtio_net *card)
{
    lanes.card = card;
    lanes.lane_count = card->pair_count;
    lanes.lanes_used = 1;
    lanes.lane = calloc(card->pair_count, sizeof(*lanes.lane));
    if (lanes.lane == NULL) {
        return KERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < lanes.lane_count; i++) {
        for (uint32_t j = 0; j < VIRTIO_NET_QUEUE_SIZE; j++) {
            lanes.lane[i].given[j].next_free = lanes.lane[i].free;
            lanes.lane[i].free = &lanes.lane[i].given[j];
        }
    }
    return KERR_OK;
}

/* ---- to the card ------------------------------------------------------------------------------------------------------------ */

static struct waiting *waiting_at(struct lane *lane, uint32_t index)
{
    return &lane->waiting[(lane->first + index) % WAITING];
}

static bool ends_at(const struct virtio_net_part *part, const uint8_t *data)
{
    return (const uint8_t *)part->data + part->bytes == data;
}

/*
 * Add a frame's bytes behind the first so many, which lie in its first pbuf. Bytes that follow the last part's in memory make it longer:
 * those that are sent from where they lie do, whatever segments lwIP has cut them into. False: no room for all.
 */
static bool add_parts(struct virtio_net_frame *frame, const struct pbuf *pbuf, uint32_t skip)
{
    for (; pbuf != NULL; pbuf = pbuf->next) {
        const uint8_t *data = (const uint8_t *)pbuf->payload + skip;
        const uint32_t bytes = pbuf->len - skip;

        skip = 0;
        if (bytes == 0) {
            continue;
        }
        if (frame->part_count != 0 && ends_at(&frame->part[frame->part_count - 1], data)) {
            frame->part[frame->part_count - 1].bytes += bytes;
            continue;
        }
        if (frame->part_count == VIRTIO_NET_PARTS) {
            return false;
        }
        frame->part[frame->part_count++] = (struct virtio_net_part){ data, bytes };
    }
    return true;
}

/* May the card cut frames of this kind into segments? */
static bool may_merge(const struct network_segment *segment)
{
    return (virtio_net_features(lanes.card) &
            (segment->is_v6 ? VIRTIO_NET_HOST_TSO6 : VIRTIO_NET_HOST_TSO4)) != 0;
}

/* The lane's first segment and those that go with it, as one frame, its head in `headers`. Returns how many they are. */
static uint32_t make_frame(struct lane *lane, uint8_t headers[NETWORK_HEADERS_MAX],
                           struct virtio_net_frame *frame)
{
    const struct waiting *first = waiting_at(lane, 0);
    const struct network_segment *segment = &first->segment;
    struct network_row row;

    network_row_begin(&row, segment, may_merge(segment));
    (void)add_parts(frame, first->pbuf, segment->header_bytes);
    while (row.count < lane->count) {
        const struct waiting *next = waiting_at(lane, row.count);
        if (!next->is_segment || !network_row_fits(&row, &next->segment)) {
            break;
        }
        const uint32_t parts = frame->part_count;
        const uint32_t bytes = parts == 0 ? 0 : frame->part[parts - 1].bytes;
        if (!add_parts(frame, next->pbuf, next->segment.header_bytes)) {
            frame->part_count = parts;
            frame->part[parts - 1].bytes = bytes;
            break;
        }
        network_row_add(&row, &next->segment);
    }
    network_row_headers(&row, headers);
    frame->head = headers;
    frame->head_bytes = segment->header_bytes;
    frame->checksum_start = segment->transport_at;
    frame->checksum_offset = network_segment_sum_at(segment);
    if (row.count > 1) {
        frame->segment_bytes = (uint16_t)segment->payload_bytes;
        frame->segmentation = segment->is_v6 ? VIRTIO_NET_SEGMENT_TCP6 : VIRTIO_NET_SEGMENT_TCP4;
    }
    return row.count;
}

/* Give the card the lane's first frames as one; it keeps our references. False: its queue is full. */
static bool give(struct lane *lane)
{
    struct virtio_net_frame frame = { .part_count = 0 };
    uint8_t headers[NETWORK_HEADERS_MAX];
    const struct waiting *first = waiting_at(lane, 0);
    struct given *given = lane->free;

    if (given == NULL) {
        return false;
    }
    if (first->is_segment) {
        given->count = make_frame(lane, headers, &frame);
    } else {
        given->count = 1;
        (void)add_parts(&frame, first->pbuf, 0);
    }
    for (uint32_t i = 0; i < given->count; i++) {
        given->pbuf[i] = waiting_at(lane, i)->pbuf;
    }
    if (!virtio_net_send(lanes.card, (uint32_t)(lane - lanes.lane), &frame, given)) {
        return false;
    }
    lane->free = given->next_free;
    lane->first = (lane->first + given->count) % WAITING;
    lane->count -= given->count;
    lanes.sent.packets += given->count;
    lanes.sent.frames++;
    lanes.sent.merged += given->count > 1 ? 1 : 0;
    return true;
}

static void flush(struct lane *lane)
{
    lane->is_full = false;
    while (lane->count != 0 && !lane->is_full) {
        lane->is_full = !give(lane);
    }
}

void network_lanes_flush(void)
{
    for (uint32_t i = 0; i < lanes.lane_count; i++) {
        flush(&lanes.lane[i]);
    }
}

/* ---- from lwIP -------------------------------------------------------------------------------------------------------------- */

/* Read what a frame is, where the card computes sums: without that lwIP has, and the frame is only bytes. */
static void read_frame(const struct pbuf *pbuf, struct waiting *waiting)
{
    waiting->is_segment =
        (virtio_net_features(lanes.card) & VIRTIO_NET_CSUM) != 0 &&
        network_segment_read(pbuf->payload, pbuf->len, pbuf->tot_len, &waiting->segment);
}

/* By which a frame goes. What is no connection's takes the first. */
static struct lane *lane_of(const struct waiting *waiting)
{
    const bool is_tcp = waiting->is_segment && waiting->segment.is_tcp;

    return &lanes.lane[is_tcp ? network_segment_lane(&waiting->segment, lanes.lanes_used) : 0];
}

/* The card has agreed to more pairs: a connection may change its lane when nothing of it is in another. */
static void look_at_lanes(void)
{
    bool agreed = false;

    if (lanes.lanes_used == lanes.lane_count || lanes.accepted != lanes.done) {
        return;
    }
    if (virtio_net_agreed(lanes.card, &agreed) != KERR_OK) {
        deck_die("the network card breaks the rules of its queue");
    }
    if (agreed) {
        lanes.lanes_used = lanes.lane_count;
    }
}

err_t network_lanes_take(struct pbuf *pbuf)
{
    struct waiting waiting;

    look_at_lanes();
    if (pbuf_clen(pbuf) > VIRTIO_NET_PARTS) {
        pbuf = pbuf_clone(PBUF_RAW, PBUF_RAM, pbuf);
        if (pbuf == NULL) {
            return ERR_MEM;
        }
    } else {
        pbuf_ref(pbuf);
    }
    waiting.pbuf = pbuf;
    read_frame(pbuf, &waiting);
    struct lane *lane = lane_of(&waiting);
    if (lane->count == WAITING) {
        flush(lane);
    }
    if (lane->count == WAITING) {
        pbuf_free(pbuf);
        return ERR_MEM;
    }
    *waiting_at(lane, lane->count++) = waiting;
    lanes.accepted++;
    return ERR_OK;
}

/* ---- back from the card ----------------------------------------------------------------------------------------------------- */

/* Free what is out of a lane. Returns how many the card gave back. */
static uint32_t take_back(uint32_t index)
{
    void *back[SENT_AT_ONCE];
    struct lane *lane = &lanes.lane[index];
    uint32_t count = 0;

    if (virtio_net_sent(lanes.card, index, back, SENT_AT_ONCE, &count) != KERR_OK) {
        deck_die("the network card breaks the rules of its queue");
    }
    for (uint32_t i = 0; i < count; i++) {
        struct given *given = back[i];
        for (uint32_t j = 0; j < given->count; j++) {
            pbuf_free(given->pbuf[j]);
        }
        lanes.done += given->count;
        given->next_free = lane->free;
        lane->free = given;
    }
    if (count != 0 && lane->is_full) {
        flush(lane);
    }
    return count;
}

void network_lanes_reclaim(void)
{
    const uint64_t before = lanes.done;

    for (uint32_t i = 0; i < lanes.lane_count; i++) {
        while (take_back(i) != 0 || ((lanes.lane[i].is_full || lanes.settling.first != NULL) &&
                                     virtio_net_arm_sent(lanes.card, i))) {
            /* Only who waits wants to be told. */
        }
    }
    /* Else who waits would be woken in each turn, and the deck would never rest while the card has a frame. */
    if (lanes.done != before) {
        network_wake(&lanes.settling);
    }
}

bool network_lanes_have_room(void)
{
    bool is_room = false;

    for (uint32_t i = 0; i < lanes.lane_count; i++) {
        is_room |= lanes.lane[i].is_full && virtio_net_arm_sent(lanes.card, i);
    }
    if (is_room) {
        network_lanes_reclaim();
    }
    return is_room;
}

void network_lanes_settle(void)
{
    /* The card may let go in another order; counted so, a frame that it is late with is one that nobody needs any more. */
    const uint64_t until = lanes.accepted;
    const uint64_t deadline_ns = deck_now_ns() + LET_GO_NS;
    network_lanes_reclaim();
    while (lanes.done < until) {
        if (network_wait_plain(&lanes.settling, deadline_ns) != KERR_OK) {
            deck_die("the network card keeps frames");
        }
    }
}

uint32_t network_lanes_held(void)
{
    return (uint32_t)(lanes.accepted - lanes.done);
}

struct network_sent network_lanes_sent(void)
{
    return lanes.sent;
}
