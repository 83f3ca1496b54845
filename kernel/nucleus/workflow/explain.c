/* explain.c - a plan in the words of kernel/abi/workflow.h, for people who ask why. */
#include "kernel/nucleus/workflow/explain.h"

#include "kernel/lib/string.h"
#include "kernel/nucleus/workflow/order.h"

static uint64_t later(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

/* The longest way to a stage: through what it waits for, and, in a body, through its loop. */
static uint64_t way_to(const struct plan *plan, const struct kwe_plan_stage *out, uint16_t index)
{
    const struct plan_stage *stage = &plan->stages[index];
    uint64_t way_ns = 0;

    if (stage->is_body) {
        way_ns = out[plan->loops[stage->loop].stage].before_ns;
    }
    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        const uint16_t before = plan->dependencies[stage->dependency_first + i].stage;
        way_ns = later(way_ns, out[before].before_ns + out[before].cost_ns);
    }
    return way_ns;
}

/* A loop takes what the longest way through its body takes, once: how many parts there will be is not known. */
static uint64_t loop_cost(const struct plan *plan, struct kwe_plan_stage *out, uint16_t index)
{
    const struct plan_loop *loop = &plan->loops[plan->stages[index].loop];
    uint64_t end_ns = out[index].before_ns;

    for (uint16_t i = 0; i < loop->body_count; i++) {
        const uint16_t body = (uint16_t)(loop->body_first + i);
        out[body].before_ns = way_to(plan, out, body);
        end_ns = later(end_ns, out[body].before_ns + out[body].cost_ns);
    }
    return end_ns - out[index].before_ns;
}

/* From the end of the longest way back to its beginning. */
static void mark_critical(const struct plan *plan, struct kwe_plan_stage *out, uint64_t critical_ns)
{
    uint64_t wanted_ns = critical_ns;

    for (uint32_t i = plan->stage_count; i-- > 0;) {
        const bool ends_there = !plan->stages[i].is_body &&
                                (out[i].flags & KWE_PLAN_DROPPED) == 0 &&
                                out[i].before_ns + out[i].cost_ns == wanted_ns;
        if (ends_there && (wanted_ns == critical_ns || out[i].cost_ns > 0)) {
            out[i].flags |= KWE_PLAN_CRITICAL;
            wanted_ns = out[i].before_ns;
        }
    }
}

static uint16_t find_place_of(const struct plan *plan, uint16_t index)
{
    const struct plan_stage *stage = &plan->stages[index];

    for (uint16_t i = 0; stage->out_room != 0 && !stage->is_dropped && i < index; i++) {
        const struct plan_stage *other = &plan->stages[i];
        if (other->deck == stage->deck && other->out_room != 0 && !other->is_dropped &&
            other->out_offset < stage->out_offset + stage->out_room &&
            stage->out_offset < other->out_offset + other->out_room) {
            return i;
        }
    }
    return KWE_NO_STAGE;
}

static uint16_t find_fused_after(const struct plan *plan, uint16_t index)
{
    for (uint16_t i = 0; i < index; i++) {
        if (plan->stages[i].fused_next == index) {
            return i;
        }
    }
    for (uint32_t i = 0; i < plan->other_count; i++) {
        if (plan->others[i].is_open && plan->others[i].fused_next == index) {
            return plan->others[i].index;
        }
    }
    return KWE_NO_STAGE;
}

static void describe_variants(const struct plan *plan, const struct plan_stage *stage,
                              struct kwe_plan_stage *out)
{
    out->variant_count = stage->other_count;
    for (uint32_t i = 0; i < stage->other_count; i++) {
        const struct plan_stage *other = &plan->others[stage->other_first + i];
        out->variant[i] = (struct kwe_plan_variant){
            .cost_ns = plan_cost_ns(other, plan_size_bytes(plan, stage)),
            .op = other->number,
            .deck = other->deck,
        };
    }
}

static void describe(const struct plan *plan, uint16_t index, struct kwe_plan_stage *out)
{
    const struct plan_stage *stage = &plan->stages[index];

    *out = (struct kwe_plan_stage){
        .out_offset = stage->out_offset,
        .out_room = stage->is_dropped ? 0 : stage->out_room,
        .cost_ns = stage->op == NULL || stage->is_dropped
                       ? 0
                       : plan_cost_ns(stage, plan_size_bytes(plan, stage)),
        .level = stage->level,
        .flags = (uint16_t)((stage->is_dropped ? KWE_PLAN_DROPPED : 0u) |
                            (stage->is_body ? KWE_PLAN_BODY : 0u) |
                            (stage->is_early ? KWE_PLAN_EARLY : 0u) |
                            (stage->is_open ? KWE_PLAN_OPEN : 0u)),
        .deck = stage->deck,
        .lanes = (uint8_t)(stage->is_body ? plan->loops[stage->loop].lanes : 1u),
        .place_of = find_place_of(plan, index),
        .fused_after = find_fused_after(plan, index),
        .not_early = (uint8_t)order_not_early(plan, index),
    };
    if (out->fused_after == KWE_NO_STAGE) {
        out->not_fused = (uint8_t)order_not_fused(plan, index);
    }
    describe_variants(plan, stage, out);
}

void plan_explain(const struct plan *plan, struct kwe_plan *out, struct kwe_plan_stage *stages)
{
    *out = (struct kwe_plan){ .stage_count = plan->stage_count,
                              .slots = plan->slots,
                              .slot_bytes = plan->slot_bytes,
                              .outputs_bytes = plan->outputs_bytes,
                              .shared_bytes = plan->shared_bytes };
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        describe(plan, i, &stages[i]);
        out->total_ns += stages[i].cost_ns;
        out->levels = (uint32_t)later(out->levels, stages[i].level + 1u);
    }
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        if (!plan->stages[i].is_body) {
            stages[i].before_ns = way_to(plan, stages, i);
            if (plan->stages[i].op == NULL) {
                stages[i].cost_ns = loop_cost(plan, stages, i);
            }
            out->critical_ns = later(out->critical_ns, stages[i].before_ns + stages[i].cost_ns);
        }
    }
    mark_critical(plan, stages, out->critical_ns);
}
