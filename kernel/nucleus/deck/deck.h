/*
 * deck.h - a deck's life: its instances start, work, die alone, come back, or are given up.
 *
 *   ABSENT --deck_start_all--> UP --fault, overrun, broken rule, deck_die--> RESTARTING --back-off over--> UP
 *                                                                                 |
 *                                        too many deaths, device not quiet, no device --> DOWN
 *
 * Callers hold nucleus->lock, unless said otherwise. deck_next() does not: the CPU that runs an instance has its rings and what it has in its
 * hands for itself.
 */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/abi/work.h"
#include "kernel/lib/ring.h"
#include "kernel/nucleus/deck/spec.h"
#include "kernel/nucleus/port.h"
#include "kernel/nucleus/sched/thread.h"

struct nucleus;
struct space;
struct workflow_arena;

#define DEATHS_KEPT 17u /* one more than the highest restart_limit */

enum deck_state {
    DECK_ABSENT = 0,
    DECK_UP = 1,
    DECK_RESTARTING = 2,
    DECK_DOWN = 3,
};

struct deck {
    const struct deck_spec *spec; /* NULL: no such prefix */
    uint32_t first_instance;      /* index in nucleus->instance */
    uint32_t instance_count;
    uint64_t interrupt_entries; /* atomic */
    uint64_t restarts;
    uint64_t cpu_ns;
};

struct instance_device {
    bool present;
    unsigned device_index; /* port_pci_device() */
    uint8_t first_bit;
    uint64_t bar_address[KWE_MAX_BARS];
};

struct instance {
    const struct deck_spec *spec;
    uint32_t index;   /* in nucleus->instance, and the Guide's number for it */
    uint32_t ordinal; /* among its deck's instances; the CPU for per-CPU decks */
    enum deck_state state;
    uint32_t generation; /* starts so far */
    bool failing;        /* torn down when the CPU that runs it comes in */

    /* while UP: */
    struct thread *thread;
    struct space *space;
    paddr_t
        ring_frames; /* contiguous: WorkRing, DoneRing, ObservedRings if it observes, then the work frames */
    uint32_t ring_frame_count;
    struct ring_producer work;
    struct ring_consumer done;
    struct ring_producer observed[MAX_PROGRAMS];
    struct kwe_work_frame *frames;
    /* where ring 3 sees them; observed_address 0: it does not observe */
    uint64_t work_address, done_address, observed_address, frames_address;
    unsigned domain; /* IOMMU, 0: owns no device */
    struct instance_device device[KWE_MAX_DECK_DEVICES];
    uint32_t pending_interrupts;  /* sticky bits. Atomic */
    struct port_lock recall_lock; /* for the next two */
    uint32_t recall_count;
    uint32_t recall[KWE_MAX_DEPTH]; /* tickets to be given back, not yet told */
    bool crash_next;                /* inject: fault at the next deck_next() */

    /* time budget: */
    uint64_t cpu_ns;   /* in ring 3, over all generations */
    uint64_t ran_ns;   /* CPU time since the last progress mark */
    uint64_t progress; /* the mark as last seen: ring progress + completions published */
    uint64_t budget_ns;

    /* restart policy: */
    uint64_t death_ns[DEATHS_KEPT]; /* the newest deaths, a ring */
    uint32_t deaths;
    uint64_t restart_at_ns; /* RESTARTING */
};

/* Make the records of every deck's instances, from the generated table. */
void deck_make_all(struct nucleus *nucleus);
/* Start them; one that cannot start is DOWN, with a line that says why. */
void deck_start_all(struct nucleus *nucleus);
/* The instance has broken a rule, faulted or given up: it ends, now or when its CPU comes in. Logs "FAULT <why>" and a backtrace. */
void deck_fail(struct nucleus *nucleus, struct instance *instance, const char *why);
/* The CPU that ran a failing instance has let go of it. */
void deck_reap(struct nucleus *nucleus, struct instance *instance);
/* Start what has waited for its back-off to end; sets nucleus->next_restart_ns. */
void deck_restart_due(struct nucleus *nucleus, uint64_t now_ns);
/* Map a workflow's arena where the instance is on its routes (also for its devices). False: no memory. */
bool deck_map_arena(struct instance *instance, struct workflow_arena *workflow);
void deck_unmap_arena(struct instance *instance, struct workflow_arena *workflow);
/* The running instance used CPU time. */
void deck_charge(struct instance *instance, uint64_t ran_ns);
/* Is it over its budget? Looked at on the timer. */
bool deck_over_budget(struct instance *instance);
/* Ask for an answer to this ticket when the instance comes next; whoever asks sees that it comes. Without nucleus->lock. */
void deck_recall(struct instance *instance, uint32_t ticket);
/* A device interrupt of this instance. */
void deck_interrupted(struct nucleus *nucleus, struct instance *instance, uint8_t bit);
/* There is ready work for this deck: see that instances come and take it. */
void deck_wake(struct nucleus *nucleus, uint8_t prefix, const struct cpu *here);
/* The slots of each of its ObservedRings, one for each program; half of them are the history that the deck keeps where it lies. */
uint32_t deck_observed_slots(const struct nucleus *nucleus);
/* Bytes from one to the next. */
uint64_t deck_observed_stride(const struct nucleus *nucleus);
/* The image of an instance, its name in logs. */
const char *deck_instance_name(const struct instance *instance);
