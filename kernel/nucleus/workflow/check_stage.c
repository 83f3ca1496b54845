/* check_stage.c - one stage of a workflow: its kind, operation or loop, and whom it waits for. */
#include "kernel/nucleus/workflow/check.h"

static enum kerr check_ranges(const struct kwe_workflow *header, const struct kwe_stage *wire)
{
    if (wire->kind > KWE_STAGE_TRIGGER || wire->join > KWE_JOIN_FIRST ||
        (wire->flags & ~KWE_STAGE_ANY_VARIANT) != 0 ||
        (wire->flags != 0 && wire->kind != KWE_STAGE_OP) ||
        !check_range(wire->dependency_first, wire->dependency_count, header->dependency_count) ||
        !check_range(wire->binding_first, wire->binding_count, header->binding_count) ||
        !check_range(wire->condition_first, wire->condition_count, header->condition_count) ||
        !check_range(wire->params_offset, wire->params_bytes, header->params_bytes) ||
        wire->params_offset % 8 != 0 || wire->name_offset >= header->names_bytes ||
        (wire->join == KWE_JOIN_FIRST && wire->dependency_count == 0)) {
        return KERR_BAD_WORKFLOW;
    }
    bool not_built = wire->kind == KWE_STAGE_TRIGGER || wire->fallback != KWE_NO_STAGE ||
                     wire->compensation != KWE_NO_STAGE || wire->retries != 0 ||
                     wire->backoff_ns != 0;
    return not_built ? KERR_NOT_BUILT : KERR_OK;
}

static enum kerr find_op(const struct deck_spec *specs, uint32_t spec_count,
                         const struct kwe_stage *wire, struct plan_stage *stage)
{
    if (wire->body_count != 0 || wire->bound != 0) {
        return KERR_BAD_WORKFLOW;
    }
    for (uint32_t i = 0; i < spec_count; i++) {
        if (specs[i].prefix != wire->deck) {
            continue;
        }
        if (wire->op >= specs[i].op_count || specs[i].ops[wire->op].name == NULL) {
            return KERR_UNKNOWN_OP;
        }
        stage->op = &specs[i].ops[wire->op];
        stage->deck = wire->deck;
        stage->number = wire->op;
        stage->is_open = (wire->flags & KWE_STAGE_ANY_VARIANT) != 0 && stage->op->variant_count > 0;
        return KERR_OK;
    }
    return KERR_UNKNOWN_DECK;
}

/* Is any part of the body's work bound to the part before? */
static bool looks_back(const struct plan *plan, const struct kwe_stage *wire)
{
    for (uint16_t i = 0; i < wire->body_count; i++) {
        const struct kwe_stage *body = &check_stages(plan)[wire->body_first + i];
        for (uint32_t k = 0; k < body->binding_count; k++) {
            uint64_t at = (uint64_t)body->binding_first + k;
            if (at < plan->header->binding_count &&
                (plan->bindings[at].kind == KWE_BIND_INPUT_PREVIOUS ||
                 plan->bindings[at].kind == KWE_BIND_PARAM_PREVIOUS)) {
                return true;
            }
        }
    }
    return false;
}

static enum kerr add_loop(struct plan *plan, uint16_t index, const struct kwe_stage *wire,
                          struct plan_stage *stage)
{
    const bool each = wire->kind == KWE_STAGE_FOR_EACH;

    if (stage->is_body) {
        return KERR_NOT_BUILT; /* a loop in a loop */
    }
    if (wire->body_first != index + 1 || wire->body_count == 0 || wire->out_limit != 0 ||
        !check_range(wire->body_first, wire->body_count, plan->stage_count) || wire->bound == 0 ||
        wire->params_bytes != (each ? sizeof(struct kwe_parts) : 0) ||
        (!each && wire->condition_count == 0)) {
        return KERR_BAD_WORKFLOW;
    }
    if (plan->loop_count == KWE_MAX_LOOPS || (each && wire->bound > KWE_MAX_WINDOW)) {
        return KERR_OVER_LIMITS;
    }
    const uint16_t window = (uint16_t)(each ? wire->bound : 1);
    struct plan_loop *loop = &plan->loops[plan->loop_count];
    *loop = (struct plan_loop){
        .stage = index,
        .body_first = wire->body_first,
        .body_count = wire->body_count,
        .window = window,
        .lanes = (uint16_t)(window + (looks_back(plan, wire) ? 1 : 0)),
        .rounds = each ? 0 : wire->bound,
        .extra_runs = plan->run_count,
    };
    plan->run_count += (loop->lanes - 1u) * loop->body_count;
    stage->deck = KWE_NO_DECK;
    stage->loop = (uint8_t)plan->loop_count++;
    return KERR_OK;
}

