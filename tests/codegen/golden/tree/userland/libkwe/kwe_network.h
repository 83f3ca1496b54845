/*
 * kwe_network.h - stages of the network deck, typed, for programs.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/network/deck.yaml
 *   template  codegen/templates/kwe_deck.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>

#include "kernel/abi/event.h"
#include "kernel/abi/network.h"
#include "userland/libkwe/program/kwe.h"

/*
 * Each adds a stage and returns it; mistakes stick in the builder. `params` is copied; start from
 * the operation's _defaults(). An input is the stage whose output it is; one that comes from
 * elsewhere is given as KWE_STAGE_NONE and bound with kwe_input_event() or kwe_input_constant(); an
 * optional one may be KWE_STAGE_NONE and stay unbound, if those behind it do too.
 */

/* The card's MAC address (first byte lowest) and whether its link is up (1) or down (0). */
static inline kwe_stage_t kwe_network_link(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_LINK, NULL, 0);

    return stage;
}

/* The system's own IPv4 address, once it has one. */
static inline kwe_stage_t kwe_network_address(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_ADDRESS, NULL, 0);

    return stage;
}

/* Send the data as one datagram. from 0 is any port of the system. */
static inline kwe_stage_t kwe_network_udp_send(struct kwe_builder *builder, const char *name,
                                               kwe_stage_t data,
                                               const struct network_udp_send_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_UDP_SEND, params, sizeof(*params));

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_UDP_SEND_INPUT_DATA, data);
    }
    return stage;
}

/*
 * Wait for a datagram at this port. The port is the workflow's from then on, until its last wait
 * there is called back or 10 s pass without use.
 */
static inline kwe_stage_t kwe_network_udp_receive(struct kwe_builder *builder, const char *name,
                                                  const struct network_udp_receive_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_UDP_RECEIVE, params, sizeof(*params));

    return stage;
}

/*
 * Connect. The socket is for the operations below and this workflow; it may be taken back after 10
 * s without use.
 */
static inline kwe_stage_t kwe_network_tcp_connect(struct kwe_builder *builder, const char *name,
                                                  const struct network_tcp_connect_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_TCP_CONNECT, params, sizeof(*params));

    return stage;
}

/*
 * Take connections at this port, backlog of them before they are accepted. A workflow that does so
 * already gets the same socket.
 */
static inline kwe_stage_t kwe_network_tcp_listen(struct kwe_builder *builder, const char *name,
                                                 const struct network_tcp_listen_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_TCP_LISTEN, params, sizeof(*params));

    return stage;
}

/* Wait for a connection, and take it. */
static inline kwe_stage_t kwe_network_tcp_accept(struct kwe_builder *builder, const char *name,
                                                 const struct network_tcp_accept_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_TCP_ACCEPT, params, sizeof(*params));

    return stage;
}

/*
 * Send all the data. More than 8 KiB go from where they lie, and the operation ends when the other
 * side has them; less is copied.
 */
static inline kwe_stage_t kwe_network_tcp_send(struct kwe_builder *builder, const char *name,
                                               kwe_stage_t data,
                                               const struct network_tcp_send_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_TCP_SEND, params, sizeof(*params));

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_TCP_SEND_INPUT_DATA, data);
    }
    return stage;
}

/*
 * Wait for at_least bytes, or the end, and take what is there. ended is 1 when nothing will follow;
 * a receive that is cancelled may have taken bytes along.
 */
static inline kwe_stage_t kwe_network_tcp_receive(struct kwe_builder *builder, const char *name,
                                                  const struct network_tcp_receive_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_TCP_RECEIVE, params, sizeof(*params));

    return stage;
}

/* Close a socket. What was sent still arrives. */
static inline kwe_stage_t kwe_network_tcp_close(struct kwe_builder *builder, const char *name,
                                                const struct network_tcp_close_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_TCP_CLOSE, params, sizeof(*params));

    return stage;
}

/* The address of a host's name, which is the input; IPv4 where there are both. */
static inline kwe_stage_t kwe_network_resolve(struct kwe_builder *builder, const char *name,
                                              kwe_stage_t host)
{
    kwe_stage_t stage = kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_RESOLVE, NULL, 0);

    if (host.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_RESOLVE_INPUT_HOST, host);
    }
    return stage;
}

/*
 * Wait for one whole HTTP request at this port. Connections, keep-alive, pipelining, limits and
 * refusals are the deck's business. The output is a struct kwe_http_request (kernel/abi/http.h) and
 * what it names, the body among it, chunks put together.
 */
static inline kwe_stage_t kwe_network_http_receive(struct kwe_builder *builder, const char *name,
                                                   const struct network_http_receive_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_HTTP_RECEIVE, params, sizeof(*params));

    return stage;
}

/*
 * Answer a request. The page's first head_bytes are lines of fields, each with its end; what
 * follows them, and then file, is the body. More than 8 KiB of either go from where they lie, and
 * the operation ends when the client has them; less is copied. The value more: so many bytes wait
 * for http_more now; none when there is no body, as to HEAD.
 */
static inline kwe_stage_t kwe_network_http_send(struct kwe_builder *builder, const char *name,
                                                kwe_stage_t page, kwe_stage_t file,
                                                const struct network_http_send_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_HTTP_SEND, params, sizeof(*params));

    if (page.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_HTTP_SEND_INPUT_PAGE, page);
    }
    if (file.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_HTTP_SEND_INPUT_FILE, file);
    }
    return stage;
}

/*
 * The next part of a body that http_send has begun: head, data and tail; parts that come too early
 * wait for their turn. The operation ends when the client has the part.
 */
static inline kwe_stage_t kwe_network_http_more(struct kwe_builder *builder, const char *name,
                                                kwe_stage_t data, kwe_stage_t head,
                                                kwe_stage_t tail,
                                                const struct network_http_more_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_HTTP_MORE, params, sizeof(*params));

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_HTTP_MORE_INPUT_DATA, data);
    }
    if (head.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_HTTP_MORE_INPUT_HEAD, head);
    }
    if (tail.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_HTTP_MORE_INPUT_TAIL, tail);
    }
    return stage;
}

/*
 * Ask an HTTP server for a path, and wait for the whole answer; the output is its body, the answer
 * its status. An address of 0 is looked up by the host's name.
 */
static inline kwe_stage_t kwe_network_http_get(struct kwe_builder *builder, const char *name,
                                               kwe_stage_t host,
                                               const struct network_http_get_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_HTTP_GET, params, sizeof(*params));

    if (host.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, NETWORK_HTTP_GET_INPUT_HOST, host);
    }
    return stage;
}

/*
 * What the system has counted, and how long requests took from their end to their answer, as
 * OpenMetrics text; a deck is named by its prefix.
 */
static inline kwe_stage_t kwe_network_metrics(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_METRICS, NULL, 0);

    return stage;
}
