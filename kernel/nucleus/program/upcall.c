/* upcall.c - see upcall.h. */
#include "kernel/nucleus/program/upcall.h"

#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/rings.h"

#define USER_ADDRESS_BITS 47u

enum kerr upcall_set(struct nucleus *nucleus, struct program_rings *rings, uint64_t entry,
                     uint64_t stack)
{
    struct upcall *upcall = &rings->program->upcall;

    /* Only addresses of the lower half can be gone to; where nothing is mapped, the program faults. */
    if (entry >> USER_ADDRESS_BITS != 0 || stack >> USER_ADDRESS_BITS != 0) {
        return KERR_BAD_ADDRESS;
    }
    if (entry != 0 && upcall->saved == NULL) {
        upcall->saved = heap_alloc_zeroed(&nucleus->heap, sizeof(*upcall->saved));
    }
    const bool can_be = entry == 0 || upcall->saved != NULL;
    uint32_t count;

    rings->upcall = entry != 0 && can_be;
    (void)program_rings_listen(nucleus, rings, 0, &count);
    if (rings->upcall) {
        upcall->entry = entry;
        upcall->stack = stack;
    }
    return can_be ? KERR_OK : KERR_NO_MEMORY;
}

/* Have the CPU that runs the thread come in, unless it is this one. */
static void fetch(struct nucleus *nucleus, const struct thread *thread)
{
    for (unsigned i = 0; i < nucleus->cpu_count; i++) {
        struct cpu *cpu = &nucleus->cpu[i];
        if (cpu->current == thread && cpu != port_this_cpu()) {
            cpu_kick(cpu);
        }
    }
}

void upcall_raise(struct nucleus *nucleus, struct program_rings *rings)
{
    struct upcall *upcall = &rings->program->upcall;
    struct thread *thread = rings->program->thread;

    if (!rings->upcall || upcall->pending) {
        return;
    }
    upcall->pending = true;
    upcall->ring = rings->id;
    if (upcall->inside) {
        return; /* it is delivered when that one has ended */
    }
    if (thread->state == THREAD_RUNNING) {
        fetch(nucleus, thread);
        sched_ready(nucleus, thread); /* it may be just about to sleep */
    } else if (thread->state == THREAD_SLEEPING && !rings->waiter) {
        sched_ready(
            nucleus,
            thread); /* one that sleeps for a time is interrupted; one in WAIT has what it waits for, or waits on */
    }
}

void upcall_deliver(struct program *program)
{
    struct upcall *upcall = &program->upcall;
    struct port_context *context = &program->thread->context;

    if (!upcall->pending || upcall->inside) {
        return;
    }
    upcall->pending = false;
    upcall->inside = true;
    port_vector_save(context);
    *upcall->saved = *context;
    port_context_call(context, upcall->entry, upcall->stack, upcall->ring);
}

enum kerr upcall_return(struct program *program)
{
    struct upcall *upcall = &program->upcall;

    if (!upcall->inside) {
        return KERR_BAD_CALL;
    }
    upcall->inside = false;
    program->thread->context = *upcall->saved;
    return KERR_OK;
}

void upcall_free(struct nucleus *nucleus, struct program *program)
{
    heap_free(&nucleus->heap, program->upcall.saved, sizeof(*program->upcall.saved));
}
