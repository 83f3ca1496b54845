/* network_offload_core.c - see network_offload_core.h. Offsets are those of RFC 791 (IPv4), 8200 (IPv6), 9293 (TCP), 768 (UDP). */
#include "kernel/decks/network/network_offload_core.h"

#include <string.h>

#define ETHERNET_BYTES 14u
#define TYPE_IPV4      0x0800u
#define TYPE_IPV6      0x86ddu

#define IPV4_BYTES    20u
#define IPV4_LENGTH   2u
#define IPV4_ID       4u
#define IPV4_FRAGMENT 6u
#define IPV4_PROTOCOL 9u
#define IPV4_SUM      10u
#define IPV4_FROM     12u
#define IPV6_BYTES    40u
#define IPV6_LENGTH   4u
#define IPV6_NEXT     6u
#define IPV6_FROM     8u
#define PROTOCOL_TCP  6u
#define PROTOCOL_UDP  17u
#define IP_BYTES_MAX  65535u

#define UDP_BYTES  8u
#define UDP_SUM    6u
#define TCP_BYTES  20u
#define TCP_NUMBER 4u
#define TCP_OFFSET 12u
#define TCP_FLAGS  13u
#define TCP_SUM    16u

#define VARIES16(at) [(at)] = 0xff, [(at) + 1] = 0xff
/* Of a header that begins there. */
#define VARIES_IN_TCP(at)                                                                          \
    VARIES16((at) + TCP_NUMBER), VARIES16((at) + TCP_NUMBER + 2), [(at) + TCP_FLAGS] = 0xff,       \
                                                                          VARIES16((at) + TCP_SUM)

#define FLAG_FIN 1u
#define FLAG_PSH 8u
#define FLAG_ACK 16u

_Static_assert(ETHERNET_BYTES + IPV6_BYTES + 60 <= NETWORK_HEADERS_MAX, "with all options");

static uint32_t get16(const uint8_t *from)
{
    return (uint32_t)(from[0] << 8 | from[1]);
}

static uint32_t get32(const uint8_t *from)
{
    return get16(from) << 16 | get16(from + 2);
}

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static uint32_t add16(const uint8_t *bytes, size_t count, uint32_t sum)
{
    for (size_t i = 0; i < count; i += 2) {
        sum += get16(bytes + i);
    }
    return sum;
}

static uint32_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* ---- one segment ---------------------------------------------------------------------------------------------------------------- */

bool network_segment_read(const uint8_t *frame, size_t contiguous, size_t bytes,
                          struct network_segment *segment)
{
    if (contiguous < ETHERNET_BYTES + IPV4_BYTES) {
        return false;
    }
    const uint8_t *ip = frame + ETHERNET_BYTES;
    const uint32_t type = get16(frame + 12);
    const bool is_v6 = type == TYPE_IPV6;
    if ((!is_v6 && type != TYPE_IPV4) || (is_v6 && contiguous < ETHERNET_BYTES + IPV6_BYTES)) {
        return false;
    }
    const uint32_t ip_bytes = is_v6 ? IPV6_BYTES : (ip[0] & 15u) * 4;
    const uint32_t protocol = is_v6 ? ip[IPV6_NEXT] : ip[IPV4_PROTOCOL];
    const uint32_t at = ETHERNET_BYTES + ip_bytes;
    const uint32_t least = protocol == PROTOCOL_TCP ? TCP_BYTES : UDP_BYTES;
    /* More fragments, or an offset. */
    const bool is_part = !is_v6 && (get16(ip + IPV4_FRAGMENT) & 0x3fff) != 0;
    if ((protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP) || is_part ||
        ip_bytes < IPV4_BYTES || contiguous < at + least) {
        return false;
    }
    const uint32_t header_bytes =
        protocol == PROTOCOL_TCP ? (frame[at + TCP_OFFSET] >> 4) * 4u : UDP_BYTES;
    if (header_bytes < least || at + header_bytes > NETWORK_HEADERS_MAX ||
        contiguous < at + header_bytes || bytes - ETHERNET_BYTES > IP_BYTES_MAX) {
        return false;
    }
    *segment = (struct network_segment){ .headers = frame,
                                         .header_bytes = (uint16_t)(at + header_bytes),
                                         .transport_at = (uint8_t)at,
                                         .is_v6 = is_v6,
                                         .is_tcp = protocol == PROTOCOL_TCP,
                                         .payload_bytes = (uint32_t)bytes - at - header_bytes };
    return true;
}

uint32_t network_segment_lane(const struct network_segment *segment, uint32_t lanes)
{
    const uint8_t *addresses =
        segment->headers + ETHERNET_BYTES + (segment->is_v6 ? IPV6_FROM : IPV4_FROM);
    const size_t bytes = segment->is_v6 ? 32 : 8;
    uint32_t hash = get32(segment->headers + segment->transport_at); /* both ports */

    if (lanes == 1) {
        return 0;
    }
    for (size_t i = 0; i < bytes; i += 4) {
        hash = (hash ^ get32(addresses + i)) * 0x9e3779b1u; /* the golden ratio: all bits count */
    }
    return (uint32_t)((uint64_t)hash * lanes >> 32);
}

uint16_t network_segment_sum_at(const struct network_segment *segment)
{
    return segment->is_tcp ? TCP_SUM : UDP_SUM;
}

/* ---- a row of them -------------------------------------------------------------------------------------------------------------- */

static uint32_t ip_bytes_of(const struct network_segment *segment, uint32_t payload_bytes)
{
    return segment->header_bytes - ETHERNET_BYTES + payload_bytes;
}

