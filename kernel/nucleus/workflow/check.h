/* check.h - is this blob a workflow that can be carried out? Fills the plan's view of it; layout is plan.c's. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

/* plan->blob and plan->header are set. Checks all, makes plan->stages and plan->successors. */
enum kerr check_blob(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                     struct plan_error *error);
/* The wire's stages, once checked. */
const struct kwe_stage *check_stages(const struct plan *plan);
