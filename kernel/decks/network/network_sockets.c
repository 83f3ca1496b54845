/*
 * network_sockets.c - see network_sockets.h.
 *
 * lwIP calls back from the main loop, operations run on fibres, and neither interrupts the other. A callback notes what came and wakes who
 * waits at the socket; the operation then looks the socket up anew, since it may have been closed meanwhile.
 */
#include "kernel/decks/network/network_sockets.h"

#include "kernel/decks/network/network_lanes.h"
#include "kernel/decks/network/network_stack.h"
#include "kernel/decks/network/network_wait.h"
#include "userland/libkwe/deck/handles.h"
#include <lwip/tcp.h>

#define SOCKETS      1152u
#define SOCKETS_EACH 1088u /* of one workflow */
#define IDLE_NS      10000000000ull
#define NO_SOCKET    UINT32_MAX
/* Received chains of a socket: any two neighbours hold more than 64 KiB, and a window is 255 KiB. */
#define CHAINS      16u
#define CHAIN_BYTES 0xffffu
#define WRITE_BYTES (44u * TCP_MSS) /* lwIP takes 16 bits of length */
/* Up to here bytes are copied, and nobody waits until they have arrived. */
#define COPY_BYTES 8192u

enum socket_kind {
    SOCKET_NONE,
    SOCKET_LISTENER,
    SOCKET_STREAM,
};

struct socket {
    enum socket_kind kind;
    struct tcp_pcb *pcb; /* NULL: lwIP has ended it, .error says why */
    enum kerr error;
    struct network_waiters waiters; /* for whatever changes here */
    uint64_t handle;
    /* a listener's */
    uint32_t port;
    uint32_t first, last; /* connections that wait to be accepted */
    bool
        is_left; /* the last that waited for one was called back, as all are when their workflow goes */
    /* a stream's */
    uint32_t next; /* while it waits to be accepted */
    bool is_connected;
    bool is_ended; /* the other side sends no more */
    bool is_sending;
    struct pbuf *chain[CHAINS]; /* received, the oldest first */
    uint32_t chain_count;
    uint64_t queued, acknowledged; /* bytes given to lwIP, and that have arrived */
};

/* The instance's one state; a deck is one thread. */
static struct {
    struct deck_handles handles;
    struct deck_handle place[SOCKETS];
    struct socket socket[SOCKETS];
} tcp;

void sockets_init(uint32_t life)
{
    deck_handles_init(&tcp.handles, tcp.place, SOCKETS, SOCKETS_EACH, IDLE_NS, life);
}

uint32_t sockets_count(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < SOCKETS; i++) {
        count += tcp.place[i].is_open ? 1 : 0;
    }
    return count;
}

/* ---- sockets -------------------------------------------------------------------------------------------------------------- */

static uint32_t index_of(const struct socket *socket)
{
    return (uint32_t)(socket - tcp.socket);
}

static void free_received(struct socket *socket)
{
    for (uint32_t i = 0; i < socket->chain_count; i++) {
        pbuf_free(socket->chain[i]);
    }
    socket->chain_count = 0;
}

/* lwIP keeps the connection as long as it takes, and calls nobody any more. */
static void leave_pcb(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
}

static void acknowledge(struct tcp_pcb *pcb, uint64_t bytes)
{
    while (bytes != 0) {
        const uint16_t now = bytes > 0xffff ? 0xffff : (uint16_t)bytes;
        tcp_recved(pcb, now);
        bytes -= now;
    }
}

/* What was not read counts as read: lwIP would send a reset instead of what still has to go out. */
static void close_stream(struct socket *socket)
{
    struct tcp_pcb *pcb = socket->pcb;

    socket->pcb = NULL;
    if (pcb != NULL) {
        leave_pcb(pcb);
        for (uint32_t i = 0; i < socket->chain_count; i++) {
            acknowledge(pcb, socket->chain[i]->tot_len);
        }
        if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
        }
    }
    free_received(socket);
}

static void end_socket(struct socket *socket);

static void close_listener(struct socket *socket)
{
    tcp_arg(socket->pcb, NULL);
    tcp_accept(socket->pcb, NULL);
    (void)tcp_close(socket->pcb); /* of a listener it does not fail */
    socket->pcb = NULL;
    while (socket->first != NO_SOCKET) {
        struct socket *waiting = &tcp.socket[socket->first];
        socket->first = waiting->next;
        tcp.place[index_of(waiting)].is_open = false;
        end_socket(waiting);
    }
}

