/* sched.h - who runs next on each CPU; sleeping, waking, preemption. Callers hold nucleus->lock. */
#pragma once

#include "kernel/nucleus/sched/thread.h"

#define SCHED_SLICE_NS 4000000u /* between equals */
#define SCHED_PROGRAM_NS                                                                           \
    1000000u /* of a program, while a deck waits for its CPU: it may be what the program waits for */
#define SCHED_BUDGET_CHECK_NS 100000000u /* how often a lone thread is looked at */
#define SCHED_GRACE_NS        1000000u /* how long a device deck leaves another deck alone that computes */
#define SCHED_IDLE_POLL_NS    20000u /* before a CPU halts, when another may hand it work */

struct thread_queue {
    struct thread *first, *last;
};

/* SLEEPING (or new) to READY; one that is RUNNING does not go to sleep before it has looked again; no effect on one that is READY. */
void sched_ready(struct nucleus *nucleus, struct thread *thread);
/* From here on the running thread looks for what it waits for: wake-ups that come now are about news. Without the lock. */
void sched_forget_wake(struct thread *thread);
/* For a call of dispatch whose thread is to sleep, which it returns as its answer: what sched_sleep() will be told. Without the lock. */
static inline bool sched_will_sleep(struct thread *thread, thread_resume_fn resume,
                                    uint64_t wake_at_ns)
{
    thread->resume = resume;
    thread->wake_at_ns = wake_at_ns;
    return false;
}
/* The running thread sleeps inside a call: `resume` decides when woken, at the latest at `wake_at_ns`. */
void sched_sleep(struct nucleus *nucleus, struct thread *thread, thread_resume_fn resume,
                 uint64_t wake_at_ns);
/* Take a thread that is not RUNNING out of every queue; its state becomes THREAD_NONE. */
void sched_remove(struct nucleus *nucleus, struct thread *thread);
/*
 * The thread shall never run again. True: it is out of every queue, tear it down now. False: it is on a CPU, which tears it down
 * (deck_reap(), program_reap()) on its way out of the nucleus.
 */
bool sched_condemn(struct nucleus *nucleus, struct thread *thread);
/* The CPU's timer has fired. */
void sched_timer_fired(struct cpu *cpu);

/*
 * The one way out of the nucleus: account for the thread that was running, pick the next, set the timer, nudge idle CPUs that have work,
 * release the lock, go to ring 3; or idle until there is something. Called with the lock held.
 */
_Noreturn void sched_leave(struct cpu *cpu);
/* The same with the lock not held: straight back to ring 3 when nothing is to be done first. */
_Noreturn void sched_leave_unlocked(struct cpu *cpu);

/* Load an ELF image of the payload ("deck" or "program", NAME) into the thread's new space and set its context up; a failure is logged. */
bool thread_load(struct nucleus *nucleus, struct thread *thread, struct space *space,
                 const char *kind, const char *name);
/* Log where ring 3 stood, in addresses of the image's file. */
void thread_log_backtrace(struct thread *thread, const char *kind, const char *name);

/*
 * On entry from ring 3 at `now_ns`: charge the running thread for its time in ring 3 and for what the nucleus did for it before. What is done for it
 * from `begin_ns` on, with the lock taken where it has to be, counts as its own.
 */
void sched_enter(struct cpu *cpu, uint64_t now_ns, uint64_t begin_ns);
