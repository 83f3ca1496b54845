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
 * Wait for a datagram at this port. The port is the workflow's from then on, and may be taken back
 * after 10 s without use.
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
