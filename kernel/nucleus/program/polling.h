/*
 * polling.h - EventRings that are looked at without a call. Callers hold nucleus->lock, unless said otherwise.
 *
 * The kernel is awake while some CPU polls before it halts, or runs a deck, whose next entry comes soon: then a polled ring's `waiting` word
 * is 0 and the program need not call. Before the last such CPU halts or runs a program, the word becomes 1, and the ring is looked at once
 * more (ring.h, "sleep and wake"): an event is seen by one side or the other.
 */
#pragma once

#include "kernel/nucleus/types.h"

struct nucleus;
struct cpu;
struct program_rings;

/* How long an idle CPU polls after something came. */
#define POLLING_IDLE_NS 1000000u
/* A deck that runs longer is interrupted, so that events do not wait for it. */
#define POLLING_TICK_NS 1000000u

void polling_begin(struct nucleus *nucleus, struct program_rings *rings);
void polling_end(struct nucleus *nucleus, struct program_rings *rings);
/* Before its rings are served: what comes from now on is news. And after it. */
void polling_look(struct nucleus *nucleus, const struct program_rings *rings);
void polling_served(struct nucleus *nucleus, const struct program_rings *rings);
/* Take what lies in polled rings. */
void polling_serve(struct nucleus *nucleus);
/* Lock not held. Is there something to take? */
bool polling_has_news(const struct nucleus *nucleus);
/* This CPU is one of those that keep the kernel awake. */
void polling_wake(struct nucleus *nucleus, struct cpu *cpu);
/* It is not any more. False: events have come meanwhile; programs have been told to call all the same. */
bool polling_sleep(struct nucleus *nucleus, struct cpu *cpu);
