/*
 * order.c - what the planner does with the freedom that a graph leaves: which stage goes first where several could, which starts before
 * what it waits for, which two go in one visit.
 *
 * rank        when a workflow has many events in flight: the deepest first, so that events that are far are finished before others begin,
 *             few slots are warm at a time and the first result does not wait for the last event's first stage
 * remaining   when it has one: the stage first from which the longest way leads to the end (Graham's list scheduling)
 * early       it takes nothing from what it waits for, all that lies before it surely comes to pass or fails the event, and it is not done in
 *             no time: it runs at once, and counts as over when they are over too
 * fused       two stages of one deck, the second of which waits for the first alone by then: handed over together
 */
#include "kernel/nucleus/workflow/order.h"

/* What is shorter costs more to hold back, once it is over, than starting it early gains. */
#define EARLY_WORTH_NS 5000u

static const struct plan_successor *successors(const struct plan *plan,
                                               const struct plan_stage *stage)
{
    return &plan->successors[stage->successor_first];
}

/* ---- the longest way to the end ---------------------------------------------------------------------------------------- */

static uint64_t longest_after(const struct plan *plan, const struct plan_stage *stage)
{
    uint64_t longest_ns = 0;

    for (uint16_t i = 0; i < stage->successor_count; i++) {
        const struct plan_stage *next = &plan->stages[successors(plan, stage)[i].stage];
        longest_ns = next->remaining_ns > longest_ns ? next->remaining_ns : longest_ns;
    }
    return longest_ns;
}

/* A loop's is that of its body's longest way once, and of what comes after; a body's stage leads on to what comes after its loop. */
static void find_remaining(struct plan *plan)
{
    for (uint32_t i = plan->stage_count; i-- > 0;) {
        struct plan_stage *stage = &plan->stages[i];
        uint64_t after_ns = longest_after(plan, stage);
        if (stage->is_body) {
            const struct plan_stage *loop = &plan->stages[plan->loops[stage->loop].stage];
            const uint64_t behind_ns = longest_after(plan, loop);
            after_ns = after_ns > behind_ns ? after_ns : behind_ns;
        }
        stage->remaining_ns = after_ns;
        if (stage->op != NULL && !stage->is_dropped) {
            stage->remaining_ns += plan_cost_ns(stage, plan_size_bytes(plan, stage));
        }
        for (uint16_t k = 0; stage->op == NULL && k < plan->loops[stage->loop].body_count; k++) {
            const uint64_t body_ns =
                plan->stages[plan->loops[stage->loop].body_first + k].remaining_ns;
            stage->remaining_ns = body_ns > stage->remaining_ns ? body_ns : stage->remaining_ns;
        }
    }
}

/* ---- ranks --------------------------------------------------------------------------------------------------------------- */

static bool goes_before(const struct plan_stage *one, const struct plan_stage *other)
{
    if (one->level != other->level) {
        return one->level > other->level;
    }
    return one->remaining_ns > other->remaining_ns;
}

/* 0 goes last. */
static void find_ranks(struct plan *plan)
{
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        uint8_t rank = 0;
        for (uint16_t k = 0; k < plan->stage_count; k++) {
            const bool is_behind = goes_before(&plan->stages[i], &plan->stages[k]) ||
                                   (!goes_before(&plan->stages[k], &plan->stages[i]) && i < k);
            rank = (uint8_t)(rank + (k != i && is_behind ? 1 : 0));
        }
        plan->stages[i].rank = rank;
        plan->by_rank[rank] = i;
    }
}

/* ---- early --------------------------------------------------------------------------------------------------------------- */

static bool changes_nothing(const struct plan_stage *stage)
{
    return (stage->op->traits & (OP_TRAIT_PURE | OP_TRAIT_IDEMPOTENT)) != 0 &&
           (stage->op->traits & OP_TRAIT_EFFECT) == 0;
}

/* Does it run whenever the event goes well, after others that do, changing nothing that another could see? */
static bool is_certain(const struct plan *plan, const struct plan_stage *stage)
{
    if (stage->op == NULL || stage->is_body || stage->is_dropped || !changes_nothing(stage) ||
        stage->condition_count != 0 || stage->join != KWE_JOIN_ALL) {
        return false;
    }
    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        const struct kwe_dependency *before = &plan->dependencies[stage->dependency_first + i];
        if ((before->flags & KWE_DEPENDENCY_TOLERATES) != 0 ||
            !plan->stages[before->stage].is_certain) {
            return false;
        }
    }
    return true;
}

