/*
 * network.h - the network deck's operations, as all sides see them.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/network/deck.yaml
 *   template  codegen/templates/deck_abi.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/workflow.h"

#define NETWORK_PREFIX 4u

enum {
    NETWORK_OP_NOP = 0,
    NETWORK_OP_LINK = 1,
    NETWORK_OP_ADDRESS = 2,
    NETWORK_OP_UDP_SEND = 3,
    NETWORK_OP_UDP_RECEIVE = 4,
    NETWORK_OP_TCP_CONNECT = 5,
    NETWORK_OP_TCP_LISTEN = 6,
    NETWORK_OP_TCP_ACCEPT = 7,
    NETWORK_OP_TCP_SEND = 8,
    NETWORK_OP_TCP_RECEIVE = 9,
    NETWORK_OP_TCP_CLOSE = 10,
    NETWORK_OP_RESOLVE = 11,
    NETWORK_OP_HTTP_RECEIVE = 12,
    NETWORK_OP_HTTP_SEND = 13,
    NETWORK_OP_HTTP_MORE = 14,
    NETWORK_OP_HTTP_GET = 15,
    NETWORK_OP_METRICS = 16,
};

/* ---- link ---- */

enum {
    NETWORK_LINK_VALUE_MAC = 0, /* u64 */
    NETWORK_LINK_VALUE_UP = 1,  /* u32 */
};

/* ---- address ---- */

enum {
    NETWORK_ADDRESS_VALUE_ADDRESS_HIGH = 0, /* u64 */
    NETWORK_ADDRESS_VALUE_ADDRESS_LOW = 1,  /* u64 */
};

/* ---- udp_send ---- */

enum {
    NETWORK_UDP_SEND_INPUT_DATA = 0, /* bytes */
};

/* Send the data as one datagram. from 0 is any port of the system. */
struct network_udp_send_params {
    uint64_t address_high;
    uint64_t address_low;
    uint32_t port; /* 1..65535 */
    uint32_t from; /* at most 65535 */
};
_Static_assert(offsetof(struct network_udp_send_params, address_high) == 0, "ABI");
_Static_assert(offsetof(struct network_udp_send_params, address_low) == 8, "ABI");
_Static_assert(offsetof(struct network_udp_send_params, port) == 16, "ABI");
_Static_assert(offsetof(struct network_udp_send_params, from) == 20, "ABI");
_Static_assert(sizeof(struct network_udp_send_params) == 24, "ABI");

/* Left at 0, for the caller to set or bind: address_low, port. */
static inline struct network_udp_send_params network_udp_send_defaults(void)
{
    return (struct network_udp_send_params){
        .address_high = 0u,
        .from = 0u,
    };
}

/* ---- udp_receive ---- */

enum {
    NETWORK_UDP_RECEIVE_VALUE_ADDRESS_HIGH = 0, /* u64 */
    NETWORK_UDP_RECEIVE_VALUE_ADDRESS_LOW = 1,  /* u64 */
    NETWORK_UDP_RECEIVE_VALUE_PORT = 2,         /* u32 */
};

/*
 * Wait for a datagram at this port. The port is the workflow's from then on, until its last wait
 * there is called back or 10 s pass without use.
 */
