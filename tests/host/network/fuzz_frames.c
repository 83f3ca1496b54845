/* fuzz_frames.c - frames of a peer that knows what the deck has sent: see fuzz_network.h. */
#include "tests/host/network/fuzz_network.h"

#define FRAME_BYTES 1514u
#define LARGE_BYTES 65549u
#define LARGE_STEP  258u /* so that the longest is too long */
#define ETHERNET    14u
#define HEADER4     20u
#define HEADER6     40u
#define ENDS        8u
#define PEER_PORT   40000u

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t peer_mac[6] = { 0x52, 0x55, 0, 0, 0, 0x77 };
static const uint8_t own4[4] = { 10, 0, 2, 15 }, peer4[4] = { 10, 0, 2, 2 };
static const uint8_t own6[16] = { 0xfe, 0x80, [8] = 0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56 };
static const uint8_t peer6[16] = { 0xfe, 0x80, [15] = 0x77 };

/* One of the peer's ports: the numbers that the deck's next segment and its acknowledgement are at. */
struct end {
    uint32_t next, acknowledged;
    uint16_t port; /* of the deck's, that it has spoken from */
};

static struct {
    struct end end[2][ENDS]; /* by protocol */
    uint16_t name_port, name_id;
    uint32_t dhcp_id;
} peer;

void frames_begin(void)
{
    memset(&peer, 0, sizeof(peer));
}

static uint16_t get16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static uint32_t get32(const uint8_t *from)
{
    return (uint32_t)get16(from) << 16 | get16(from + 2);
}

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value);
}

static uint16_t sum_of(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i++) {
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* ---- what the peer says -------------------------------------------------------------------------------------------------------- */

/* The headers of a packet in front of what lies at `frame` behind them; returns where that is. */
static size_t put_headers(uint8_t *frame, bool is_v6, uint8_t protocol, size_t payload)
{
    uint8_t *ip = frame + ETHERNET;

    memcpy(frame, own_mac, 6);
    memcpy(frame + 6, peer_mac, 6);
    put16(frame + 12, is_v6 ? 0x86dd : 0x800);
    if (is_v6) {
        memset(ip, 0, HEADER6);
        ip[0] = 0x60;
        put16(ip + 4, (uint32_t)payload);
        ip[6] = protocol;
        ip[7] = 255;
        memcpy(ip + 8, peer6, 16);
        memcpy(ip + 24, own6, 16);
        return ETHERNET + HEADER6;
    }
    memset(ip, 0, HEADER4);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(HEADER4 + payload));
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, peer4, 4);
    memcpy(ip + 16, own4, 4);
    put16(ip + 10, sum_of(ip, HEADER4, 0));
    return ETHERNET + HEADER4;
}

void put_raw(struct input *input)
{
    uint8_t frame[FRAME_BYTES];
    const uint32_t how = take_number(input, 1);
    const size_t bytes = take(input, frame, take_number(input, 2) % sizeof(frame));

    if (bytes < ETHERNET + HEADER4) {
        return;
    }
    if (how % 4 != 0) { /* most would end at their addresses, or at the header's sum */
        const size_t header = (size_t)(frame[ETHERNET] & 15) * 4;
        const bool is_v6 = how % 8 >= 4;
        memcpy(frame, own_mac, 6);
        memcpy(frame + 6, peer_mac, 6);
        put16(frame + 12, is_v6 ? 0x86dd : 0x800);
        if (is_v6 && bytes >= ETHERNET + HEADER6) {
            frame[ETHERNET] = 0x60;
            memcpy(frame + ETHERNET + 8, peer6, 16);
            memcpy(frame + ETHERNET + 24, own6, 16);
        } else if (!is_v6 && header >= HEADER4 && bytes >= ETHERNET + header) {
            frame[ETHERNET] = (uint8_t)(0x40 | header / 4);
            memcpy(frame + ETHERNET + 12, peer4, 4);
            memcpy(frame + ETHERNET + 16, own4, 4);
            put16(frame + ETHERNET + 10, 0);
            put16(frame + ETHERNET + 10, sum_of(frame + ETHERNET, header, 0));
        }
    }
    world_put(frame, bytes, true);
}

