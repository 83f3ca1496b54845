/* network_http_get.c - the client's side; see network_http.h. */
#include "kernel/decks/network/network_http.h"

#include <stdio.h>

#include "kernel/decks/network/network_http_core.h"
#include "kernel/decks/network/network_names.h"
#include "kernel/decks/network/network_sockets.h"

#define PIECE_BYTES 4096u

static bool is_printable(const uint8_t *bytes, size_t length, const char *without)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] <= ' ' || bytes[i] >= 0x7f || strchr(without, bytes[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* The request's text; 0: a part of it cannot be said. The host may be a program's bytes, and change. */
static size_t write_request(const struct http_target *target, char text[PIECE_BYTES])
{
    const struct kwe_path *path = target->path;
    uint8_t host[256];

    if (target->host.length == 0 || target->host.length >= sizeof(host) || path->length == 0 ||
        path->length > sizeof(path->bytes) || path->bytes[0] != '/') {
        return 0;
    }
    memcpy(host, target->host.data, target->host.length);
    if (!is_printable(host, target->host.length, "/?#@\\") ||
        !is_printable((const uint8_t *)path->bytes, path->length, "#")) {
        return 0;
    }
    return (size_t)snprintf(
        text, PIECE_BYTES, "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n\r\n",
        (int)path->length, path->bytes, (int)target->host.length, (const char *)host);
}

/* Receive until the response is whole. */
static enum kerr receive_response(struct deck_request *request, uint64_t socket,
                                  struct http_fetch *fetch)
{
    uint8_t piece[PIECE_BYTES];
    enum http_fetched fetched = HTTP_FETCH_MORE;

    while (fetched == HTTP_FETCH_MORE) {
        struct deck_room room = { piece, sizeof(piece), 0 };
        bool ended = false;
        enum kerr error = sockets_receive(request, socket, 1, &room, &ended);
        if (error != KERR_OK) {
            return error;
        }
        fetched = http_fetch_feed(fetch, piece, room.length);
        if (fetched == HTTP_FETCH_MORE && ended) {
            fetched = http_fetch_end(fetch);
        }
    }
    if (fetched == HTTP_FETCH_TOO_LARGE) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    return fetched == HTTP_FETCH_WHOLE ? KERR_OK : KERR_BAD_RESPONSE;
}

enum kerr http_get(struct deck_request *request, const struct http_target *target,
                   struct deck_room *data, uint32_t *status)
{
    char text[PIECE_BYTES];
    struct network_address address = target->address;
    struct http_fetch fetch;
    uint64_t socket = 0;
    const size_t length = write_request(target, text);

    if (length == 0) {
        return KERR_BAD_NAME;
    }
    enum kerr error = address.high == 0 && address.low == 0
                          ? names_resolve(request, target->host, &address)
                          : KERR_OK;
    if (error == KERR_OK) {
        error = sockets_connect(request, address, target->port, &socket);
    }
    if (error != KERR_OK) {
        return error;
    }
    http_fetch_init(&fetch, data->data, data->capacity);
    error =
        sockets_send(request, socket, (struct deck_bytes){ (const uint8_t *)text, length, false });
    if (error == KERR_OK) {
        error = receive_response(request, socket, &fetch);
    }
    (void)sockets_close(request, socket);
    data->length = fetch.length;
    *status = fetch.status;
    deck_count_copied_cache(request, fetch.length);
    return error;
}
