/* layout.h - a plan's segments: what plan.c and arena_plan.c share. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

/* The nucleus's and the program's; the header's counts are set. */
void layout_begin(struct plan *plan);
/* One for each instance of the deck, with so many bytes in each slot; every stage's output has its place in each of them. OVER_LIMITS. */
enum kerr layout_add_deck(struct plan *plan, const struct deck_spec *spec, unsigned instances,
                          uint64_t bytes);
/* All are there, and the number of slots: their sizes. */
/* Where large slots begin in a segment, from its start. */
static inline uint64_t layout_large_at(const struct plan *plan, const struct plan_segment *segment)
{
    return segment->stride * plan->slots;
}
/* What large slots take in all segments together. */
uint64_t layout_large_bytes(const struct plan *plan);
/* The decks' parts of a large slot are so large. */
void layout_large(struct plan *plan, const uint64_t deck_bytes[MAX_DECKS]);
void layout_size(struct plan *plan);
