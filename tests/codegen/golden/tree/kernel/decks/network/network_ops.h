/*
 * network_ops.h - network deck: the operations it answers, in deck.yaml order.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/network/deck.yaml
 *   template  codegen/templates/deck_ops.h.j2
 *   rebuild   make gen
 */
#pragma once

#include "kernel/abi/network.h"
#include "userland/libkwe/deck/deck.h"

/*
 * Each operation is a function of the deck's own. It reads its inputs where they lie, writes its output and sets
 * its length, sets its values, and returns KERR_OK or what went wrong; then output and values do not count.
 */

struct network_link_call {
    struct deck_request *request;
    uint64_t mac; /* value: set it */
    uint32_t up;  /* value: set it */
};
/*
 * The card's MAC address (first byte lowest) and whether its link is up (1) or down (0). Errors:
 * NO_DEVICE.
 */
enum kerr network_link(struct network_link_call *call);

struct network_address_call {
    struct deck_request *request;
    uint64_t address_high; /* value: set it */
    uint64_t address_low;  /* value: set it */
};
/*
 * The system's own IPv4 address, once it has one. Errors: NO_DEVICE, NETWORK_DOWN. On a fibre: may
 * wait.
 */
enum kerr network_address(struct network_address_call *call);

struct network_udp_send_call {
    struct deck_request *request;
    const struct network_udp_send_params *params;
    struct deck_bytes data; /* in: bytes */
};
/*
 * Send the data as one datagram. from 0 is any port of the system. Errors: NO_DEVICE, NETWORK_DOWN,
 * NOT_PERMITTED, PORT_IN_USE, TOO_LARGE, UNREACHABLE, TOO_MANY, NO_MEMORY. On a fibre: may wait.
 */
enum kerr network_udp_send(struct network_udp_send_call *call);

struct network_udp_receive_call {
    struct deck_request *request;
    const struct network_udp_receive_params *params;
    struct deck_room data; /* out: bytes; set .length */
    uint64_t address_high; /* value: set it */
    uint64_t address_low;  /* value: set it */
    uint32_t port;         /* value: set it */
};
/*
 * Wait for a datagram at this port. The port is the workflow's from then on, until its last wait
 * there is called back or 10 s pass without use. Errors: OUTPUT_TOO_LARGE, NO_DEVICE, NETWORK_DOWN,
 * NOT_PERMITTED, PORT_IN_USE, TOO_MANY, NO_MEMORY. On a fibre: may wait.
 */
enum kerr network_udp_receive(struct network_udp_receive_call *call);

struct network_tcp_connect_call {
    struct deck_request *request;
    const struct network_tcp_connect_params *params;
    uint64_t socket; /* value: set it */
};
/*
 * Connect. The socket is for the operations below and this workflow; it may be taken back after 10
 * s without use. Errors: NO_DEVICE, NETWORK_DOWN, NOT_PERMITTED, CONNECTION_REFUSED, UNREACHABLE,
 * TOO_MANY, NO_MEMORY. On a fibre: may wait.
 */
enum kerr network_tcp_connect(struct network_tcp_connect_call *call);

struct network_tcp_listen_call {
    struct deck_request *request;
    const struct network_tcp_listen_params *params;
    uint64_t socket; /* value: set it */
};
/*
 * Take connections at this port, backlog of them before they are accepted. A workflow that does so
 * already gets the same socket. Errors: NO_DEVICE, NETWORK_DOWN, NOT_PERMITTED, PORT_IN_USE,
 * TOO_MANY, NO_MEMORY. On a fibre: may wait.
 */
enum kerr network_tcp_listen(struct network_tcp_listen_call *call);

struct network_tcp_accept_call {
    struct deck_request *request;
    const struct network_tcp_accept_params *params;
    uint64_t socket;       /* value: set it */
    uint64_t address_high; /* value: set it */
    uint64_t address_low;  /* value: set it */
    uint32_t port;         /* value: set it */
};
/* Wait for a connection, and take it. Errors: BAD_HANDLE. On a fibre: may wait. */
enum kerr network_tcp_accept(struct network_tcp_accept_call *call);

struct network_tcp_send_call {
    struct deck_request *request;
    const struct network_tcp_send_params *params;
    struct deck_bytes data; /* in: bytes */
    uint64_t sent;          /* value: set it */
};
/*
 * Send all the data. More than 8 KiB go from where they lie, and the operation ends when the other
 * side has them; less is copied. Errors: BAD_HANDLE, CONNECTION_RESET, CONNECTION_CLOSED. On a
 * fibre: may wait.
 */
enum kerr network_tcp_send(struct network_tcp_send_call *call);

