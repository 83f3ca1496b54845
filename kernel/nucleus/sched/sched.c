/* sched.c - who runs next on each CPU. */
#include "kernel/nucleus/sched/sched.h"

#include "kernel/nucleus/deck/deck.h"
#include "kernel/nucleus/entry.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/polling.h"
#include "kernel/nucleus/program/program.h"
#include "kernel/nucleus/program/upcall.h"
#include "kernel/nucleus/sched/queue.h"

static void wake_timed(struct nucleus *nucleus, uint64_t now_ns)
{
    struct thread *next;
    if (now_ns >= nucleus->next_restart_ns) {
        deck_restart_due(nucleus, now_ns);
    }
    guides_expire(nucleus->guides, now_ns);
    for (struct thread *thread = nucleus->timed; thread != NULL; thread = next) {
        next = thread->timed_next;
        if (thread->wake_at_ns <= now_ns) {
            sched_ready(nucleus, thread);
        }
    }
}

static uint64_t timed_earliest(const struct nucleus *nucleus)
{
    uint64_t earliest = nucleus->next_restart_ns;
    uint64_t deadline_ns = guides_next_deadline_ns(nucleus->guides);

    earliest = deadline_ns < earliest ? deadline_ns : earliest;
    for (const struct thread *thread = nucleus->timed; thread != NULL;
         thread = thread->timed_next) {
        if (thread->wake_at_ns < earliest) {
            earliest = thread->wake_at_ns;
        }
    }
    return earliest;
}

/*
 * Setting the timer is dear (a device access that wakes QEMU's main loop), so one that fires too early is left alone: whoever is
 * interrupted by it for nothing sets it anew. One whose time has come may not have fired yet: do_what_is_due() comes before this.
 */
static void set_timer(struct cpu *cpu, uint64_t now_ns, uint64_t deadline_ns)
{
    if (cpu->timer_ns > now_ns && cpu->timer_ns <= deadline_ns) {
        return;
    }
    cpu->timer_ns = deadline_ns;
    port_timer_set(deadline_ns);
}

void sched_timer_fired(struct cpu *cpu)
{
    cpu->timer_ns = 0;
}

/*
 * The timer has fired, or ought to have: an emulated one fires late, and never for a thread that makes its calls so fast that set_timer()
 * comes first each time.
 */
static void do_what_is_due(struct nucleus *nucleus, struct cpu *cpu, uint64_t now_ns)
{
    const struct thread *thread = cpu->current;

    if (now_ns < cpu->timer_ns) {
        return;
    }
    wake_timed(nucleus, now_ns);
    if (thread != NULL && thread->state == THREAD_RUNNING && !thread->condemned &&
        thread->instance != NULL && deck_over_budget(thread->instance)) {
        deck_fail(nucleus, thread->instance, "ran out of its time budget");
    }
}

/* The queue whose head runs next on this CPU; NULL: none. Among equals the one that has waited longest. */
static struct thread_queue *next_queue(struct nucleus *nucleus, struct cpu *cpu)
{
    for (unsigned class = 0; class < THREAD_CLASSES; class ++) {
        struct thread_queue *own = &cpu->ready[class];
        struct thread_queue *any = &nucleus->ready[class];
        if (own->first == NULL && any->first == NULL) {
            continue;
        }
        if (own->first == NULL) {
            return any;
        }
        if (any->first == NULL || own->first->ready_stamp < any->first->ready_stamp) {
            return own;
        }
        return any;
    }
    return NULL;
}

void sched_enter(struct cpu *cpu, uint64_t now_ns, uint64_t begin_ns)
{
    struct thread *thread = cpu->current;
    uint64_t ran_ns = now_ns - cpu->run_start_ns;

    cpu->run_start_ns = begin_ns;
    thread->cpu_ns += ran_ns;
    if (thread->instance != NULL) {
        deck_charge(thread->instance, ran_ns);
    }
}

