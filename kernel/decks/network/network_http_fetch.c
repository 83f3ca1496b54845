/* network_http_fetch.c - a response read by a client; see network_http_core.h. */
#include "kernel/decks/network/network_http_core.h"

#include <string.h>

static int on_body(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_fetch *fetch = parser->data;

    if (length > fetch->room - fetch->length) {
        fetch->is_too_large = true;
        return -1;
    }
    memcpy(fetch->to + fetch->length, bytes, length);
    fetch->length += length;
    return 0;
}

/* What comes before the response proper (RFC 9110, 15.2) is passed over. */
static int on_complete(llhttp_t *parser)
{
    struct http_fetch *fetch = parser->data;

    fetch->status = parser->status_code;
    fetch->is_whole = parser->status_code >= 200;
    return fetch->is_whole ? HPE_PAUSED : HPE_OK;
}

static const llhttp_settings_t callbacks = {
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void http_fetch_init(struct http_fetch *fetch, uint8_t *to, size_t room)
{
    *fetch = (struct http_fetch){ .to = to, .room = room };
    /* llhttp only reads them. */
    llhttp_init(&fetch->parser, HTTP_RESPONSE, (llhttp_settings_t *)(uintptr_t)&callbacks);
    fetch->parser.data = fetch;
}

static enum http_fetched judge(const struct http_fetch *fetch, llhttp_errno_t error)
{
    if (fetch->is_whole) {
        return HTTP_FETCH_WHOLE;
    }
    if (fetch->is_too_large) {
        return HTTP_FETCH_TOO_LARGE;
    }
    return error == HPE_OK ? HTTP_FETCH_MORE : HTTP_FETCH_BAD;
}

enum http_fetched http_fetch_feed(struct http_fetch *fetch, const uint8_t *bytes, size_t length)
{
    return judge(fetch, llhttp_execute(&fetch->parser, (const char *)bytes, length));
}

enum http_fetched http_fetch_end(struct http_fetch *fetch)
{
    const enum http_fetched fetched = judge(fetch, llhttp_finish(&fetch->parser));

    return fetched == HTTP_FETCH_MORE ? HTTP_FETCH_BAD : fetched;
}
