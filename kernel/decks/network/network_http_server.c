/*
 * network_http_server.c - ports that workflows serve, and the requests that wait for an event; see network_http.h.
 *
 * Nothing is held for an event before its request is whole: slow clients cost places in the table of connections, not events.
 */
#include "kernel/decks/network/network_http_connection.h"

#include "kernel/abi/http.h"
#include "kernel/decks/network/network_stack.h"

#define BACKLOG 255u
/*
 * A server that nobody waits at for so long may be taken by another workflow: its events may all be at work. At once when the last that
 * waited was called back, as all are when their workflow goes.
 */
#define IDLE_NS 10000000000ull

/* The instance's one state; a deck is one thread. */
static struct http_server servers[HTTP_SERVERS];

void http_init(uint32_t life)
{
    http_connections_init(life);
}

/* ---- the queue of whole requests ---------------------------------------------------------------------------------------------- */

void http_server_add(struct http_connection *connection)
{
    struct http_server *server = connection->server;

    connection->next = NULL;
    if (server->first == NULL) {
        server->first = connection;
    } else {
        server->last->next = connection;
    }
    server->last = connection;
    network_wake_one(&server->waiters);
}

void http_server_drop(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct http_connection *before = NULL;

    for (struct http_connection *at = server->first; at != connection; at = at->next) {
        before = at;
    }
    if (before == NULL) {
        server->first = connection->next;
    } else {
        before->next = connection->next;
    }
    server->last = server->last == connection ? before : server->last;
}

/* ---- ports -------------------------------------------------------------------------------------------------------------------- */

static enum kerr bind_server(struct http_server *server, uint32_t port)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    err_t error = ERR_MEM;

    if (pcb == NULL) {
        return KERR_NO_MEMORY;
    }
    ip_set_option(pcb, SOF_REUSEADDR); /* closed connections at this port linger a while */
    error = tcp_bind(pcb, IP_ANY_TYPE, (uint16_t)port);
    struct tcp_pcb *listening =
        error == ERR_OK ? tcp_listen_with_backlog_and_err(pcb, BACKLOG, &error) : NULL;
    if (listening == NULL) {
        (void)tcp_close(pcb);
        return network_error(error);
    }
    server->pcb = listening;
    tcp_arg(listening, server);
    tcp_accept(listening, http_on_accept);
    return KERR_OK;
}

static bool is_forgotten(const struct http_server *server)
{
    return server->users == 0 && (server->is_left || deck_recent_ns() - server->used_ns >= IDLE_NS);
}

static bool is_at(const struct http_server *server, uint32_t port)
{
    return server->pcb != NULL && server->terms.port == port;
}

static bool is_below(const struct kwe_path *below, const char *path, size_t length)
{
    return below->length == 0 ||
           (length >= below->length && memcmp(path, below->bytes, below->length) == 0 &&
            (length == below->length || path[below->length] == '/'));
}

static bool same_path(const struct kwe_path *one, const struct kwe_path *other)
{
    return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
}

struct http_server *http_server_find(const struct http_server *at, const char *path, size_t length)
{
    struct http_server *found = NULL;

    for (uint32_t i = 0; i < HTTP_SERVERS; i++) {
        struct http_server *server = &servers[i];
        const struct kwe_path *below = &server->terms.below;
        if (is_at(server, at->terms.port) && is_below(below, path, length) &&
            (found == NULL || below->length > found->terms.below.length)) {
            found = server;
        }
    }
    return found;
}

struct http_limits http_server_limits(const struct http_server *at)
{
    struct http_limits limits = { at->terms.head_bytes, at->body_bytes };

    for (uint32_t i = 0; i < HTTP_SERVERS; i++) {
        const struct http_server *server = &servers[i];
        if (is_at(server, at->terms.port)) {
            const uint32_t head_bytes = server->terms.head_bytes;
            limits.head_bytes = head_bytes > limits.head_bytes ? head_bytes : limits.head_bytes;
            limits.body_bytes =
                server->body_bytes > limits.body_bytes ? server->body_bytes : limits.body_bytes;
        }
    }
    return limits;
}

