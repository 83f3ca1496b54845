/* check.c - is this blob a workflow that can be carried out? Counts first, then each stage; nothing is used before it is checked. */
#include "kernel/nucleus/workflow/check.h"

#include "kernel/lib/string.h"

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
        header->large_slots > KWE_MAX_SLOTS || header->block_bytes > KWE_MAX_BLOCK_BYTES ||
        header->program_bytes > (1ull << 40);
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
    return check_limits(header);
}

/* Take the next part, which begins at *at. */
static const void *take_part(const struct plan *plan, uint64_t *at, uint64_t bytes)
{
    const uint64_t begin = *at;
    *at = align8(begin + bytes);
    return plan->blob + (begin < plan->blob_bytes ? begin : 0);
}

/* Lay the parts' addresses out; the sum must be the blob's length exactly. */
static enum kerr find_parts(struct plan *plan)
{
    const struct kwe_workflow *header = plan->header;
    uint64_t at = sizeof(*header);

    (void)take_part(plan, &at, header->stage_count * sizeof(struct kwe_stage));
    plan->dependencies =
        take_part(plan, &at, header->dependency_count * sizeof(*plan->dependencies));
    plan->bindings = take_part(plan, &at, header->binding_count * sizeof(*plan->bindings));
    plan->conditions = take_part(plan, &at, header->condition_count * sizeof(*plan->conditions));
    plan->manifest = take_part(plan, &at, header->manifest_count * sizeof(*plan->manifest));
    plan->params = take_part(plan, &at, header->params_bytes);
    plan->constants = take_part(plan, &at, header->constant_bytes);
    plan->names = take_part(plan, &at, header->names_bytes);
    if (at != plan->blob_bytes || header->names_bytes == 0) {
        return KERR_BAD_WORKFLOW;
    }
    return plan->names[header->names_bytes - 1] == '\0' ? KERR_OK : KERR_BAD_WORKFLOW;
}

const struct kwe_stage *check_stages(const struct plan *plan)
{
    return (const struct kwe_stage *)(const void *)(plan->blob + sizeof(struct kwe_workflow));
}

/* ---- who waits for whom, the other way round ------------------------------------------------------------------------ */

/* What a body stage waits for outside its body is over when the loop starts: no successor has to be told. */
static bool is_within(const struct plan *plan, const struct plan_stage *stage, uint16_t before)
{
    return !stage->is_body || plan->stages[before].is_body;
}

static void list_successors(struct plan *plan)
{
    uint16_t next = 0;

    for (uint16_t i = 0; i < plan->stage_count; i++) {
        plan->stages[i].successor_first = next;
        for (uint16_t j = (uint16_t)(i + 1); j < plan->stage_count; j++) {
            struct plan_stage *stage = &plan->stages[j];
            for (uint16_t k = 0; k < stage->dependency_count; k++) {
                const struct kwe_dependency *dependency =
                    &plan->dependencies[stage->dependency_first + k];
                if (dependency->stage == i && is_within(plan, stage, i)) {
                    plan->successors[next++] = (struct plan_successor){
                        j, (dependency->flags & KWE_DEPENDENCY_TOLERATES) != 0
                    };
                    plan->stages[i].successor_count++;
                    stage->waits++;
                }
            }
        }
    }
}

static void list_route(struct plan *plan)
{
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        if (plan->stages[i].deck != KWE_NO_DECK) {
            plan->route[plan->route_length++] = plan->stages[i].deck;
        }
    }
    plan->route[plan->route_length] = 0;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

static enum kerr make_tables(struct plan *plan)
{
    struct guide_memory *memory = &plan->memory;
    uint16_t count = plan->header->stage_count;

    plan->stages = memory->alloc_zeroed(memory->context, count * sizeof(*plan->stages));
    if (plan->stages == NULL) {
        return KERR_NO_MEMORY;
    }
    plan->stage_count = count;
    plan->run_count = count;
    plan->successors = memory->alloc_zeroed(memory->context, (plan->header->dependency_count + 1u) *
                                                                 sizeof(*plan->successors));
    return plan->successors == NULL ? KERR_NO_MEMORY : KERR_OK;
}

static enum kerr check_shapes(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                              struct plan_error *error)
{
    const struct kwe_stage *wire = check_stages(plan);
    uint32_t dependencies = 0;

    for (uint16_t i = 0; i < plan->stage_count; i++) {
        *error = (struct plan_error){ i, check_offset(plan, &wire[i]) };
        /* Grouped by stage: no two share a range, so their sum is the list's length. */
        if (wire[i].dependency_count != 0 && wire[i].dependency_first != dependencies) {
            return KERR_BAD_WORKFLOW;
        }
        dependencies += wire[i].dependency_count;
        enum kerr result = check_stage_shape(plan, specs, spec_count, i);
        if (result != KERR_OK) {
            return result;
        }
    }
    return KERR_OK;
}

enum kerr check_blob(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                     struct plan_error *error)
{
    enum kerr result;

    if ((result = check_header(plan)) != KERR_OK || (result = find_parts(plan)) != KERR_OK ||
        (result = make_tables(plan)) != KERR_OK ||
        (result = check_shapes(plan, specs, spec_count, error)) != KERR_OK) {
        return result;
    }
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        *error = (struct plan_error){ i, check_offset(plan, &check_stages(plan)[i]) };
        if ((result = check_stage_sources(plan, i, error)) != KERR_OK) {
            return result;
        }
    }
    *error = (struct plan_error){ .stage = KWE_NO_STAGE };
    list_successors(plan);
    list_route(plan);
    return KERR_OK;
}
