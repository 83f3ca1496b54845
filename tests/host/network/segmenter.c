/* segmenter.c - see segmenter.h. */
#include "tests/host/network/segmenter.h"

#include <assert.h>
#include <string.h>

static uint32_t get16(const uint8_t *from)
{
    return (uint32_t)(from[0] << 8 | from[1]);
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

static uint32_t sum_of(const uint8_t *bytes, size_t count, uint32_t sum)
{
    for (size_t i = 0; i < count; i++) {
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

void segmenter_finish_sum(uint8_t *frame, size_t bytes, size_t start, size_t offset)
{
    assert(start + offset + 2 <= bytes);
    put16(frame + start + offset, ~sum_of(frame + start, bytes - start, 0));
}

/* One segment: the headers of all, made this one's. */
static void write_segment(uint8_t *out, const uint8_t *all, size_t headers, size_t start,
                          uint32_t index, size_t at, size_t data, bool is_last)
{
    uint8_t *ip = out + 14;
    uint8_t *tcp = out + start;
    const uint32_t number = (uint32_t)(get16(all + start + 4) << 16 | get16(all + start + 6));
    const size_t tcp_bytes = headers - start + data;

    memcpy(out, all, headers);
    memcpy(out + headers, all + headers + at, data);
    put32(tcp + 4, number + (uint32_t)at);
    if (!is_last) {
        tcp[13] &= (uint8_t)~9u; /* PSH and FIN */
    }
    uint32_t pseudo = 0;
    if (ip[0] >> 4 == 4) {
        put16(ip + 2, (uint32_t)(headers - 14 + data));
        put16(ip + 4, get16(all + 18) + index);
        put16(ip + 10, 0);
        put16(ip + 10, ~sum_of(ip, (ip[0] & 15u) * 4, 0));
        pseudo = sum_of(ip + 12, 8, 0);
    } else {
        put16(ip + 4, (uint32_t)(headers - 54 + data));
        pseudo = sum_of(ip + 8, 32, 0);
    }
    const uint8_t rest[] = { 0, 6, (uint8_t)(tcp_bytes >> 8), (uint8_t)tcp_bytes };
    put16(tcp + 16, sum_of(rest, 4, pseudo));
    segmenter_finish_sum(out, headers + data, start, 16);
}

static void cut(const struct virtio_net_frame *frame, const uint8_t *all, size_t bytes,
                segmenter_sink sink, void *argument)
{
    static uint8_t out[SEGMENTER_BYTES];
    const size_t headers = frame->head_bytes;
    const uint8_t *ip = all + 14;
    const bool is_v6 = frame->segmentation == VIRTIO_NET_SEGMENT_TCP6;

    assert(is_v6 || frame->segmentation == VIRTIO_NET_SEGMENT_TCP4);
    assert(ip[0] >> 4 == (is_v6 ? 6 : 4) && ip[is_v6 ? 6 : 9] == 6);
    assert((is_v6 ? get16(ip + 4) + 40 : get16(ip + 2)) == bytes - 14);
    assert(is_v6 || sum_of(ip, (ip[0] & 15u) * 4, 0) == 0xffff);
    assert(frame->checksum_start == (is_v6 ? 54u : 14 + (ip[0] & 15u) * 4));
    assert(headers == frame->checksum_start + (all[frame->checksum_start + 12] >> 4) * 4u);
    assert(frame->checksum_offset == 16 && bytes > headers + frame->segment_bytes);
    uint32_t index = 0;
    for (size_t at = 0; at < bytes - headers; at += frame->segment_bytes) {
        const size_t left = bytes - headers - at;
        const size_t data = left < frame->segment_bytes ? left : frame->segment_bytes;
        write_segment(out, all, headers, frame->checksum_start, index++, at, data, data == left);
        sink(argument, out, headers + data);
    }
}

void segmenter_cut(const struct virtio_net_frame *frame, segmenter_sink sink, void *argument)
{
    static uint8_t all[SEGMENTER_BYTES];
    size_t bytes = frame->head_bytes;

    if (bytes != 0) {
        memcpy(all, frame->head, bytes);
    }
    for (uint32_t i = 0; i < frame->part_count; i++) {
        assert(frame->part[i].bytes != 0 && bytes + frame->part[i].bytes <= sizeof(all));
        memcpy(all + bytes, frame->part[i].data, frame->part[i].bytes);
        bytes += frame->part[i].bytes;
    }
    assert(bytes != 0);
    if (frame->segment_bytes != 0) {
        cut(frame, all, bytes, sink, argument);
        return;
    }
    assert(bytes <= VIRTIO_NET_FRAME_BYTES);
    if (frame->checksum_start != 0) {
        segmenter_finish_sum(all, bytes, frame->checksum_start, frame->checksum_offset);
    }
    sink(argument, all, bytes);
}
