/*
 * execution_ops.h - execution deck: the operations it answers, in deck.yaml order.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/execution/deck.yaml
 *   template  codegen/templates/deck_ops.h.j2
 *   rebuild   make gen
 */
#pragma once

#include "kernel/abi/execution.h"
#include "userland/libkwe/deck/deck.h"

/*
 * Each operation is a function of the deck's own. It reads its inputs where they lie, writes its output and sets
 * its length, sets its values, and returns KERR_OK or what went wrong; then output and values do not count.
 */

struct execution_history_call {
    struct deck_request *request;
    const struct execution_history_params *params;
    struct deck_room lines; /* out: bytes; set .length */
    uint64_t recorded;      /* value: set it */
};
/*
 * The newest results, oldest first, as lines: cookie workflow status stage deck submitted_ns
 * finished_ns. Errors: OUTPUT_TOO_LARGE.
 */
enum kerr execution_history(struct execution_history_call *call);

struct execution_counters_call {
    struct deck_request *request;
    uint64_t seen;       /* value: set it */
    uint64_t failed;     /* value: set it */
    uint64_t longest_ns; /* value: set it */
};
/*
 * Results seen since this instance started, how many of them failed, and the longest time from
 * submit to verdict.
 */
enum kerr execution_counters(struct execution_counters_call *call);
