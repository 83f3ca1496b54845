/* variants.h - stages that more than one deck could run. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

#define VARIANTS_MAX_OTHERS (KWE_MAX_STAGES * (KWE_MAX_VARIANTS - 1))

/* Make plan->others: each stage as every other deck that has its operation would run it. Checked, ordered. KERR_NO_MEMORY. */
enum kerr variants_find(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count);
