/*
 * network_validate.c - range checks of the network deck's parameters.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/network/deck.yaml
 *   template  codegen/templates/deck_validate.c.j2
 *   rebuild   make gen
 */
#include "kernel/nucleus/deck_validate.h"

#include <stddef.h>

#include "kernel/abi/network.h"

enum kerr network_udp_send_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_udp_send_params *p = params;

    if (p->port < 1u || p->port > 65535u) {
        *bad_offset = offsetof(struct network_udp_send_params, port);
        return KERR_BAD_PARAMETER;
    }
    if (p->from > 65535u) {
        *bad_offset = offsetof(struct network_udp_send_params, from);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr network_udp_receive_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_udp_receive_params *p = params;

    if (p->port < 1u || p->port > 65535u) {
        *bad_offset = offsetof(struct network_udp_receive_params, port);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr network_tcp_connect_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_tcp_connect_params *p = params;

    if (p->port < 1u || p->port > 65535u) {
        *bad_offset = offsetof(struct network_tcp_connect_params, port);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr network_tcp_listen_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_tcp_listen_params *p = params;

    if (p->port < 1u || p->port > 65535u) {
        *bad_offset = offsetof(struct network_tcp_listen_params, port);
        return KERR_BAD_PARAMETER;
    }
    if (p->backlog < 1u || p->backlog > 255u) {
        *bad_offset = offsetof(struct network_tcp_listen_params, backlog);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr network_tcp_receive_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_tcp_receive_params *p = params;

    if (p->at_least < 1u) {
        *bad_offset = offsetof(struct network_tcp_receive_params, at_least);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr network_http_receive_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_http_receive_params *p = params;

    if (p->port < 1u || p->port > 65535u) {
        *bad_offset = offsetof(struct network_http_receive_params, port);
        return KERR_BAD_PARAMETER;
    }
    if (p->below.length > sizeof(p->below.bytes)) {
        *bad_offset = offsetof(struct network_http_receive_params, below);
        return KERR_BAD_PARAMETER;
    }
    if (p->head_bytes < 256u || p->head_bytes > 65536u) {
        *bad_offset = offsetof(struct network_http_receive_params, head_bytes);
        return KERR_BAD_PARAMETER;
    }
    if (p->patience_ms < 100u || p->patience_ms > 3600000u) {
        *bad_offset = offsetof(struct network_http_receive_params, patience_ms);
        return KERR_BAD_PARAMETER;
    }
    if (p->idle_ms < 100u || p->idle_ms > 3600000u) {
        *bad_offset = offsetof(struct network_http_receive_params, idle_ms);
        return KERR_BAD_PARAMETER;
    }
    if (p->answer_ms < 100u || p->answer_ms > 3600000u) {
        *bad_offset = offsetof(struct network_http_receive_params, answer_ms);
        return KERR_BAD_PARAMETER;
    }
    if (p->stall_ms < 100u || p->stall_ms > 3600000u) {
        *bad_offset = offsetof(struct network_http_receive_params, stall_ms);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr network_http_send_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_http_send_params *p = params;

    if (p->status < 200u || p->status > 599u) {
        *bad_offset = offsetof(struct network_http_send_params, status);
        return KERR_BAD_PARAMETER;
    }
    if (p->head_bytes > 4096u) {
        *bad_offset = offsetof(struct network_http_send_params, head_bytes);
        return KERR_BAD_PARAMETER;
    }
    if (p->close > 1u) {
        *bad_offset = offsetof(struct network_http_send_params, close);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr network_http_more_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_http_more_params *p = params;

    if (p->last > 1u) {
        *bad_offset = offsetof(struct network_http_more_params, last);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr network_http_get_validate(const void *params, uint32_t *bad_offset)
{
    const struct network_http_get_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct network_http_get_params, path);
        return KERR_BAD_PARAMETER;
    }
    if (p->port < 1u || p->port > 65535u) {
        *bad_offset = offsetof(struct network_http_get_params, port);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}
