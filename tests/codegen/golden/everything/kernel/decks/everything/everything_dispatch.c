/*
 * everything_dispatch.c - everything deck: from a request to its function.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/deck_dispatch.c.j2
 *   rebuild   make gen
 */
#include "kernel/decks/everything/everything_ops.h"

static enum kerr run_bare(struct deck_request *request)
{
    struct everything_bare_call call = {
        .request = request,
    };
    return everything_bare(&call);
}

static enum kerr run_params(struct deck_request *request)
{
    struct everything_params_call call = {
        .request = request,
        .params = deck_params(request),
        .picture = deck_input(request, EVERYTHING_PARAMS_INPUT_PICTURE),
        .mask = deck_input(request, EVERYTHING_PARAMS_INPUT_MASK),
        .more = deck_input(request, EVERYTHING_PARAMS_INPUT_MORE),
        .most = deck_input(request, EVERYTHING_PARAMS_INPUT_MOST),
        .packed = deck_output(request),
    };
    enum kerr status = everything_params(&call);

    deck_set_output_length(request, call.packed.length);
    if (status == KERR_OK) {
        deck_set_value(request, EVERYTHING_PARAMS_VALUE_WIDTH, call.width);
        deck_set_value(request, EVERYTHING_PARAMS_VALUE_NEAR, (uint64_t)(int64_t)call.near);
        deck_set_value(request, EVERYTHING_PARAMS_VALUE_FAR, (uint64_t)(int64_t)call.far);
        deck_set_value(request, EVERYTHING_PARAMS_VALUE_READY, call.ready);
    }
    return status;
}

static enum kerr run_real(struct deck_request *request)
{
    struct everything_real_call call = {
        .request = request,
        .data = deck_input(request, EVERYTHING_REAL_INPUT_DATA),
    };
    enum kerr status = everything_real(&call);

    if (status == KERR_OK) {
        deck_set_value(request, EVERYTHING_REAL_VALUE_MEAN, deck_f64_bits(call.mean));
    }
    return status;
}

static enum kerr run_limited(struct deck_request *request)
{
    struct everything_limited_call call = {
        .request = request,
        .data = deck_output(request),
    };
    enum kerr status = everything_limited(&call);

    deck_set_output_length(request, call.data.length);
    return status;
}

enum kerr deck_dispatch(struct deck_request *request, uint16_t op)
{
    switch (op) {
    case EVERYTHING_OP_BARE:
        return run_bare(request);
    case EVERYTHING_OP_PARAMS:
        return run_params(request);
    case EVERYTHING_OP_REAL:
        return run_real(request);
    case EVERYTHING_OP_LIMITED:
        return run_limited(request);
    default:
        return KERR_UNKNOWN_OP;
    }
}

bool deck_op_uses_fibre(uint16_t op)
{
    switch (op) {
    case EVERYTHING_OP_PARAMS:
        return true;
    default:
        return false;
    }
}
