/*
 * network_http_connection.c - see network_http_connection.h.
 *
 * Everything here runs from lwIP's callbacks on the main loop, or on an operation's fibre between two waits; neither interrupts the other.
 * lwIP must be told by ERR_ABRT when a callback has aborted its own connection: `aborted` is set by http_abort() for that.
 */
#include "kernel/decks/network/network_http_connection.h"

#include "kernel/decks/network/network_stack.h"

#define LIFE_SHIFT  20
#define POLL_SHOTS  1u /* of lwIP's slow timer: every 500 ms */
#define BUDGET      (8u << 20)
#define PENDING_MAX 16384u /* more stays with lwIP, then with the client */
#define NS_PER_S    1000000000ull
#define LINGER_NS   (2 * NS_PER_S)
/* A body may take longer than the patience for a request when it comes at least so fast. */
#define BYTES_PER_S 4096u

/* The instance's one state; a deck is one thread. */
static struct {
    struct http_connection connection[HTTP_CONNECTIONS];
    struct http_connection *free; /* by .next */
    struct http_budget budget;
    struct network_metrics metrics;
    uint32_t generation;
    bool aborted;
} http = { .budget = { 0, BUDGET } };

void http_connections_init(uint32_t life)
{
    http.generation = life << LIFE_SHIFT;
    for (uint32_t i = HTTP_CONNECTIONS; i > 0; i--) {
        http.connection[i - 1].next = http.free;
        http.free = &http.connection[i - 1];
    }
}

const struct network_metrics *http_metrics(void)
{
    return &http.metrics;
}

uint32_t http_connection_count(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < HTTP_CONNECTIONS; i++) {
        count += http.connection[i].state != HTTP_FREE ? 1 : 0;
    }
    return count;
}

void http_count(const struct http_connection *connection, uint32_t status)
{
    network_metrics_record(&http.metrics, status, deck_now_ns() - connection->whole_ns);
}

void http_enter(struct http_connection *connection, enum http_state state)
{
    connection->state = state;
    connection->since_ns = deck_recent_ns();
}

/* ---- handles ---------------------------------------------------------------------------------------------------------------- */

uint64_t http_handle(struct http_connection *connection)
{
    connection->generation = ++http.generation;
    return (uint64_t)(connection - http.connection) | (uint64_t)connection->generation << 32;
}

struct http_connection *http_find(uint64_t handle, uint32_t workflow)
{
    const uint32_t index = (uint32_t)handle;

    if (index >= HTTP_CONNECTIONS) {
        return NULL;
    }
    struct http_connection *connection = &http.connection[index];
    const bool is_that_one =
        connection->state == HTTP_IN_HAND && connection->generation == handle >> 32;
    return is_that_one && connection->more_left == 0 && connection->server->workflow == workflow
               ? connection
               : NULL;
}

struct http_connection *http_find_begun(uint64_t handle, uint32_t workflow)
{
    struct http_connection *connection =
        (uint32_t)handle < HTTP_CONNECTIONS ? &http.connection[(uint32_t)handle] : NULL;

    if (connection == NULL || connection->generation != handle >> 32 ||
        connection->more_left == 0 || connection->server->workflow != workflow) {
        return NULL;
    }
    return connection->state == HTTP_IN_HAND || connection->state == HTTP_SENDING ? connection
                                                                                  : NULL;
}

/* ---- the end ---------------------------------------------------------------------------------------------------------------- */

static void forget_pcb(struct http_connection *connection)
{
    struct tcp_pcb *pcb = connection->pcb;

    connection->pcb = NULL;
    if (pcb != NULL) {
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_sent(pcb, NULL);
        tcp_err(pcb, NULL);
        tcp_poll(pcb, NULL, 0);
    }
}

/* What it holds besides lwIP's part. */
static void let_go(struct http_connection *connection)
{
    if (connection->state == HTTP_READY) {
        http_server_drop(connection);
    }
    if (connection->pending != NULL && connection->pcb != NULL) {
        tcp_recved(connection->pcb, connection->pending->tot_len); /* else lwIP closes by a reset */
    }
    if (connection->pending != NULL) {
        pbuf_free(connection->pending);
        connection->pending = NULL;
    }
    http_reader_reset(&connection->reader);
}

void http_free(struct http_connection *connection)
{
    let_go(connection);
    connection->state = HTTP_FREE;
    connection->more_left = 0;
    connection->next = http.free;
    http.free = connection;
    network_wake(&connection->waiters);
}

/* Without lwIP's part: one that an operation is about to answer stays until that has come, and been told. */
static void bury(struct http_connection *connection)
{
    if (connection->state == HTTP_SENDING || connection->state == HTTP_IN_HAND) {
        let_go(connection);
    } else {
        http_free(connection);
    }
    network_wake(&connection->waiters);
}

void http_abort(struct http_connection *connection)
{
    struct tcp_pcb *pcb = connection->pcb;

    forget_pcb(connection);
    if (pcb != NULL) {
        tcp_abort(pcb);
        http.aborted = true;
        connection->error = KERR_CONNECTION_CLOSED;
    }
    bury(connection);
}

