/* check_sources.c - what a stage takes from others: its bindings, conditions, parameters. */
#include "kernel/nucleus/workflow/check.h"

/* ---- what there is to take -------------------------------------------------------------------------------------------- */

static bool has_output(const struct plan_stage *stage)
{
    return stage->op != NULL && stage->op->output.present;
}

/* A loop's one value is how many parts it did. */
static uint32_t value_count(const struct plan_stage *stage)
{
    return stage->op == NULL ? 1 : stage->op->value_count;
}

static bool offers(const struct plan *plan, uint16_t source, const struct kwe_binding *binding)
{
    const struct plan_stage *stage = &plan->stages[source];

    switch (binding->kind) {
    case KWE_BIND_INPUT_STAGE:
    case KWE_BIND_INPUT_PREVIOUS:
    case KWE_BIND_INPUT_PART:
    case KWE_BIND_PARAM_OUTPUT:
        return has_output(stage);
    case KWE_BIND_PARAM_VALUE:
    case KWE_BIND_PARAM_PREVIOUS:
        return binding->source_index < value_count(stage);
    default:
        return true;
    }
}

static bool in_same_body(const struct plan *plan, uint16_t one, uint16_t other)
{
    return plan->stages[one].is_body && plan->stages[other].is_body &&
           plan->stages[one].loop == plan->stages[other].loop;
}

/* Whichever came first, of those that the stage joins: of this part, and all that it left. */
static enum kerr check_any(const struct plan *plan, uint16_t index,
                           const struct kwe_binding *binding)
{
    const struct plan_stage *stage = &plan->stages[index];

    if (stage->join != KWE_JOIN_FIRST || binding->kind == KWE_BIND_INPUT_PREVIOUS ||
        binding->kind == KWE_BIND_PARAM_PREVIOUS || binding->kind == KWE_BIND_INPUT_PART) {
        return KERR_BAD_BINDING;
    }
    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        if (!offers(plan, plan->dependencies[stage->dependency_first + i].stage, binding)) {
            return KERR_BAD_BINDING;
        }
    }
    return KERR_OK;
}

/* A binding reads a stage that is over by then. */
static enum kerr check_source(const struct plan *plan, uint16_t index,
                              const struct kwe_binding *binding)
{
    const struct plan_stage *stage = &plan->stages[index];

    if (binding->stage == KWE_ANY_STAGE) {
        return check_any(plan, index, binding);
    }
    if (binding->stage >= plan->stage_count || !offers(plan, binding->stage, binding)) {
        return KERR_BAD_BINDING;
    }
    switch (binding->kind) {
    case KWE_BIND_INPUT_PREVIOUS:
    case KWE_BIND_PARAM_PREVIOUS:
        return in_same_body(plan, index, binding->stage) && stage->join == KWE_JOIN_ALL
                   ? KERR_OK
                   : KERR_BAD_BINDING;
    default:
        return check_is_over(plan, index, binding->stage) ? KERR_OK : KERR_BAD_BINDING;
    }
}

/* ---- bindings ---------------------------------------------------------------------------------------------------------- */

static enum kerr check_input(const struct plan *plan, uint16_t index,
                             const struct kwe_binding *binding)
{
    const struct plan_stage *stage = &plan->stages[index];

    if (stage->op == NULL || binding->target >= stage->op->inputs_max) {
        return KERR_BAD_BINDING;
    }
    switch (binding->kind) {
    case KWE_BIND_INPUT_EVENT:
        return KERR_OK;
    case KWE_BIND_INPUT_CONSTANT:
        return check_range(binding->source_offset, binding->source_bytes,
                           plan->header->constant_bytes)
                   ? KERR_OK
                   : KERR_BAD_BINDING;
    case KWE_BIND_INPUT_PART:
        if (!stage->is_body ||
            plan->stages[plan->loops[stage->loop].stage].kind != KWE_STAGE_FOR_EACH) {
            return KERR_BAD_BINDING;
        }
        return binding->stage == KWE_NO_STAGE ? KERR_OK : check_source(plan, index, binding);
    default:
        return check_source(plan, index, binding);
    }
}

static enum kerr check_param(const struct plan *plan, uint16_t index,
                             const struct kwe_binding *binding)
{
    const struct plan_stage *stage = &plan->stages[index];

    if (binding->kind == KWE_BIND_PARAM_BLOCK) {
        return check_range(binding->target, binding->source_bytes, stage->params_bytes) &&
                       check_range(binding->source_offset, binding->source_bytes,
                                   plan->header->block_bytes)
                   ? KERR_OK
                   : KERR_BAD_BINDING;
    }
    if (binding->kind == KWE_BIND_PARAM_OUTPUT) {
        return check_range(binding->target, binding->source_bytes, stage->params_bytes)
                   ? check_source(plan, index, binding)
                   : KERR_BAD_BINDING;
    }
    if ((binding->width != 4 && binding->width != 8) || binding->target % binding->width != 0 ||
        !check_range(binding->target, binding->width, stage->params_bytes)) {
        return KERR_BAD_BINDING;
    }
    if (binding->kind == KWE_BIND_PARAM_PART) {
        return stage->is_body && binding->source_index <= KWE_PART_LENGTH ? KERR_OK
                                                                          : KERR_BAD_BINDING;
    }
    return check_source(plan, index, binding);
}