/* What the handle stood for, which nobody names any more. */
static void end_socket(struct socket *socket)
{
    if (socket->kind == SOCKET_LISTENER) {
        close_listener(socket);
    } else if (socket->kind == SOCKET_STREAM) {
        close_stream(socket);
    }
    socket->kind = SOCKET_NONE;
    network_wake(&socket->waiters);
}

/* TOO_MANY. */
static enum kerr open_socket(uint32_t workflow, enum socket_kind kind, struct tcp_pcb *pcb,
                             struct socket **opened)
{
    uint64_t handle = 0;
    uint32_t index = 0;
    bool taken_back = false;
    enum kerr error =
        deck_handle_open(&tcp.handles, workflow, deck_now_ns(), &handle, &index, &taken_back);

    if (error != KERR_OK) {
        return error;
    }
    struct socket *socket = &tcp.socket[index];
    if (taken_back) {
        end_socket(socket);
    }
    *socket = (struct socket){ .kind = kind,
                               .pcb = pcb,
                               .waiters = socket->waiters,
                               .handle = handle,
                               .first = NO_SOCKET,
                               .last = NO_SOCKET,
                               .next = NO_SOCKET };
    *opened = socket;
    return KERR_OK;
}

static enum kerr find_socket(const struct deck_request *request, uint64_t handle,
                             enum socket_kind kind, struct socket **found)
{
    uint32_t index = 0;
    enum kerr error =
        deck_handle_find(&tcp.handles, deck_workflow(request), handle, deck_now_ns(), &index);

    if (error != KERR_OK || tcp.socket[index].kind != kind) {
        return KERR_BAD_HANDLE;
    }
    *found = &tcp.socket[index];
    return KERR_OK;
}

/* Wait for a change at the socket, and find it again. */
static enum kerr wait_socket(struct deck_request *request, uint64_t handle, enum socket_kind kind,
                             struct socket **socket)
{
    struct deck_handle *place = &tcp.place[index_of(*socket)];

    place->users++;
    enum kerr error = network_wait(request, &(*socket)->waiters, UINT64_MAX);
    place->users--;
    return error == KERR_OK ? find_socket(request, handle, kind, socket) : error;
}

/* ---- what lwIP says of a stream ------------------------------------------------------------------------------------------- */

static void on_error(void *argument, err_t error)
{
    struct socket *socket = argument;

    if (socket == NULL) {
        return;
    }
    socket->pcb = NULL; /* gone already */
    if (socket->is_connected) {
        socket->error = network_error(error);
    } else {
        socket->error = error == ERR_RST ? KERR_CONNECTION_REFUSED : KERR_UNREACHABLE;
    }
    network_wake(&socket->waiters);
}

/* lwIP keeps what is refused, and asks again. */
static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *pbuf, err_t error)
{
    struct socket *socket = argument;

    (void)pcb, (void)error;
    if (pbuf == NULL) {
        socket->is_ended = true;
    } else if (socket->chain_count != 0 &&
               socket->chain[socket->chain_count - 1]->tot_len + pbuf->tot_len <= CHAIN_BYTES) {
        pbuf_cat(socket->chain[socket->chain_count - 1], pbuf);
    } else if (socket->chain_count < CHAINS) {
        socket->chain[socket->chain_count++] = pbuf;
    } else {
        return ERR_MEM;
    }
    network_wake(&socket->waiters);
    return ERR_OK;
}

static err_t on_sent(void *argument, struct tcp_pcb *pcb, uint16_t bytes)
{
    struct socket *socket = argument;

    (void)pcb;
    socket->acknowledged += bytes;
    network_wake(&socket->waiters);
    return ERR_OK;
}

static void take_pcb(struct socket *socket)
{
    tcp_arg(socket->pcb, socket);
    tcp_recv(socket->pcb, on_received);
    tcp_sent(socket->pcb, on_sent);
    tcp_err(socket->pcb, on_error);
    tcp_nagle_disable(socket->pcb); /* an operation sends all that it has at once */
}

/* ---- connections that come in --------------------------------------------------------------------------------------------- */

