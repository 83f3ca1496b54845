/*
 * execution.h - the execution deck's operations, as all sides see them.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/execution/deck.yaml
 *   template  codegen/templates/deck_abi.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define EXECUTION_PREFIX 0u

enum {
    EXECUTION_OP_NOP = 0,
    EXECUTION_OP_HISTORY = 1,
    EXECUTION_OP_COUNTERS = 2,
};

/* ---- history ---- */

enum {
    EXECUTION_HISTORY_VALUE_RECORDED = 0, /* u64 */
};

/*
 * The newest results, oldest first, as lines: cookie workflow status stage deck submitted_ns
 * finished_ns.
 */
struct execution_history_params {
    uint32_t count; /* 1..4096 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct execution_history_params, count) == 0, "ABI");
_Static_assert(sizeof(struct execution_history_params) == 8, "ABI");

static inline struct execution_history_params execution_history_defaults(void)
{
    return (struct execution_history_params){
        .count = 256u,
    };
}

/* ---- counters ---- */

enum {
    EXECUTION_COUNTERS_VALUE_SEEN = 0,       /* u64 */
    EXECUTION_COUNTERS_VALUE_FAILED = 1,     /* u64 */
    EXECUTION_COUNTERS_VALUE_LONGEST_NS = 2, /* u64 */
};
