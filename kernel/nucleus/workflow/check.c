/* check.c - is this blob a workflow that can be carried out? Counts first, then each stage; nothing is used before it is checked. */
#include "kernel/nucleus/workflow/check.h"

#include "kernel/lib/string.h"

/* Where the parts lie; all checked to lie inside the blob. */
struct parts {
    const struct kwe_stage *stages;
    const struct kwe_dependency *dependencies;
    const struct kwe_binding *bindings;
    const struct kwe_condition *conditions;
    uint32_t stages_at, dependencies_at, bindings_at;
};

static uint64_t align8(uint64_t value)
{
    return (value + 7) & ~7ull;
}

static enum kerr check_limits(const struct kwe_workflow *header)
{
    bool too_many =
        header->stage_count > KWE_MAX_STAGES || header->dependency_count > KWE_MAX_DEPENDENCIES ||
        header->binding_count > KWE_MAX_BINDINGS || header->condition_count > KWE_MAX_CONDITIONS ||
        header->manifest_count > KWE_MAX_MANIFEST || header->slots > KWE_MAX_SLOTS ||
        header->block_bytes > KWE_MAX_BLOCK_BYTES || header->program_bytes > (1ull << 40);
    return too_many ? KERR_OVER_LIMITS : KERR_OK;
}

static enum kerr check_header(const struct plan *plan)
{
    const struct kwe_workflow *header = plan->header;

    if (header->magic != KWE_WORKFLOW_MAGIC || header->version != KWE_WORKFLOW_VERSION ||
        header->flags != 0 || header->total_bytes != plan->blob_bytes || header->stage_count == 0 ||
        header->slots == 0) {
        return KERR_BAD_WORKFLOW;
    }
    if (header->result_stage != KWE_NO_STAGE && header->result_stage >= header->stage_count) {
        return KERR_BAD_WORKFLOW;
    }
    if (header->timeout_ns != 0) {
        return KERR_NOT_BUILT;
    }
    return check_limits(header);
}

/* Lay the parts' addresses out; the sum must be the blob's length exactly. */
static enum kerr find_parts(struct plan *plan, struct parts *parts)
{
    const struct kwe_workflow *header = plan->header;
    uint64_t at = sizeof(*header);

    parts->stages_at = (uint32_t)at;
    at = align8(at + header->stage_count * sizeof(struct kwe_stage));
    parts->dependencies_at = (uint32_t)at;
    at = align8(at + header->dependency_count * sizeof(struct kwe_dependency));
    parts->bindings_at = (uint32_t)at;
    at = align8(at + header->binding_count * sizeof(struct kwe_binding));
    uint64_t conditions_at = at;
    at = align8(at + header->condition_count * sizeof(struct kwe_condition));
    uint64_t manifest_at = at;
    at = align8(at + header->manifest_count * sizeof(struct kwe_manifest_entry));
    uint64_t params_at = at;
    at = align8(at + header->params_bytes);
    uint64_t constants_at = at;
    at = align8(at + header->constant_bytes);
    uint64_t names_at = at;
    at = align8(at + header->names_bytes);
    if (at != plan->blob_bytes || header->names_bytes == 0) {
        return KERR_BAD_WORKFLOW;
    }
    const uint8_t *blob = plan->blob;
    parts->stages = (const struct kwe_stage *)(const void *)(blob + parts->stages_at);
    parts->dependencies =
        (const struct kwe_dependency *)(const void *)(blob + parts->dependencies_at);
    parts->bindings = (const struct kwe_binding *)(const void *)(blob + parts->bindings_at);
    parts->conditions = (const struct kwe_condition *)(const void *)(blob + conditions_at);
    plan->bindings = parts->bindings;
    plan->manifest = (const struct kwe_manifest_entry *)(const void *)(blob + manifest_at);
    plan->params = blob + params_at;
    plan->constants = blob + constants_at;
    plan->names = (const char *)(blob + names_at);
    return plan->names[header->names_bytes - 1] == '\0' ? KERR_OK : KERR_BAD_WORKFLOW;
}

