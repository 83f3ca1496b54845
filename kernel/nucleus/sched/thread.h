/*
 * thread.h - one ring-3 thread: a deck instance's or a program's, and where it stands.
 *
 *            thread_ready()            sched picks             call that waits
 *   SLEEPING ------------->  READY  ------------->  RUNNING  ----------------> SLEEPING
 *                              ^                       |
 *                              +---- preempted --------+
 *
 * A thread that wakes inside a call that waits (deck_next, WAIT, control_read) goes on through its `resume` hook: it looks again, on
 * the CPU that will run it, and either answers the call or sleeps on. So wake-ups may be spurious, and none is lost: whoever has news makes it
 * known, then wakes; a thread that is about to sleep forgets older wake-ups, then looks, then sleeps unless it was woken meanwhile.
 */
#pragma once

#include "kernel/nucleus/port.h"
#include "kernel/nucleus/syscall/linux.h"

#define THREAD_NAME_MAX 32

struct nucleus;
struct space;
struct instance;
struct program;
struct thread;

enum thread_state {
    THREAD_NONE,
    THREAD_READY,
    THREAD_RUNNING,
    THREAD_SLEEPING,
};

/*
 * Lower runs first. Device decks make short visits that keep devices busy; the rest shares what is left in turn. They interrupt a program at
 * once, a deck only when they have waited for SCHED_GRACE_NS: what devices answer meanwhile is then one visit's work, and not a change of
 * address space for each.
 */
enum thread_class {
    THREAD_DEVICE,
    THREAD_SHARED,
    THREAD_CLASSES,
};

/*
 * True: the call has been answered, run the thread. False: nothing there yet, it sleeps on (thread->wake_at_ns as set). nucleus->lock is not held: to
 * look for results or for work is dispatch. This CPU may have the pages of somebody who goes loaded still: a hook takes the lock by
 * cpu_lock_idle() only, in which it lets go of them.
 */
typedef bool (*thread_resume_fn)(struct cpu *cpu, struct thread *thread);

struct thread {
    struct port_context context;

    /* set when it is made: */
    char name[THREAD_NAME_MAX]; /* "deck storage.0", "program agent" */
    struct space *space;
    struct instance *instance; /* exactly one of these two is set */
    struct program *program;
    enum thread_class class;
    int pinned_cpu;      /* -1: any */
    uint64_t image_bias; /* what was added to the image's addresses */

    /* nucleus->lock: */
    enum thread_state state;
    struct thread *next;       /* in a ready queue */
    uint64_t ready_stamp;      /* order among equals */
    uint64_t ready_ns;         /* since when, of a device deck */
    thread_resume_fn resume;   /* set while inside a call that waits */
    uint64_t wake_at_ns;       /* SLEEPING: at the latest; UINT64_MAX: never */
    struct thread *timed_next; /* in nucleus->timed while wake_at_ns is set */
    bool timed;
    /* the context's vector state was reset on the way in: the live registers are nobody's */
    bool vectors_reset;
    bool condemned; /* to be torn down by the CPU that runs it. Read without the lock, too */
    bool woken; /* RUNNING: sched_ready() came since it last began to look for what it waits for */
    uint64_t cpu_ns; /* time in ring 3 */

    /* what a call that waits is about (its own resume hook only): */
    uint64_t wait_argument[4];

    struct linux_caller linux_calls;
};
