/* ring_calls.c - rings and kernel_notify(): the one call of a batch. */
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/rings.h"
#include "kernel/nucleus/program/upcall.h"
#include "kernel/nucleus/syscall/syscall.h"

void syscall_ring_create(struct syscall *call)
{
    struct kwe_ring_info info;
    struct space *space = call->thread->space;

    if (call->argument[0] > UINT32_MAX) {
        syscall_refuse(call->thread, KERR_BAD_CALL);
        return;
    }
    if (space_check(space, (uaddr_t){ call->argument[1] }, sizeof(info), PORT_READ | PORT_WRITE) !=
        KERR_OK) {
        syscall_refuse(call->thread, KERR_BAD_ADDRESS);
        return;
    }
    enum kerr result = program_rings_create(call->nucleus, call->thread->program,
                                            (uint32_t)call->argument[0], call->argument[2], &info);
    if (result != KERR_OK) {
        syscall_refuse(call->thread, result);
        return;
    }
    result = space_copy_out(space, (uaddr_t){ call->argument[1] }, &info, sizeof(info));
    KASSERT(result == KERR_OK, "it was checked");
    syscall_answer(call->thread, (int64_t)info.ring);
}

static struct program_rings *named_rings(const struct syscall *call)
{
    if (call->argument[0] > UINT32_MAX) {
        return NULL;
    }
    return program_rings_find(call->nucleus, call->thread->program, (uint32_t)call->argument[0]);
}

void syscall_ring_destroy(struct syscall *call)
{
    struct program_rings *rings = named_rings(call);

    if (rings == NULL) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    program_rings_destroy(call->nucleus, rings);
    syscall_answer(call->thread, 0);
}

void syscall_upcall_set(struct syscall *call)
{
    struct program_rings *rings = named_rings(call);

    if (rings == NULL) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    syscall_answer(call->thread, -(int64_t)upcall_set(call->nucleus, rings, call->argument[1],
                                                      call->argument[2]));
}

void syscall_upcall_return(struct syscall *call)
{
    enum kerr ended = upcall_return(call->thread->program);

    if (ended != KERR_OK) {
        syscall_refuse(call->thread, ended);
    }
}

void syscall_event_cancel(struct syscall *call)
{
    const struct program_rings *rings = named_rings(call);

    if (rings == NULL) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    syscall_answer(call->thread, guides_cancel_event(call->nucleus->guides, &rings->ring,
                                                     call->argument[1], port_now_ns()));
}

/* wait_argument: ring id, minimum, deadline. */
static bool wait_resume(struct cpu *cpu, struct thread *thread)
{
    struct nucleus *nucleus = cpu->nucleus;
    struct program_rings *rings =
        program_rings_find(nucleus, thread->program, (uint32_t)thread->wait_argument[0]);
    uint32_t waiting = 0;

    if (rings != NULL) {
        /* Before the Guide is asked to tell: whoever is told looks at this. */
        __atomic_store_n(&rings->waiter, true, __ATOMIC_RELAXED);
        if (!program_rings_listen(nucleus, rings, (uint32_t)thread->wait_argument[1], &waiting)) {
            if (port_now_ns() < thread->wait_argument[2]) {
                return false;
            }
            (void)program_rings_listen(nucleus, rings, 0, &waiting);
        }
        __atomic_store_n(&rings->waiter, false, __ATOMIC_RELAXED);
    }
    syscall_answer(thread, waiting);
    return true;
}

static void end_liar(struct nucleus *nucleus, struct program_rings *rings)
{
    port_lock_acquire(&nucleus->lock);
    program_rings_broken(nucleus, rings);
    port_lock_release(&nucleus->lock);
}

bool syscall_kernel_notify(struct syscall *call)
{
    struct thread *thread = call->thread;
    struct program_rings *rings = named_rings(call);
    uint64_t flags = call->argument[1];
    const uint64_t now_ns = call->cpu->run_start_ns; /* it has just come in */
    uint64_t timeout_ns = call->argument[3];
    uint32_t waiting;

    if (rings == NULL || (flags & ~(uint64_t)(KWE_NOTIFY_SUBMIT | KWE_NOTIFY_WAIT)) != 0) {
        syscall_refuse(thread, rings == NULL ? KERR_BAD_HANDLE : KERR_BAD_CALL);
        return true;
    }
    call->cpu->notify_calls++;
    if (!program_rings_serve(call->nucleus, rings, now_ns)) {
        end_liar(call->nucleus, rings);
        return true;
    }
    if ((flags & KWE_NOTIFY_WAIT) == 0) {
        (void)program_rings_listen(call->nucleus, rings, 0, &waiting);
        syscall_answer(thread, waiting);
        return true;
    }
    uint64_t most = rings->ring.results.slots;
    thread->wait_argument[0] = rings->id;
    thread->wait_argument[1] = call->argument[2] < most ? call->argument[2] : most;
    thread->wait_argument[2] = timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
    return wait_resume(call->cpu, thread) ||
           sched_will_sleep(thread, wait_resume, thread->wait_argument[2]);
}