/* ---- one stage --------------------------------------------------------------------------------------------------- */

static bool range_ok(uint64_t first, uint64_t count, uint64_t limit)
{
    return first <= limit && count <= limit - first;
}

static enum kerr check_shape(const struct kwe_workflow *header, const struct kwe_stage *wire)
{
    if (wire->kind > KWE_STAGE_TRIGGER || wire->join > KWE_JOIN_FIRST || wire->flags != 0 ||
        !range_ok(wire->dependency_first, wire->dependency_count, header->dependency_count) ||
        !range_ok(wire->binding_first, wire->binding_count, header->binding_count) ||
        !range_ok(wire->condition_first, wire->condition_count, header->condition_count) ||
        !range_ok(wire->params_offset, wire->params_bytes, header->params_bytes) ||
        wire->params_offset % 8 != 0 || wire->name_offset >= header->names_bytes) {
        return KERR_BAD_WORKFLOW;
    }
    if (wire->kind != KWE_STAGE_OP || wire->join != KWE_JOIN_ALL || wire->condition_count != 0 ||
        wire->body_count != 0 || wire->fallback != KWE_NO_STAGE ||
        wire->compensation != KWE_NO_STAGE || wire->retries != 0 || wire->timeout_ns != 0 ||
        wire->backoff_ns != 0) {
        return KERR_NOT_BUILT;
    }
    return KERR_OK;
}

static enum kerr find_op(const struct deck_spec *specs, uint32_t spec_count,
                         const struct kwe_stage *wire, struct plan_stage *stage)
{
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
        return KERR_OK;
    }
    return KERR_UNKNOWN_DECK;
}

static enum kerr check_dependencies(const struct plan *plan, const struct parts *parts,
                                    uint16_t index, struct plan_stage *stage)
{
    const struct kwe_stage *wire = &parts->stages[index];

    for (uint16_t i = 0; i < wire->dependency_count; i++) {
        const struct kwe_dependency *dependency = &parts->dependencies[wire->dependency_first + i];
        if (dependency->flags != 0) {
            return KERR_NOT_BUILT;
        }
        if (dependency->stage >= plan->stage_count) {
            return KERR_BAD_WORKFLOW;
        }
        if (dependency->stage >= index) {
            return KERR_BAD_CYCLE; /* stages stand in topological order, so this waits for itself or for a later one */
        }
        for (uint16_t j = 0; j < i; j++) {
            if (parts->dependencies[wire->dependency_first + j].stage == dependency->stage) {
                return KERR_BAD_WORKFLOW; /* twice */
            }
        }
        uint16_t level = plan->stages[dependency->stage].level;
        stage->level = level + 1 > stage->level ? (uint16_t)(level + 1) : stage->level;
        if (plan->stages[dependency->stage].deck == 0) {
            return KERR_BAD_WORKFLOW; /* 0 stands last */
        }
    }
    stage->waits = wire->dependency_count;
    return KERR_OK;
}

static bool waits_for(const struct parts *parts, const struct kwe_stage *wire, uint16_t other)
{
    for (uint16_t i = 0; i < wire->dependency_count; i++) {
        if (parts->dependencies[wire->dependency_first + i].stage == other) {
            return true;
        }
    }
    return false;
}

/* A binding reads an earlier stage that this one waits for: else it might not have answered yet. */
static enum kerr check_source_stage(const struct plan *plan, const struct parts *parts,
                                    const struct kwe_stage *wire, const struct kwe_binding *binding)
{
    if (binding->stage >= plan->stage_count || !waits_for(parts, wire, binding->stage)) {
        return KERR_BAD_BINDING;
    }
    const struct op_spec *source = plan->stages[binding->stage].op;
    bool missing =
        (binding->kind == KWE_BIND_PARAM_VALUE && binding->source_index >= source->value_count) ||
        (binding->kind == KWE_BIND_INPUT_STAGE && !source->output.present);
    return missing ? KERR_BAD_BINDING : KERR_OK;
}

