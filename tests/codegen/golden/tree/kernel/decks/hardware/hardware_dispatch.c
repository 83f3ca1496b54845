/*
 * hardware_dispatch.c - hardware deck: from a request to its function.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/hardware/deck.yaml
 *   template  codegen/templates/deck_dispatch.c.j2
 *   rebuild   make gen
 */
#include "kernel/decks/hardware/hardware_ops.h"

static enum kerr run_convolve(struct deck_request *request)
{
    struct hardware_convolve_call call = {
        .request = request,
        .params = deck_params(request),
        .pixels = deck_input(request, HARDWARE_CONVOLVE_INPUT_PIXELS),
        .filtered = deck_output(request),
    };
    enum kerr status = hardware_convolve(&call);

    deck_set_output_length(request, call.filtered.length);
    if (status == KERR_OK) {
        deck_set_value(request, HARDWARE_CONVOLVE_VALUE_WIDTH, call.width);
        deck_set_value(request, HARDWARE_CONVOLVE_VALUE_HEIGHT, call.height);
    }
    return status;
}

static enum kerr run_jpeg_encode(struct deck_request *request)
{
    struct hardware_jpeg_encode_call call = {
        .request = request,
        .params = deck_params(request),
        .pixels = deck_input(request, HARDWARE_JPEG_ENCODE_INPUT_PIXELS),
        .picture = deck_output(request),
    };
    enum kerr status = hardware_jpeg_encode(&call);

    deck_set_output_length(request, call.picture.length);
    return status;
}

static enum kerr run_tick(struct deck_request *request)
{
    struct hardware_tick_call call = {
        .request = request,
        .params = deck_params(request),
    };
    enum kerr status = hardware_tick(&call);

    if (status == KERR_OK) {
        deck_set_value(request, HARDWARE_TICK_VALUE_NUMBER, call.number);
        deck_set_value(request, HARDWARE_TICK_VALUE_TIME_NS, call.time_ns);
        deck_set_value(request, HARDWARE_TICK_VALUE_LATE_NS, call.late_ns);
    }
    return status;
}

static enum kerr run_wait(struct deck_request *request)
{
    struct hardware_wait_call call = {
        .request = request,
        .params = deck_params(request),
    };
    return hardware_wait(&call);
}

enum kerr deck_dispatch(struct deck_request *request, uint16_t op)
{
    switch (op) {
    case HARDWARE_OP_CONVOLVE:
        return run_convolve(request);
    case HARDWARE_OP_JPEG_ENCODE:
        return run_jpeg_encode(request);
    case HARDWARE_OP_TICK:
        return run_tick(request);
    case HARDWARE_OP_WAIT:
        return run_wait(request);
    default:
        return KERR_UNKNOWN_OP;
    }
}

bool deck_op_uses_fibre(uint16_t op)
{
    switch (op) {
    case HARDWARE_OP_CONVOLVE:
    case HARDWARE_OP_JPEG_ENCODE:
    case HARDWARE_OP_TICK:
    case HARDWARE_OP_WAIT:
        return true;
    default:
        return false;
    }
}
