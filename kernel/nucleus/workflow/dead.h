/* dead.h - which stages of a checked workflow need not run. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

/* Sets is_dropped of stages, and body_runs of loops. All stages are checked. */
void dead_drop(struct plan *plan);