/* Does IP's length say what there is? */
static bool is_whole(const struct network_segment *segment)
{
    const uint8_t *ip = segment->headers + ETHERNET_BYTES;
    const uint32_t said =
        segment->is_v6 ? get16(ip + IPV6_LENGTH) + IPV6_BYTES : get16(ip + IPV4_LENGTH);

    return said == ip_bytes_of(segment, segment->payload_bytes);
}

static uint8_t flags_of(const struct network_segment *segment)
{
    return segment->headers[segment->transport_at + TCP_FLAGS];
}

void network_row_begin(struct network_row *row, const struct network_segment *first,
                       bool is_mergeable)
{
    const bool has_options =
        first->transport_at != ETHERNET_BYTES + (first->is_v6 ? IPV6_BYTES : IPV4_BYTES);

    *row = (struct network_row){
        .first = *first, .count = 1, .payload_bytes = first->payload_bytes, .is_over = true
    };
    if (first->is_tcp) {
        row->last_flags = flags_of(first);
        /* Anything else than bytes and an acknowledgement goes alone: SYN, RST, URG, and congestion, which not every card can cut. */
        row->is_over = !is_mergeable || row->last_flags != FLAG_ACK || has_options ||
                       first->payload_bytes == 0 || !is_whole(first);
    }
}

/* Where the headers of a row's segments may differ; network_row_fits() has rules for that of its own. */
static const uint8_t varies4[ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES] = {
    VARIES16(ETHERNET_BYTES + IPV4_LENGTH), VARIES16(ETHERNET_BYTES + IPV4_ID),
    VARIES16(ETHERNET_BYTES + IPV4_SUM), VARIES_IN_TCP(ETHERNET_BYTES + IPV4_BYTES)
};
static const uint8_t varies6[ETHERNET_BYTES + IPV6_BYTES + TCP_BYTES] = {
    VARIES16(ETHERNET_BYTES + IPV6_LENGTH), VARIES_IN_TCP(ETHERNET_BYTES + IPV6_BYTES)
};

static uint64_t get64(const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof(value));
    return value;
}

/* Eight bytes at a time, the last eight perhaps overlapping: it is done for each segment that goes out. */
static bool is_alike(const uint8_t *a, const uint8_t *b, const uint8_t *varies, size_t bytes)
{
    uint64_t other = (get64(a + bytes - 8) ^ get64(b + bytes - 8)) & ~get64(varies + bytes - 8);

    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        other |= (get64(a + i) ^ get64(b + i)) & ~get64(varies + i);
    }
    return other == 0;
}

bool network_row_fits(const struct network_row *row, const struct network_segment *next)
{
    if (row->is_over || !next->is_tcp || next->header_bytes != row->first.header_bytes ||
        next->is_v6 != row->first.is_v6 || next->payload_bytes == 0 ||
        next->payload_bytes > row->first.payload_bytes || row->count == NETWORK_MERGED_MAX ||
        ip_bytes_of(next, row->payload_bytes + next->payload_bytes) > IP_BYTES_MAX) {
        return false;
    }
    const uint8_t *a = row->first.headers;
    const uint8_t *b = next->headers;
    const uint32_t at = row->first.transport_at;
    const uint32_t id = get16(a + ETHERNET_BYTES + IPV4_ID) + row->count;

    return is_alike(a, b, next->is_v6 ? varies6 : varies4, at + TCP_BYTES) &&
           get32(b + at + TCP_NUMBER) == get32(a + at + TCP_NUMBER) + row->payload_bytes &&
           (flags_of(next) & ~(FLAG_PSH | FLAG_FIN)) == FLAG_ACK &&
           (next->is_v6 || get16(b + ETHERNET_BYTES + IPV4_ID) == (id & 0xffff)) &&
           (next->header_bytes == at + TCP_BYTES ||
            memcmp(a + at + TCP_BYTES, b + at + TCP_BYTES, next->header_bytes - at - TCP_BYTES) ==
                0) &&
           is_whole(next);
}

void network_row_add(struct network_row *row, const struct network_segment *next)
{
    row->count++;
    row->payload_bytes += next->payload_bytes;
    row->last_flags = flags_of(next);
    row->is_over = row->last_flags != FLAG_ACK || next->payload_bytes != row->first.payload_bytes;
}

/* The sum over a pseudo-header, which the card goes on from (5.1.6.2). */
static uint32_t pseudo_sum(const struct network_row *row)
{
    const struct network_segment *first = &row->first;
    const uint8_t *ip = first->headers + ETHERNET_BYTES;
    const uint32_t bytes =
        (uint32_t)(first->header_bytes - first->transport_at) + row->payload_bytes;
    const uint32_t sum = bytes + (first->is_tcp ? PROTOCOL_TCP : PROTOCOL_UDP);

    return fold(first->is_v6 ? add16(ip + IPV6_FROM, 32, sum) : add16(ip + IPV4_FROM, 8, sum));
}

void network_row_headers(const struct network_row *row, uint8_t headers[NETWORK_HEADERS_MAX])
{
    const struct network_segment *first = &row->first;
    uint8_t *ip = headers + ETHERNET_BYTES;
    uint8_t *transport = headers + first->transport_at;

    memcpy(headers, first->headers, first->header_bytes);
    put16(transport + network_segment_sum_at(first), pseudo_sum(row));
    if (row->count == 1) {
        return;
    }
    transport[TCP_FLAGS] = row->last_flags;
    const uint32_t bytes = ip_bytes_of(first, row->payload_bytes);
    if (first->is_v6) {
        put16(ip + IPV6_LENGTH, bytes - IPV6_BYTES);
        return;
    }
    put16(ip + IPV4_LENGTH, bytes);
    put16(ip + IPV4_SUM, 0);
    put16(ip + IPV4_SUM, ~fold(add16(ip, IPV4_BYTES, 0)));
}