static err_t on_accept(void *argument, struct tcp_pcb *pcb, err_t error)
{
    struct socket *listener = argument;
    struct socket *socket = NULL;

    if (listener == NULL || pcb == NULL || error != ERR_OK) {
        return ERR_VAL;
    }
    const uint32_t workflow = tcp.place[index_of(listener)].workflow;
    if (open_socket(workflow, SOCKET_STREAM, pcb, &socket) != KERR_OK) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    socket->is_connected = true;
    take_pcb(socket);
    network_delay_newcomers(pcb);
    if (listener->first == NO_SOCKET) {
        listener->first = index_of(socket);
    } else {
        tcp.socket[listener->last].next = index_of(socket);
    }
    listener->last = index_of(socket);
    tcp.place[index_of(socket)].users++; /* until it is accepted */
    network_wake(&listener->waiters);
    return ERR_OK;
}

/* The workflow's listener at a port, or anybody's; NULL: none. */
static struct socket *find_listener(uint32_t port)
{
    for (uint32_t i = 0; i < SOCKETS; i++) {
        if (tcp.place[i].is_open && tcp.socket[i].kind == SOCKET_LISTENER &&
            tcp.socket[i].port == port) {
            return &tcp.socket[i];
        }
    }
    return NULL;
}

/* A listener at a port that is free. */
static enum kerr bind_listener(uint32_t port, uint32_t backlog, struct tcp_pcb **listening)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    err_t error = ERR_MEM;

    if (pcb == NULL) {
        return KERR_NO_MEMORY;
    }
    ip_set_option(pcb, SOF_REUSEADDR); /* closed connections at this port linger a while */
    error = tcp_bind(pcb, IP_ANY_TYPE, (uint16_t)port);
    *listening =
        error == ERR_OK ? tcp_listen_with_backlog_and_err(pcb, (uint8_t)backlog, &error) : NULL;
    if (*listening == NULL) {
        (void)tcp_close(pcb);
        return network_error(error);
    }
    return KERR_OK;
}

/* May a listener be taken from the workflow that has it? */
static bool is_forgotten(const struct socket *listener)
{
    const struct deck_handle *place = &tcp.place[index_of(listener)];
    return place->users == 0 && (listener->is_left || deck_now_ns() - place->used_ns >= IDLE_NS);
}

enum kerr sockets_listen(struct deck_request *request, uint32_t port, uint32_t backlog,
                         uint64_t *handle)
{
    struct socket *socket = find_listener(port);
    struct tcp_pcb *pcb = NULL;

    if (socket != NULL && tcp.place[index_of(socket)].workflow == deck_workflow(request)) {
        *handle = socket->handle;
        socket->is_left = false;
        return KERR_OK;
    }
    if (socket != NULL) {
        if (!is_forgotten(socket)) {
            return KERR_PORT_IN_USE;
        }
        tcp.place[index_of(socket)].is_open = false;
        end_socket(socket);
    }
    enum kerr error = bind_listener(port, backlog, &pcb);
    if (error != KERR_OK) {
        return error;
    }
    error = open_socket(deck_workflow(request), SOCKET_LISTENER, pcb, &socket);
    if (error != KERR_OK) {
        (void)tcp_close(pcb);
        return error;
    }
    socket->port = port;
    tcp_arg(pcb, socket);
    tcp_accept(pcb, on_accept);
    *handle = socket->handle;
    return KERR_OK;
}

/* The next connection that waits and still is one; NULL: none. */
static struct socket *next_connection(struct socket *listener)
{
    while (listener->first != NO_SOCKET) {
        struct socket *socket = &tcp.socket[listener->first];
        listener->first = socket->next;
        tcp.place[index_of(socket)].users--;
        if (socket->pcb != NULL) {
            return socket;
        }
        tcp.place[index_of(socket)].is_open = false;
        end_socket(socket);
    }
    return NULL;
}

enum kerr sockets_accept(struct deck_request *request, uint64_t handle, uint64_t *accepted,
                         struct network_address *address, uint32_t *port)
{
    struct socket *listener = NULL;
    struct socket *socket = NULL;
    enum kerr error = find_socket(request, handle, SOCKET_LISTENER, &listener);

    while (error == KERR_OK && (socket = next_connection(listener)) == NULL) {
        deck_armed(request);
        error = wait_socket(request, handle, SOCKET_LISTENER, &listener);
        if (listener->handle == handle) {
            listener->is_left = error == KERR_CANCELLED;
        }
    }
    if (error != KERR_OK) {
        return error;
    }
    tcp.place[index_of(socket)].used_ns = deck_now_ns();
    tcp_backlog_accepted(socket->pcb);
    *accepted = socket->handle;
    *address = network_from_ip(&socket->pcb->remote_ip);
    *port = socket->pcb->remote_port;
    return KERR_OK;
}