/* Nobody goes on when it has failed. */
static bool is_needed_by_all(const struct plan *plan, const struct plan_stage *stage)
{
    for (uint16_t i = 0; i < stage->successor_count; i++) {
        const struct plan_successor *next = &successors(plan, stage)[i];
        if (next->tolerates || plan->stages[next->stage].join == KWE_JOIN_FIRST) {
            return false;
        }
    }
    return true;
}

static bool takes_nothing_from_stages(const struct plan *plan, const struct plan_stage *stage)
{
    for (uint16_t i = 0; i < stage->binding_count; i++) {
        if (plan_binds_stage(&plan->bindings[stage->binding_first + i])) {
            return false;
        }
    }
    return true;
}

static void find_early(struct plan *plan)
{
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        struct plan_stage *stage = &plan->stages[i];
        const bool is_certain_itself = is_certain(plan, stage);
        const bool is_worth_it =
            stage->op != NULL &&
            plan_cost_ns(stage, plan_size_bytes(plan, stage)) >= EARLY_WORTH_NS;
        stage->is_certain = is_certain_itself && is_needed_by_all(plan, stage);
        stage->is_early = is_certain_itself && is_worth_it && stage->dependency_count != 0 &&
                          takes_nothing_from_stages(plan, stage);
    }
}

/* ---- fused --------------------------------------------------------------------------------------------------------------- */

/* Can all that `second` takes from `first` be filled in where they run? */
static bool takes_only_output(const struct plan *plan, const struct plan_stage *second,
                              uint16_t first)
{
    for (uint16_t i = 0; i < second->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[second->binding_first + i];
        if (plan_binds_stage(binding) && binding->stage == first &&
            binding->kind != KWE_BIND_INPUT_STAGE) {
            return false;
        }
    }
    return true;
}

/*
 * What may have to run once more, since its answer can say something of the deck alone, has nothing behind it; and where something that is open
 * runs is only known when it can run.
 */
static enum kwe_plan_why why_apart(const struct plan *plan, const struct plan_stage *one,
                                   uint16_t first, const struct plan_successor *next)
{
    const struct plan_stage *two = &plan->stages[next->stage];

    if (one->op == NULL || two->op == NULL || one->is_body != two->is_body) {
        return KWE_WHY_BODY;
    }
    if (!two->is_open && one->deck != two->deck) {
        return KWE_WHY_DECK;
    }
    if (two->is_open || (one->is_open && one->op->own_error_count != 0)) {
        return KWE_WHY_OPEN;
    }
    if (next->tolerates || two->join != KWE_JOIN_ALL || two->condition_count != 0 ||
        two->is_dropped) {
        return KWE_WHY_UNSURE;
    }
    if (two->timeout_ns != 0) {
        return KWE_WHY_TIMEOUT;
    }
    return two->is_early || takes_only_output(plan, two, first) ? KWE_WHY_NONE : KWE_WHY_TAKES;
}

void order_fuse(const struct plan *plan, struct plan_stage *stage)
{
    const uint16_t index = stage->index;

    stage->fused_next = KWE_NO_STAGE;
    for (uint16_t k = stage->successor_count; k-- > 0;) {
        const struct plan_successor *next = &successors(plan, stage)[k];
        if (!plan->stages[next->stage].is_early &&
            why_apart(plan, stage, index, next) == KWE_WHY_NONE) {
            stage->fused_next = next->stage;
        }
    }
}

static void find_fused(struct plan *plan)
{
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        plan->stages[i].index = i;
        order_fuse(plan, &plan->stages[i]);
    }
}

/* ---- plain --------------------------------------------------------------------------------------------------------------- */

static bool is_plain(const struct plan *plan, const struct plan_stage *stage)
{
    for (uint16_t i = 0; i < stage->successor_count; i++) {
        if (successors(plan, stage)[i].tolerates) {
            return false;
        }
    }
    return stage->op != NULL && !stage->is_dropped && !stage->is_early && !stage->is_open &&
           stage->join == KWE_JOIN_ALL && stage->condition_count == 0 && stage->timeout_ns == 0;
}

