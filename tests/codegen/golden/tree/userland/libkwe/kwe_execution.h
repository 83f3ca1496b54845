/*
 * kwe_execution.h - stages of the execution deck, typed, for programs.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/execution/deck.yaml
 *   template  codegen/templates/kwe_deck.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>

#include "kernel/abi/event.h"
#include "kernel/abi/execution.h"
#include "userland/libkwe/program/kwe.h"

/*
 * Each adds a stage and returns it; mistakes stick in the builder. `params` is copied; start from
 * the operation's _defaults(). An input is the stage whose output it is; one that comes from
 * elsewhere is given as KWE_STAGE_NONE and bound with kwe_input_event() or kwe_input_constant(); an
 * optional one may be KWE_STAGE_NONE and stay unbound, if those behind it do too.
 */

/*
 * The newest results, oldest first, as lines: cookie workflow status stage deck submitted_ns
 * finished_ns.
 */
static inline kwe_stage_t kwe_execution_history(struct kwe_builder *builder, const char *name,
                                                const struct execution_history_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, EXECUTION_PREFIX, EXECUTION_OP_HISTORY, params, sizeof(*params));

    return stage;
}

/*
 * Results seen since this instance started, how many of them failed, and the longest time from
 * submit to verdict.
 */
static inline kwe_stage_t kwe_execution_counters(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_stage(builder, name, EXECUTION_PREFIX, EXECUTION_OP_COUNTERS, NULL, 0);

    return stage;
}
