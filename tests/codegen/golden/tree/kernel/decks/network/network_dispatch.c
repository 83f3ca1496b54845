/*
 * network_dispatch.c - network deck: from a request to its function.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/network/deck.yaml
 *   template  codegen/templates/deck_dispatch.c.j2
 *   rebuild   make gen
 */
#include "kernel/decks/network/network_ops.h"

static enum kerr run_link(struct deck_request *request)
{
    struct network_link_call call = {
        .request = request,
    };
    enum kerr status = network_link(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_LINK_VALUE_MAC, call.mac);
        deck_set_value(request, NETWORK_LINK_VALUE_UP, call.up);
    }
    return status;
}

static enum kerr run_address(struct deck_request *request)
{
    struct network_address_call call = {
        .request = request,
    };
    enum kerr status = network_address(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_ADDRESS_VALUE_ADDRESS_HIGH, call.address_high);
        deck_set_value(request, NETWORK_ADDRESS_VALUE_ADDRESS_LOW, call.address_low);
    }
    return status;
}

static enum kerr run_udp_send(struct deck_request *request)
{
    struct network_udp_send_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_input(request, NETWORK_UDP_SEND_INPUT_DATA),
    };
    return network_udp_send(&call);
}

static enum kerr run_udp_receive(struct deck_request *request)
{
    struct network_udp_receive_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_output(request),
    };
    enum kerr status = network_udp_receive(&call);

    deck_set_output_length(request, call.data.length);
    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_UDP_RECEIVE_VALUE_ADDRESS_HIGH, call.address_high);
        deck_set_value(request, NETWORK_UDP_RECEIVE_VALUE_ADDRESS_LOW, call.address_low);
        deck_set_value(request, NETWORK_UDP_RECEIVE_VALUE_PORT, call.port);
    }
    return status;
}

static enum kerr run_tcp_connect(struct deck_request *request)
{
    struct network_tcp_connect_call call = {
        .request = request,
        .params = deck_params(request),
    };
    enum kerr status = network_tcp_connect(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_TCP_CONNECT_VALUE_SOCKET, call.socket);
    }
    return status;
}

static enum kerr run_tcp_listen(struct deck_request *request)
{
    struct network_tcp_listen_call call = {
        .request = request,
        .params = deck_params(request),
    };
    enum kerr status = network_tcp_listen(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_TCP_LISTEN_VALUE_SOCKET, call.socket);
    }
    return status;
}

static enum kerr run_tcp_accept(struct deck_request *request)
{
    struct network_tcp_accept_call call = {
        .request = request,
        .params = deck_params(request),
    };
    enum kerr status = network_tcp_accept(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_TCP_ACCEPT_VALUE_SOCKET, call.socket);
        deck_set_value(request, NETWORK_TCP_ACCEPT_VALUE_ADDRESS_HIGH, call.address_high);
        deck_set_value(request, NETWORK_TCP_ACCEPT_VALUE_ADDRESS_LOW, call.address_low);
        deck_set_value(request, NETWORK_TCP_ACCEPT_VALUE_PORT, call.port);
    }
    return status;
}

static enum kerr run_tcp_send(struct deck_request *request)
{
    struct network_tcp_send_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_input(request, NETWORK_TCP_SEND_INPUT_DATA),
    };
    enum kerr status = network_tcp_send(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_TCP_SEND_VALUE_SENT, call.sent);
    }
    return status;
}

static enum kerr run_tcp_receive(struct deck_request *request)
{
    struct network_tcp_receive_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_output(request),
    };
    enum kerr status = network_tcp_receive(&call);

    deck_set_output_length(request, call.data.length);
    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_TCP_RECEIVE_VALUE_RECEIVED, call.received);
        deck_set_value(request, NETWORK_TCP_RECEIVE_VALUE_ENDED, call.ended);
    }
    return status;
}

static enum kerr run_tcp_close(struct deck_request *request)
{
    struct network_tcp_close_call call = {
        .request = request,
        .params = deck_params(request),
    };
    return network_tcp_close(&call);
}

static enum kerr run_resolve(struct deck_request *request)
{
    struct network_resolve_call call = {
        .request = request,
        .host = deck_input(request, NETWORK_RESOLVE_INPUT_HOST),
    };
    enum kerr status = network_resolve(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_RESOLVE_VALUE_ADDRESS_HIGH, call.address_high);
        deck_set_value(request, NETWORK_RESOLVE_VALUE_ADDRESS_LOW, call.address_low);
    }
    return status;
}

