/*
 * network_deck.c - Network: the operations, each a few lines over the stack.
 *
 *   network_card    the virtio card as lwIP's interface     network_sockets  TCP
 *   network_stack   lwIP's life: addresses, timers          network_ports    UDP
 *   network_wait    lists on which operations wait          network_names    DNS
 *   network_http    HTTP/1.1: requests in, responses out
 */
#include "kernel/decks/network/network_card.h"
#include "kernel/decks/network/network_http.h"
#include "kernel/decks/network/network_names.h"
#include "kernel/decks/network/network_ops.h"
#include "kernel/decks/network/network_ports.h"
#include "kernel/decks/network/network_sockets.h"
#include "kernel/decks/network/network_stack.h"
#include "userland/libkwe/common/calls.h"

#define NS_PER_MS 1000000ull

/* Entry i of the card's interrupts is bit first + i. */
static uint32_t first_interrupt_bit;

/* Without a card the deck is there all the same: its operations say what is missing. */
enum kerr deck_start(const struct kwe_deck_info *info)
{
    sockets_init(info->generation);
    http_init(info->generation);
    if (info->device_count == 0 || !info->device[0].present) {
        return KERR_OK;
    }
    first_interrupt_bit = info->device[0].first_interrupt_bit;
    struct kwe_statistics statistics = { .cpus = 1 };
    (void)kwe_call_statistics(&statistics, sizeof(statistics));
    enum kerr error = network_card_start(&info->device[0], statistics.cpus);
    if (error != KERR_OK) {
        deck_log("the network card cannot be used: %s", kerr_sentence(error));
    }
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    network_card_interrupt(bits >> first_interrupt_bit);
}

uint64_t deck_idle(void)
{
    return network_stack_poll();
}

/* An operation at a port: may the workflow, and is there a network? */
static enum kerr begin(struct deck_request *request, uint32_t port, uint32_t rights)
{
    if (!deck_port_allowed(request, port, rights)) {
        return KERR_NOT_PERMITTED;
    }
    return network_stack_ready(request);
}

enum kerr network_link(struct network_link_call *call)
{
    bool up = false;
    enum kerr error = network_card_link(&call->mac, &up);

    call->up = up ? 1 : 0;
    return error;
}

enum kerr network_address(struct network_address_call *call)
{
    enum kerr error = network_stack_ready(call->request);

    if (error == KERR_OK) {
        const struct network_address own = network_stack_address();
        call->address_high = own.high;
        call->address_low = own.low;
    }
    return error;
}

enum kerr network_udp_send(struct network_udp_send_call *call)
{
    const struct network_udp_send_params params = *call->params;
    const struct network_address to = { params.address_high, params.address_low };
    enum kerr error = begin(call->request, params.port, KWE_MANIFEST_WRITE);

    if (error == KERR_OK && params.from != 0 &&
        !deck_port_allowed(call->request, params.from, KWE_MANIFEST_READ)) {
        error = KERR_NOT_PERMITTED;
    }
    return error == KERR_OK ? ports_send(call->request, to, params.port, params.from, call->data)
                            : error;
}

enum kerr network_udp_receive(struct network_udp_receive_call *call)
{
    struct network_address from = { 0, 0 };
    enum kerr error = begin(call->request, call->params->port, KWE_MANIFEST_READ);

    if (error == KERR_OK) {
        error = ports_receive(call->request, call->params->port, &call->data, &from, &call->port);
    }
    call->address_high = from.high;
    call->address_low = from.low;
    return error;
}

enum kerr network_tcp_connect(struct network_tcp_connect_call *call)
{
    const struct network_tcp_connect_params *params = call->params;
    const struct network_address to = { params->address_high, params->address_low };
    enum kerr error = begin(call->request, params->port, KWE_MANIFEST_WRITE);

    return error == KERR_OK ? sockets_connect(call->request, to, params->port, &call->socket)
                            : error;
}

enum kerr network_tcp_listen(struct network_tcp_listen_call *call)
{
    const struct network_tcp_listen_params *params = call->params;
    enum kerr error = begin(call->request, params->port, KWE_MANIFEST_READ);

    return error == KERR_OK
               ? sockets_listen(call->request, params->port, params->backlog, &call->socket)
               : error;
}

enum kerr network_tcp_accept(struct network_tcp_accept_call *call)
{
    struct network_address from = { 0, 0 };
    enum kerr error =
        sockets_accept(call->request, call->params->socket, &call->socket, &from, &call->port);

    call->address_high = from.high;
    call->address_low = from.low;
    return error;
}

