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

enum kerr deck_dispatch(struct deck_request *request, uint16_t op)
{
    switch (op) {
    case NETWORK_OP_LINK:
        return run_link(request);
    default:
        return KERR_UNKNOWN_OP;
    }
}

bool deck_op_uses_fibre(uint16_t op)
{
    (void)op;
    return false;
}
