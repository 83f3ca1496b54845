/*
 * network_http_connection.h - one client's connection: what comes in on it, and in which state it is. For network_http_*.c only.
 *
 *   READING --a whole request--> READY --http_receive--> IN_HAND --http_send--> SENDING --+--> READING (keep-alive)
 *      |                           |                        |                             |
 *      +--- breaks the rules, too slow, nobody answers: the deck answers by itself -------+--> LINGERING --> FREE
 *
 * A body may come in parts: then IN_HAND and SENDING take turns until it is whole, or, of an open one, until its last part or until the
 * client leaves.
 *
 * Only READING takes bytes: one request of a connection is in the system at a time, so answers come in order, and a client that sends
 * faster than it is answered finds its window closed.
 */
#pragma once

#include "kernel/decks/network/network_http.h"
#include "kernel/decks/network/network_http_core.h"
#include "kernel/decks/network/network_wait.h"
#include <lwip/tcp.h>

#define HTTP_CONNECTIONS 1024u
#define HTTP_SERVERS     16u

struct http_connection;

/* What a workflow serves: a port, or the paths there that begin in one way. */
struct http_server {
    struct tcp_pcb *pcb; /* the port's one listener; NULL: this place is free */
    uint32_t workflow;
    struct http_terms terms;
    uint64_t body_bytes; /* of a request, at most */
    uint64_t used_ns;
    uint32_t users;                       /* operations that wait */
    bool is_left;                         /* the last of them was called back */
    struct http_connection *first, *last; /* READY ones, in order */
    struct network_waiters waiters;       /* for one to become so */
};

enum http_state {
    HTTP_FREE,
    HTTP_READING,
    HTTP_READY,
    HTTP_IN_HAND,
    HTTP_SENDING,
    HTTP_LINGERING, /* answered, and told that no more follows: what still comes is dropped */
};

struct http_connection {
    enum http_state state;
    struct tcp_pcb *pcb; /* NULL: lwIP has ended it, .error says why */
    enum kerr error;
    struct http_server *server;   /* of the request in hand; before the first: one of the port's */
    struct http_connection *next; /* while READY */
    struct http_reader reader;
    struct pbuf *pending; /* came, not read yet */
    bool is_ended;        /* the client sends no more */
    bool keep_alive;      /* the request in hand allows it */
    uint8_t method;       /* ... and is of this kind */
    uint8_t minor;        /* ... of HTTP/1.x */
    uint32_t generation;  /* of the handle that answers the request in hand */
    uint64_t whole_ns;    /* when the request in hand was */
    uint64_t since_ns;    /* in this state; READING: since the request began, or the last answer */
    uint64_t more_at, more_left;    /* IN_HAND, SENDING: of a body that comes in parts; HTTP_OPEN */
    bool more_keep_alive;           /* ... and what is to come of the connection then */
    bool is_chunked;                /* each of them says its length */
    uint64_t queued, acknowledged;  /* bytes given to lwIP, and that have arrived */
    struct network_waiters waiters; /* while SENDING: for whatever changes here */
};

/* `life` as in http_init(). */
void http_connections_init(uint32_t life);
/* lwIP's, for a listener whose argument is its struct http_server. */
err_t http_on_accept(void *argument, struct tcp_pcb *pcb, err_t error);
/* To another state, from now on. */
void http_enter(struct http_connection *connection, enum http_state state);
/* The handle that answers the request in hand. Those given before are void. */
uint64_t http_handle(struct http_connection *connection);
/* The connection whose request the workflow has in hand by this handle; NULL: there is none. */
struct http_connection *http_find(uint64_t handle, uint32_t workflow);
/* The same when its answer has been begun, and its body is still coming. */
struct http_connection *http_find_begun(uint64_t handle, uint32_t workflow);
/* The request is answered: read the next one, or close. */
void http_answered(struct http_connection *connection, bool keep_alive);
/* It was answered by this status: for the metrics. */
void http_count(const struct http_connection *connection, uint32_t status);
/* The deck's own answer, and the end of the connection. */
void http_refuse(struct http_connection *connection, uint32_t status);
/* End it at once, and tell the client so. Its place is free, but for a SENDING one: that is its operation's to free. */
void http_abort(struct http_connection *connection);
/* SENDING is over, and the connection with it. */
void http_free(struct http_connection *connection);
/* All connections of a server, at once. */
void http_abort_all(const struct http_server *server);

/* network_http_server.c: a READY one for the server's queue, or out of it. */
void http_server_add(struct http_connection *connection);
void http_server_drop(struct http_connection *connection);
/* The server at the port of this one to which the path belongs; NULL: there is none. */
struct http_server *http_server_find(const struct http_server *at, const char *path, size_t length);
/* What a request there may be, whoever it turns out to be for. */
struct http_limits http_server_limits(const struct http_server *at);