static enum kerr check_binding(const struct plan *plan, uint16_t index,
                               const struct kwe_binding *binding)
{
    if (binding->kind == KWE_BIND_PARAM_HANDLE) {
        return KERR_NOT_BUILT;
    }
    if (binding->kind > KWE_BIND_PARAM_OUTPUT) {
        return KERR_BAD_BINDING;
    }
    return plan_binds_input(binding) ? check_input(plan, index, binding)
                                     : check_param(plan, index, binding);
}

/* Every input exactly once, without holes. */
static enum kerr check_inputs(const struct plan *plan, struct plan_stage *stage)
{
    uint32_t seen = 0;

    for (uint16_t i = 0; i < stage->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[stage->binding_first + i];
        if (!plan_binds_input(binding)) {
            continue;
        }
        uint32_t bit = 1u << binding->target;
        if ((seen & bit) != 0) {
            return KERR_BAD_BINDING;
        }
        seen |= bit;
        stage->input_count++;
    }
    bool holes = seen != (1u << stage->input_count) - 1;
    uint32_t least = stage->op == NULL ? 0 : stage->op->inputs_min;
    return holes || stage->input_count < least ? KERR_BAD_BINDING : KERR_OK;
}

static enum kerr check_bindings(const struct plan *plan, uint16_t index, struct plan_error *error)
{
    struct plan_stage *stage = &plan->stages[index];

    for (uint16_t i = 0; i < stage->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[stage->binding_first + i];
        enum kerr bound = check_binding(plan, index, binding);
        if (bound != KERR_OK) {
            error->detail = check_offset(plan, binding);
            return bound;
        }
    }
    return check_inputs(plan, stage);
}

/* ---- conditions --------------------------------------------------------------------------------------------------------- */

static enum kerr check_condition(const struct plan *plan, uint16_t index,
                                 const struct kwe_condition *condition)
{
    const struct plan_stage *stage = &plan->stages[index];

    if (condition->what > KWE_IF_LENGTH || condition->relation > KWE_AT_LEAST ||
        condition->stage >= plan->stage_count) {
        return KERR_BAD_BINDING;
    }
    const struct plan_stage *source = &plan->stages[condition->stage];
    bool is_there = stage->kind == KWE_STAGE_UNTIL ? source->is_body && source->loop == stage->loop
                                                   : check_is_over(plan, index, condition->stage);
    if (!is_there ||
        (condition->what == KWE_IF_VALUE && condition->source_index >= value_count(source)) ||
        (condition->what == KWE_IF_LENGTH && !has_output(source))) {
        return KERR_BAD_BINDING;
    }
    return KERR_OK;
}

static enum kerr check_conditions(const struct plan *plan, uint16_t index, struct plan_error *error)
{
    const struct plan_stage *stage = &plan->stages[index];

    for (uint16_t i = 0; i < stage->condition_count; i++) {
        const struct kwe_condition *condition = &plan->conditions[stage->condition_first + i];
        enum kerr checked = check_condition(plan, index, condition);
        if (checked != KERR_OK) {
            error->detail = check_offset(plan, condition);
            return checked;
        }
    }
    return KERR_OK;
}

/* ---- parameters ------------------------------------------------------------------------------------------------------------ */

static bool has_bound_params(const struct plan *plan, const struct plan_stage *stage)
{
    for (uint16_t i = 0; i < stage->binding_count; i++) {
        if (!plan_binds_input(&plan->bindings[stage->binding_first + i])) {
            return true;
        }
    }
    return false;
}

static enum kerr check_params(const struct plan *plan, const struct plan_stage *stage,
                              struct plan_error *error)
{
    uint32_t bad_offset = 0;
    enum kerr valid;

    if (stage->op != NULL && (stage->params_bytes != stage->op->params_bytes ||
                              stage->params_bytes > KWE_MAX_PARAM_BYTES)) {
        return KERR_BAD_PARAMETER;
    }
    /* Bound fields get their values later; then all of them are checked, for each event. */
    if (has_bound_params(plan, stage)) {
        return KERR_OK;
    }
    valid = plan_validate(stage, plan->params + stage->params_offset, &bad_offset);
    error->detail = check_offset(plan, plan->params) + stage->params_offset + bad_offset;
    return valid;
}

enum kerr check_stage_sources(struct plan *plan, uint16_t index, struct plan_error *error)
{
    enum kerr result;

    if ((result = check_bindings(plan, index, error)) != KERR_OK ||
        (result = check_conditions(plan, index, error)) != KERR_OK) {
        return result;
    }
    return check_params(plan, &plan->stages[index], error);
}