/* In order: what was sent arrives. */
static void close_connection(struct http_connection *connection)
{
    struct tcp_pcb *pcb = connection->pcb;

    let_go(connection);
    forget_pcb(connection);
    if (pcb != NULL && tcp_close(pcb) != ERR_OK) {
        tcp_abort(pcb);
        http.aborted = true;
    }
    http_free(connection);
}

/*
 * No more follows; but a connection that is closed while the client still sends is reset, and the answer may be lost with it (RFC 9112,
 * 9.6): so what it sends is dropped until it has ended too.
 */
static void linger(struct http_connection *connection)
{
    let_go(connection);
    http_enter(connection, HTTP_LINGERING);
    if (connection->is_ended || tcp_shutdown(connection->pcb, 0, 1) != ERR_OK) {
        close_connection(connection);
    }
}

void http_refuse(struct http_connection *connection, uint32_t status)
{
    char text[HTTP_HEAD_BYTES + 64];
    const char *reason = http_reason(status);
    const struct http_head head = {
        .status = status, .has_length = true, .length = strlen(reason) + 1, .is_plain = true
    };
    size_t length = http_head(&head, text);

    if (connection->more_left != 0) { /* in the middle of an answer there is no place for another */
        http_abort(connection);
        return;
    }
    if (connection->state == HTTP_READING) {
        connection->whole_ns = deck_recent_ns(); /* whole it never was */
    }
    http_count(connection, status);
    if (connection->pcb == NULL) {
        http_free(connection);
        return;
    }
    memcpy(text + length, "\r\n", 2);
    length += 2;
    memcpy(text + length, reason, strlen(reason));
    length += strlen(reason);
    text[length++] = '\n';
    if (tcp_write(connection->pcb, text, (uint16_t)length, TCP_WRITE_FLAG_COPY) != ERR_OK) {
        http_abort(connection);
        return;
    }
    (void)tcp_output(connection->pcb);
    linger(connection);
}

/* ---- bytes in ----------------------------------------------------------------------------------------------------------------- */

static void request_complete(struct http_connection *connection)
{
    const struct kwe_http_request *request = (const void *)connection->reader.record;

    const struct kwe_http_span path = request->text[KWE_HTTP_PATH];
    struct http_server *server = http_server_find(
        connection->server, (const char *)connection->reader.record + path.offset, path.length);

    if (server == NULL) {
        http_refuse(connection, 404);
        return;
    }
    connection->server = server;
    connection->method = request->method;
    connection->minor = request->minor;
    connection->keep_alive = request->keep_alive != 0;
    connection->whole_ns = deck_recent_ns();
    http_enter(connection, HTTP_READY);
    network_delay_newcomers(connection->pcb);
    http_server_add(connection);
}

/* Take the first so many pending bytes away; they are read. */
static void consume(struct http_connection *connection, size_t bytes)
{
    tcp_recved(connection->pcb, (uint16_t)bytes);
    connection->pending = pbuf_free_header(connection->pending, (uint16_t)bytes);
}

static void read_some(struct http_connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct http_reader *reader = &connection->reader;
    const struct pbuf *piece = connection->pending;
    size_t taken = 0;

    while (piece->len == 0) { /* lwIP cut off what was there before; something new came behind it */
        piece = piece->next;
    }
    if (reader->taken == 0) {
        connection->since_ns = deck_recent_ns();
    }
    const enum http_progress progress =
        http_reader_feed(reader, piece->payload, piece->len, &taken);
    consume(connection, taken);
    if (progress == HTTP_COMPLETE) {
        request_complete(connection);
    } else if (progress == HTTP_REFUSED) {
        http_refuse(connection, reader->refusal);
    } else if (progress == HTTP_EXPECTS) {
        /* Without room it is not said: the client sends after a while all the same. */
        (void)tcp_write(connection->pcb, go_on, sizeof(go_on) - 1, TCP_WRITE_FLAG_COPY);
        (void)tcp_output(connection->pcb);
    }
}

/* Read what has come, as far as the state allows. */
static void advance(struct http_connection *connection)
{
    while (connection->state == HTTP_READING && connection->pending != NULL) {
        read_some(connection);
    }
    if (connection->state == HTTP_READING && connection->is_ended) {
        close_connection(connection); /* in the middle of a request there is nobody left to tell */
    }
}

static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *pbuf, err_t error)
{
    struct http_connection *connection = argument;

    (void)error;
    http.aborted = false;
    if (pbuf == NULL) {
        connection->is_ended = true;
        if (connection->state == HTTP_LINGERING) {
            close_connection(connection);
        }
    } else if (connection->state == HTTP_LINGERING) {
        tcp_recved(pcb, pbuf->tot_len);
        pbuf_free(pbuf);
    } else if (connection->pending == NULL) {
        connection->pending = pbuf;
    } else if (connection->pending->tot_len + pbuf->tot_len <= PENDING_MAX) {
        pbuf_cat(connection->pending, pbuf);
    } else {
        return ERR_MEM;
    }
    if (connection->state == HTTP_READING) {
        advance(connection);
    }
    return http.aborted ? ERR_ABRT : ERR_OK;
}

