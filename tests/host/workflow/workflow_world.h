/* workflow_world.h - a Guide with decks of random answers, in which whatever plan the checker accepts is run to the end. */
#pragma once

#include "kernel/nucleus/workflow/plan.h"

extern const struct deck_spec world_specs[];
#define WORLD_SPECS     5u
#define WORLD_INSTANCES 2u /* of a per-CPU deck */

/* Counts what it gives, so that world_blocks() tells a leak. */
extern const struct guide_memory world_memory;
long world_blocks(void);

/*
 * Register the plan, submit events, let decks answer, fail, be late, die, until each event has had its one result; then give all back. Asserts
 * what must hold whatever the plan: places of outputs in their segments and apart, one result an event, nothing left. Takes the plan.
 */
void world_run(struct plan *plan, uint64_t seed);
/* The same for events that bring this blob into an arena. `expected`: what plan_create() said of it. */
void world_run_route(const uint8_t *blob, size_t bytes, enum kerr expected, uint64_t seed);
