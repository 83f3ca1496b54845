/*
 * nucleus.h - all that ring 0 knows: one struct nucleus, with one struct cpu for each CPU. There are no other mutable globals.
 *
 * nucleus->lock covers everything here unless said otherwise. Ring-3 code runs without it, and so does dispatch: what passes between programs,
 * Guides and decks (guide/guides.h has locks of its own). Order: nucleus->lock, a Guide's, then those of heap (then frames), trace and of recalls. See docs/decisions/0022.
 */
#pragma once

#include "kernel/nucleus/deck/deck.h"
#include "kernel/nucleus/entry.h"
#include "kernel/nucleus/guide/guides.h"
#include "kernel/nucleus/mem/arena.h"
#include "kernel/nucleus/mem/frames.h"
#include "kernel/nucleus/mem/heap.h"
#include "kernel/nucleus/mem/space.h"
#include "kernel/nucleus/payload.h"
#include "kernel/nucleus/program/program.h"
#include "kernel/nucleus/sched/sched.h"
#include "kernel/nucleus/told.h"
#include "kernel/nucleus/trace.h"

struct cpu {
    struct cpu_head head; /* arch finds it first */

    /* set once at boot: */
    struct nucleus *nucleus;
    unsigned index;

    /* its own: */
    struct told told;
    uint64_t program_syscalls, notify_calls; /* counters for statistics() */

    /* nucleus->lock: */
    bool online;
    struct thread *current;                    /* RUNNING here; NULL: idle */
    struct space *loaded;                      /* whose pages are loaded; NULL: the nucleus's own */
    struct thread_queue ready[THREAD_CLASSES]; /* threads pinned here */
    uint64_t run_start_ns;                     /* up to when `current` has been charged */
    uint64_t slice_end_ns;
    bool slice_armed;  /* the timer will end the slice */
    bool keeps_awake;  /* polling.h: it polls, or runs a deck */
    uint64_t timer_ns; /* when the timer fires, at the latest; UINT64_MAX: it may not be set */
    uint64_t idle_ns;

    /* halt protocol, see sched.c and cpu.c; atomics: */
    bool wanted; /* kicker writes */
    bool halted; /* this CPU writes */
    /* set by who waits, with the lock, for an idle CPU to let go of `loaded`; cleared by that CPU, without it */
    bool must_leave;
};

/* A polled EventRing, as CPUs without the lock see it. Atomics. */
struct polled_ring {
    const uint32_t *tail; /* of the EventRing, the program's; NULL: none */
    const uint32_t *head; /* of the ResultRing */
    uint32_t seen_tail;   /* when it was last served */
    uint32_t seen_head;   /* counts while `starved`: events wait for results to be read */
    bool starved;
};

/* Vectors that devices may get; arch keeps the rest. */
#define DEVICE_VECTOR_FIRST 64u
#define DEVICE_VECTOR_COUNT 160u

struct device_vector {
    struct instance *instance; /* NULL: free */
    uint8_t bit;
};

struct nucleus {
    struct port_lock lock;

    /* set once at boot: */
    unsigned cpu_count;
    bool
        deterministic; /* "deterministic" on the command line: work goes to the same instances each time */
    bool debug;        /* "debug" on the command line: inject is allowed */
    uint32_t programs_named; /* on the command line, MAX_PROGRAMS at most */
    struct payload payload;

    struct trace trace;
    struct frames frames;
    struct heap heap;
    struct guides *guides;

    struct cpu cpu[MAX_CPUS];
    struct thread_queue ready[THREAD_CLASSES]; /* threads that any CPU may run */
    uint64_t ready_stamp;
    struct thread *timed; /* sleepers with a time, unordered: there are few */

    struct deck deck[MAX_DECKS];
    uint32_t instance_count;
    struct instance *instance[MAX_INSTANCES];
    struct device_vector vector[DEVICE_VECTOR_COUNT];
    bool device_claimed[MAX_PCI_DEVICES];
    uint64_t next_restart_ns; /* UINT64_MAX: none waits */

    struct program *program[MAX_PROGRAMS];
    bool program_failed; /* one ended with something else than 0 */
    struct program_rings *ring[MAX_RINGS];
    /* Whose ring[n] is, and its id, for its program without the lock: see program_rings_find(). 0: nobody's. Atomic */
    uint64_t ring_name[MAX_RINGS];
    uint32_t ring_generation;
    struct polled_ring polled[MAX_RINGS]; /* by the id's index */
    uint32_t polled_count;
    uint32_t awake_count;                           /* CPUs that keep the kernel awake */
    struct workflow_arena *workflow[MAX_WORKFLOWS]; /* by the id's index */

    /* counters for statistics() */
    uint64_t first_program_ns;
};

/* Make `cpu` look for work: an idle one wakes, a busy one comes in from ring 3. */
void cpu_kick(struct cpu *cpu);
/* Take the lock on an idle CPU, which others may wait for with the lock in their hands. */
void cpu_lock_idle(struct cpu *cpu);
/* Load a space's page tables (NULL: the nucleus's own), keeping count of who has what loaded. */
void cpu_load_space(struct cpu *cpu, struct space *space);
/* No CPU has the space loaded afterwards; its thread runs nowhere any more. Idle ones are waited for. */
void cpus_leave_space(struct nucleus *nucleus, struct space *space);
/* The heap, as the Guide wants its memory. */
struct guide_memory nucleus_guide_memory(struct nucleus *nucleus);