/* ---- connections that go out ---------------------------------------------------------------------------------------------- */

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error)
{
    struct socket *socket = argument;

    (void)pcb, (void)error; /* lwIP never says anything else than OK here */
    socket->is_connected = true;
    network_wake(&socket->waiters);
    return ERR_OK;
}

/* End a stream at once: nothing more goes out, the other side is told so. */
static void abort_stream(struct socket *socket)
{
    struct tcp_pcb *pcb = socket->pcb;

    if (pcb != NULL) {
        leave_pcb(pcb);
        tcp_abort(pcb);
        socket->pcb = NULL;
        socket->error = KERR_CONNECTION_CLOSED;
    }
    network_wake(&socket->waiters);
}

static enum kerr await_connection(struct deck_request *request, uint64_t handle,
                                  struct socket *socket)
{
    enum kerr error = KERR_OK;

    while (error == KERR_OK && !socket->is_connected && socket->error == KERR_OK) {
        error = wait_socket(request, handle, SOCKET_STREAM, &socket);
    }
    return error == KERR_OK ? socket->error : error;
}

enum kerr sockets_connect(struct deck_request *request, struct network_address address,
                          uint32_t port, uint64_t *handle)
{
    const ip_addr_t ip = network_ip(address);
    struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&ip));
    struct socket *socket = NULL;
    uint32_t index = 0;

    if (pcb == NULL) {
        return KERR_NO_MEMORY;
    }
    enum kerr error = open_socket(deck_workflow(request), SOCKET_STREAM, pcb, &socket);
    if (error != KERR_OK) {
        tcp_abort(pcb);
        return error;
    }
    *handle = socket->handle;
    take_pcb(socket);
    error = network_error(tcp_connect(pcb, &ip, (uint16_t)port, on_connected));
    if (error == KERR_OK) {
        error = await_connection(request, *handle, socket);
    }
    if (error != KERR_OK &&
        deck_handle_close(&tcp.handles, deck_workflow(request), *handle, &index) == KERR_OK) {
        abort_stream(socket);
        end_socket(socket);
    }
    return error;
}

/* ---- bytes ---------------------------------------------------------------------------------------------------------------- */

/* Is there still a connection to send on? */
static enum kerr sendable(const struct socket *socket)
{
    if (socket->pcb != NULL) {
        return KERR_OK;
    }
    return socket->error != KERR_OK ? socket->error : KERR_CONNECTION_CLOSED;
}

/* Give lwIP what it takes now of the data from *at on. */
static enum kerr write_some(struct socket *socket, struct deck_bytes data, size_t *at, bool copy)
{
    while (*at < data.length) {
        size_t bytes = data.length - *at;
        bytes = bytes > WRITE_BYTES ? WRITE_BYTES : bytes;
        bytes = bytes > tcp_sndbuf(socket->pcb) ? tcp_sndbuf(socket->pcb) : bytes;
        const bool more = *at + bytes < data.length;
        const uint8_t flags =
            (uint8_t)((copy ? TCP_WRITE_FLAG_COPY : 0) | (more ? TCP_WRITE_FLAG_MORE : 0));
        const err_t error =
            bytes == 0 ? ERR_MEM : tcp_write(socket->pcb, data.data + *at, (uint16_t)bytes, flags);
        if (error == ERR_MEM) {
            break; /* when something has arrived, there is room again */
        }
        if (error != ERR_OK) {
            return network_error(error);
        }
        *at += bytes;
        socket->queued += bytes;
    }
    (void)tcp_output(socket->pcb); /* what it cannot send now it sends later */
    return KERR_OK;
}

/* All of the data, in order; one operation at a time. */
static enum kerr write_all(struct deck_request *request, uint64_t handle, struct socket **socket,
                           struct deck_bytes data, bool copy)
{
    enum kerr error = sendable(*socket);
    size_t at = 0;

    while (error == KERR_OK) {
        error = write_some(*socket, data, &at, copy);
        if (error != KERR_OK || at == data.length) {
            break;
        }
        error = wait_socket(request, handle, SOCKET_STREAM, socket);
        error = error == KERR_OK ? sendable(*socket) : error;
    }
    return error;
}