void http_answered(struct http_connection *connection, bool keep_alive)
{
    if (!keep_alive || connection->is_ended) {
        linger(connection);
        return;
    }
    http_enter(connection, HTTP_READING);
    advance(connection);
}

/* ---- what else lwIP says ------------------------------------------------------------------------------------------------------ */

static void on_error(void *argument, err_t error)
{
    struct http_connection *connection = argument;

    if (connection != NULL) {
        connection->pcb = NULL; /* gone already */
        connection->error = network_error(error);
        bury(connection);
    }
}

static err_t on_sent(void *argument, struct tcp_pcb *pcb, uint16_t bytes)
{
    struct http_connection *connection = argument;

    (void)pcb;
    connection->acknowledged += bytes;
    if (connection->state == HTTP_SENDING) {
        connection->since_ns = deck_recent_ns();
    }
    network_wake(&connection->waiters);
    return ERR_OK;
}

static uint64_t reading_limit_ns(const struct http_connection *connection)
{
    const struct http_terms *terms = &connection->server->terms;

    if (connection->reader.taken == 0) {
        return terms->idle_ns;
    }
    return terms->patience_ns + connection->reader.taken / BYTES_PER_S * NS_PER_S;
}

static void look_at_time(struct http_connection *connection)
{
    const uint64_t age_ns = deck_recent_ns() - connection->since_ns;
    const struct http_terms *terms = &connection->server->terms;

    switch (connection->state) {
    case HTTP_READING:
        if (age_ns >= reading_limit_ns(connection)) {
            if (connection->reader.taken == 0) {
                close_connection(connection);
            } else {
                http_refuse(connection, 408);
            }
        }
        break;
    case HTTP_READY:
        if (age_ns >= terms->answer_ns) {
            http_refuse(connection, 503);
        }
        break;
    case HTTP_IN_HAND:
        if (age_ns >= terms->answer_ns) {
            http_refuse(connection, 504);
        }
        break;
    case HTTP_SENDING:
        if (age_ns >= terms->stall_ns) {
            http_abort(connection);
        }
        break;
    case HTTP_LINGERING:
        if (age_ns >= LINGER_NS) {
            http_abort(connection);
        }
        break;
    case HTTP_FREE:
        break;
    }
}

static err_t on_poll(void *argument, struct tcp_pcb *pcb)
{
    (void)pcb;
    http.aborted = false;
    look_at_time(argument);
    return http.aborted ? ERR_ABRT : ERR_OK;
}

/* ---- connections that come in --------------------------------------------------------------------------------------------------- */

/*
 * How soon may its place be given to somebody else? 2: nothing happens on it, or it only waits for an operation to be told of its end.
 * 1: the client is not through with its request, which most send at once, or has its answer. 0: not at all.
 */
static uint32_t idleness(const struct http_connection *connection)
{
    switch (connection->state) {
    case HTTP_READING:
        return connection->reader.taken == 0 ? 2 : 1;
    case HTTP_IN_HAND:
        return connection->pcb == NULL ? 2 : 0;
    case HTTP_LINGERING:
        return 1;
    default:
        return 0;
    }
}

/* A place for a newcomer: a free one, or the one that is idle for longest; NULL: all are busy. So slow clients keep nobody out. */
static struct http_connection *take_place(void)
{
    struct http_connection *idle = NULL;

    for (uint32_t i = 0; http.free == NULL && i < HTTP_CONNECTIONS; i++) {
        struct http_connection *connection = &http.connection[i];
        const uint32_t more = idleness(connection);
        const uint32_t most = idle == NULL ? 0 : idleness(idle);
        if (more > most || (more != 0 && more == most && connection->since_ns < idle->since_ns)) {
            idle = connection;
        }
    }
    if (idle != NULL) {
        close_connection(idle);
    }
    struct http_connection *place = http.free;
    if (place != NULL) {
        http.free = place->next;
    }
    return place;
}

err_t http_on_accept(void *argument, struct tcp_pcb *pcb, err_t error)
{
    struct http_server *server = argument;

    if (server == NULL || pcb == NULL || error != ERR_OK) {
        return ERR_VAL;
    }
    struct http_connection *connection = take_place();
    if (connection == NULL) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    *connection =
        (struct http_connection){ .pcb = pcb, .server = server, .waiters = connection->waiters };
    const struct http_limits limits = http_server_limits(server);
    http_reader_init(&connection->reader, &limits, &http.budget);
    http_enter(connection, HTTP_READING);
    tcp_arg(pcb, connection);
    tcp_recv(pcb, on_received);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_poll, POLL_SHOTS);
    tcp_nagle_disable(pcb); /* an answer is given whole */
    return ERR_OK;
}

void http_abort_all(const struct http_server *server)
{
    for (uint32_t i = 0; i < HTTP_CONNECTIONS; i++) {
        struct http_connection *connection = &http.connection[i];
        if (connection->state != HTTP_FREE && connection->server == server) {
            http_abort(connection);
        }
    }
}
