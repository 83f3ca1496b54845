/* variants.c - see variants.h. */
#include "kernel/nucleus/workflow/variants.h"

#include "kernel/nucleus/workflow/order.h"

static const struct op_spec *find_op(const struct deck_spec *specs, uint32_t spec_count,
                                     const struct op_variant *variant)
{
    for (uint32_t i = 0; i < spec_count; i++) {
        if (specs[i].prefix == variant->deck) {
            return &specs[i].ops[variant->op];
        }
    }
    return NULL; /* a table without that deck */
}

static void add_others(struct plan *plan, struct plan_stage *stage, const struct deck_spec *specs,
                       uint32_t spec_count)
{
    stage->other_first = (uint16_t)plan->other_count;
    for (uint32_t i = 0; i < stage->op->variant_count; i++) {
        const struct op_variant *variant = &stage->op->variants[i];
        const struct op_spec *op = find_op(specs, spec_count, variant);
        if (op == NULL) {
            continue;
        }
        struct plan_stage *other = &plan->others[plan->other_count++];
        *other = *stage;
        other->op = op;
        other->deck = variant->deck;
        other->number = variant->op;
        stage->other_count++;
    }
}

static uint32_t count_most(const struct plan *plan)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < plan->stage_count; i++) {
        count += plan->stages[i].op == NULL ? 0 : plan->stages[i].op->variant_count;
    }
    return count;
}

enum kerr variants_find(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count)
{
    const uint32_t most = count_most(plan);

    if (most == 0) {
        return KERR_OK;
    }
    plan->other_room = most;
    plan->others = plan->memory.alloc_zeroed(plan->memory.context, most * sizeof(*plan->others));
    if (plan->others == NULL) {
        return KERR_NO_MEMORY;
    }
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        struct plan_stage *stage = &plan->stages[i];
        if (stage->op == NULL || stage->op->variant_count == 0) {
            continue;
        }
        add_others(plan, stage, specs, spec_count);
        for (uint32_t k = 0; k < stage->other_count; k++) {
            struct plan_stage *other = &plan->others[stage->other_first + k];
            other->other_first = stage->other_first;
            other->other_count = stage->other_count;
            order_fuse(plan, other);
        }
    }
    return KERR_OK;
}
