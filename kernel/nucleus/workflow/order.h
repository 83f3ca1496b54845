/* order.h - in which order the stages of a plan go, where the order is free: ranks, what starts early, what is fused. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

/* Set every stage's remaining_ns, rank, is_early, fused_next and size_binding, and whether the plan is plain. Checked, rooms chosen. */
void order_stages(struct plan *plan);
/* Set stage->fused_next: a stage of the plan, or one as another deck would run it. */
void order_fuse(const struct plan *plan, struct plan_stage *stage);
/* Why a stage does not start early; why not along with one that it waits for. For those who ask. */
enum kwe_plan_why order_not_early(const struct plan *plan, uint16_t index);
enum kwe_plan_why order_not_fused(const struct plan *plan, uint16_t index);
