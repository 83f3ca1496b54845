/*
 * hardware_ops.h - hardware deck: the operations it answers, in deck.yaml order.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/hardware/deck.yaml
 *   template  codegen/templates/deck_ops.h.j2
 *   rebuild   make gen
 */
#pragma once

#include "kernel/abi/hardware.h"
#include "userland/libkwe/deck/deck.h"

/*
 * Each operation is a function of the deck's own. It reads its inputs where they lie, writes its output and sets
 * its length, sets its values, and returns KERR_OK or what went wrong; then output and values do not count.
 */

struct hardware_convolve_call {
    struct deck_request *request;
    const struct hardware_convolve_params *params;
    struct deck_bytes pixels;  /* in: rgb8 */
    struct deck_room filtered; /* out: rgb8; set .length */
    uint32_t width;            /* value: set it */
    uint32_t height;           /* value: set it */
};
/*
 * 3x3 convolution with integer weights; edges replicated, rounded half away from zero, clamped to
 * 0..255, each channel alone. Errors: OUTPUT_TOO_LARGE, BAD_PICTURE, TOO_LARGE, NO_DEVICE,
 * DEVICE_GONE, DEVICE_TIMEOUT, DEVICE_REFUSED. On a fibre: may wait.
 */
enum kerr hardware_convolve(struct hardware_convolve_call *call);

struct hardware_jpeg_encode_call {
    struct deck_request *request;
    const struct hardware_jpeg_encode_params *params;
    struct deck_bytes pixels; /* in: rgb8 */
    struct deck_room picture; /* out: bytes; set .length */
};
/*
 * Encode 8-bit RGB to a baseline JPEG picture. Errors: OUTPUT_TOO_LARGE, BAD_PICTURE, TOO_LARGE,
 * NO_DEVICE, DEVICE_GONE, DEVICE_TIMEOUT, DEVICE_REFUSED. On a fibre: may wait.
 */
enum kerr hardware_jpeg_encode(struct hardware_jpeg_encode_call *call);

struct hardware_tick_call {
    struct deck_request *request;
    const struct hardware_tick_params *params;
    uint64_t number;  /* value: set it */
    uint64_t time_ns; /* value: set it */
    uint64_t late_ns; /* value: set it */
};
/*
 * Wait for the next multiple of period_ns of the time since the system started. Nothing adds up, so
 * that it does not drift: one that comes too late has missed ticks, which the number shows. Errors:
 * TIMED_OUT. On a fibre: may wait.
 */
enum kerr hardware_tick(struct hardware_tick_call *call);

struct hardware_wait_call {
    struct deck_request *request;
    const struct hardware_wait_params *params;
};
/* Wait for so long. Errors: TIMED_OUT. On a fibre: may wait. */
enum kerr hardware_wait(struct hardware_wait_call *call);
