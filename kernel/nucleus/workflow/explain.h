/* explain.h - a plan as workflow_plan() tells it. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

/* `stages` has room for the plan's. out->workflow is the caller's to fill. */
void plan_explain(const struct plan *plan, struct kwe_plan *out, struct kwe_plan_stage *stages);