static enum kerr run_http_receive(struct deck_request *request)
{
    struct network_http_receive_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_output(request),
    };
    enum kerr status = network_http_receive(&call);

    deck_set_output_length(request, call.data.length);
    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_HTTP_RECEIVE_VALUE_CONNECTION, call.connection);
        deck_set_value(request, NETWORK_HTTP_RECEIVE_VALUE_METHOD, call.method);
        deck_set_value(request, NETWORK_HTTP_RECEIVE_VALUE_BODY_BYTES, call.body_bytes);
    }
    return status;
}

static enum kerr run_http_send(struct deck_request *request)
{
    struct network_http_send_call call = {
        .request = request,
        .params = deck_params(request),
        .page = deck_input(request, NETWORK_HTTP_SEND_INPUT_PAGE),
        .file = deck_input(request, NETWORK_HTTP_SEND_INPUT_FILE),
    };
    enum kerr status = network_http_send(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_HTTP_SEND_VALUE_SENT, call.sent);
        deck_set_value(request, NETWORK_HTTP_SEND_VALUE_MORE, call.more);
    }
    return status;
}

static enum kerr run_http_more(struct deck_request *request)
{
    struct network_http_more_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_input(request, NETWORK_HTTP_MORE_INPUT_DATA),
        .head = deck_input(request, NETWORK_HTTP_MORE_INPUT_HEAD),
        .tail = deck_input(request, NETWORK_HTTP_MORE_INPUT_TAIL),
    };
    enum kerr status = network_http_more(&call);

    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_HTTP_MORE_VALUE_GONE, call.gone);
    }
    return status;
}

static enum kerr run_http_get(struct deck_request *request)
{
    struct network_http_get_call call = {
        .request = request,
        .params = deck_params(request),
        .host = deck_input(request, NETWORK_HTTP_GET_INPUT_HOST),
        .body = deck_output(request),
    };
    enum kerr status = network_http_get(&call);

    deck_set_output_length(request, call.body.length);
    if (status == KERR_OK) {
        deck_set_value(request, NETWORK_HTTP_GET_VALUE_ANSWER, call.answer);
    }
    return status;
}

static enum kerr run_metrics(struct deck_request *request)
{
    struct network_metrics_call call = {
        .request = request,
        .text = deck_output(request),
    };
    enum kerr status = network_metrics(&call);

    deck_set_output_length(request, call.text.length);
    return status;
}

enum kerr deck_dispatch(struct deck_request *request, uint16_t op)
{
    switch (op) {
    case NETWORK_OP_LINK:
        return run_link(request);
    case NETWORK_OP_ADDRESS:
        return run_address(request);
    case NETWORK_OP_UDP_SEND:
        return run_udp_send(request);
    case NETWORK_OP_UDP_RECEIVE:
        return run_udp_receive(request);
    case NETWORK_OP_TCP_CONNECT:
        return run_tcp_connect(request);
    case NETWORK_OP_TCP_LISTEN:
        return run_tcp_listen(request);
    case NETWORK_OP_TCP_ACCEPT:
        return run_tcp_accept(request);
    case NETWORK_OP_TCP_SEND:
        return run_tcp_send(request);
    case NETWORK_OP_TCP_RECEIVE:
        return run_tcp_receive(request);
    case NETWORK_OP_TCP_CLOSE:
        return run_tcp_close(request);
    case NETWORK_OP_RESOLVE:
        return run_resolve(request);
    case NETWORK_OP_HTTP_RECEIVE:
        return run_http_receive(request);
    case NETWORK_OP_HTTP_SEND:
        return run_http_send(request);
    case NETWORK_OP_HTTP_MORE:
        return run_http_more(request);
    case NETWORK_OP_HTTP_GET:
        return run_http_get(request);
    case NETWORK_OP_METRICS:
        return run_metrics(request);
    default:
        return KERR_UNKNOWN_OP;
    }
}

bool deck_op_uses_fibre(uint16_t op)
{
    switch (op) {
    case NETWORK_OP_ADDRESS:
    case NETWORK_OP_UDP_SEND:
    case NETWORK_OP_UDP_RECEIVE:
    case NETWORK_OP_TCP_CONNECT:
    case NETWORK_OP_TCP_LISTEN:
    case NETWORK_OP_TCP_ACCEPT:
    case NETWORK_OP_TCP_SEND:
    case NETWORK_OP_TCP_RECEIVE:
    case NETWORK_OP_RESOLVE:
    case NETWORK_OP_HTTP_RECEIVE:
    case NETWORK_OP_HTTP_SEND:
    case NETWORK_OP_HTTP_MORE:
    case NETWORK_OP_HTTP_GET:
        return true;
    default:
        return false;
    }
}