struct network_tcp_receive_call {
    struct deck_request *request;
    const struct network_tcp_receive_params *params;
    struct deck_room data; /* out: bytes; set .length */
    uint64_t received;     /* value: set it */
    uint32_t ended;        /* value: set it */
};
/*
 * Wait for at_least bytes, or the end, and take what is there. ended is 1 when nothing will follow;
 * a receive that is cancelled may have taken bytes along. Errors: OUTPUT_TOO_LARGE, BAD_HANDLE,
 * CONNECTION_RESET, CONNECTION_CLOSED. On a fibre: may wait.
 */
enum kerr network_tcp_receive(struct network_tcp_receive_call *call);

struct network_tcp_close_call {
    struct deck_request *request;
    const struct network_tcp_close_params *params;
};
/* Close a socket. What was sent still arrives. Errors: BAD_HANDLE. */
enum kerr network_tcp_close(struct network_tcp_close_call *call);

struct network_resolve_call {
    struct deck_request *request;
    struct deck_bytes host; /* in: bytes */
    uint64_t address_high;  /* value: set it */
    uint64_t address_low;   /* value: set it */
};
/*
 * The address of a host's name, which is the input; IPv4 where there are both. Errors: NO_DEVICE,
 * NETWORK_DOWN, BAD_NAME, NO_SUCH_NAME, TOO_MANY. On a fibre: may wait.
 */
enum kerr network_resolve(struct network_resolve_call *call);

struct network_http_receive_call {
    struct deck_request *request;
    const struct network_http_receive_params *params;
    struct deck_room data; /* out: bytes; set .length */
    uint64_t connection;   /* value: set it */
    uint32_t method;       /* value: set it */
    uint64_t body_bytes;   /* value: set it */
};
/*
 * Wait for one whole HTTP request at this port. Connections, keep-alive, pipelining, limits and
 * refusals are the deck's business. The output is a struct kwe_http_request (kernel/abi/http.h) and
 * what it names, the body among it, chunks put together. Errors: OUTPUT_TOO_LARGE, NO_DEVICE,
 * NETWORK_DOWN, NOT_PERMITTED, PORT_IN_USE, TOO_MANY, NO_MEMORY. On a fibre: may wait.
 */
enum kerr network_http_receive(struct network_http_receive_call *call);

struct network_http_send_call {
    struct deck_request *request;
    const struct network_http_send_params *params;
    struct deck_bytes page; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes file; /* in: bytes; .data is NULL when not bound */
    uint64_t sent;          /* value: set it */
    uint64_t more;          /* value: set it */
};
/*
 * Answer a request. The page's first head_bytes are lines of fields, each with its end; what
 * follows them, and then file, is the body. More than 8 KiB of either go from where they lie, and
 * the operation ends when the client has them; less is copied. The value more: so many bytes wait
 * for http_more now; none when there is no body, as to HEAD. Errors: BAD_HANDLE, BAD_RESPONSE,
 * CONNECTION_RESET, CONNECTION_CLOSED. On a fibre: may wait.
 */
enum kerr network_http_send(struct network_http_send_call *call);

struct network_http_more_call {
    struct deck_request *request;
    const struct network_http_more_params *params;
    struct deck_bytes data; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes head; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes tail; /* in: bytes; .data is NULL when not bound */
    uint32_t gone;          /* value: set it */
};
/*
 * The next part of a body that http_send has begun: head, data and tail; parts that come too early
 * wait for their turn. The operation ends when the client has the part. Errors: BAD_HANDLE,
 * BAD_RESPONSE, CONNECTION_RESET, CONNECTION_CLOSED. On a fibre: may wait.
 */
enum kerr network_http_more(struct network_http_more_call *call);

struct network_http_get_call {
    struct deck_request *request;
    const struct network_http_get_params *params;
    struct deck_bytes host; /* in: bytes */
    struct deck_room body;  /* out: bytes; set .length */
    uint32_t answer;        /* value: set it */
};
/*
 * Ask an HTTP server for a path, and wait for the whole answer; the output is its body, the answer
 * its status. An address of 0 is looked up by the host's name. Errors: OUTPUT_TOO_LARGE, NO_DEVICE,
 * NETWORK_DOWN, NOT_PERMITTED, BAD_NAME, NO_SUCH_NAME, CONNECTION_REFUSED, UNREACHABLE,
 * CONNECTION_RESET, CONNECTION_CLOSED, BAD_RESPONSE, TOO_MANY, NO_MEMORY. On a fibre: may wait.
 */
enum kerr network_http_get(struct network_http_get_call *call);

struct network_metrics_call {
    struct deck_request *request;
    struct deck_room text; /* out: bytes; set .length */
};
/*
 * What the system has counted, and how long requests took from their end to their answer, as
 * OpenMetrics text; a deck is named by its prefix. Errors: OUTPUT_TOO_LARGE.
 */
enum kerr network_metrics(struct network_metrics_call *call);