/* The place of just these terms, or a free one; NULL: there is none. */
static struct http_server *find_place(const struct http_terms *terms)
{
    struct http_server *free = NULL;

    for (uint32_t i = 0; i < HTTP_SERVERS; i++) {
        if (servers[i].pcb == NULL) {
            free = &servers[i];
        } else if (is_at(&servers[i], terms->port) &&
                   same_path(&servers[i].terms.below, &terms->below)) {
            return &servers[i];
        }
    }
    return free;
}

/* A port has one listener, whoever was the first to want it. */
static enum kerr listen_at(struct http_server *server, uint32_t port)
{
    for (uint32_t i = 0; i < HTTP_SERVERS; i++) {
        if (is_at(&servers[i], port)) {
            server->pcb = servers[i].pcb;
            return KERR_OK;
        }
    }
    return bind_server(server, port);
}

/* The workflow's server for these terms, which begins when it is none yet. */
static enum kerr take_server(uint32_t workflow, const struct http_terms *terms, uint64_t body_bytes,
                             struct http_server **taken)
{
    struct http_server *server = find_place(terms);
    enum kerr error = KERR_OK;

    if (server == NULL) {
        return KERR_TOO_MANY;
    }
    if (server->pcb != NULL && server->workflow != workflow) {
        if (!is_forgotten(server)) {
            return KERR_PORT_IN_USE;
        }
        http_abort_all(server);
    }
    if (server->pcb == NULL) {
        *server = (struct http_server){ .waiters = server->waiters };
        error = listen_at(server, terms->port);
    }
    server->workflow = workflow;
    server->terms = *terms;
    server->body_bytes = body_bytes;
    server->used_ns = deck_recent_ns();
    server->is_left = false;
    *taken = server;
    return error;
}

/* ---- requests for events ---------------------------------------------------------------------------------------------------------- */

/* The oldest request goes to the operation. False: it does not fit there, and was refused. */
static bool hand_over(struct http_server *server, struct deck_request *request,
                      struct deck_room *data, struct http_received *received)
{
    struct http_connection *connection = server->first;
    const struct http_reader *reader = &connection->reader;
    const struct kwe_http_request *record = (const void *)reader->record;

    if (reader->length > data->capacity) {
        http_refuse(connection, 413);
        return false;
    }
    http_server_drop(connection);
    memcpy(data->data, reader->record, reader->length);
    data->length = reader->length;
    deck_count_copied_cache(request, reader->length);
    received->method = connection->method;
    received->body_bytes = record->body.length;
    http_enter(connection, HTTP_IN_HAND);
    http_reader_next(&connection->reader);
    tcp_backlog_accepted(connection->pcb);
    received->connection = http_handle(connection);
    return true;
}

enum kerr http_receive(struct deck_request *request, const struct http_terms *terms,
                       struct deck_room *data, struct http_received *received)
{
    const uint64_t head_bytes = sizeof(struct kwe_http_request) + terms->head_bytes;
    struct http_server *server = NULL;

    if (data->capacity < head_bytes) {
        data->length = head_bytes;
        return KERR_OUTPUT_TOO_LARGE;
    }
    enum kerr error =
        take_server(deck_workflow(request), terms, data->capacity - head_bytes, &server);
    while (error == KERR_OK) {
        if (server->first != NULL && hand_over(server, request, data, received)) {
            break;
        }
        if (server->first == NULL) {
            deck_armed(request);
            server->users++; /* it stays the workflow's meanwhile */
            error = network_wait(request, &server->waiters, UINT64_MAX);
            server->users--;
            server->is_left = error == KERR_CANCELLED;
            server->used_ns = deck_recent_ns();
        }
    }
    if (server != NULL && server->first != NULL) {
        network_wake_one(&server->waiters); /* whoever wanted this one may have been given up */
    }
    return error;
}
