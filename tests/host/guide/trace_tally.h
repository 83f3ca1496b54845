/* trace_tally.h - holds what the Guide tells a trace to its own rules, and its sums to the Guide's counters. One Guide at a time. */
#pragma once

#include "kernel/nucleus/guide/guide.h"

/* A guide_port.trace; asserts that nothing is told out of turn. */
void tally_keep(void *context, const struct kwe_trace_record *record);
/* All of a workflow's events are over: does what was told agree with what was counted? */
void tally_agrees(uint32_t workflow, const struct kwe_stage_status *counted, uint32_t stage_count);
/* Nothing has begun that has not ended. Forgets everything. */
void tally_end(void);
