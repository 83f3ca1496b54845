/*
 * program.h - a user program: one thread, its rings, its workflows' arenas. Callers hold nucleus->lock.
 */
#pragma once

#include "kernel/abi/event.h"
#include "kernel/nucleus/guide/intake.h"
#include "kernel/nucleus/mem/frames.h"
#include "kernel/nucleus/sched/thread.h"

struct nucleus;
struct space;
struct plan;
struct arena;

/* See upcall.h. */
struct upcall {
    uint64_t entry, stack;
    uint32_t ring; /* the one that raised it */
    bool pending;  /* results have come that it was not called for */
    bool inside;   /* the thread is in it; `saved` is what it did before */
    struct port_context *saved;
};

struct program {
    uint32_t index; /* in nucleus->program; the Guide's number for the owner */
    char name[24];
    struct thread *thread;
    struct space *space;
    bool ending;
    bool looks; /* it has a polled ring: it looks for results instead of sleeping */
    int exit_status;
    struct upcall upcall;
};

/* One pair of rings of a program. */
struct program_rings {
    struct program *program; /* NULL: the program has gone, what is in flight drains to nowhere */
    struct program_ring ring;
    uint32_t id;    /* index in nucleus->ring, with a generation */
    paddr_t frames; /* contiguous: EventRing, then ResultRing */
    uint32_t frame_count;
    uint64_t address;          /* where the program sees them */
    struct frames_fence fence; /* CPUs that may still know its frames */
    bool polled;               /* see polling.h */
    bool upcall;               /* its results raise the program's upcall */
    bool waiter;               /* the program sleeps in WAIT on it. Atomic: without nucleus->lock */
};

/* What the nucleus keeps for a registered workflow, by the id's index. */
struct workflow_arena {
    uint32_t id;
    struct program *owner; /* NULL: the program has gone */
    struct arena *arena;
    struct plan *plan; /* the Guide's, as long as the workflow stands */
};

/* Load "program/NAME" and make it ready. False: it says why in the log. */
bool program_start(struct nucleus *nucleus, const char *name);
/* It ends, now or when the CPU that runs it comes in. `why`: NULL for an ordinary exit, else what it did. */
void program_end(struct nucleus *nucleus, struct program *program, int status, const char *why);
/* The CPU that ran it has let go of it. Ends the machine when it was the last. */
void program_reap(struct nucleus *nucleus, struct program *program);
