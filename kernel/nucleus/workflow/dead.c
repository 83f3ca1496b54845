/*
 * dead.c - a pure stage whose output and values reach nobody need not run, wherever it stands.
 *
 * Alive are the result's stage and all that may be seen from outside; then what these wait for, take from or ask about, and so on. Of a loop
 * that is done for its body's sake, what ends it; of one that others wait for, not its body: how many parts there are is known without it.
 * A body's stage that only feeds its own next part is dead with it.
 */
#include "kernel/nucleus/workflow/dead.h"

_Static_assert(KWE_MAX_STAGES == 64, "one bit a stage");

static uint64_t bit(uint32_t stage)
{
    return 1ull << stage;
}

static uint64_t roots(const struct plan *plan)
{
    uint64_t stages = 0;

    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const struct plan_stage *stage = &plan->stages[i];
        const bool is_seen = stage->op != NULL && (stage->op->traits & OP_TRAIT_PURE) == 0;
        stages |= is_seen || i == plan->header->result_stage ? bit(i) : 0;
    }
    return stages;
}

/* Whichever of a FIRST join's it takes: it waits for them all. */
static uint64_t needed_by(const struct plan *plan, const struct plan_stage *stage)
{
    uint64_t stages = 0;

    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        stages |= bit(plan->dependencies[stage->dependency_first + i].stage);
    }
    for (uint16_t i = 0; i < stage->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[stage->binding_first + i];
        if (plan_binds_stage(binding) && binding->stage < plan->stage_count) {
            stages |= bit(binding->stage);
        }
    }
    for (uint16_t i = 0; i < stage->condition_count; i++) {
        stages |= bit(plan->conditions[stage->condition_first + i].stage);
    }
    return stages | (stage->is_body ? bit(plan->loops[stage->loop].stage) : 0);
}

static uint64_t find_alive(const struct plan *plan)
{
    uint64_t alive = roots(plan);

    for (uint64_t left = alive; left != 0;) {
        const uint32_t index = (uint32_t)__builtin_ctzll(left);
        const uint64_t more = needed_by(plan, &plan->stages[index]) & ~alive;
        alive |= more;
        left = (left & (left - 1)) | more;
    }
    return alive;
}

void dead_drop(struct plan *plan)
{
    const uint64_t alive = find_alive(plan);

    /* Where nothing would be left, running them is what the workflow is for. */
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        struct plan_stage *stage = &plan->stages[i];
        stage->is_dropped = alive != 0 && (alive & bit(i)) == 0;
        if (stage->is_body && !stage->is_dropped) {
            plan->loops[stage->loop].body_runs++;
        }
    }
}