static enum kerr check_binding(const struct plan *plan, const struct parts *parts,
                               const struct kwe_stage *wire, const struct kwe_binding *binding,
                               const struct op_spec *op)
{
    const struct kwe_workflow *header = plan->header;

    switch (binding->kind) {
    case KWE_BIND_INPUT_STAGE:
        return binding->target < op->inputs_max ? check_source_stage(plan, parts, wire, binding)
                                                : KERR_BAD_BINDING;
    case KWE_BIND_INPUT_EVENT:
        return binding->target < op->inputs_max ? KERR_OK : KERR_BAD_BINDING;
    case KWE_BIND_INPUT_CONSTANT:
        return binding->target < op->inputs_max &&
                       range_ok(binding->source_offset, binding->source_bytes,
                                header->constant_bytes)
                   ? KERR_OK
                   : KERR_BAD_BINDING;
    case KWE_BIND_PARAM_VALUE:
    case KWE_BIND_PARAM_LENGTH:
        if ((binding->width != 4 && binding->width != 8) || binding->target % binding->width != 0 ||
            !range_ok(binding->target, binding->width, op->params_bytes)) {
            return KERR_BAD_BINDING;
        }
        return check_source_stage(plan, parts, wire, binding);
    case KWE_BIND_PARAM_BLOCK:
        return range_ok(binding->target, binding->source_bytes, op->params_bytes) &&
                       range_ok(binding->source_offset, binding->source_bytes, header->block_bytes)
                   ? KERR_OK
                   : KERR_BAD_BINDING;
    case KWE_BIND_PARAM_STATUS:
    case KWE_BIND_PARAM_HANDLE:
        return KERR_NOT_BUILT;
    default:
        return KERR_BAD_BINDING;
    }
}

static bool binds_input(const struct kwe_binding *binding)
{
    return binding->kind <= KWE_BIND_INPUT_CONSTANT;
}

/* Every input exactly once, without holes. */
static enum kerr check_inputs(const struct parts *parts, const struct kwe_stage *wire,
                              struct plan_stage *stage)
{
    uint32_t seen = 0;