static bool is_alike(const struct plan *plan, const struct plan_stage *stage)
{
    return plan->header->large_slots == 0 && stage->op != NULL && !stage->is_body &&
           !stage->is_open && stage->timeout_ns == 0;
}

static void find_plain(struct plan *plan)
{
    plan->is_plain = plan->header->large_slots == 0;
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        const struct plan_stage *stage = &plan->stages[i];
        plan->is_plain = plan->is_plain && is_plain(plan, stage);
        plan->stages[i].is_alike = is_alike(plan, stage);
        const bool begins = stage->waits == 0 || stage->is_early;
        plan->sources |= begins && !stage->is_dropped && !stage->is_body ? 1ull << i : 0;
    }
}

/* Where its costs come from. */
static void find_sizes(struct plan *plan)
{
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        struct plan_stage *stage = &plan->stages[i];
        stage->size_binding = PLAN_NO_BINDING;
        for (uint16_t k = stage->binding_count; k-- > 0;) {
            const struct kwe_binding *binding = &plan->bindings[stage->binding_first + k];
            if (plan_binds_input(binding) && binding->target == 0) {
                stage->size_binding = (uint16_t)(stage->binding_first + k);
            }
        }
    }
}

void order_stages(struct plan *plan)
{
    find_sizes(plan);
    find_remaining(plan);
    find_ranks(plan);
    find_early(plan);
    find_fused(plan);
    find_plain(plan);
}

/* ---- why not --------------------------------------------------------------------------------------------------------------- */

static enum kwe_plan_why why_not_certain(const struct plan *plan, const struct plan_stage *stage)
{
    if (stage->op == NULL || stage->is_body) {
        return KWE_WHY_BODY;
    }
    if (!changes_nothing(stage)) {
        return KWE_WHY_CHANGES;
    }
    if (stage->condition_count != 0 || stage->join != KWE_JOIN_ALL) {
        return KWE_WHY_UNSURE;
    }
    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        const struct kwe_dependency *before = &plan->dependencies[stage->dependency_first + i];
        const struct plan_stage *source = &plan->stages[before->stage];
        if ((before->flags & KWE_DEPENDENCY_TOLERATES) != 0 || source->op == NULL ||
            !source->is_certain) {
            return source->op != NULL && !changes_nothing(source) ? KWE_WHY_CHANGES
                                                                  : KWE_WHY_UNSURE;
        }
    }
    return KWE_WHY_NONE;
}

enum kwe_plan_why order_not_early(const struct plan *plan, uint16_t index)
{
    const struct plan_stage *stage = &plan->stages[index];

    if (stage->dependency_count == 0 || stage->is_early || stage->is_dropped) {
        return KWE_WHY_NONE;
    }
    /* Whatever else: what it takes would not be there. */
    if (!takes_nothing_from_stages(plan, stage)) {
        return KWE_WHY_TAKES;
    }
    const enum kwe_plan_why why = why_not_certain(plan, stage);
    return why == KWE_WHY_NONE ? KWE_WHY_SHORT : why;
}

enum kwe_plan_why order_not_fused(const struct plan *plan, uint16_t index)
{
    const struct plan_stage *stage = &plan->stages[index];
    enum kwe_plan_why why = KWE_WHY_NONE;

    for (uint16_t i = 0; i < stage->dependency_count && !stage->is_early; i++) {
        const uint16_t before = plan->dependencies[stage->dependency_first + i].stage;
        const struct plan_stage *source = &plan->stages[before];
        const struct plan_successor next = {
            .stage = index,
            .tolerates = (plan->dependencies[stage->dependency_first + i].flags &
                          KWE_DEPENDENCY_TOLERATES) != 0,
        };
        if (source->fused_next == index) {
            return KWE_WHY_NONE;
        }
        const enum kwe_plan_why apart = why_apart(plan, source, before, &next);
        /* That another deck has it goes without saying where more can be said. */
        if (why == KWE_WHY_NONE || why == KWE_WHY_DECK) {
            why = apart == KWE_WHY_NONE ? KWE_WHY_ONE : apart;
        }
    }
    return why;
}
