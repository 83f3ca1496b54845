/*
 * intake.h - where events come in and results go out: one program's pair of rings, as the Guide keeps it.
 *
 *   EventRing --ring_intake()--> admitted to a slot of its workflow, its result's place reserved --> ... --> ResultRing
 *
 * A result's slot (its buffers) stays the program's until it moves the ResultRing's head past it; that is seen at the next intake.
 */
#pragma once

#include "kernel/lib/ring.h"
#include "kernel/nucleus/guide/guide.h"

struct event;

struct program_ring {
    struct ring_consumer events;
    struct ring_producer results;
    uint32_t owner;
    bool abandoned;    /* the program has gone: verdicts drain to nowhere */
    uint32_t reserved; /* results promised and not yet published */
    /* results whose slots have been given back (free-running, like the ring's head) */
    uint32_t released;
    struct event **held; /* by result place: the event whose slot it holds, NULL: none */
    uint32_t held_count; /* of those that are not NULL */
    bool starved;        /* events were left behind for want of a slot or a place */
    /* the nucleus's: port.result_published() comes with so many more results; 0: with none */
    uint32_t tell_after;
};

/* `events` and `results` are set up over shared memory of `slots` each. False: no memory. */
bool ring_open(struct guide *guide, struct program_ring *ring, uint32_t owner);
/* Take what lies in the EventRing as far as there is room. KERR_BAD_EVENT: the program lied in a ring index; end it. */
enum kerr ring_intake(struct guide *guide, struct program_ring *ring, uint64_t now_ns);
/* Give back the slots of results that the program has read past. False: there were none (or it lied: its next intake tells). */
bool ring_release(struct guide *guide, struct program_ring *ring);
/* The program has gone or gives the ring back: nothing is published any more; port.ring_drained() when nothing is in flight. */
void ring_abandon(struct guide *guide, struct program_ring *ring);
/* After port.ring_drained(). */
void ring_close(struct guide *guide, struct program_ring *ring);
