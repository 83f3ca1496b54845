/*
 * syscall.h - calls from ring 3: one file per group of calls, each decode (checks everything, changes nothing), then act.
 *
 * A handler answers with syscall_answer(), or leaves the thread asleep with a resume hook that answers later, or ends the thread. `thread` is the
 * running one. nucleus->lock is held, but for the calls of dispatch, which a batch or a visit makes: those take it where they must.
 */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/nucleus/sched/thread.h"

struct syscall {
    struct cpu *cpu;
    struct nucleus *nucleus;
    struct thread *thread;
    uint64_t argument[6];
};

/* Is it a call of dispatch? */
bool syscall_is_dispatch(const struct thread *thread);
/* Decode the number and go to its handler. */
void syscall_dispatch(struct cpu *cpu, struct thread *thread);
/* The same for calls of dispatch, without nucleus->lock. False: the thread is to sleep, as thread->resume and thread->wake_at_ns say. */
bool syscall_dispatch_unlocked(struct cpu *cpu, struct thread *thread);

/* What the thread finds in rax: a result, or a negative code. */
void syscall_answer(struct thread *thread, int64_t result);
static inline void syscall_refuse(struct thread *thread, enum kerr code)
{
    syscall_answer(thread, -(int64_t)code);
}

/* ---- groups ---------------------------------------------------------------------------------------------------- */

bool syscall_kernel_notify(struct syscall *call);
void syscall_ring_create(struct syscall *call);
void syscall_ring_destroy(struct syscall *call);
void syscall_event_cancel(struct syscall *call);
void syscall_upcall_set(struct syscall *call);
void syscall_upcall_return(struct syscall *call);

void syscall_workflow_register(struct syscall *call);
void syscall_arena_create(struct syscall *call);
void syscall_workflow_unregister(struct syscall *call);
void syscall_workflow_status(struct syscall *call);
void syscall_workflow_cancel(struct syscall *call);
void syscall_workflow_plan(struct syscall *call);

void syscall_statistics(struct syscall *call);
void syscall_log(struct syscall *call);
void syscall_inject(struct syscall *call);

void syscall_trace_read(struct syscall *call);
void syscall_boot_file(struct syscall *call);
void syscall_control_write(struct syscall *call);
void syscall_control_read(struct syscall *call);
/* Bytes have arrived on the control channel: wake who waits for them. */
void syscall_control_arrived(struct nucleus *nucleus);

bool syscall_deck_next(struct syscall *call);
void syscall_deck_die(struct syscall *call);
void syscall_deck_info(struct syscall *call);
void syscall_dma_alloc(struct syscall *call);
