/* wake.c - threads fall asleep, are woken, and go: see thread.h for how no wake-up is lost. */
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/sched/queue.h"

static struct thread_queue *queue_of(struct nucleus *nucleus, const struct thread *thread)
{
    if (thread->pinned_cpu >= 0) {
        return &nucleus->cpu[thread->pinned_cpu].ready[thread->class];
    }
    return &nucleus->ready[thread->class];
}

static void timed_remove(struct nucleus *nucleus, struct thread *thread)
{
    if (!thread->timed) {
        return;
    }
    struct thread **link = &nucleus->timed;
    while (*link != thread) {
        link = &(*link)->timed_next;
    }
    *link = thread->timed_next;
    thread->timed = false;
}

void sched_ready(struct nucleus *nucleus, struct thread *thread)
{
    if (thread->state == THREAD_RUNNING) {
        __atomic_store_n(&thread->woken, true, __ATOMIC_SEQ_CST);
        return;
    }
    if (thread->state == THREAD_READY) {
        return;
    }
    timed_remove(nucleus, thread);
    thread->state = THREAD_READY;
    thread->ready_stamp = nucleus->ready_stamp++;
    if (thread->class == THREAD_DEVICE) {
        thread->ready_ns = port_now_ns();
    }
    queue_push(queue_of(nucleus, thread), thread);
}

/* An exchange, so that the looking comes after it. One that comes between the two looks is kept: it costs a look for nothing. */
void sched_forget_wake(struct thread *thread)
{
    if (__atomic_load_n(&thread->woken, __ATOMIC_RELAXED)) {
        (void)__atomic_exchange_n(&thread->woken, false, __ATOMIC_SEQ_CST);
    }
}

void sched_sleep(struct nucleus *nucleus, struct thread *thread, thread_resume_fn resume,
                 uint64_t wake_at_ns)
{
    thread->state = THREAD_SLEEPING;
    thread->resume = resume;
    thread->wake_at_ns = wake_at_ns;
    if (wake_at_ns != UINT64_MAX && !thread->timed) {
        thread->timed = true;
        thread->timed_next = nucleus->timed;
        nucleus->timed = thread;
    }
    if (__atomic_load_n(&thread->woken, __ATOMIC_SEQ_CST)) {
        sched_ready(nucleus, thread);
    }
}

void sched_remove(struct nucleus *nucleus, struct thread *thread)
{
    KASSERT(thread->state != THREAD_RUNNING, "%s is on a CPU", thread->name);
    if (thread->state == THREAD_READY) {
        bool found = queue_remove(queue_of(nucleus, thread), thread);
        KASSERT(found, "%s is in no ready queue", thread->name);
    }
    timed_remove(nucleus, thread);
    thread->state = THREAD_NONE;
}

bool sched_condemn(struct nucleus *nucleus, struct thread *thread)
{
    /* One that has just gone to sleep here is this CPU's current one until that has picked another. */
    if (thread->state != THREAD_RUNNING && thread != port_this_cpu()->current) {
        sched_remove(nucleus, thread);
        return true;
    }
    __atomic_store_n(&thread->condemned, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < nucleus->cpu_count; i++) {
        if (nucleus->cpu[i].current == thread && &nucleus->cpu[i] != port_this_cpu()) {
            cpu_kick(&nucleus->cpu[i]);
        }
    }
    return false;
}