static enum kerr await_arrival(struct deck_request *request, uint64_t handle, struct socket *socket)
{
    const uint64_t end = socket->queued;
    enum kerr error = KERR_OK;

    while (error == KERR_OK && socket->acknowledged < end) {
        error = sendable(socket);
        if (error == KERR_OK) {
            error = wait_socket(request, handle, SOCKET_STREAM, &socket);
        }
    }
    return error;
}

/* The stream is broken off in the middle of what was to be sent. */
static void break_off(const struct deck_request *request, uint64_t handle)
{
    struct socket *socket = NULL;

    if (find_socket(request, handle, SOCKET_STREAM, &socket) == KERR_OK) {
        abort_stream(socket);
    }
}

/* Wait until no other operation is sending. */
static enum kerr take_turn(struct deck_request *request, uint64_t handle, struct socket **socket)
{
    enum kerr error = find_socket(request, handle, SOCKET_STREAM, socket);

    while (error == KERR_OK && (*socket)->is_sending) {
        error = wait_socket(request, handle, SOCKET_STREAM, socket);
    }
    return error;
}

static void end_turn(const struct deck_request *request, uint64_t handle)
{
    struct socket *socket = NULL;

    if (find_socket(request, handle, SOCKET_STREAM, &socket) == KERR_OK) {
        socket->is_sending = false;
        network_wake(&socket->waiters);
    }
}

enum kerr sockets_send(struct deck_request *request, uint64_t handle, struct deck_bytes data)
{
    const bool copy = data.length <= COPY_BYTES;
    struct socket *socket = NULL;
    enum kerr error = take_turn(request, handle, &socket);

    if (error != KERR_OK) {
        return error;
    }
    socket->is_sending = true;
    error = write_all(request, handle, &socket, data, copy);
    if (error == KERR_OK && copy) {
        deck_count_copied_cache(request, data.length);
    } else if (error == KERR_OK) {
        error = await_arrival(request, handle, socket);
    }
    if (error != KERR_OK) {
        break_off(request, handle);
    }
    end_turn(request, handle);
    if (!copy) {
        network_lanes_settle(); /* the bytes are somebody else's once this has been answered */
    }
    return error;
}

/* Take what there is room for; returns how many bytes. */
static size_t take_received(struct socket *socket, uint8_t *to, size_t room)
{
    size_t taken = 0;

    while (taken < room && socket->chain_count != 0) {
        struct pbuf *chain = socket->chain[0];
        const size_t left = room - taken;
        const uint16_t bytes = left < chain->tot_len ? (uint16_t)left : chain->tot_len;
        (void)pbuf_copy_partial(chain, to + taken, bytes, 0);
        taken += bytes;
        socket->chain[0] = pbuf_free_header(chain, bytes);
        if (socket->chain[0] == NULL) {
            socket->chain_count--;
            memmove(&socket->chain[0], &socket->chain[1],
                    socket->chain_count * sizeof(socket->chain[0]));
        }
    }
    if (socket->pcb != NULL) {
        acknowledge(socket->pcb, taken);
    }
    return taken;
}

enum kerr sockets_receive(struct deck_request *request, uint64_t handle, uint64_t at_least,
                          struct deck_room *data, bool *ended)
{
    struct socket *socket = NULL;
    enum kerr error = find_socket(request, handle, SOCKET_STREAM, &socket);

    if (error == KERR_OK && at_least > data->capacity) {
        data->length = at_least;
        return KERR_OUTPUT_TOO_LARGE;
    }
    data->length = 0;
    while (error == KERR_OK) {
        data->length +=
            take_received(socket, data->data + data->length, data->capacity - data->length);
        *ended = socket->is_ended && socket->chain_count == 0;
        if (data->length >= at_least || *ended) {
            break;
        }
        error = socket->pcb != NULL ? wait_socket(request, handle, SOCKET_STREAM, &socket)
                                    : sendable(socket);
    }
    return error;
}

enum kerr sockets_close(struct deck_request *request, uint64_t handle)
{
    uint32_t index = 0;
    enum kerr error = deck_handle_close(&tcp.handles, deck_workflow(request), handle, &index);

    if (error == KERR_OK) {
        end_socket(&tcp.socket[index]);
    }
    return error;
}
