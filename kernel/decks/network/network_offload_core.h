/*
 * network_offload_core.h - what a card can be left of the frames that go out: their sums, and the cutting of large ones into segments. Pure.
 *
 * lwIP makes segments of one MSS. Those that follow each other in one connection differ in what each can be computed from the first:
 *
 *   IPv4: length, identification (the first's and one more each), sum     IPv6: length
 *   TCP: number (the first's and the bytes before it), sum; PSH and FIN, which only the last may have
 *
 * So a row of them, all but the last equally long, can go to the card as one frame with the first's headers. It cuts them apart again
 * (virtio 1.2, 5.1.6.2), to the byte as they were.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETWORK_HEADERS_MAX 116u /* bytes: Ethernet, IPv6, TCP with all its options */
#define NETWORK_MERGED_MAX                                                                         \
    48u /* segments in a frame; 44 of 1460 bytes are as long as IP's length can say */

/* A TCP segment or UDP datagram in a frame of Ethernet. */
struct network_segment {
    const uint8_t *headers; /* all of them, as they lie in the frame */
    uint16_t header_bytes;
    uint8_t transport_at; /* where TCP or UDP begins, in the headers */
    bool is_v6, is_tcp;
    uint32_t payload_bytes;
};

/* A row of segments that are one frame. */
struct network_row {
    struct network_segment first;
    uint32_t count;
    uint32_t payload_bytes; /* of all */
    uint8_t last_flags;     /* of the last, TCP's */
    bool is_over;           /* the last one lets none follow */
};

/*
 * Read the headers of a frame of `bytes`, of which the first `contiguous` lie at `frame`. False: nothing that a card can be left to sum:
 * no TCP or UDP over IP, a fragment, or headers that lie apart.
 */
bool network_segment_read(const uint8_t *frame, size_t contiguous, size_t bytes,
                          struct network_segment *segment);
/* Which of `lanes` the segment takes: always the same for one connection, so that it stays in order. */
uint32_t network_segment_lane(const struct network_segment *segment, uint32_t lanes);
/* Where the sum of the segment is, behind transport_at. */
uint16_t network_segment_sum_at(const struct network_segment *segment);

/* A row of one. is_mergeable: others may follow, where the segment itself lets them. */
void network_row_begin(struct network_row *row, const struct network_segment *first,
                       bool is_mergeable);
/* May the segment be the row's next? */
bool network_row_fits(const struct network_row *row, const struct network_segment *next);
/* Make it so: it fits. */
void network_row_add(struct network_row *row, const struct network_segment *next);
/* The headers of the frame that the row is, the sum of the pseudo-header in the place of TCP's or UDP's: first.header_bytes of them. */
void network_row_headers(const struct network_row *row, uint8_t headers[NETWORK_HEADERS_MAX]);
