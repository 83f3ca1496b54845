/* order.h - in which order the stages of a plan go, where the order is free: ranks, what starts early, what is fused. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

/* Set every stage's remaining_ns, rank, is_early, fused_next and size_binding, and whether the plan is plain. Checked, rooms chosen. */
void order_stages(struct plan *plan);
