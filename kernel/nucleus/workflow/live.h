/* live.h - outputs' places in a slot, by how long they are needed. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

/* Set every stage's out_offset and out_stride, in its deck's part of the slot; deck_bytes[prefix]: how large that part is. Rooms are chosen. */
void live_lay_out(struct plan *plan, uint64_t deck_bytes[MAX_DECKS]);
