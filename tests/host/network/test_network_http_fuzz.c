/*
 * test_network_http_fuzz.c - streams of damaged requests: read in one piece or in many they are the same requests, each record is one that
 * Operations believes, and nothing is read, written or kept that should not be (the sanitizers look on).
 *
 *   test_network_http_fuzz [ROUNDS [SEED]]
 *
 * uses: kernel/decks/network/network_http_core.c kernel/decks/network/network_http_head.c
 * uses: kernel/decks/network/network_http_fetch.c
 * uses: kernel/decks/operations/http_request_core.c kernel/decks/operations/http_route_core.c
 * uses: kernel/decks/operations/http_form_core.c kernel/decks/operations/http_render_core.c
 * uses: .venv/sources/llhttp/lib/api.c .venv/sources/llhttp/lib/http.c .venv/sources/llhttp/lib/llhttp.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/decks/network/network_http_core.h"
#include "kernel/decks/operations/http_render_core.h"

#define ROUNDS       40000u
#define STREAM_BYTES 4096u
#define REQUESTS_MAX 64u

static const char *const parts[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /sub/x.html?y=z HTTP/1.1\r\nhost:b\r\nRange: bytes=1-5\r\nIf-None-Match: \"1-2\", "
    "W/\"3\"\r\n\r\n",
    "POST /book HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 11\r\n\r\na=b%20&c=%ff",
    "POST /book HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "GET http://h:1/p HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 99999999999999999999\r\n",
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static const char routes[] =
    "GET / file /www/index.html\nPOST /book change /b\nGET,POST /... file /www\n";

static const struct http_limits limits = { 512, 256 };

struct stream {
    uint8_t bytes[STREAM_BYTES];
    size_t length;
};

/* What a stream turned out to be: the requests' records one behind the other, and how it ended. */
struct outcome {
    uint8_t records[REQUESTS_MAX * 1024];
    size_t length;
    uint32_t count;
    uint16_t refusal;
};

static size_t below(size_t most)
{
    return (size_t)rand() % most;
}

static void make_stream(struct stream *stream)
{
    stream->length = 0;
    for (size_t i = 1 + below(6); i > 0; i--) {
        const char *part = parts[below(PARTS)];
        const size_t length = below(8) == 0 ? below(strlen(part)) : strlen(part);
        memcpy(stream->bytes + stream->length, part, length);
        stream->length += length;
    }
    for (size_t i = stream->length == 0 ? 0 : below(5); i > 0; i--) {
        const uint8_t likely[] = { '\r', '\n', ' ', ':', '%', '/', '0', 'f', ';', 0, 0xff, ',' };
        stream->bytes[below(stream->length)] =
            below(2) == 0 ? (uint8_t)rand() : likely[below(sizeof(likely))];
    }
}

/* Whatever stands in a record that is one: the stages behind take it. */
static void use_record(const uint8_t *record, size_t length)
{
    static char page_bytes[2048];
    struct kwe_http_request request;
    struct http_page page = { .text = { .bytes = page_bytes, .capacity = sizeof(page_bytes) } };
    struct http_text line = { .bytes = page_bytes, .capacity = sizeof(page_bytes) };
    const struct http_outcome outcome = { .size = below(100), .loaded = below(100), .mtime = 5 };

    assert(http_request_read(record, length, &request));
    static struct http_table table;

    assert(http_table_read(&table, (struct http_words){ routes, sizeof(routes) - 1 }) == KERR_OK);
    assert(http_render(record, length, &table, &outcome, &page) == KERR_OK);
    assert(http_lines_valid((const uint8_t *)page_bytes, page.head_bytes));
    (void)http_form(record, length, &line);
}

static void keep(struct outcome *outcome, const struct http_reader *reader)
{
    assert(reader->length <=
           sizeof(struct kwe_http_request) + limits.head_bytes + limits.body_bytes);
    memcpy(outcome->records + outcome->length, reader->record, reader->length);
    outcome->length += reader->length;
    outcome->count++;
}

/* Read the stream in pieces of at most so many bytes, each in memory of exactly its size. */
static void read_stream(const struct stream *stream, size_t most, struct outcome *outcome)
{
    struct http_budget budget = { 0, 1 << 16 };
    struct http_reader reader;
    size_t at = 0;

    *outcome = (struct outcome){ .length = 0 };
    http_reader_init(&reader, &limits, &budget);
    while (at < stream->length && outcome->refusal == 0) {
        const size_t left = stream->length - at;
        const size_t bytes = most < left ? most : left;
        uint8_t *piece = malloc(bytes);
        size_t taken = 0;
        memcpy(piece, stream->bytes + at, bytes);
        const enum http_progress progress = http_reader_feed(&reader, piece, bytes, &taken);
        free(piece);
        assert(taken <= bytes && (taken != 0 || progress == HTTP_REFUSED));
        at += taken;
        if (progress == HTTP_COMPLETE) {
            keep(outcome, &reader);
            use_record(reader.record, reader.length);
            http_reader_next(&reader);
        } else if (progress == HTTP_REFUSED) {
            outcome->refusal = reader.refusal;
            assert(reader.refusal >= 400 && reader.refusal < 600);
        }
    }
    http_reader_reset(&reader);
    assert(budget.used == 0);
}

static void fetch_stream(const struct stream *stream)
{
    uint8_t room[64];
    struct http_fetch fetch;

    http_fetch_init(&fetch, room, sizeof(room));
    if (http_fetch_feed(&fetch, stream->bytes, stream->length) == HTTP_FETCH_MORE) {
        (void)http_fetch_end(&fetch);
    }
    assert(fetch.length <= sizeof(room));
}

int main(int argc, char **argv)
{
    const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS;
    static struct outcome whole, pieces;
    static struct stream stream;
    unsigned long requests = 0;

    srand(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1);
    for (unsigned long round = 0; round < rounds; round++) {
        make_stream(&stream);
        read_stream(&stream, STREAM_BYTES, &whole);
        read_stream(&stream, 1 + below(20), &pieces);
        assert(whole.count == pieces.count && whole.refusal == pieces.refusal);
        assert(whole.length == pieces.length &&
               memcmp(whole.records, pieces.records, whole.length) == 0);
        fetch_stream(&stream);
        requests += whole.count;
    }
    assert(requests > rounds / 4); /* not all of it is refused */
    return 0;
}
