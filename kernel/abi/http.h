/*
 * http.h - one HTTP request as Network's http_receive leaves it and later stages read it.
 *
 *   struct kwe_http_request | texts, one behind the other | body, chunks already put together
 *
 * Whoever reads one checks it first, by http_request_read() in Operations, say: it comes from another fault domain.
 */
#pragma once

#include <stdint.h>

#define KWE_HTTP_MAGIC 0x5148574bu /* "KWHQ" */

enum kwe_http_method {
    KWE_HTTP_GET = 1,
    KWE_HTTP_HEAD = 2,
    KWE_HTTP_POST = 3,
    KWE_HTTP_PUT = 4,
    KWE_HTTP_DELETE = 5,
    KWE_HTTP_OPTIONS = 6,
    KWE_HTTP_PATCH = 7,
};
#define KWE_HTTP_METHODS 8u /* numbers up to here */

/* Which texts a request carries; of a field that came more than once, the first. */
enum kwe_http_text {
    KWE_HTTP_PATH = 0,  /* as sent, still percent-encoded; begins with '/', or is "*" */
    KWE_HTTP_QUERY = 1, /* behind the '?' */
    KWE_HTTP_HOST = 2,
    KWE_HTTP_RANGE = 3,
    KWE_HTTP_IF_RANGE = 4,
    KWE_HTTP_IF_NONE_MATCH = 5,
    KWE_HTTP_IF_MODIFIED_SINCE = 6,
    KWE_HTTP_CONTENT_TYPE = 7,
};
#define KWE_HTTP_TEXTS 8u

/* Bytes of the record; length 0: there is none. */
struct kwe_http_span {
    uint32_t offset, length;
};

struct kwe_http_request {
    uint32_t magic;
    uint8_t method;     /* enum kwe_http_method */
    uint8_t minor;      /* of HTTP/1.x: 0 or 1 */
    uint8_t keep_alive; /* 1: the client will ask again on this connection */
    uint8_t reserved;
    struct kwe_http_span text[KWE_HTTP_TEXTS];
    struct kwe_http_span body;
};
_Static_assert(sizeof(struct kwe_http_request) == 80, "ABI");
