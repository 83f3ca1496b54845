/*
 * test_network_http.c - requests in pieces of every size, and heads of responses.
 *
 * uses: kernel/decks/network/network_http_core.c kernel/decks/network/network_http_head.c
 * uses: kernel/decks/network/network_http_fetch.c kernel/decks/operations/http_request_core.c .venv/sources/llhttp/lib/api.c .venv/sources/llhttp/lib/http.c .venv/sources/llhttp/lib/llhttp.c
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernel/decks/network/network_http_core.h"
#include "kernel/decks/operations/http_request_core.h"

#define HOST "Host: a\r\n"

static struct http_budget budget = { 0, 1 << 20 };
static const struct http_limits limits = { 256, 64 };

/* Feed all of it in pieces of so many bytes. Returns what the last piece said; *taken: how many bytes went. */
static enum http_progress feed(struct http_reader *reader, const char *text, size_t piece,
                               size_t *taken)
{
    const size_t length = strlen(text);
    enum http_progress progress = HTTP_MORE;

    *taken = 0;
    while (*taken < length && (progress == HTTP_MORE || progress == HTTP_EXPECTS)) {
        size_t got = 0;
        const size_t bytes = length - *taken < piece ? length - *taken : piece;
        progress = http_reader_feed(reader, (const uint8_t *)text + *taken, bytes, &got);
        assert(got <= bytes);
        *taken += got;
    }
    return progress;
}

static bool span_is(const struct http_reader *reader, struct kwe_http_span span, const char *text)
{
    return span.length == strlen(text) &&
           memcmp(reader->record + span.offset, text, span.length) == 0;
}

static void read_record(const struct http_reader *reader, struct kwe_http_request *request)
{
    assert(http_request_read(reader->record, reader->length, request));
}

static void test_a_request_is_the_same_in_pieces_of_any_size(void)
{
    static const char text[] =
        "\r\nPOST /a%20b?q=1&r HTTP/1.1\r\nhOST:  example \r\nRange: bytes=0-9\r\n"
        "X: y\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: z\r\n\r\n";

    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct http_reader reader;
        struct kwe_http_request request;
        size_t taken;

        http_reader_init(&reader, &limits, &budget);
        assert(feed(&reader, text, piece, &taken) == HTTP_COMPLETE && taken == sizeof(text) - 1);
        read_record(&reader, &request);
        assert(request.method == KWE_HTTP_POST && request.minor == 1 && request.keep_alive == 1);
        assert(span_is(&reader, request.text[KWE_HTTP_PATH], "/a%20b"));
        assert(span_is(&reader, request.text[KWE_HTTP_QUERY], "q=1&r"));
        assert(span_is(&reader, request.text[KWE_HTTP_HOST], "example"));
        assert(span_is(&reader, request.text[KWE_HTTP_RANGE], "bytes=0-9"));
        assert(span_is(&reader, request.body, "abcde"));
        assert(request.text[KWE_HTTP_IF_RANGE].length == 0);
        http_reader_reset(&reader);
        assert(budget.used == 0);
    }
}

static void test_requests_behind_each_other_come_one_by_one(void)
{
    static const char text[] = "GET /1 HTTP/1.1\r\n" HOST "\r\n"
                               "POST /2 HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nGET "
                               "HEAD /3 HTTP/1.0\r\n\r\n";
    static const char *const path[] = { "/1", "/2", "/3" };

    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct http_reader reader;
        size_t at = 0;

        http_reader_init(&reader, &limits, &budget);
        for (int i = 0; i < 3; i++) {
            struct kwe_http_request request;
            size_t taken;
            assert(feed(&reader, text + at, piece, &taken) == HTTP_COMPLETE);
            at += taken;
            read_record(&reader, &request);
            assert(span_is(&reader, request.text[KWE_HTTP_PATH], path[i]));
            assert(request.keep_alive == (i < 2 ? 1 : 0));
            http_reader_reset(&reader);
        }
        assert(at == sizeof(text) - 1);
    }
}

