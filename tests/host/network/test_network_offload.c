/*
 * test_network_offload.c - rows of segments become one frame, and the frame, cut apart by the book, is the segments again.
 *
 * uses: kernel/decks/network/network_offload_core.c tests/host/network/segmenter.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/decks/network/network_offload_core.h"
#include "tests/host/network/segmenter.h"

#define FIN 1u
#define SYN 2u
#define PSH 8u
#define ACK 16u
#define URG 32u
#define CWR 128u

#define SEGMENTS 64u
#define FRAME    1514u

/* What lwIP would send: all of it as it is on the wire, but the sum of TCP, which is the card's. */
struct made {
    uint8_t bytes[FRAME];
    size_t length;
};

/* How a segment is made. */
struct how {
    bool is_v6;
    uint32_t number, acknowledged;
    uint16_t port, window, id;
    uint8_t flags, options; /* words */
    size_t data;
};

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static uint32_t sum_of(const uint8_t *bytes, size_t count, uint32_t sum)
{
    for (size_t i = 0; i < count; i += 2) {
        sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    }
    return (sum & 0xffff) + (sum >> 16);
}

static void put_ip(uint8_t *ip, const struct how *how, size_t length)
{
    memset(ip, 0, how->is_v6 ? 40 : 20);
    if (how->is_v6) {
        ip[0] = 0x60;
        put16(ip + 4, (uint32_t)length - 40);
        ip[6] = 6;
        ip[7] = 255;
        ip[8] = 0xfd;
        ip[24] = 0xfd;
        ip[39] = 1;
        return;
    }
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)length);
    put16(ip + 4, how->id);
    ip[8] = 255;
    ip[9] = 6;
    memcpy(ip + 12, "\x0a\0\2\x0f\x0a\0\2\2", 8);
    put16(ip + 10, ~sum_of(ip, 20, 0));
}

static struct made make(const struct how *how)
{
    struct made made;
    const size_t start = how->is_v6 ? 54 : 34;
    const size_t headers = start + 20 + how->options * 4u;
    uint8_t *tcp = made.bytes + start;

    made.length = headers + how->data;
    assert(made.length <= FRAME);
    memcpy(made.bytes, "\x52\x55\0\0\0\2\x52\x54\0\x12\x34\x56", 12);
    put16(made.bytes + 12, how->is_v6 ? 0x86dd : 0x800);
    put_ip(made.bytes + 14, how, made.length - 14);
    put16(tcp, 80);
    put16(tcp + 2, how->port);
    put16(tcp + 4, how->number >> 16);
    put16(tcp + 6, how->number);
    put16(tcp + 8, how->acknowledged >> 16);
    put16(tcp + 10, how->acknowledged);
    tcp[12] = (uint8_t)((5 + how->options) << 4);
    tcp[13] = how->flags;
    put16(tcp + 14, how->window);
    put16(tcp + 16, 0);
    put16(tcp + 18, 0);
    memset(tcp + 20, 1, how->options * 4u);
    for (size_t i = 0; i < how->data; i++) {
        made.bytes[headers + i] = (uint8_t)((how->number + i) * 2654435761u >> 24);
    }
    return made;
}

static struct network_segment read_it(const struct made *made)
{
    struct network_segment segment;

    assert(network_segment_read(made->bytes, made->length, made->length, &segment));
    return segment;
}

/* ---- rows, and what a card makes of them ---------------------------------------------------------------------------------------- */

struct expected {
    const struct made *made;
    size_t count, seen;
};