/* From when on `next`, which is ready, may have the CPU of `thread`, which has it until `slice_end_ns`. */
static uint64_t preempts_at_ns(const struct thread *next, const struct thread *thread,
                               uint64_t slice_end_ns)
{
    if (next->class == thread->class) {
        return next->instance != NULL && thread->program != NULL
                   ? slice_end_ns - (SCHED_SLICE_NS - SCHED_PROGRAM_NS)
                   : slice_end_ns;
    }
    if (next->class > thread->class) {
        return UINT64_MAX;
    }
    return thread->instance == NULL ? 0 : next->ready_ns + SCHED_GRACE_NS;
}

/*
 * An idle CPU keeps the pages that it had loaded, since it often goes on with the same deck, and a change of page tables is dear. It lets go of
 * them when frames wait for that, and when their space goes: cpus_leave_space().
 */
static bool must_unload(const struct nucleus *nucleus, const struct cpu *cpu)
{
    return cpu->loaded != NULL && (nucleus->frames.quarantined_frames > 0 || cpu->loaded->prune);
}

/* CPUs that could run something which this one leaves behind, or on which something waits: they are to look. A bit for each. */
static uint32_t find_wanted(struct nucleus *nucleus, const struct cpu *self)
{
    uint32_t wanted = 0;

    for (unsigned i = 0; i < nucleus->cpu_count; i++) {
        struct cpu *cpu = &nucleus->cpu[i];
        if (cpu == self || !cpu->online) {
            continue;
        }
        const struct thread_queue *queue = next_queue(nucleus, cpu);
        const bool is_idle = cpu->current == NULL;
        const bool is_urgent = queue != NULL && !is_idle &&
                               preempts_at_ns(queue->first, cpu->current, UINT64_MAX) == 0;
        if ((queue != NULL && (is_idle || is_urgent || !cpu->slice_armed)) ||
            (is_idle && must_unload(nucleus, cpu))) {
            wanted |= 1u << i;
        }
    }
    return wanted;
}

/* With the lock released: to wake a CPU is dear, and what it does first is to take it. One that has looked meanwhile looks once more. */
static void kick_wanted(struct nucleus *nucleus, uint32_t wanted)
{
    for (; wanted != 0; wanted &= wanted - 1) {
        cpu_kick(&nucleus->cpu[__builtin_ctz(wanted)]);
    }
}

/* Make the running thread READY again, at the tail of its queue, unless it sleeps or has gone. */
static void put_back(struct nucleus *nucleus, struct cpu *cpu)
{
    struct thread *thread = cpu->current;
    if (thread == NULL || thread->state != THREAD_RUNNING) {
        return;
    }
    thread->state = THREAD_SLEEPING; /* for a moment: sched_ready() moves it on */
    sched_ready(nucleus, thread);
}

static bool should_switch(struct nucleus *nucleus, struct cpu *cpu, uint64_t now_ns)
{
    const struct thread *thread = cpu->current;
    /* Freed memory is wiped, and that is THREAD_NONE. */
    KASSERT(thread == NULL || thread->state != THREAD_NONE, "cpu%u: its thread has gone",
            cpu->index);
    if (thread == NULL || thread->state != THREAD_RUNNING || thread->condemned) {
        return true;
    }
    const struct thread_queue *queue = next_queue(nucleus, cpu);
    return queue != NULL && now_ns >= preempts_at_ns(queue->first, thread, cpu->slice_end_ns);
}

/* Tear down what was condemned while it ran here. True: something went. */
static bool reap(struct nucleus *nucleus, struct cpu *cpu)
{
    struct thread *thread = cpu->current;
    if (thread == NULL || !thread->condemned) {
        return false;
    }
    cpu->current = NULL;
    if (thread->state == THREAD_RUNNING) {
        thread->state = THREAD_NONE;
    } else {
        sched_remove(nucleus, thread); /* it was about to sleep, or has been woken since */
    }
    if (thread->instance != NULL) {
        deck_reap(nucleus, thread->instance);
    } else {
        program_reap(nucleus, thread->program);
    }
    return true;
}

/* What was told may be that the running thread has to go, and its going tells more. */
static void do_what_was_told(struct nucleus *nucleus, struct cpu *cpu)
{
    do {
        if (guides_must_collect(nucleus->guides)) {
            guides_collect(nucleus->guides);
        }
        if (cpu->told.anything) {
            told_do_all(nucleus, cpu);
        }
    } while (reap(nucleus, cpu));
}

