/*
 * kwe_hardware.h - stages of the hardware deck, typed, for programs.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/hardware/deck.yaml
 *   template  codegen/templates/kwe_deck.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>

#include "kernel/abi/event.h"
#include "kernel/abi/hardware.h"
#include "userland/libkwe/program/kwe.h"

/*
 * Each adds a stage and returns it; mistakes stick in the builder. `params` is copied; start from
 * the operation's _defaults(). An input is the stage whose output it is; one that comes from
 * elsewhere is given as KWE_STAGE_NONE and bound with kwe_input_event() or kwe_input_constant(); an
 * optional one may be KWE_STAGE_NONE and stay unbound, if those behind it do too.
 */

/*
 * 3x3 convolution with integer weights; edges replicated, rounded half away from zero, clamped to
 * 0..255, each channel alone.
 */
static inline kwe_stage_t kwe_hardware_convolve(struct kwe_builder *builder, const char *name,
                                                kwe_stage_t pixels,
                                                const struct hardware_convolve_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, HARDWARE_PREFIX, HARDWARE_OP_CONVOLVE, params, sizeof(*params));

    if (pixels.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, HARDWARE_CONVOLVE_INPUT_PIXELS, pixels);
        kwe_param_from(builder, stage, offsetof(struct hardware_convolve_params, width),
                       sizeof(params->width), pixels, "width");
        kwe_param_from(builder, stage, offsetof(struct hardware_convolve_params, height),
                       sizeof(params->height), pixels, "height");
    }
    return stage;
}

/* Encode 8-bit RGB to a baseline JPEG picture. */
static inline kwe_stage_t kwe_hardware_jpeg_encode(struct kwe_builder *builder, const char *name,
                                                   kwe_stage_t pixels,
                                                   const struct hardware_jpeg_encode_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, HARDWARE_PREFIX, HARDWARE_OP_JPEG_ENCODE, params, sizeof(*params));

    if (pixels.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, HARDWARE_JPEG_ENCODE_INPUT_PIXELS, pixels);
        kwe_param_from(builder, stage, offsetof(struct hardware_jpeg_encode_params, width),
                       sizeof(params->width), pixels, "width");
        kwe_param_from(builder, stage, offsetof(struct hardware_jpeg_encode_params, height),
                       sizeof(params->height), pixels, "height");
    }
    return stage;
}

/*
 * Wait for the next multiple of period_ns of the time since the system started. Nothing adds up, so
 * that it does not drift: one that comes too late has missed ticks, which the number shows.
 */
static inline kwe_stage_t kwe_hardware_tick(struct kwe_builder *builder, const char *name,
                                            const struct hardware_tick_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, HARDWARE_PREFIX, HARDWARE_OP_TICK, params, sizeof(*params));

    return stage;
}

/* Wait for so long. */
static inline kwe_stage_t kwe_hardware_wait(struct kwe_builder *builder, const char *name,
                                            const struct hardware_wait_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, HARDWARE_PREFIX, HARDWARE_OP_WAIT, params, sizeof(*params));

    return stage;
}
