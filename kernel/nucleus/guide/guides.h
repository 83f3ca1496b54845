/*
 * guides.h - one Guide for each program, and what decks and the rest of the nucleus see of all of them.
 *
 *   program 0 --> Guide 0, its lock --+                  +--> instances of the decks: each takes from the Guides that have something for it,
 *   program 1 --> Guide 1, its lock --+-- guide_shared --+    first from the one that has been given least, and answers go back where they came from
 *
 * Any CPU may call at any time: each function takes the locks of the Guides that it is about, one after the other and never two at once. What a
 * caller holds comes before: nucleus->lock may be held, or not. In config.port's functions a Guide's lock is held: they must only note what
 * they are told (and workflow_gone(), from guides_collect(), must not come back here).
 *
 * Said of an instance: one call at a time, by the CPU that runs it or, while it does not run, by the one that starts or buries it.
 */
#pragma once

#include "kernel/nucleus/guide/guide.h"
#include "kernel/nucleus/guide/intake.h"
#include "kernel/nucleus/types.h"

struct guides;

/* NULL: no memory. */
struct guides *guides_create(const struct guide_config *config);
void guides_destroy(struct guides *guides);
/* The program of this number has a Guide from here on (it may have had one). False: no memory. Open one program at a time. */
bool guides_open(struct guides *guides, uint32_t owner);

/* ---- a program's workflows and rings: see guide.h and intake.h -------------------------------------------------------- */

/* One at a time with the other functions of this group and guides_collect(): workflow ids are common to all. */
enum kerr guides_register(struct guides *guides, struct plan *plan, uint32_t owner,
                          uint64_t arena_base, const uint64_t *segment_offsets, uint32_t *workflow);
enum kerr guides_check_owner(struct guides *guides, uint32_t owner, uint32_t workflow);
void guides_cancel(struct guides *guides, uint32_t owner, uint32_t workflow, uint64_t now_ns);
void guides_unregister(struct guides *guides, uint32_t owner, uint32_t workflow, uint64_t now_ns);
bool guides_status(struct guides *guides, uint32_t owner, uint32_t workflow,
                   struct kwe_workflow_status *status, struct kwe_stage_status *stages);
bool guides_plan(struct guides *guides, uint32_t owner, uint32_t workflow, struct kwe_plan *plan,
                 struct kwe_plan_stage *stages);
void guides_program_gone(struct guides *guides, uint32_t owner, uint64_t now_ns);
void guides_collect(struct guides *guides);
/* Has guides_collect() something to look at? */
bool guides_must_collect(const struct guides *guides);

bool guides_ring_open(struct guides *guides, struct program_ring *ring, uint32_t owner);
void guides_ring_close(struct guides *guides, struct program_ring *ring);
void guides_ring_abandon(struct guides *guides, struct program_ring *ring, uint64_t now_ns);
enum kerr guides_intake(struct guides *guides, struct program_ring *ring, uint64_t now_ns);
bool guides_listen(struct guides *guides, struct program_ring *ring, uint32_t least, bool each,
                   uint32_t *count);
uint32_t guides_cancel_event(struct guides *guides, const struct program_ring *ring,
                             uint64_t cookie, uint64_t now_ns);

/* ---- instances --------------------------------------------------------------------------------------------------------- */

void guides_instance_state(struct guides *guides, uint32_t instance,
                           enum guide_instance_state state, uint64_t now_ns);
void guides_instance_lost(struct guides *guides, uint32_t instance, uint64_t now_ns);
/* Of all programs' stages, as guide_take(). */
uint32_t guides_take(struct guides *guides, uint32_t instance, uint64_t now_ns,
                     struct ring_producer *work, struct kwe_work_frame *frames, uint32_t room,
                     struct guide_vector *vector);
/* As guide_harvest(). Events that waited for slots that have become free are taken in. */
enum kerr guides_harvest(struct guides *guides, uint32_t instance, struct ring_consumer *done,
                         uint32_t count, uint64_t now_ns);
/* A ring for each program, by its number, as guide_observe_into(); NULL: the deck that observes is down. */
void guides_observe_into(struct guides *guides, struct ring_producer *rings);
uint64_t guides_ready_cost_ns(struct guides *guides, uint8_t prefix);
/* Is there something ready for the deck, or for it to observe? Takes no lock. */
bool guides_have_ready(const struct guides *guides, uint8_t prefix);

/* ---- time and counters ------------------------------------------------------------------------------------------------- */

uint64_t guides_next_deadline_ns(const struct guides *guides);
void guides_expire(struct guides *guides, uint64_t now_ns);

uint64_t guides_results(struct guides *guides, uint64_t *first_ns);
void guides_deck_statistics(struct guides *guides, uint8_t prefix, struct kwe_deck_statistics *out);
uint64_t guides_observe_dropped(struct guides *guides);