/* Without the lock, so that others dispatch beside it. True: the thread goes on. */
static bool resume_unlocked(struct nucleus *nucleus, struct cpu *cpu, struct thread *thread,
                            thread_resume_fn resume)
{
    port_lock_release(&nucleus->lock);
    sched_forget_wake(thread);
    bool goes_on = resume(cpu, thread);
    cpu_lock_idle(cpu);
    return goes_on;
}

/* The next thread that really has something to do; NULL: none. */
static struct thread *pick(struct nucleus *nucleus, struct cpu *cpu)
{
    for (;;) {
        if (cpu->told.anything) {
            told_do_all(nucleus, cpu);
        }
        struct thread_queue *queue = next_queue(nucleus, cpu);
        if (queue == NULL) {
            return NULL;
        }
        struct thread *thread = queue_pop(queue);
        thread->state = THREAD_RUNNING;
        cpu->current = thread;
        thread_resume_fn resume = thread->resume;
        thread->resume = NULL;
        if (resume == NULL || resume_unlocked(nucleus, cpu, thread, resume)) {
            if (cpu->told.anything) {
                told_do_all(nucleus, cpu);
            }
            if (!reap(nucleus, cpu)) {
                return thread;
            }
            continue;
        }
        if (!reap(nucleus, cpu)) {
            sched_sleep(nucleus, thread, resume, thread->wake_at_ns);
            cpu->current = NULL;
        }
    }
}

/*
 * Halt protocol, with cpu_kick(): halted is set, then wanted is read; the kicker sets wanted, then reads halted. Sequentially
 * consistent, so one of the two sees the other; an IPI that comes before the HLT is pending and ends it.
 */
static void halt(struct cpu *cpu)
{
    __atomic_store_n(&cpu->halted, true, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&cpu->wanted, __ATOMIC_SEQ_CST)) {
        port_idle();
    }
    __atomic_store_n(&cpu->halted, false, __ATOMIC_SEQ_CST);
}

static bool is_wanted(const struct nucleus *nucleus, const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->wanted, __ATOMIC_ACQUIRE) ||
           (cpu->keeps_awake && polling_has_news(nucleus));
}

/* Lock not held. For a while, when another CPU may bring something. True: something has come; false: halt. */
static bool poll(struct nucleus *nucleus, struct cpu *cpu, uint64_t from_ns)
{
    const uint64_t poll_ns = cpu->keeps_awake ? POLLING_IDLE_NS : SCHED_IDLE_POLL_NS;

    while (nucleus->cpu_count > 1 && port_now_ns() < from_ns + poll_ns) {
        if (is_wanted(nucleus, cpu)) {
            return true;
        }
        port_relax();
    }
    if (!cpu->keeps_awake) {
        return false;
    }
    cpu_lock_idle(cpu);
    bool is_quiet = polling_sleep(nucleus, cpu);
    port_lock_release(&nucleus->lock);
    return !is_quiet;
}

/* Lock held; returns with the lock held after something may have changed. */
static void idle(struct nucleus *nucleus, struct cpu *cpu)
{
    const uint32_t others = find_wanted(nucleus, cpu);

    if (must_unload(nucleus, cpu)) {
        cpu_load_space(cpu, NULL);
    }
    uint64_t idle_from_ns = port_now_ns();
    set_timer(cpu, idle_from_ns, timed_earliest(nucleus));
    cpu->current = NULL;
    cpu->wanted = false;
    trace_instance(nucleus, KWE_TRACE_IDLE, NULL, 0);
    if (nucleus->polled_count != 0 && nucleus->cpu_count > 1) {
        polling_wake(nucleus, cpu);
    }
    port_lock_release(&nucleus->lock);

    kick_wanted(nucleus, others);
    if (!poll(nucleus, cpu, idle_from_ns)) {
        halt(cpu);
    }
    cpu_lock_idle(cpu);
    uint64_t now_ns = port_now_ns();
    cpu->idle_ns += now_ns - idle_from_ns;
    wake_timed(nucleus, now_ns);
}

