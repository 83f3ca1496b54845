/* workflow_calls.c - registering workflows, asking about them, ending them. */
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/workflows.h"
#include "kernel/nucleus/syscall/syscall.h"

void syscall_workflow_register(struct syscall *call)
{
    struct nucleus *nucleus = call->nucleus;
    struct space *space = call->thread->space;
    uint64_t bytes = call->argument[1];
    struct kwe_workflow_info info;

    if (bytes == 0 || bytes > KWE_MAX_BLOB_BYTES) {
        syscall_refuse(call->thread, KERR_BAD_WORKFLOW);
        return;
    }
    if (space_check(space, (uaddr_t){ call->argument[2] }, sizeof(info), PORT_READ | PORT_WRITE) !=
        KERR_OK) {
        syscall_refuse(call->thread, KERR_BAD_ADDRESS);
        return;
    }
    void *blob = heap_alloc(&nucleus->heap, bytes);
    if (blob == NULL) {
        syscall_refuse(call->thread, KERR_NO_MEMORY);
        return;
    }
    enum kerr result = space_copy_in(space, blob, (uaddr_t){ call->argument[0] }, bytes);
    if (result == KERR_OK) {
        result = workflows_register(nucleus, call->thread->program, blob, bytes, &info);
        enum kerr copied =
            space_copy_out(space, (uaddr_t){ call->argument[2] }, &info, sizeof(info));
        KASSERT(copied == KERR_OK, "it was checked");
    }
    heap_free(&nucleus->heap, blob, bytes);
    syscall_answer(call->thread, result == KERR_OK ? (int64_t)info.workflow : -(int64_t)result);
}

static bool owns(const struct syscall *call, uint64_t workflow)
{
    return workflow <= UINT32_MAX &&
           guide_check_owner(call->nucleus->guide, call->thread->program->index,
                             (uint32_t)workflow) == KERR_OK;
}

void syscall_workflow_unregister(struct syscall *call)
{
    if (!owns(call, call->argument[0])) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    guide_unregister(call->nucleus->guide, (uint32_t)call->argument[0], port_now_ns());
    syscall_answer(call->thread, 0);
}

void syscall_workflow_cancel(struct syscall *call)
{
    if (!owns(call, call->argument[0])) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    guide_cancel(call->nucleus->guide, (uint32_t)call->argument[0], port_now_ns());
    syscall_answer(call->thread, 0);
}

struct status_answer {
    struct kwe_workflow_status status;
    struct kwe_stage_status stages[KWE_MAX_STAGES];
};

void syscall_workflow_status(struct syscall *call)
{
    struct nucleus *nucleus = call->nucleus;

    if (!owns(call, call->argument[0])) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    struct status_answer *answer = heap_alloc_zeroed(&nucleus->heap, sizeof(*answer));
    if (answer == NULL) {
        syscall_refuse(call->thread, KERR_NO_MEMORY);
        return;
    }
    bool found =
        guide_status(nucleus->guide, (uint32_t)call->argument[0], &answer->status, answer->stages);
    uint64_t bytes =
        sizeof(answer->status) + answer->status.stage_count * sizeof(answer->stages[0]);
    enum kerr result = found ? KERR_OK : KERR_BAD_HANDLE;
    if (bytes > call->argument[2]) {
        result = KERR_BAD_CALL;
    }
    if (result == KERR_OK) {
        result = space_copy_out(call->thread->space, (uaddr_t){ call->argument[1] }, answer, bytes);
    }
    heap_free(&nucleus->heap, answer, sizeof(*answer));
    syscall_answer(call->thread, result == KERR_OK ? (int64_t)bytes : -(int64_t)result);
}