    for (uint16_t i = 0; i < wire->binding_count; i++) {
        const struct kwe_binding *binding = &parts->bindings[wire->binding_first + i];
        if (!binds_input(binding)) {
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
    return holes || stage->input_count < stage->op->inputs_min ? KERR_BAD_BINDING : KERR_OK;
}

static bool has_param_bindings(const struct parts *parts, const struct kwe_stage *wire)
{
    for (uint16_t i = 0; i < wire->binding_count; i++) {
        if (!binds_input(&parts->bindings[wire->binding_first + i])) {
            return true;
        }
    }
    return false;
}

static enum kerr check_bindings(const struct plan *plan, const struct parts *parts,
                                const struct kwe_stage *wire, struct plan_stage *stage,
                                struct plan_error *error)
{
    for (uint16_t i = 0; i < wire->binding_count; i++) {
        uint32_t index = (uint32_t)wire->binding_first + i;
        enum kerr bound = check_binding(plan, parts, wire, &parts->bindings[index], stage->op);
        if (bound != KERR_OK) {
            error->detail = parts->bindings_at + index * (uint32_t)sizeof(struct kwe_binding);
            return bound;
        }
    }
    stage->binding_first = wire->binding_first;
    stage->binding_count = wire->binding_count;
    return check_inputs(parts, wire, stage);
}

static enum kerr check_params(const struct plan *plan, const struct parts *parts,
                              const struct kwe_stage *wire, struct plan_stage *stage,
                              struct plan_error *error)
{
    uint32_t bad_offset = 0;

    if (wire->params_bytes != stage->op->params_bytes || wire->params_bytes > KWE_MAX_PARAM_BYTES) {
        return KERR_BAD_PARAMETER;
    }
    stage->params_offset = wire->params_offset;
    stage->params_bytes = wire->params_bytes;
    /* Bound fields get their values later; then all of them are checked, for each event. */
    if (stage->op->validate == NULL || has_param_bindings(parts, wire)) {
        return KERR_OK;
    }
    enum kerr valid = stage->op->validate(plan->params + wire->params_offset, &bad_offset);
    error->detail = (uint32_t)(plan->params - plan->blob) + wire->params_offset + bad_offset;
    return valid;
}

static enum kerr check_stage(struct plan *plan, const struct parts *parts, uint16_t index,
                             const struct deck_spec *specs, uint32_t spec_count,
                             struct plan_error *error)
{
    const struct kwe_stage *wire = &parts->stages[index];
    struct plan_stage *stage = &plan->stages[index];
    enum kerr result;

    error->stage = index;
    error->detail = parts->stages_at + index * (uint32_t)sizeof(*wire);
    if ((result = check_shape(plan->header, wire)) != KERR_OK ||
        (result = find_op(specs, spec_count, wire, stage)) != KERR_OK ||
        (result = check_dependencies(plan, parts, index, stage)) != KERR_OK ||
        (result = check_bindings(plan, parts, wire, stage, error)) != KERR_OK) {
        return result;
    }
    return check_params(plan, parts, wire, stage, error);
}

/* ---- who waits for whom, the other way round ------------------------------------------------------------------------ */

static void list_successors(struct plan *plan, const struct parts *parts)
{
    uint16_t next = 0;

    for (uint16_t i = 0; i < plan->stage_count; i++) {
        plan->stages[i].successor_first = next;
        for (uint16_t j = (uint16_t)(i + 1); j < plan->stage_count; j++) {
            if (waits_for(parts, &parts->stages[j], i)) {
                plan->successors[next++] = j;
                plan->stages[i].successor_count++;
            }
        }
        plan->route[i] = plan->stages[i].deck;
    }
    plan->route[plan->stage_count] = 0;
}

const struct kwe_stage *check_stages(const struct plan *plan)
{
    return (const struct kwe_stage *)(const void *)(plan->blob + sizeof(struct kwe_workflow));
}

enum kerr check_blob(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                     struct plan_error *error)
{
    struct parts parts;
    enum kerr result;

    if ((result = check_header(plan)) != KERR_OK ||
        (result = find_parts(plan, &parts)) != KERR_OK) {
        return result;
    }
    struct guide_memory *memory = &plan->memory;
    uint16_t count = plan->header->stage_count;
    plan->stages = memory->alloc_zeroed(memory->context, count * sizeof(*plan->stages));
    if (plan->stages == NULL) {
        return KERR_NO_MEMORY;
    }
    plan->stage_count = count;
    plan->successors = memory->alloc_zeroed(memory->context, (plan->header->dependency_count + 1u) *
                                                                 sizeof(*plan->successors));
    if (plan->successors == NULL) {
        return KERR_NO_MEMORY;
    }
    uint32_t dependencies = 0;
    for (uint16_t i = 0; i < count; i++) {
        /* Grouped by stage: no two share a range, so their sum is the list's length. */
        if (parts.stages[i].dependency_count != 0 &&
            parts.stages[i].dependency_first != dependencies) {
            *error =
                (struct plan_error){ i, parts.stages_at + i * (uint32_t)sizeof(struct kwe_stage) };
            return KERR_BAD_WORKFLOW;
        }
        dependencies += parts.stages[i].dependency_count;
        if ((result = check_stage(plan, &parts, i, specs, spec_count, error)) != KERR_OK) {
            return result;
        }
    }
    *error = (struct plan_error){ .stage = KWE_NO_STAGE };
    list_successors(plan, &parts);
    return KERR_OK;
}