/* While the thread runs, polled rings are looked at from time to time, or not at all. Returns when to come back for that at the latest. */
static uint64_t keep_awake(struct nucleus *nucleus, struct cpu *cpu, const struct thread *thread,
                           uint64_t now_ns)
{
    if (thread->instance != NULL) {
        polling_wake(nucleus, cpu);
        return now_ns + POLLING_TICK_NS;
    }
    return polling_sleep(nucleus, cpu) ? UINT64_MAX : now_ns;
}

/* Does something have to be done before the running thread goes on, or does another come first? Those who want this CPU have kicked it. */
static bool must_lock(const struct cpu *cpu, const struct thread *thread)
{
    const struct nucleus *nucleus = cpu->nucleus;

    return cpu->told.anything || __atomic_load_n(&cpu->wanted, __ATOMIC_RELAXED) ||
           __atomic_load_n(&thread->condemned, __ATOMIC_RELAXED) || nucleus->polled_count != 0 ||
           port_now_ns() >= cpu->timer_ns ||
           guides_next_deadline_ns(nucleus->guides) < cpu->timer_ns ||
           guides_must_collect(nucleus->guides) || space_is_stale(thread->space, cpu->index) ||
           (thread->program != NULL && thread->program->upcall.pending);
}

_Noreturn void sched_leave_unlocked(struct cpu *cpu)
{
    struct thread *thread = cpu->current;

    if (must_lock(cpu, thread)) {
        port_lock_acquire(&cpu->nucleus->lock);
        sched_leave(cpu);
    }
    thread->vectors_reset = false;
    port_resume(&thread->context, thread->space->root);
}

_Noreturn void sched_leave(struct cpu *cpu)
{
    struct nucleus *nucleus = cpu->nucleus;
    struct thread *thread = cpu->current;
    uint64_t now_ns = port_now_ns();

    do_what_is_due(nucleus, cpu, now_ns);
    if (nucleus->polled_count != 0) {
        polling_serve(nucleus);
    }
    do_what_was_told(nucleus, cpu);
    if (should_switch(nucleus, cpu, now_ns)) {
        if (cpu->current != NULL && !cpu->current->vectors_reset) {
            port_vector_save(&cpu->current->context);
        }
        put_back(nucleus, cpu);
        cpu->current = NULL;
        while ((thread = pick(nucleus, cpu)) == NULL) {
            idle(nucleus, cpu);
            polling_serve(nucleus);
        }
        trace_instance(nucleus, KWE_TRACE_RUN, thread->instance,
                       thread->program == NULL ? 0 : thread->program->index);
        now_ns = port_now_ns();
        cpu->slice_end_ns = now_ns + SCHED_SLICE_NS;
        cpu->run_start_ns = now_ns;
    }

    uint64_t timer_ns = now_ns + SCHED_BUDGET_CHECK_NS;
    const struct thread_queue *queue = next_queue(nucleus, cpu);
    cpu->slice_armed = queue != NULL;
    if (queue != NULL) {
        uint64_t preempted_ns = preempts_at_ns(queue->first, thread, cpu->slice_end_ns);
        timer_ns = preempted_ns < timer_ns ? preempted_ns : timer_ns;
    }
    uint64_t timed_ns = timed_earliest(nucleus);
    if (timed_ns < timer_ns) {
        timer_ns = timed_ns;
    }
    if (nucleus->polled_count != 0) {
        uint64_t polled_ns = keep_awake(nucleus, cpu, thread, now_ns);
        timer_ns = polled_ns < timer_ns ? polled_ns : timer_ns;
    }
    set_timer(cpu, now_ns, timer_ns);
    cpu->wanted = false; /* whatever the kick was about has been looked at */
    const uint32_t others = nucleus->cpu_count == 1 ? 0 : find_wanted(nucleus, cpu);

    if (thread->program != NULL) {
        upcall_deliver(thread->program);
    }
    thread->vectors_reset = false;
    cpu->head.running = &thread->context;
    cpu_load_space(cpu, thread->space);
    paddr_t root = thread->space->root;
    port_lock_release(&nucleus->lock);
    kick_wanted(nucleus, others);
    port_resume(&thread->context, root);
}
