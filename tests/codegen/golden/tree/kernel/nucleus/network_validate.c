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
