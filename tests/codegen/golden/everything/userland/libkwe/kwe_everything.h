/*
 * kwe_everything.h - stages of the everything deck, typed, for programs.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/kwe_deck.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>

#include "kernel/abi/event.h"
#include "kernel/abi/everything.h"
#include "userland/libkwe/program/kwe.h"

/*
 * Each adds a stage and returns it; mistakes stick in the builder. `params` is copied; start from
 * the operation's _defaults(). An input is the stage whose output it is; one that comes from
 * elsewhere is given as KWE_STAGE_NONE and bound with kwe_input_event() or kwe_input_constant(); an
 * optional one may be KWE_STAGE_NONE and stay unbound, if those behind it do too.
 */

/* Neither inputs nor outputs. */
static inline kwe_stage_t kwe_everything_bare(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_stage(builder, name, EVERYTHING_PREFIX, EVERYTHING_OP_BARE, NULL, 0);

    return stage;
}

/*
 * Every type of parameter, with a text that is long enough to be broken over the lines of its
 * comment in C.
 */
static inline kwe_stage_t kwe_everything_params(struct kwe_builder *builder, const char *name,
                                                kwe_stage_t picture, kwe_stage_t mask,
                                                kwe_stage_t more, kwe_stage_t most,
                                                const struct everything_params_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, EVERYTHING_PREFIX, EVERYTHING_OP_PARAMS, params, sizeof(*params));

    if (picture.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, EVERYTHING_PARAMS_INPUT_PICTURE, picture);
        kwe_param_from(builder, stage, offsetof(struct everything_params_params, width),
                       sizeof(params->width), picture, "width");
    }
    if (mask.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, EVERYTHING_PARAMS_INPUT_MASK, mask);
    }
    if (more.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, EVERYTHING_PARAMS_INPUT_MORE, more);
    }
    if (most.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, EVERYTHING_PARAMS_INPUT_MOST, most);
    }
    return stage;
}

/* A value that is no whole number, and no input that has to be there. */
static inline kwe_stage_t kwe_everything_real(struct kwe_builder *builder, const char *name,
                                              kwe_stage_t data)
{
    kwe_stage_t stage = kwe_stage(builder, name, EVERYTHING_PREFIX, EVERYTHING_OP_REAL, NULL, 0);

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, EVERYTHING_REAL_INPUT_DATA, data);
    }
    return stage;
}

/* An output by the workflow's limit. */
static inline kwe_stage_t kwe_everything_limited(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_stage(builder, name, EVERYTHING_PREFIX, EVERYTHING_OP_LIMITED, NULL, 0);

    return stage;
}
