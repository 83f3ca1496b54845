/* check.h - is this blob a workflow that can be carried out? Fills the plan's view of it; layout is plan.c's. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

/* plan->blob and plan->header are set. Checks all, makes plan->stages, plan->successors and plan->loops. */
enum kerr check_blob(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                     struct plan_error *error);
/* The wire's stages, once checked. */
const struct kwe_stage *check_stages(const struct plan *plan);

/* ---- check.c and check_stage.c ------------------------------------------------------------------------------------- */

static inline bool check_range(uint64_t first, uint64_t count, uint64_t limit)
{
    return first <= limit && count <= limit - first;
}

/* Byte offset in the blob, for plan_error.detail. */
static inline uint32_t check_offset(const struct plan *plan, const void *part)
{
    return (uint32_t)((const uint8_t *)part - plan->blob);
}

/*
 * What it is, its operation, whom it waits for. Fills all of plan->stages[index] but what check_stage_sources() does; the stages before it
 * are done. KERR_OK, or what is wrong.
 */
enum kerr check_stage_shape(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                            uint16_t index);
/* What it takes from others: bindings, conditions, parameters. All stages' shapes are done. error->detail may be made more precise. */
enum kerr check_stage_sources(struct plan *plan, uint16_t index, struct plan_error *error);
/* Is `source` over, one way or another, when `reader` runs? */
bool check_is_over(const struct plan *plan, uint16_t reader, uint16_t source);