/* The loop whose body the stage lies in; loops are met before their bodies. */
static void find_body(const struct plan *plan, uint16_t index, struct plan_stage *stage)
{
    stage->loop = PLAN_NO_LOOP;
    for (uint32_t i = 0; i < plan->loop_count; i++) {
        if (check_range(plan->loops[i].body_first, 1, index + 1u) &&
            index - plan->loops[i].body_first < plan->loops[i].body_count) {
            stage->loop = (uint8_t)i;
            stage->is_body = true;
        }
    }
}

static bool waits_for(const struct plan *plan, uint16_t index, uint16_t other)
{
    const struct plan_stage *stage = &plan->stages[index];

    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        if (plan->dependencies[stage->dependency_first + i].stage == other) {
            return true;
        }
    }
    return false;
}

bool check_is_over(const struct plan *plan, uint16_t reader, uint16_t source)
{
    const struct plan_stage *from = &plan->stages[source], *to = &plan->stages[reader];

    if (waits_for(plan, reader, source)) {
        return true;
    }
    if (to->is_body) { /* it runs when all is over that its loop waited for */
        return waits_for(plan, plan->loops[to->loop].stage, source);
    }
    return from->is_body && waits_for(plan, reader, plan->loops[from->loop].stage);
}

/* A body is a room of its own: in, only what its loop has waited for; out, only through the loop. */
static bool may_wait_for(const struct plan *plan, uint16_t index, uint16_t other)
{
    const struct plan_stage *stage = &plan->stages[index], *before = &plan->stages[other];

    if (before->is_body) {
        return stage->is_body && stage->loop == before->loop;
    }
    if (stage->is_body) {
        const uint16_t loop = plan->loops[stage->loop].stage;
        return other == loop || waits_for(plan, loop, other);
    }
    return true;
}

static uint16_t after(const struct plan *plan, const struct plan_stage *stage, uint16_t other)
{
    uint16_t level = plan->stages[other].level;

    /* Behind a loop: behind all of its body. */
    if (plan->stages[other].op == NULL && !stage->is_body) {
        const struct plan_loop *loop = &plan->loops[plan->stages[other].loop];
        for (uint16_t i = 0; i < loop->body_count; i++) {
            const uint16_t inner = plan->stages[loop->body_first + i].level;
            level = inner > level ? inner : level;
        }
    }
    return (uint16_t)(level + 1);
}

static enum kerr check_dependencies(struct plan *plan, uint16_t index, struct plan_stage *stage)
{
    if (stage->is_body) {
        stage->level = after(plan, stage, plan->loops[stage->loop].stage);
    }
    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        const struct kwe_dependency *dependency = &plan->dependencies[stage->dependency_first + i];
        if ((dependency->flags & ~KWE_DEPENDENCY_TOLERATES) != 0 ||
            dependency->stage >= plan->stage_count) {
            return KERR_BAD_WORKFLOW;
        }
        if (dependency->stage >= index) {
            return KERR_BAD_CYCLE; /* stages stand in topological order, so this waits for itself or for a later one */
        }
        for (uint16_t j = 0; j < i; j++) {
            if (plan->dependencies[stage->dependency_first + j].stage == dependency->stage) {
                return KERR_BAD_WORKFLOW; /* twice */
            }
        }
        const bool first_outside = stage->join == KWE_JOIN_FIRST && stage->is_body &&
                                   !plan->stages[dependency->stage].is_body;
        if (plan->stages[dependency->stage].deck == 0 || /* 0 stands last */
            first_outside || !may_wait_for(plan, index, dependency->stage)) {
            return KERR_BAD_WORKFLOW;
        }
        const uint16_t level = after(plan, stage, dependency->stage);
        stage->level = level > stage->level ? level : stage->level;
    }
    return KERR_OK;
}

enum kerr check_stage_shape(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                            uint16_t index)
{
    const struct kwe_stage *wire = &check_stages(plan)[index];
    struct plan_stage *stage = &plan->stages[index];
    enum kerr result = check_ranges(plan->header, wire);

    if (result != KERR_OK) {
        return result;
    }
    if (wire->out_most != 0 && wire->out_most < wire->out_limit) {
        return KERR_BAD_WORKFLOW;
    }
    stage->kind = wire->kind;
    stage->join = wire->join;
    stage->dependency_first = wire->dependency_first;
    stage->dependency_count = wire->dependency_count;
    stage->binding_first = wire->binding_first;
    stage->binding_count = wire->binding_count;
    stage->condition_first = wire->condition_first;
    stage->condition_count = wire->condition_count;
    stage->params_offset = wire->params_offset;
    stage->params_bytes = wire->params_bytes;
    stage->timeout_ns = wire->timeout_ns;
    find_body(plan, index, stage);
    result = wire->kind == KWE_STAGE_OP ? find_op(specs, spec_count, wire, stage)
                                        : add_loop(plan, index, wire, stage);
    return result == KERR_OK ? check_dependencies(plan, index, stage) : result;
}
