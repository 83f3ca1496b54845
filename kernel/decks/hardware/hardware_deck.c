/*
 * hardware_deck.c - Hardware: the operations that the accelerator computes.
 *
 *   hardware_accelerator  the worker behind ivshmem     hardware_timer  tick and wait
 */
#include <string.h>

#include "kernel/decks/hardware/hardware_accelerator.h"
#include "kernel/decks/hardware/hardware_core.h"
#include "kernel/decks/hardware/hardware_ops.h"

/* The timer is there without an accelerator, too. */
enum kerr deck_start(const struct kwe_deck_info *info)
{
    if (info->device_count != 0) {
        accelerator_start(&info->device[0]);
    }
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits; /* there is one, and it only says "look" */
    accelerator_look();
}

uint64_t deck_idle(void)
{
    return accelerator_idle();
}

static struct kwe_accel_convolve wire_params(const struct hardware_convolve_params *params)
{
    struct kwe_accel_convolve wire = {
        .width = params->width,
        .height = params->height,
        .channels = 3,
        .divisor = params->divisor,
        .bias = params->bias,
    };

    _Static_assert(sizeof(wire.weights) == sizeof(params->weights),
                   "deck.yaml and accel.h agree on the weights");
    memcpy(wire.weights, params->weights, sizeof(wire.weights));
    return wire;
}

enum kerr hardware_convolve(struct hardware_convolve_call *call)
{
    const uint64_t bytes = call->pixels.length;
    const struct kwe_accel_convolve params = wire_params(call->params);
    struct accelerator_call work = {
        KWE_ACCEL_CONVOLVE, &params, sizeof(params), call->pixels, { call->filtered.data, bytes, 0 }
    };

    enum kerr status = hardware_check_picture(params.width, params.height, bytes);
    if (status == KERR_OK && call->filtered.capacity < bytes) {
        status = KERR_OUTPUT_TOO_LARGE;
    }
    if (status == KERR_OK) {
        status = accelerator_run(call->request, &work);
    }
    if (status == KERR_OK && work.out.length != bytes) {
        status = KERR_DEVICE_REFUSED;
    }
    call->filtered.length = bytes; /* of the answer, or what it takes */
    call->width = params.width;
    call->height = params.height;
    return status;
}

enum kerr hardware_jpeg_encode(struct hardware_jpeg_encode_call *call)
{
    const struct kwe_accel_jpeg_encode params = { call->params->width, call->params->height,
                                                  call->params->quality };
    struct accelerator_call work = { KWE_ACCEL_JPEG_ENCODE, &params, sizeof(params), call->pixels,
                                     call->picture };

    enum kerr status = hardware_check_picture(params.width, params.height, call->pixels.length);
    if (status == KERR_OK) {
        status = accelerator_run(call->request, &work);
    }
    call->picture.length = work.out.length;
    return status;
}
