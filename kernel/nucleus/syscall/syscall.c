/* syscall.c - from a call's number to its handler. */
#include "kernel/nucleus/syscall/syscall.h"

#include "kernel/abi/calls.h"
#include "kernel/nucleus/nucleus.h"

enum who {
    WHO_PROGRAM = 1,
    WHO_DECK = 2,
    WHO_ANY = 3,
};

struct entry {
    void (*run)(struct syscall *call);
    bool (*run_unlocked)(struct syscall *call); /* a call of dispatch; else NULL */
    enum who who;
};

static const struct entry entries[] = {
#define ENTRY(number, handler, caller)                                                             \
    [(number) - KWE_CALL_FIRST] = { .run = (handler), .who = (caller) }
#define DISPATCH_ENTRY(number, handler, caller)                                                    \
    [(number) - KWE_CALL_FIRST] = { .run_unlocked = (handler), .who = (caller) }
    DISPATCH_ENTRY(KWE_CALL_KERNEL_NOTIFY, syscall_kernel_notify, WHO_PROGRAM),
    DISPATCH_ENTRY(KWE_CALL_DECK_NEXT, syscall_deck_next, WHO_DECK),
    ENTRY(KWE_CALL_RING_CREATE, syscall_ring_create, WHO_PROGRAM),
    ENTRY(KWE_CALL_RING_DESTROY, syscall_ring_destroy, WHO_PROGRAM),
    ENTRY(KWE_CALL_WORKFLOW_REGISTER, syscall_workflow_register, WHO_PROGRAM),
    ENTRY(KWE_CALL_WORKFLOW_UNREGISTER, syscall_workflow_unregister, WHO_PROGRAM),
    ENTRY(KWE_CALL_WORKFLOW_STATUS, syscall_workflow_status, WHO_PROGRAM),
    ENTRY(KWE_CALL_WORKFLOW_CANCEL, syscall_workflow_cancel, WHO_PROGRAM),
    ENTRY(KWE_CALL_EVENT_CANCEL, syscall_event_cancel, WHO_PROGRAM),
    ENTRY(KWE_CALL_WORKFLOW_PLAN, syscall_workflow_plan, WHO_PROGRAM),
    ENTRY(KWE_CALL_ARENA_CREATE, syscall_arena_create, WHO_PROGRAM),
    ENTRY(KWE_CALL_UPCALL_SET, syscall_upcall_set, WHO_PROGRAM),
    ENTRY(KWE_CALL_UPCALL_RETURN, syscall_upcall_return, WHO_PROGRAM),
    ENTRY(KWE_CALL_STATISTICS, syscall_statistics, WHO_ANY),
    ENTRY(KWE_CALL_TRACE_READ, syscall_trace_read, WHO_PROGRAM),
    ENTRY(KWE_CALL_BOOT_FILE, syscall_boot_file, WHO_PROGRAM),
    ENTRY(KWE_CALL_CONTROL_WRITE, syscall_control_write, WHO_PROGRAM),
    ENTRY(KWE_CALL_CONTROL_READ, syscall_control_read, WHO_PROGRAM),
    ENTRY(KWE_CALL_INJECT, syscall_inject, WHO_PROGRAM),
    ENTRY(KWE_CALL_DECK_DIE, syscall_deck_die, WHO_DECK),
    ENTRY(KWE_CALL_DECK_INFO, syscall_deck_info, WHO_DECK),
    ENTRY(KWE_CALL_DMA_ALLOC, syscall_dma_alloc, WHO_DECK),
    ENTRY(KWE_CALL_LOG, syscall_log, WHO_ANY),
#undef ENTRY
#undef DISPATCH_ENTRY
};

#define ENTRY_COUNT (sizeof(entries) / sizeof(entries[0]))

void syscall_answer(struct thread *thread, int64_t result)
{
    port_syscall_return(&thread->context, (uint64_t)result);
}

static bool may_call(const struct thread *thread, const struct entry *entry)
{
    return (entry->who & (thread->instance != NULL ? WHO_DECK : WHO_PROGRAM)) != 0;
}

static void own_call(struct syscall *call, uint64_t index)
{
    const struct entry *entry = &entries[index];

    if (!may_call(call->thread, entry)) {
        syscall_refuse(call->thread, KERR_NOT_PERMITTED);
    } else {
        entry->run(call);
    }
}

/* nanosleep(): wait_argument[0] is when it ends. */
static bool sleep_resume(struct cpu *cpu, struct thread *thread)
{
    (void)cpu;
    if (thread->program->upcall.pending) {
        syscall_answer(thread, LINUX_EINTR);
        return true;
    }
    if (port_now_ns() < thread->wait_argument[0]) {
        return false;
    }
    syscall_answer(thread, 0);
    return true;
}

/* For programs: a deck waits in deck_next() only. */
static void sleep_call(struct syscall *call)
{
    struct thread *thread = call->thread;
    uint64_t duration_ns;
    int64_t result = linux_read_duration(&thread->linux_calls, call->argument[0], &duration_ns);

    if (result != 0) {
        syscall_answer(thread, result);
        return;
    }
    thread->wait_argument[0] = port_now_ns() + duration_ns;
    sched_sleep(call->nucleus, thread, sleep_resume, thread->wait_argument[0]);
}

/* Memory, time and standard error, as static C libraries ask for them. */
static void linux_numbered(struct syscall *call, uint64_t number)
{
    struct thread *thread = call->thread;
    struct linux_caller *caller = &thread->linux_calls;

    if (number == LINUX_NANOSLEEP && thread->program != NULL) {
        sleep_call(call);
        return;
    }
    int64_t result = linux_call(caller, number, call->argument);

    if (!caller->exited) {
        syscall_answer(thread, result);
    } else if (thread->instance != NULL) {
        deck_fail(call->nucleus, thread->instance, "exited");
    } else {
        program_end(call->nucleus, thread->program, caller->exit_status,
                    caller->aborted ? "aborted" : NULL);
    }
}

static inline void begin(struct syscall *call, struct cpu *cpu, struct thread *thread)
{
    cpu->program_syscalls += thread->program != NULL ? 1 : 0;
    call->cpu = cpu;
    call->nucleus = cpu->nucleus;
    call->thread = thread;
    port_syscall_arguments(&thread->context, call->argument);
}

bool syscall_is_dispatch(const struct thread *thread)
{
    const uint64_t index = port_syscall_number(&thread->context) - KWE_CALL_FIRST;

    return index < ENTRY_COUNT && entries[index].run_unlocked != NULL &&
           may_call(thread, &entries[index]);
}

bool syscall_dispatch_unlocked(struct cpu *cpu, struct thread *thread)
{
    struct syscall call;

    begin(&call, cpu, thread);
    return entries[port_syscall_number(&thread->context) - KWE_CALL_FIRST].run_unlocked(&call);
}

void syscall_dispatch(struct cpu *cpu, struct thread *thread)
{
    struct syscall call;
    uint64_t number = port_syscall_number(&thread->context);

    begin(&call, cpu, thread);
    if (number >= KWE_CALL_FIRST && number - KWE_CALL_FIRST < ENTRY_COUNT) {
        own_call(&call, number - KWE_CALL_FIRST);
    } else if (number >= KWE_CALL_FIRST) {
        syscall_refuse(thread, KERR_BAD_CALL);
    } else {
        linux_numbered(&call, number);
    }
}