void put_segment(struct input *input)
{
    static const uint16_t ports[] = { 80, 7 };
    static uint8_t frame[LARGE_BYTES];
    uint8_t said[10];
    (void)take(input, said, sizeof(said));
    const bool is_v6 = (said[0] & 8) != 0;
    const bool is_large = (said[1] & 16) != 0; /* several in one, as a card merges them */
    const size_t most = is_large ? LARGE_BYTES : FRAME_BYTES;
    struct end *end = &peer.end[is_v6][said[0] % ENDS];
    const size_t options = said[8] % 11 * 4u;
    size_t data = said[1] & 1 ? said[9] : (said[1] & 2) != 0 ? said[9] * 8u : 0;
    const size_t at = ETHERNET + (is_v6 ? HEADER6 : HEADER4);
    uint8_t *tcp = frame + at;

    data = is_large ? said[9] * LARGE_STEP : data;
    data = at + 20 + options + data > most ? most - at - 20 - options : data;
    memset(tcp, 0, 20);
    put16(tcp, PEER_PORT + said[0] % ENDS);
    put16(tcp + 2, (said[0] & 16) != 0 && end->port != 0 ? end->port : ports[said[0] >> 5 & 1]);
    /* Mostly what is expected, else a little or far off it, or by so much as a large one's. */
    const uint32_t step = (said[1] & 4) != 0 ? 1u << 24 : (said[1] & 32) != 0 ? LARGE_STEP : 1;
    put32(tcp + 4, end->acknowledged + (uint32_t)(int8_t)said[2] * step);
    put32(tcp + 8, end->next + (uint32_t)(int8_t)said[3] * (said[1] & 8 ? 1u << 24 : 1));
    tcp[12] = (uint8_t)((20 + options) / 4 << 4);
    tcp[13] = said[4];
    put16(tcp + 14, said[5] == 0 ? 0xffff : (uint32_t)(said[5] << 8 | said[6]));
    put16(tcp + 18, said[7]);
    (void)take(input, tcp + 20, options);
    memset(tcp + 20 + options, 'x', data);
    (void)take(input, tcp + 20 + options, is_large && data > 64 ? 64 : data);
    (void)put_headers(frame, is_v6, 6, 20 + options + data);
    world_put(frame, at + 20 + options + data, true);
}

/* To a port of the deck's, or an answer to the name or the address that it asks for. */
void put_datagram(struct input *input)
{
    uint8_t frame[FRAME_BYTES];
    const uint32_t how = take_number(input, 1);
    const bool is_v6 = how % 8 == 0;
    const size_t at = ETHERNET + (is_v6 ? HEADER6 : HEADER4);
    uint8_t *udp = frame + at;
    const size_t bytes = take(input, udp + 8, take_number(input, 2) % (FRAME_BYTES - at - 8));

    put16(udp, 9);
    put16(udp + 2, 9);
    if (how % 4 == 1) {
        put16(udp, 53);
        put16(udp + 2, peer.name_port);
        put16(udp + 8, peer.name_id);
    } else if (how % 4 == 2 && bytes >= 240) {
        put16(udp, 67);
        put16(udp + 2, 68);
        put32(udp + 12, peer.dhcp_id);
        udp[8] = 2;
        memcpy(udp + 36, own_mac, 6);
        put32(udp + 8 + 236, 0x63825363);
    }
    put16(udp + 4, (uint32_t)(8 + bytes));
    put16(udp + 6, 0);
    (void)put_headers(frame, is_v6, 17, 8 + bytes);
    if (how % 4 == 1) { /* only the server is heard */
        frame[ETHERNET + 15] = 3;
        put16(frame + ETHERNET + 10, 0);
        put16(frame + ETHERNET + 10, sum_of(frame + ETHERNET, HEADER4, 0));
    }
    world_put(frame, at + 8 + bytes, true);
}

static void put_icmp6_message(uint8_t *frame, size_t bytes)
{
    uint8_t *icmp = frame + ETHERNET + HEADER6;

    put16(icmp + 2, 0);
    (void)put_headers(frame, true, 58, bytes);
    const uint32_t pseudo = (uint16_t)~sum_of(frame + ETHERNET + 8, 32, 58 + (uint32_t)bytes);
    put16(icmp + 2, sum_of(icmp, bytes, pseudo));
    world_put(frame, ETHERNET + HEADER6 + bytes, true);
}

