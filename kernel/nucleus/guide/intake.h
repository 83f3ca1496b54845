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
    struct program_ring *next; /* of those that are open */
    bool abandoned;            /* the program has gone: verdicts drain to nowhere */
    uint32_t reserved;         /* results promised and not yet published */
    /* results whose slots have been given back (free-running, like the ring's head) */
    uint32_t released;
    struct event **held; /* by result place: the event whose slot it holds, NULL: none */
    uint32_t held_count; /* of those that are not NULL */
    bool broken;         /* the program lied in it, and port.ring_broken() was told */
    bool starved;        /* events were left behind for want of a slot or a place */
    uint32_t tell_after; /* port.result_published() comes with so many more results; 0: with none */
    bool tells_each;     /* ... and again with each one */
};

/* `events` and `results` are set up over shared memory of `slots` each. False: no memory. */
bool ring_open(struct guide *guide, struct program_ring *ring, uint32_t owner);
/* Take what lies in the EventRing as far as there is room. KERR_BAD_EVENT: the program lied in a ring index; end it. */
enum kerr ring_intake(struct guide *guide, struct program_ring *ring, uint64_t now_ns);
/* The same for all rings in which events were left behind; port.ring_broken() for one that lies. */
void guide_serve_starved(struct guide *guide, uint64_t now_ns);
/*
 * Are there `least` results to be read? *count: how many. If not, port.result_published() comes when there are, or with the first (`each`),
 * and that goes on.
 */
bool ring_listen(struct program_ring *ring, uint32_t least, bool each, uint32_t *count);
/* The program has gone or gives the ring back: nothing is published any more; port.ring_drained() when nothing is in flight. */
void ring_abandon(struct guide *guide, struct program_ring *ring);
/* After port.ring_drained(). */
void ring_close(struct guide *guide, struct program_ring *ring);