/* The sum that lwIP would have computed, had it been asked to. */
static void expect(void *argument, const uint8_t *frame, size_t bytes)
{
    struct expected *expected = argument;
    assert(expected->seen < expected->count);
    struct made made = expected->made[expected->seen++];
    const bool is_v6 = made.bytes[12] == 0x86;
    const size_t start = is_v6 ? 54 : 34;
    const uint32_t pseudo =
        sum_of(made.bytes + (is_v6 ? 22 : 26), is_v6 ? 32 : 8, (uint32_t)(made.length - start) + 6);

    put16(made.bytes + start + 16, sum_of(NULL, 0, pseudo));
    segmenter_finish_sum(made.bytes, made.length, start, 16);
    assert(bytes == made.length && memcmp(frame, made.bytes, bytes) == 0);
}

/* As network_lanes.c does it, without pbufs: returns how many frames the segments became. */
static size_t send_all(const struct made *made, size_t count)
{
    struct expected expected = { made, count, 0 };
    size_t frames = 0;

    for (size_t first = 0; first < count; frames++) {
        struct virtio_net_frame frame = { .part_count = 0 };
        struct network_row row;
        uint8_t *headers = malloc(NETWORK_HEADERS_MAX);
        struct network_segment segment = read_it(&made[first]);

        network_row_begin(&row, &segment, true);
        for (;;) {
            frame.part[frame.part_count++] =
                (struct virtio_net_part){ segment.headers + segment.header_bytes,
                                          segment.payload_bytes };
            if (first + row.count == count) {
                break;
            }
            segment = read_it(&made[first + row.count]);
            if (!network_row_fits(&row, &segment)) {
                break;
            }
            network_row_add(&row, &segment);
        }
        frame.part_count -= frame.part[0].bytes == 0 ? 1 : 0;
        network_row_headers(&row, headers);
        frame.head = headers;
        frame.head_bytes = row.first.header_bytes;
        frame.checksum_start = row.first.transport_at;
        frame.checksum_offset = network_segment_sum_at(&row.first);
        if (row.count > 1) {
            frame.segment_bytes = (uint16_t)row.first.payload_bytes;
            frame.segmentation =
                row.first.is_v6 ? VIRTIO_NET_SEGMENT_TCP6 : VIRTIO_NET_SEGMENT_TCP4;
        }
        segmenter_cut(&frame, expect, &expected);
        first += row.count;
        free(headers);
    }
    assert(expected.seen == count);
    return frames;
}

/* `count` segments that follow each other. */
static void make_row(struct made *made, struct how how, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        made[i] = make(&how);
        how.number += (uint32_t)how.data;
        how.id++;
    }
}

static const struct how usual = {
    .number = 1000, .acknowledged = 77, .port = 40000, .window = 500, .flags = ACK, .data = 1000
};

static void test_a_row_is_one_frame(void)
{
    static struct made made[SEGMENTS];
    for (unsigned is_v6 = 0; is_v6 < 2; is_v6++) {
        struct how how = usual;
        how.is_v6 = is_v6 != 0;
        make_row(made, how, 20);
        assert(send_all(made, 20) == 1);
    }
}

static void test_the_last_may_be_short_and_say_push_and_end(void)
{
    static const uint8_t last[] = { ACK, ACK | PSH, ACK | FIN, ACK | PSH | FIN };
    static struct made made[SEGMENTS];
    for (size_t i = 0; i < sizeof(last) * 2; i++) {
        struct how how = usual;
        how.is_v6 = i >= sizeof(last);
        make_row(made, how, 5);
        how.number += 5000;
        how.id = (uint16_t)(how.id + 5);
        how.data = 1;
        how.flags = last[i % sizeof(last)];
        made[5] = make(&how);
        assert(send_all(made, 6) == 1);
        how.number++; /* none follows it */
        how.id++;
        made[6] = make(&how);
        assert(send_all(made, 7) == 2);
    }
}

static void test_numbers_that_wrap_go_on(void)
{
    static struct made made[SEGMENTS];
    struct how how = usual;

    how.number = 0xfffffe00;
    how.id = 0xfffe;
    make_row(made, how, 10);
    assert(send_all(made, 10) == 1);
}