void put_icmp6(struct input *input)
{
    static const uint8_t types[] = { 1, 2, 3, 4, 128, 129, 130, 131, 133, 134, 135, 136, 137 };
    uint8_t frame[FRAME_BYTES];
    uint8_t *icmp = frame + ETHERNET + HEADER6;
    const uint8_t type = types[take_number(input, 1) % sizeof(types)];
    const size_t room = FRAME_BYTES - ETHERNET - HEADER6;
    const size_t bytes = take(input, icmp, take_number(input, 1) * 4 % room);

    if (bytes < 8) {
        return;
    }
    icmp[0] = type;
    put_icmp6_message(frame, bytes);
}

void put_arp(struct input *input)
{
    uint8_t frame[60];
    const uint32_t how = take_number(input, 1);

    (void)take(input, frame, sizeof(frame));
    memset(frame, how % 4 == 0 ? 0xff : 0, 6);
    if (how % 4 != 0) {
        memcpy(frame, own_mac, 6);
    }
    put16(frame + 12, 0x806);
    if (how % 2 == 0) {
        static const uint8_t head[7] = { 0, 1, 8, 0, 6, 4, 0 };
        memcpy(frame + ETHERNET, head, sizeof(head));
        memcpy(frame + ETHERNET + 14, peer4, 4);
        memcpy(frame + ETHERNET + 24, own4, 4);
    }
    world_put(frame, sizeof(frame), true);
}

/* ---- what the deck says -------------------------------------------------------------------------------------------------------- */

/* Each address of its network is the peer's, but the deck's own. */
static void answer_arp(const uint8_t *question)
{
    uint8_t frame[42];

    if (memcmp(question + 38, own4, 4) == 0 || memcmp(question + 28, own4, 4) != 0) {
        return;
    }
    memcpy(frame, question, sizeof(frame));
    memcpy(frame, own_mac, 6);
    memcpy(frame + 6, peer_mac, 6);
    frame[21] = 2;
    memcpy(frame + 22, peer_mac, 6);
    memcpy(frame + 28, question + 38, 4);
    memcpy(frame + 32, own_mac, 6);
    memcpy(frame + 38, own4, 4);
    world_put(frame, sizeof(frame), true);
}

static void answer_solicitation(const uint8_t *target)
{
    uint8_t frame[ETHERNET + HEADER6 + 32] = { 0 };
    uint8_t *icmp = frame + ETHERNET + HEADER6;

    if (memcmp(target, peer6, sizeof(peer6)) == 0) {
        icmp[0] = 136;
        icmp[4] = 0x60;
        memcpy(icmp + 8, target, 16);
        icmp[24] = 2;
        icmp[25] = 1;
        memcpy(icmp + 26, peer_mac, 6);
        put_icmp6_message(frame, 32);
    }
}

static void hear_segment(const uint8_t *tcp, size_t bytes, bool is_v6)
{
    const uint32_t index = get16(tcp + 2) - PEER_PORT;
    const uint8_t flags = tcp[13];

    if (index < ENDS && bytes >= (size_t)(tcp[12] >> 4) * 4) {
        struct end *end = &peer.end[is_v6][index];
        const uint32_t data = (uint32_t)(bytes - (size_t)(tcp[12] >> 4) * 4);
        end->port = get16(tcp);
        end->next = get32(tcp + 4) + data + ((flags & 3) != 0 ? 1 : 0);
        if ((flags & 16) != 0) {
            end->acknowledged = get32(tcp + 8);
        }
    }
}

void world_sent(const uint8_t *frame, size_t bytes)
{
    const bool is_v6 = get16(frame + 12) == 0x86dd;
    const size_t header = ETHERNET + (is_v6 ? HEADER6 : HEADER4);

    if (get16(frame + 12) == 0x806 && frame[21] == 1) {
        answer_arp(frame);
    }
    if (bytes < header + 20 || (!is_v6 && get16(frame + 12) != 0x800)) {
        return;
    }
    const uint8_t protocol = is_v6 ? frame[ETHERNET + 6] : frame[ETHERNET + 9];
    const uint8_t *inner = frame + header;
    const bool is_part = !is_v6 && (get16(frame + ETHERNET + 6) & 0x1fff) != 0;
    if (protocol == 6 && !is_part) {
        hear_segment(inner, bytes - header, is_v6);
    } else if (protocol == 58 && inner[0] == 135) {
        answer_solicitation(inner + 8);
    } else if (protocol == 17 && get16(inner + 2) == 53) {
        peer.name_port = get16(inner);
        peer.name_id = get16(inner + 8);
    } else if (protocol == 17 && get16(inner + 2) == 67) {
        peer.dhcp_id = get32(inner + 12);
    }
}
