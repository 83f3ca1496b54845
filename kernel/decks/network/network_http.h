/*
 * network_http.h - HTTP/1.1 for operations: whole requests in, responses out. Connections, keep-alive, pipelining and what breaks the
 * rules are looked after here; an operation sees one request and answers it.
 *
 * All of them: TIMED_OUT, CANCELLED as deck_wait() says, and what deck.yaml lists. The stack is ready.
 */
#pragma once

#include "kernel/decks/network/network_core.h"
#include "kernel/decks/network/network_metrics_core.h"
#include "userland/libkwe/deck/deck.h"

/* How long, and how much. A server has those of the workflow's newest http_receive. */
struct http_terms {
    uint32_t port;
    struct kwe_path
        below; /* requests for this path and below it; without an end in '/', so "" is all */
    uint32_t head_bytes;
    uint64_t patience_ns; /* for a request that has begun; more where many bytes come */
    uint64_t idle_ns;     /* for a request to begin */
    uint64_t answer_ns;   /* until somebody takes the request, and again until it is answered */
    uint64_t stall_ns;    /* without a byte taken of an answer */
};

/* A body of which nobody knows how long it gets. A client that leaves meanwhile is its usual end, not an error. */
#define HTTP_OPEN UINT64_MAX
/* A part that comes when it is its turn, wherever that is. */
#define HTTP_NEXT UINT64_MAX

/* What came with a request. */
struct http_received {
    uint64_t connection; /* good for one answer */
    uint8_t method;      /* enum kwe_http_method */
    uint64_t body_bytes;
};

struct http_answer {
    uint64_t connection;
    uint32_t status;
    struct deck_bytes lines;   /* of fields, each with its end */
    struct deck_bytes part[2]; /* the body, one behind the other */
    uint64_t length; /* what Content-Length says; without a body the parts need not be there */
    uint64_t more;   /* of it, so many bytes come by http_more(); HTTP_OPEN: until the last part */
    bool close;
};

/* Answers so far, the deck's own among them. */
const struct network_metrics *http_metrics(void);

/* Clients' connections. */
uint32_t http_connection_count(void);

/* `life`: how often the deck was started. */
void http_init(uint32_t life);
/* Wait for the next whole request at the port; *data: a struct kwe_http_request and what it names. */
enum kerr http_receive(struct deck_request *request, const struct http_terms *terms,
                       struct deck_room *data, struct http_received *received);
/* Answer. With an error the connection is closed; BAD_RESPONSE: the client was told 500. *more: what http_more() is to bring now. */
enum kerr http_send(struct deck_request *request, const struct http_answer *answer, uint64_t *more);

#define HTTP_PIECES 3u

/* A part of a body that http_send() has begun. */
struct http_part {
    uint64_t connection;
    uint64_t offset;                      /* of the bytes that were still to come; HTTP_NEXT */
    struct deck_bytes piece[HTTP_PIECES]; /* one behind the other */
    bool last;                            /* of an open body */
};

/* Send it when it is its turn. *gone: the client of an open body has left, and the body is over with it. */
enum kerr http_more(struct deck_request *request, const struct http_part *part, bool *gone);

struct http_target {
    struct deck_bytes host;         /* a name, or an address as text; said in Host */
    struct network_address address; /* of it; 0: look the name up */
    uint32_t port;
    const struct kwe_path *path;
};
/* Ask another system, and wait for the whole answer; *data: its body. */
enum kerr http_get(struct deck_request *request, const struct http_target *target,
                   struct deck_room *data, uint32_t *status);