static void test_no_frame_is_longer_than_its_length_can_say(void)
{
    static struct made made[SEGMENTS];
    for (unsigned is_v6 = 0; is_v6 < 2; is_v6++) {
        struct how how = usual;
        how.is_v6 = is_v6 != 0;
        how.data = is_v6 ? 1440 : 1460;
        make_row(made, how, 50);
        assert(send_all(made, 50) == 2);
        how.data = 100;
        make_row(made, how, 50);
        assert(send_all(made, 50) == 2); /* NETWORK_MERGED_MAX */
    }
}

/* What breaks a row, in its second segment of three. */
static void test_what_differs_goes_apart(void)
{
    static struct made made[SEGMENTS];
    struct how second = usual;
    second.number += (uint32_t)usual.data;
    second.id++;
    struct how others[] = { second, second, second, second, second, second, second,
                            second, second, second, second, second, second };
    others[0].number++;
    others[1].number--;
    others[2].acknowledged++;
    others[3].port++;
    others[4].window++;
    others[5].id++;
    others[6].flags |= SYN;
    others[7].flags |= URG;
    others[8].flags |= CWR;
    others[9].options = 3;
    others[10].data++;
    others[11].data = 0;
    others[12].flags = PSH;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        make_row(made, usual, 3);
        made[1] = make(&others[i]);
        assert(send_all(made, 3) == 3);
    }
    make_row(made, usual, 3);
    made[1].bytes[14 + 8]--; /* the time to live; and the sum, so that it is right again */
    put16(made[1].bytes + 24, 0);
    put16(made[1].bytes + 24, ~sum_of(made[1].bytes + 14, 20, 0));
    assert(send_all(made, 3) == 3);
    make_row(made, usual, 3);
    made[1].bytes[0] ^= 2; /* another neighbour */
    assert(send_all(made, 3) == 3);
}

static void test_what_is_not_plain_goes_alone(void)
{
    static const uint8_t flags[] = { ACK | SYN, ACK | URG, ACK | CWR, ACK | 64, 0, ACK | PSH };
    static struct made made[SEGMENTS];
    for (size_t i = 0; i < sizeof(flags); i++) {
        struct how how = usual;
        how.flags = flags[i];
        make_row(made, how, 4);
        assert(send_all(made, 4) == 4);
    }
    struct network_row row;
    make_row(made, usual, 2);
    const struct network_segment first = read_it(&made[0]), next = read_it(&made[1]);
    network_row_begin(&row, &first, false);
    assert(!network_row_fits(&row, &next)); /* the card has not said that it could */
}

static void test_options_that_are_the_same_go_with_it(void)
{
    static struct made made[SEGMENTS];
    struct how how = usual;

    how.options = 10;
    make_row(made, how, 7);
    assert(send_all(made, 7) == 1);
    made[3].bytes[34 + 20 + 9]++;
    assert(send_all(made, 7) == 3);
}

/* Rows of any kind, broken anywhere by anything. */
static void test_any_segments_come_out_as_they_went_in(void)
{
    static struct made made[SEGMENTS];
    size_t merged = 0;

    srand(1);
    for (int round = 0; round < 4000; round++) {
        struct how how = usual;
        how.is_v6 = rand() % 2 == 0;
        how.number = (uint32_t)rand() * 3u;
        how.id = (uint16_t)rand();
        how.options = (uint8_t)(rand() % 4 == 0 ? rand() % 11 : 0);
        const size_t usual_data = rand() % 3 == 0 ? 1400 : 1 + (size_t)rand() % 1400;
        const size_t count = 1 + (size_t)rand() % SEGMENTS;
        for (size_t i = 0; i < count; i++) {
            how.data = rand() % 16 == 0 ? (size_t)rand() % 1400 : usual_data;
            how.flags = rand() % 24 == 0 ? (uint8_t)rand() : ACK;
            how.window = (uint16_t)(how.window + (rand() % 24 == 0 ? 1 : 0));
            made[i] = make(&how);
            how.number += rand() % 24 == 0 ? (uint32_t)rand() : (uint32_t)how.data;
            how.id = (uint16_t)(how.id + (rand() % 24 == 0 ? 2 : 1));
        }
        merged += count - send_all(made, count);
    }
    assert(merged > 50000); /* it did happen */
}