enum kerr network_tcp_send(struct network_tcp_send_call *call)
{
    call->sent = call->data.length;
    return sockets_send(call->request, call->params->socket, call->data);
}

enum kerr network_tcp_receive(struct network_tcp_receive_call *call)
{
    bool ended = false;
    enum kerr error = sockets_receive(call->request, call->params->socket, call->params->at_least,
                                      &call->data, &ended);

    call->received = call->data.length;
    call->ended = ended ? 1 : 0;
    return error;
}

enum kerr network_tcp_close(struct network_tcp_close_call *call)
{
    return sockets_close(call->request, call->params->socket);
}

enum kerr network_resolve(struct network_resolve_call *call)
{
    struct network_address found = { 0, 0 };
    enum kerr error = network_stack_ready(call->request);

    if (error == KERR_OK) {
        error = names_resolve(call->request, call->host, &found);
    }
    call->address_high = found.high;
    call->address_low = found.low;
    return error;
}

/* ---- HTTP ------------------------------------------------------------------------------------------------------------------- */

enum kerr network_http_receive(struct network_http_receive_call *call)
{
    const struct network_http_receive_params *params = call->params;
    struct http_terms terms = { .port = params->port,
                                .below = params->below,
                                .head_bytes = params->head_bytes,
                                .patience_ns = params->patience_ms * NS_PER_MS,
                                .idle_ns = params->idle_ms * NS_PER_MS,
                                .answer_ns = params->answer_ms * NS_PER_MS,
                                .stall_ns = params->stall_ms * NS_PER_MS };
    struct http_received received = { .connection = 0 };

    if (terms.below.length != 0 && terms.below.bytes[terms.below.length - 1] == '/') {
        terms.below.length--;
    }
    enum kerr error = begin(call->request, params->port, KWE_MANIFEST_READ);

    if (error == KERR_OK) {
        error = http_receive(call->request, &terms, &call->data, &received);
    }
    call->connection = received.connection;
    call->method = received.method;
    call->body_bytes = received.body_bytes;
    return error;
}

enum kerr network_metrics(struct network_metrics_call *call)
{
    struct kwe_statistics statistics;
    const int64_t answer = kwe_call_statistics(&statistics, sizeof(statistics));

    if (answer < 0) {
        return (enum kerr) - answer;
    }
    struct network_held held = { .http_connections = http_connection_count(),
                                 .sockets = sockets_count() };
    network_stack_held(&held);
    call->text.length = network_metrics_print(&statistics, http_metrics(), &held,
                                              (char *)call->text.data, call->text.capacity);
    return call->text.length == 0 ? KERR_OUTPUT_TOO_LARGE : KERR_OK;
}

/* What is left of the bytes behind the first so many. */
static struct deck_bytes behind(struct deck_bytes bytes, size_t first)
{
    return (struct deck_bytes){ bytes.data + first, bytes.length - first,
                                bytes.writable_by_program };
}

enum kerr network_http_send(struct network_http_send_call *call)
{
    const struct network_http_send_params *params = call->params;
    const size_t head =
        params->head_bytes < call->page.length ? params->head_bytes : call->page.length;
    struct http_answer answer = { .connection = params->connection,
                                  .status = params->status,
                                  .lines = call->page,
                                  .part = { behind(call->page, head), call->file },
                                  .close = params->close };

    answer.lines.length = head;
    const uint64_t all = answer.part[0].length + call->file.length;
    answer.length = params->length == UINT64_MAX ? all : params->length;
    if (all > answer.length && answer.length >= answer.part[0].length) {
        answer.part[1].length = answer.length - answer.part[0].length;
    }
    answer.more = params->more_bytes;
    call->sent = answer.part[0].length + answer.part[1].length;
    return http_send(call->request, &answer, &call->more);
}

enum kerr network_http_more(struct network_http_more_call *call)
{
    const struct network_http_more_params *params = call->params;
    const struct http_part part = { .connection = params->connection,
                                    .offset = params->offset,
                                    .piece = { call->head, call->data, call->tail },
                                    .last = params->last };
    bool gone = false;
    const enum kerr error = http_more(call->request, &part, &gone);

    call->gone = gone;
    return error;
}

enum kerr network_http_get(struct network_http_get_call *call)
{
    const struct network_http_get_params *params = call->params;
    const struct http_target target = {
        call->host, { params->address_high, params->address_low }, params->port, &params->path
    };
    enum kerr error = begin(call->request, params->port, KWE_MANIFEST_WRITE);

    return error == KERR_OK ? http_get(call->request, &target, &call->body, &call->answer) : error;
}
