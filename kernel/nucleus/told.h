/*
 * told.h - what the Guides tell the nucleus. A Guide's lock is held then and nucleus->lock perhaps not, so each CPU only notes what it is told,
 * and does it on its way out of the nucleus, with nucleus->lock.
 */
#pragma once

#include "kernel/nucleus/guide/guide.h"

struct nucleus;
struct cpu;

/* A bit for each that something has been told of. The CPU's own. */
struct told {
    bool anything;
    bool anything_rare;
    uint32_t decks;     /* by prefix: work is ready */
    uint32_t published; /* rings, by the id's index: results that somebody listens for */
    /* what is rare: */
    uint32_t drained;  /* rings: nothing of one that was abandoned is in flight */
    uint32_t broken;   /* rings: the program lied */
    uint32_t recalled; /* instances: to give something back */
    uint32_t stuck;    /* instances: did not give it back */
};

/* As if a Guide had told this CPU of work for a deck. */
void told_deck_ready(struct cpu *here, uint8_t prefix);
/* For struct guide_config. */
struct guide_port told_port(struct nucleus *nucleus);
/* Do all that this CPU was told, and what that leads to. nucleus->lock is held. */
void told_do_all(struct nucleus *nucleus, struct cpu *cpu);
