/* execution_deck.c - Execution's isolated half: sees every result after it was published, and remembers. */
#include "kernel/decks/execution/execution_ops.h"

#include "kernel/decks/execution/history_core.h"

static struct history history;

enum kerr deck_start(const struct kwe_deck_info *info)
{
    (void)info;
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits; /* no device */
}

uint64_t deck_idle(void)
{
    return UINT64_MAX;
}

void deck_observe(const struct kwe_result *results, uint32_t count)
{
    history_count(&history, results, count);
}

enum kerr execution_history(struct execution_history_call *call)
{
    call->lines.length = history_print(deck_observed, call->params->count, (char *)call->lines.data,
                                       call->lines.capacity);
    call->recorded = history.seen;
    return KERR_OK;
}

enum kerr execution_counters(struct execution_counters_call *call)
{
    call->seen = history.seen;
    call->failed = history.failed;
    call->longest_ns = history.longest_ns;
    return KERR_OK;
}