struct network_udp_receive_params {
    uint32_t port; /* 1..65535 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct network_udp_receive_params, port) == 0, "ABI");
_Static_assert(sizeof(struct network_udp_receive_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: port. */
static inline struct network_udp_receive_params network_udp_receive_defaults(void)
{
    return (struct network_udp_receive_params){ 0 };
}

/* ---- tcp_connect ---- */

enum {
    NETWORK_TCP_CONNECT_VALUE_SOCKET = 0, /* u64 */
};

/*
 * Connect. The socket is for the operations below and this workflow; it may be taken back after 10
 * s without use.
 */
struct network_tcp_connect_params {
    uint64_t address_high;
    uint64_t address_low;
    uint32_t port; /* 1..65535 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct network_tcp_connect_params, address_high) == 0, "ABI");
_Static_assert(offsetof(struct network_tcp_connect_params, address_low) == 8, "ABI");
_Static_assert(offsetof(struct network_tcp_connect_params, port) == 16, "ABI");
_Static_assert(sizeof(struct network_tcp_connect_params) == 24, "ABI");

/* Left at 0, for the caller to set or bind: address_low, port. */
static inline struct network_tcp_connect_params network_tcp_connect_defaults(void)
{
    return (struct network_tcp_connect_params){
        .address_high = 0u,
    };
}

/* ---- tcp_listen ---- */

enum {
    NETWORK_TCP_LISTEN_VALUE_SOCKET = 0, /* u64 */
};

/*
 * Take connections at this port, backlog of them before they are accepted. A workflow that does so
 * already gets the same socket.
 */
struct network_tcp_listen_params {
    uint32_t port;    /* 1..65535 */
    uint32_t backlog; /* 1..255 */
};
_Static_assert(offsetof(struct network_tcp_listen_params, port) == 0, "ABI");
_Static_assert(offsetof(struct network_tcp_listen_params, backlog) == 4, "ABI");
_Static_assert(sizeof(struct network_tcp_listen_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: port. */
static inline struct network_tcp_listen_params network_tcp_listen_defaults(void)
{
    return (struct network_tcp_listen_params){
        .backlog = 64u,
    };
}

/* ---- tcp_accept ---- */

enum {
    NETWORK_TCP_ACCEPT_VALUE_SOCKET = 0,       /* u64 */
    NETWORK_TCP_ACCEPT_VALUE_ADDRESS_HIGH = 1, /* u64 */
    NETWORK_TCP_ACCEPT_VALUE_ADDRESS_LOW = 2,  /* u64 */
    NETWORK_TCP_ACCEPT_VALUE_PORT = 3,         /* u32 */
};

/* Wait for a connection, and take it. */
struct network_tcp_accept_params {
    uint64_t socket; /* the value of tcp_listen */
};
_Static_assert(offsetof(struct network_tcp_accept_params, socket) == 0, "ABI");
_Static_assert(sizeof(struct network_tcp_accept_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: socket. */
static inline struct network_tcp_accept_params network_tcp_accept_defaults(void)
{
    return (struct network_tcp_accept_params){ 0 };
}

/* ---- tcp_send ---- */

enum {
    NETWORK_TCP_SEND_INPUT_DATA = 0, /* bytes */
};

enum {
    NETWORK_TCP_SEND_VALUE_SENT = 0, /* u64 */
};

/*
 * Send all the data. More than 8 KiB go from where they lie, and the operation ends when the other
 * side has them; less is copied.
 */
struct network_tcp_send_params {
    uint64_t socket; /* the value of tcp_connect or tcp_accept */
};
_Static_assert(offsetof(struct network_tcp_send_params, socket) == 0, "ABI");
_Static_assert(sizeof(struct network_tcp_send_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: socket. */
static inline struct network_tcp_send_params network_tcp_send_defaults(void)
{
    return (struct network_tcp_send_params){ 0 };
}

/* ---- tcp_receive ---- */

enum {
    NETWORK_TCP_RECEIVE_VALUE_RECEIVED = 0, /* u64 */
    NETWORK_TCP_RECEIVE_VALUE_ENDED = 1,    /* u32 */
};

/*
 * Wait for at_least bytes, or the end, and take what is there. ended is 1 when nothing will follow;
 * a receive that is cancelled may have taken bytes along.
 */
struct network_tcp_receive_params {
    uint64_t socket;   /* the value of tcp_connect or tcp_accept */
    uint64_t at_least; /* at least 1 */
};
_Static_assert(offsetof(struct network_tcp_receive_params, socket) == 0, "ABI");
_Static_assert(offsetof(struct network_tcp_receive_params, at_least) == 8, "ABI");
_Static_assert(sizeof(struct network_tcp_receive_params) == 16, "ABI");

/* Left at 0, for the caller to set or bind: socket. */
static inline struct network_tcp_receive_params network_tcp_receive_defaults(void)
{
    return (struct network_tcp_receive_params){
        .at_least = 1u,
    };
}

/* ---- tcp_close ---- */

/* Close a socket. What was sent still arrives. */
struct network_tcp_close_params {
    uint64_t socket; /* the value of tcp_connect, tcp_accept or tcp_listen */
};
_Static_assert(offsetof(struct network_tcp_close_params, socket) == 0, "ABI");
_Static_assert(sizeof(struct network_tcp_close_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: socket. */
static inline struct network_tcp_close_params network_tcp_close_defaults(void)
{
    return (struct network_tcp_close_params){ 0 };
}

/* ---- resolve ---- */

enum {
    NETWORK_RESOLVE_INPUT_HOST = 0, /* bytes */
};

enum {
    NETWORK_RESOLVE_VALUE_ADDRESS_HIGH = 0, /* u64 */
    NETWORK_RESOLVE_VALUE_ADDRESS_LOW = 1,  /* u64 */
};

/* ---- http_receive ---- */

enum {
    NETWORK_HTTP_RECEIVE_VALUE_CONNECTION = 0, /* u64 */
    NETWORK_HTTP_RECEIVE_VALUE_METHOD = 1,     /* u32 */
    NETWORK_HTTP_RECEIVE_VALUE_BODY_BYTES = 2, /* u64 */
};

/*
 * Wait for one whole HTTP request at this port. Connections, keep-alive, pipelining, limits and
 * refusals are the deck's business. The output is a struct kwe_http_request (kernel/abi/http.h) and
 * what it names, the body among it, chunks put together.
 */
struct network_http_receive_params {
    uint32_t port; /* 1..65535 */
    /*
     * only requests for this path or below it, as sent; several workflows may share a port, and the
     * longest path that fits counts
     */
    struct kwe_path below;
    /* of target and fields; the rest of the output's room is the body's; 256..65536 */
    uint32_t head_bytes;
    uint32_t patience_ms; /* for a request that has begun; 100..3600000 */
    uint32_t idle_ms;     /* for a request to begin; 100..3600000 */
    /* until an event takes the request, and again until http_send; 100..3600000 */
    uint32_t answer_ms;
    /*
     * without a byte of an answer that the client takes; then the connection is reset, and
     * http_send or http_more ends with it; 100..3600000
     */
    uint32_t stall_ms;
};
_Static_assert(offsetof(struct network_http_receive_params, port) == 0, "ABI");
_Static_assert(offsetof(struct network_http_receive_params, below) == 4, "ABI");
_Static_assert(offsetof(struct network_http_receive_params, head_bytes) == 260, "ABI");
_Static_assert(offsetof(struct network_http_receive_params, patience_ms) == 264, "ABI");
_Static_assert(offsetof(struct network_http_receive_params, idle_ms) == 268, "ABI");
_Static_assert(offsetof(struct network_http_receive_params, answer_ms) == 272, "ABI");
_Static_assert(offsetof(struct network_http_receive_params, stall_ms) == 276, "ABI");
_Static_assert(sizeof(struct network_http_receive_params) == 280, "ABI");

/* Left at 0, for the caller to set or bind: port. */
static inline struct network_http_receive_params network_http_receive_defaults(void)
{
    return (struct network_http_receive_params){
        .below = { .length = 1, .bytes = "/" },
        .head_bytes = 8192u,
        .patience_ms = 10000u,
        .idle_ms = 60000u,
        .answer_ms = 30000u,
        .stall_ms = 10000u,
    };
}

/* ---- http_send ---- */

enum {
    NETWORK_HTTP_SEND_INPUT_PAGE = 0, /* bytes */
    NETWORK_HTTP_SEND_INPUT_FILE = 1, /* bytes */
};

enum {
    NETWORK_HTTP_SEND_VALUE_SENT = 0, /* u64 */
    NETWORK_HTTP_SEND_VALUE_MORE = 1, /* u64 */
};

/*
 * Answer a request. The page's first head_bytes are lines of fields, each with its end; what
 * follows them, and then file, is the body. More than 8 KiB of either go from where they lie, and
 * the operation ends when the client has them; less is copied. The value more: so many bytes wait
 * for http_more now; none when there is no body, as to HEAD.
 */
struct network_http_send_params {
    uint64_t connection; /* the value of http_receive */
    uint32_t status;     /* 200..599 */
    uint32_t head_bytes; /* at most 4096 */
    /*
     * of the whole body, as Content-Length says it, sent or not (HEAD); of file no more goes out.
     * By default what page and file have
     */
    uint64_t length;
    /*
     * of it, so many come by http_more; 2^64 - 1: nobody knows how many, http_more says which part
     * is the last. Then a client that leaves is no error, and http_more tells it
     */
    uint64_t more_bytes;
    uint32_t close; /* 0 or 1 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct network_http_send_params, connection) == 0, "ABI");
_Static_assert(offsetof(struct network_http_send_params, status) == 8, "ABI");
_Static_assert(offsetof(struct network_http_send_params, head_bytes) == 12, "ABI");
_Static_assert(offsetof(struct network_http_send_params, length) == 16, "ABI");
_Static_assert(offsetof(struct network_http_send_params, more_bytes) == 24, "ABI");
_Static_assert(offsetof(struct network_http_send_params, close) == 32, "ABI");
_Static_assert(sizeof(struct network_http_send_params) == 40, "ABI");

/* Left at 0, for the caller to set or bind: connection. */
static inline struct network_http_send_params network_http_send_defaults(void)
{
    return (struct network_http_send_params){
        .status = 200u,
        .head_bytes = 0u,
        .length = UINT64_C(18446744073709551615),
        .more_bytes = 0u,
        .close = 0u,
    };
}

/* ---- http_more ---- */

enum {
    NETWORK_HTTP_MORE_INPUT_DATA = 0, /* bytes */
    NETWORK_HTTP_MORE_INPUT_HEAD = 1, /* bytes */
    NETWORK_HTTP_MORE_INPUT_TAIL = 2, /* bytes */
};

enum {
    NETWORK_HTTP_MORE_VALUE_GONE = 0, /* u32 */
};

/*
 * The next part of a body that http_send has begun: head, data and tail; parts that come too early
 * wait for their turn. The operation ends when the client has the part.
 */
struct network_http_more_params {
    uint64_t connection; /* the value of http_receive */
    uint64_t offset;     /* of what http_send left to come; by default what comes next */
    uint32_t last;       /* of a body whose length nobody knows: it ends here; 0 or 1 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct network_http_more_params, connection) == 0, "ABI");
_Static_assert(offsetof(struct network_http_more_params, offset) == 8, "ABI");
_Static_assert(offsetof(struct network_http_more_params, last) == 16, "ABI");
_Static_assert(sizeof(struct network_http_more_params) == 24, "ABI");

/* Left at 0, for the caller to set or bind: connection. */
static inline struct network_http_more_params network_http_more_defaults(void)
{
    return (struct network_http_more_params){
        .offset = UINT64_C(18446744073709551615),
        .last = 0u,
    };
}

/* ---- http_get ---- */

enum {
    NETWORK_HTTP_GET_INPUT_HOST = 0, /* bytes */
};

enum {
    NETWORK_HTTP_GET_VALUE_ANSWER = 0, /* u32 */
};

/*
 * Ask an HTTP server for a path, and wait for the whole answer; the output is its body, the answer
 * its status. An address of 0 is looked up by the host's name.
 */
struct network_http_get_params {
    struct kwe_path path; /* absolute, percent-encoded; a query may follow */
    uint64_t address_high;
    uint64_t address_low;
    uint32_t port; /* 1..65535 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct network_http_get_params, path) == 0, "ABI");
_Static_assert(offsetof(struct network_http_get_params, address_high) == 256, "ABI");
_Static_assert(offsetof(struct network_http_get_params, address_low) == 264, "ABI");
_Static_assert(offsetof(struct network_http_get_params, port) == 272, "ABI");
_Static_assert(sizeof(struct network_http_get_params) == 280, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct network_http_get_params network_http_get_defaults(void)
{
    return (struct network_http_get_params){
        .address_high = 0u,
        .address_low = 0u,
        .port = 80u,
    };
}