static const struct refused {
    const char *text;
    uint16_t status;
} refused[] = {
    { "nonsense\r\n\r\n", 501 },
    { "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
    { "GET nowhere HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "GET * HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n" HOST " folded: b\r\n\r\n", 400 },
    { "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
    { "GET / HTTP/0.9\r\n" HOST "\r\n", 505 },
    { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
    { "BREW / HTTP/1.1\r\n" HOST "\r\n", 501 },
    { "PROPFIND / HTTP/1.1\r\n" HOST "\r\n", 501 },
    { "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 65\r\n\r\n", 413 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501 },
    { "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400 },
    { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n41\r\n"
      "0123456789012345678901234567890123456789012345678901234567890123456789",
      413 },
    { "POST / HTTP/1.1\r\n" HOST "Expect: cakes\r\n\r\n", 417 },
};

static void test_what_breaks_the_rules_is_refused_by_the_right_status(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        for (size_t piece = 1; piece < 100; piece += 7) {
            struct http_reader reader;
            size_t taken;

            http_reader_init(&reader, &limits, &budget);
            const enum http_progress progress = feed(&reader, refused[i].text, piece, &taken);
            if (progress != HTTP_REFUSED || reader.refusal != refused[i].status) {
                fprintf(stderr, "%s: %d, %u\n", refused[i].text, progress, reader.refusal);
                assert(false);
            }
            http_reader_reset(&reader);
        }
    }
    assert(budget.used == 0);
}

/* A head of so many bytes of target, fields, or one field. */
static uint16_t refusal_of(const char *first, char fill, size_t count, const char *last)
{
    char text[2048];
    struct http_reader reader;
    size_t taken;

    (void)snprintf(text, sizeof(text), "%s", first);
    const size_t begin = strlen(text);
    memset(text + begin, fill, count);
    (void)snprintf(text + begin + count, sizeof(text) - begin - count, "%s", last);
    http_reader_init(&reader, &limits, &budget);
    (void)feed(&reader, text, 10, &taken);
    const uint16_t status = reader.refusal;
    http_reader_reset(&reader);
    return status;
}

static void test_heads_that_are_too_long_are_refused(void)
{
    const char *end = " HTTP/1.1\r\n" HOST "\r\n";

    assert(refusal_of("GET /", 'a', 200, end) == 0);
    assert(refusal_of("GET /", 'a', 256, end) == 414);
    assert(refusal_of("GET / HTTP/1.1\r\n" HOST "A: ", 'a', 200, "\r\n\r\n") == 0);
    assert(refusal_of("GET / HTTP/1.1\r\n" HOST "A: ", 'a', 250, "\r\n\r\n") == 431);
    assert(refusal_of("GET / HTTP/1.1\r\n" HOST, 'a', 260, ": b\r\n\r\n") == 431);
}

static void test_a_client_that_expects_is_told_once_before_its_body(void)
{
    const char *head =
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    struct http_reader reader;
    size_t taken;

    http_reader_init(&reader, &limits, &budget);
    assert(feed(&reader, head, 1000, &taken) == HTTP_EXPECTS);
    assert(feed(&reader, "a", 1, &taken) == HTTP_MORE);
    assert(feed(&reader, "bc", 1, &taken) == HTTP_COMPLETE);
    http_reader_reset(&reader);
    assert(feed(&reader, "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", 1000, &taken) ==
           HTTP_COMPLETE);
    http_reader_reset(&reader);
}

static void test_an_absolute_target_is_its_path(void)
{
    struct http_reader reader;
    struct kwe_http_request request;
    size_t taken;

    http_reader_init(&reader, &limits, &budget);
    assert(feed(&reader, "GET http://a:80/b?c HTTP/1.1\r\n" HOST "\r\n", 5, &taken) ==
           HTTP_COMPLETE);
    read_record(&reader, &request);
    assert(span_is(&reader, request.text[KWE_HTTP_PATH], "/b"));
    assert(span_is(&reader, request.text[KWE_HTTP_QUERY], "c"));
    http_reader_reset(&reader);
}

static void test_a_spent_budget_is_503(void)
{
    struct http_budget small = { 0, 600 };
    struct http_reader reader, other;
    size_t taken;

    http_reader_init(&reader, &limits, &small);
    http_reader_init(&other, &limits, &small);
    assert(feed(&reader, "GET / HTTP/1.1\r\n", 100, &taken) == HTTP_MORE);
    assert(feed(&other, "GET / HTTP/1.1\r\n", 100, &taken) == HTTP_REFUSED && other.refusal == 503);
    http_reader_reset(&reader);
    http_reader_reset(&other);
    assert(small.used == 0);
}

static void test_a_usual_record_keeps_its_memory_for_the_next(void)
{
    struct http_budget small = { 0, 16384 };
    struct http_reader reader;
    size_t taken;
    char long_path[1024];

    http_reader_init(&reader, &(struct http_limits){ 2048, 0 }, &small);
    assert(feed(&reader, "GET /one HTTP/1.1\r\n" HOST "\r\n", 100, &taken) == HTTP_COMPLETE);
    const uint8_t *record = reader.record;
    const size_t usual = small.used;
    http_reader_next(&reader);
    assert(small.used == usual && reader.length == 0 && reader.taken == 0);

    assert(feed(&reader, "GET /2 HTTP/1.0\r\n\r\n", 100, &taken) == HTTP_COMPLETE);
    const struct kwe_http_request *request = (const void *)reader.record;
    assert(reader.record == record && small.used == usual);
    assert(request->text[KWE_HTTP_PATH].length == 2 && request->text[KWE_HTTP_HOST].length == 0);
    assert(request->minor == 0);
    http_reader_next(&reader);

    (void)snprintf(long_path, sizeof(long_path), "GET /%0900d HTTP/1.0\r\n\r\n", 0);
    assert(feed(&reader, long_path, sizeof(long_path), &taken) == HTTP_COMPLETE);
    assert(small.used > usual);
    http_reader_next(&reader);
    assert(small.used == 0 && reader.record == NULL);
}

static void test_large_requests_leave_room_for_small_ones(void)
{
    static const struct http_limits wide = { 256, 1 << 20 };
    struct http_budget small = { 0, 16384 };
    struct http_reader large, other;
    size_t taken;
    uint8_t body[9000] = { 0 };

    http_reader_init(&large, &wide, &small);
    http_reader_init(&other, &wide, &small);
    assert(feed(&large, "POST / HTTP/1.1\r\n" HOST "Content-Length: 9000\r\n\r\n", 100, &taken) ==
           HTTP_MORE);
    assert(http_reader_feed(&large, body, 4000, &taken) == HTTP_MORE);
    assert(http_reader_feed(&large, body, 5000, &taken) == HTTP_REFUSED && large.refusal == 503);
    assert(feed(&other, "GET / HTTP/1.1\r\n" HOST "\r\n", 100, &taken) == HTTP_COMPLETE);
    http_reader_reset(&large);
    http_reader_reset(&other);
}

static void test_a_record_that_lies_is_no_request(void)
{
    struct http_reader reader;
    struct kwe_http_request request;
    size_t taken;
    uint8_t record[512];

    http_reader_init(&reader, &limits, &budget);
    assert(feed(&reader, "GET /x HTTP/1.1\r\n" HOST "\r\n", 99, &taken) == HTTP_COMPLETE);
    for (size_t i = 0; i < sizeof(request); i++) {
        for (int byte = 0; byte < 256; byte += 15) {
            memcpy(record, reader.record, reader.length);
            record[i] = (uint8_t)byte;
            if (http_request_read(record, reader.length, &request)) {
                for (unsigned t = 0; t < KWE_HTTP_TEXTS; t++) {
                    assert(request.text[t].length == 0 ||
                           request.text[t].offset + (uint64_t)request.text[t].length <=
                               reader.length);
                }
            }
        }
    }
    assert(!http_request_read(reader.record, sizeof(request) - 1, &request));
    assert(!http_request_read(reader.record, sizeof(request), &request));
    http_reader_reset(&reader);
}

static void test_heads_of_responses(void)
{
    char text[HTTP_HEAD_BYTES + 1];
    const struct http_head found = {
        .status = 200, .has_length = true, .length = 5, .keep_alive = true
    };
    const struct http_head changed = { .status = 304 };
    const struct http_head open = { .status = 200, .is_chunked = true, .keep_alive = true };
    const struct http_head old = { .status = 200 };

    text[http_head(&found, text)] = '\0';
    assert(strcmp(text, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n") == 0);
    text[http_head(&changed, text)] = '\0';
    assert(strcmp(text, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n") == 0);
    text[http_head(&open, text)] = '\0';
    assert(strcmp(text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                        "Connection: keep-alive\r\n") == 0);
    text[http_head(&old, text)] = '\0';
    assert(strcmp(text, "HTTP/1.1 200 OK\r\nConnection: close\r\n") == 0);
    assert(http_has_body(200, KWE_HTTP_GET) && !http_has_body(200, KWE_HTTP_HEAD));
    assert(!http_has_body(304, KWE_HTTP_GET) && !http_has_body(204, KWE_HTTP_POST));
}

static bool valid(const char *lines)
{
    return http_lines_valid((const uint8_t *)lines, strlen(lines));
}

static void test_only_whole_lines_of_allowed_fields_go_out(void)
{
    assert(valid("") && valid("A: b\r\n") && valid("A: b\r\nC-d:\te\r\n"));
    assert(!valid("A: b") && !valid("A: b\n") && !valid("A b\r\n") && !valid(": b\r\n"));
    assert(!valid("A: b\r\n\r\n") && !valid("A: b\rC\r\n") && !valid("A: b\r\n C: d\r\n"));
    assert(!valid("content-length: 5\r\n") && !valid("A: b\r\nTransfer-Encoding: chunked\r\n"));
    assert(!valid("Connection: close\r\n") && !valid("Date: now\r\n"));
}

/* Each byte at each place of a name and of a value, whatever number of them is looked at at once. */
static void test_each_byte_of_a_line_is_looked_at(void)
{
    static const char name_marks[] = "!#$%&'*+-.^_`|~";

    for (unsigned byte = 1; byte < 256; byte++) {
        const bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        const bool is_digit = byte >= '0' && byte <= '9';
        const bool in_name = is_letter || is_digit || strchr(name_marks, (int)byte) != NULL;
        const bool in_value = byte == '\t' || (byte >= ' ' && byte != 0x7f);
        for (size_t at = 0; at < 40; at++) {
            char line[128];
            (void)snprintf(line, sizeof(line), "X%040d: %040d\r\nAge: 1\r\n", 0, 0);
            memset(line, 'n', 41);
            line[1 + at] = (char)byte;
            /* A colon ends the name: what is behind it is a value. */
            assert(valid(line) == (in_name || byte == ':'));
            line[1 + at] = '-';
            line[43 + at] = (char)byte;
            assert(valid(line) == in_value);
        }
    }
}

/* A response that comes in pieces, and then the end of the stream. */
static enum http_fetched fetch(struct http_fetch *to, const char *text, uint8_t *room, size_t bytes)
{
    enum http_fetched fetched = HTTP_FETCH_MORE;

    http_fetch_init(to, room, bytes);
    for (size_t at = 0; text[at] != '\0' && fetched == HTTP_FETCH_MORE; at++) {
        fetched = http_fetch_feed(to, (const uint8_t *)text + at, 1);
    }
    return fetched == HTTP_FETCH_MORE ? http_fetch_end(to) : fetched;
}

static bool fetches(const char *text, uint32_t status, const char *body)
{
    uint8_t room[8];
    struct http_fetch to;

    return fetch(&to, text, room, sizeof(room)) == HTTP_FETCH_WHOLE && to.status == status &&
           to.length == strlen(body) && memcmp(room, body, to.length) == 0;
}

static void test_responses_are_fetched_whole_or_not_at_all(void)
{
    uint8_t room[8];
    struct http_fetch to;

    assert(fetches("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"));
    assert(fetches("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 404,
                   "ab"));
    assert(fetches("HTTP/1.0 200 OK\r\n\r\nto end", 200, "to end"));
    assert(fetches("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 204, ""));
    assert(fetch(&to, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", room, 8) ==
           HTTP_FETCH_TOO_LARGE);
    assert(fetch(&to, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", room, 8) ==
           HTTP_FETCH_BAD);
    assert(fetch(&to, "what?", room, 8) == HTTP_FETCH_BAD);
    assert(fetch(&to, "", room, 8) == HTTP_FETCH_BAD);
}

int main(void)
{
    test_a_request_is_the_same_in_pieces_of_any_size();
    test_requests_behind_each_other_come_one_by_one();
    test_what_breaks_the_rules_is_refused_by_the_right_status();
    test_heads_that_are_too_long_are_refused();
    test_a_client_that_expects_is_told_once_before_its_body();
    test_an_absolute_target_is_its_path();
    test_a_spent_budget_is_503();
    test_a_usual_record_keeps_its_memory_for_the_next();
    test_large_requests_leave_room_for_small_ones();
    test_a_record_that_lies_is_no_request();
    test_heads_of_responses();
    test_only_whole_lines_of_allowed_fields_go_out();
    test_each_byte_of_a_line_is_looked_at();
    test_responses_are_fetched_whole_or_not_at_all();
    return 0;
}
