/*
 * network_http_core.h - HTTP/1.1's messages (RFC 9110, 9112), pure: requests read from a stream in pieces of any size, by llhttp, and the
 * head of a response.
 *
 *   bytes --http_reader_feed()--> HTTP_MORE | HTTP_EXPECTS | HTTP_COMPLETE: .record is the request | HTTP_REFUSED: .refusal says why
 *
 * What a record needs is taken from a budget that all readers share: with many connections the sum is what counts.
 */
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/http.h"

/* ---- requests --------------------------------------------------------------------------------------------------------------- */

enum http_progress {
    HTTP_MORE,
    HTTP_EXPECTS,  /* the client waits for "100 Continue" before it sends the body */
    HTTP_COMPLETE, /* exactly one request; bytes behind it were not taken */
    HTTP_REFUSED,  /* nothing that follows can be believed: answer .refusal, and close */
};

/* Bytes for the records of all readers; large ones take half of them at most. */
struct http_budget {
    size_t used, most;
};

struct http_limits {
    uint32_t head_bytes; /* of the target and all fields together */
    uint64_t body_bytes; /* chunks put together */
};

#define HTTP_NAME_BYTES 20u /* a field's name that is longer is none that matters here */

struct http_reader {
    llhttp_t parser;
    struct http_limits limits;
    struct http_budget *budget;
    uint8_t *record; /* grows with what comes; a struct kwe_http_request stands first */
    size_t length, capacity;
    uint64_t taken;     /* bytes of the stream since the request began; 0: it has not */
    uint32_t head_left; /* of limits.head_bytes */
    uint16_t refusal;   /* the status to answer; 0: none */
    uint8_t field;      /* which of the fields that matter is being read */
    uint8_t name_length;
    bool name_ended;
    bool head_ended, has_host, has_coding, expects;
    char name[HTTP_NAME_BYTES];
    struct kwe_http_span value; /* of the field being read */
};

/* Ready for a first request; `budget` outlives the reader. */
void http_reader_init(struct http_reader *reader, const struct http_limits *limits,
                      struct http_budget *budget);
/* Ready for another request: the record's memory goes back. */
void http_reader_reset(struct http_reader *reader);
/* The same for the next one of the same stream: memory for a usual record stays, or each request would map and unmap a page. */
void http_reader_next(struct http_reader *reader);
/* Take bytes of the stream; *taken says how many. After HTTP_COMPLETE or HTTP_REFUSED only these two are allowed. */
enum http_progress http_reader_feed(struct http_reader *reader, const uint8_t *bytes, size_t length,
                                    size_t *taken);

/* ---- responses -------------------------------------------------------------------------------------------------------------- */

#define HTTP_HEAD_BYTES 512u /* enough for what http_head() writes */

struct http_head {
    uint32_t status;
    bool has_length; /* false: the status has no body, or nobody knows how long it gets */
    bool is_chunked; /* ... and each part says its own length */
    uint64_t length;
    bool keep_alive;
    bool is_plain; /* "Content-Type: text/plain" is told: there are no lines from elsewhere */
};

/* The status line and the deck's own fields, without the empty line at the end. Returns how many bytes. */
size_t http_head(const struct http_head *head, char text[HTTP_HEAD_BYTES]);
/* The status' words; "Status" for a number that has none. */
const char *http_reason(uint32_t status);
/* Does a response of this status have a body, in answer to this method? */
bool http_has_body(uint32_t status, uint8_t method);
/*
 * Are these whole lines of fields, "name: value\r\n" each, and none of those that frame the message (Content-Length, Transfer-Encoding,
 * Connection, Date)? Nothing else may stand in a head: whoever made the lines could else make up a second response.
 */
bool http_lines_valid(const uint8_t *lines, size_t length);

/* ---- responses, read by a client ---------------------------------------------------------------------------------------------- */

enum http_fetched {
    HTTP_FETCH_MORE,
    HTTP_FETCH_WHOLE,
    HTTP_FETCH_TOO_LARGE,
    HTTP_FETCH_BAD, /* it is not HTTP, or ended too early */
};

struct http_fetch {
    llhttp_t parser;
    uint8_t *to; /* the body */
    size_t room, length;
    uint32_t status;
    bool is_whole, is_too_large;
};

void http_fetch_init(struct http_fetch *fetch, uint8_t *to, size_t room);
enum http_fetched http_fetch_feed(struct http_fetch *fetch, const uint8_t *bytes, size_t length);
/* The other side has ended the stream. */
enum http_fetched http_fetch_end(struct http_fetch *fetch);
