/*
 * execution_dispatch.c - execution deck: from a request to its function.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/execution/deck.yaml
 *   template  codegen/templates/deck_dispatch.c.j2
 *   rebuild   make gen
 */
#include "kernel/decks/execution/execution_ops.h"

static enum kerr run_history(struct deck_request *request)
{
    struct execution_history_call call = {
        .request = request,
        .params = deck_params(request),
        .lines = deck_output(request),
    };
    enum kerr status = execution_history(&call);

    deck_set_output_length(request, call.lines.length);
    if (status == KERR_OK) {
        deck_set_value(request, EXECUTION_HISTORY_VALUE_RECORDED, call.recorded);
    }
    return status;
}

static enum kerr run_counters(struct deck_request *request)
{
    struct execution_counters_call call = {
        .request = request,
    };
    enum kerr status = execution_counters(&call);

    if (status == KERR_OK) {
        deck_set_value(request, EXECUTION_COUNTERS_VALUE_SEEN, call.seen);
        deck_set_value(request, EXECUTION_COUNTERS_VALUE_FAILED, call.failed);
        deck_set_value(request, EXECUTION_COUNTERS_VALUE_LONGEST_NS, call.longest_ns);
    }
    return status;
}

enum kerr deck_dispatch(struct deck_request *request, uint16_t op)
{
    switch (op) {
    case EXECUTION_OP_HISTORY:
        return run_history(request);
    case EXECUTION_OP_COUNTERS:
        return run_counters(request);
    default:
        return KERR_UNKNOWN_OP;
    }
}

bool deck_op_uses_fibre(uint16_t op)
{
    (void)op;
    return false;
}