/* ---- headers ---------------------------------------------------------------------------------------------------------------------- */

/* Each cut of a frame in a block of just its length: what is read behind it, the sanitizer tells. */
static void test_headers_that_are_not_all_there_are_nobodys(void)
{
    for (unsigned is_v6 = 0; is_v6 < 2; is_v6++) {
        struct how how = usual;
        how.is_v6 = is_v6 != 0;
        how.options = 10;
        const struct made made = make(&how);
        const size_t headers = (is_v6 ? 54 : 34) + 60;
        for (size_t there = 0; there < made.length; there++) {
            uint8_t *bytes = malloc(there + 1);
            struct network_segment segment;
            memcpy(bytes, made.bytes, there);
            uint8_t *exact = realloc(bytes, there == 0 ? 1 : there);
            assert(network_segment_read(exact, there, made.length, &segment) == (there >= headers));
            free(exact);
        }
    }
}

static void test_fragments_and_others_are_left_alone(void)
{
    struct network_segment segment;
    struct made made = make(&usual);

    made.bytes[20] = 0x20; /* more fragments */
    assert(!network_segment_read(made.bytes, made.length, made.length, &segment));
    made.bytes[20] = 0;
    made.bytes[21] = 1; /* at an offset */
    assert(!network_segment_read(made.bytes, made.length, made.length, &segment));
    made.bytes[20] = 0x40; /* not to be cut: whole */
    made.bytes[21] = 0;
    assert(network_segment_read(made.bytes, made.length, made.length, &segment));
    made.bytes[23] = 1; /* ICMP */
    assert(!network_segment_read(made.bytes, made.length, made.length, &segment));
    made.bytes[23] = 17;
    assert(network_segment_read(made.bytes, made.length, made.length, &segment));
    assert(!segment.is_tcp && segment.header_bytes == 42 && network_segment_sum_at(&segment) == 6);
    made.bytes[12] = 8;
    made.bytes[13] = 6; /* ARP */
    assert(!network_segment_read(made.bytes, made.length, made.length, &segment));
}

static void test_a_connection_keeps_its_lane_and_others_take_others(void)
{
    for (unsigned is_v6 = 0; is_v6 < 2; is_v6++) {
        uint32_t taken[4] = { 0 };
        for (unsigned port = 0; port < 400; port++) {
            struct how how = usual;
            how.is_v6 = is_v6 != 0;
            how.port = (uint16_t)(32768 + port);
            struct made made = make(&how);
            struct network_segment segment = read_it(&made);
            const uint32_t lane = network_segment_lane(&segment, 4);
            how.number += 99;
            how.data = 3;
            made = make(&how);
            segment = read_it(&made);
            assert(network_segment_lane(&segment, 4) == lane && lane < 4);
            assert(network_segment_lane(&segment, 1) == 0);
            taken[lane]++;
        }
        for (unsigned lane = 0; lane < 4; lane++) {
            assert(taken[lane] > 50);
        }
    }
}

int main(void)
{
    test_a_row_is_one_frame();
    test_the_last_may_be_short_and_say_push_and_end();
    test_numbers_that_wrap_go_on();
    test_no_frame_is_longer_than_its_length_can_say();
    test_what_differs_goes_apart();
    test_what_is_not_plain_goes_alone();
    test_options_that_are_the_same_go_with_it();
    test_any_segments_come_out_as_they_went_in();
    test_headers_that_are_not_all_there_are_nobodys();
    test_fragments_and_others_are_left_alone();
    test_a_connection_keeps_its_lane_and_others_take_others();
    return 0;
}
