/* workflow_calls.c - registering workflows, asking about them, ending them. */
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/workflows.h"
#include "kernel/nucleus/syscall/syscall.h"

/* Makes something of the bytes and tells of it; workflows_register() or workflows_create_arena(). */
typedef enum kerr (*make_fn)(struct nucleus *nucleus, struct program *program, const void *bytes,
                             size_t length, struct kwe_workflow_info *info);

/* Arguments: address and length of the bytes, address of the answer. */
static void make_from_bytes(struct syscall *call, make_fn make)
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
        result = make(nucleus, call->thread->program, blob, bytes, &info);
        enum kerr copied =
            space_copy_out(space, (uaddr_t){ call->argument[2] }, &info, sizeof(info));
        KASSERT(copied == KERR_OK, "it was checked");
    }
    heap_free(&nucleus->heap, blob, bytes);
    syscall_answer(call->thread, result == KERR_OK ? (int64_t)info.workflow : -(int64_t)result);
}

void syscall_workflow_register(struct syscall *call)
{
    make_from_bytes(call, workflows_register);
}

void syscall_arena_create(struct syscall *call)
{
    make_from_bytes(call, workflows_create_arena);
}

static bool owns(const struct syscall *call, uint64_t workflow)
{
    return workflow <= UINT32_MAX &&
           guides_check_owner(call->nucleus->guides, call->thread->program->index,
                              (uint32_t)workflow) == KERR_OK;
}

void syscall_workflow_unregister(struct syscall *call)
{
    if (!owns(call, call->argument[0])) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    guides_unregister(call->nucleus->guides, call->thread->program->index,
                      (uint32_t)call->argument[0], port_now_ns());
    syscall_answer(call->thread, 0);
}

void syscall_workflow_cancel(struct syscall *call)
{
    if (!owns(call, call->argument[0])) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    guides_cancel(call->nucleus->guides, call->thread->program->index, (uint32_t)call->argument[0],
                  port_now_ns());
    syscall_answer(call->thread, 0);
}

/* What is told of a workflow, and of each of its stages behind it. */
union answer {
    struct {
        struct kwe_workflow_status whole;
        struct kwe_stage_status stages[KWE_MAX_STAGES];
    } status;
    struct {
        struct kwe_plan whole;
        struct kwe_plan_stage stages[KWE_MAX_STAGES];
    } plan;
};

/* Fills the answer; returns its bytes. */
typedef uint64_t (*describe_fn)(struct guides *guides, uint32_t owner, uint32_t workflow,
                                union answer *answer);

static void answer_about(struct syscall *call, describe_fn describe)
{
    struct nucleus *nucleus = call->nucleus;

    if (!owns(call, call->argument[0])) {
        syscall_refuse(call->thread, KERR_BAD_HANDLE);
        return;
    }
    union answer *answer = heap_alloc_zeroed(&nucleus->heap, sizeof(*answer));
    if (answer == NULL) {
        syscall_refuse(call->thread, KERR_NO_MEMORY);
        return;
    }
    uint64_t bytes = describe(nucleus->guides, call->thread->program->index,
                              (uint32_t)call->argument[0], answer);
    enum kerr result = bytes > call->argument[2] ? KERR_BAD_CALL : KERR_OK;
    if (result == KERR_OK) {
        result = space_copy_out(call->thread->space, (uaddr_t){ call->argument[1] }, answer, bytes);
    }
    heap_free(&nucleus->heap, answer, sizeof(*answer));
    syscall_answer(call->thread, result == KERR_OK ? (int64_t)bytes : -(int64_t)result);
}

static uint64_t describe_status(struct guides *guides, uint32_t owner, uint32_t workflow,
                                union answer *answer)
{
    bool found =
        guides_status(guides, owner, workflow, &answer->status.whole, answer->status.stages);
    KASSERT(found, "workflow 0x%x is its caller's", workflow);
    return sizeof(answer->status.whole) +
           answer->status.whole.stage_count * sizeof(answer->status.stages[0]);
}

static uint64_t describe_plan(struct guides *guides, uint32_t owner, uint32_t workflow,
                              union answer *answer)
{
    bool found = guides_plan(guides, owner, workflow, &answer->plan.whole, answer->plan.stages);
    KASSERT(found, "workflow 0x%x is its caller's", workflow);
    return sizeof(answer->plan.whole) +
           answer->plan.whole.stage_count * sizeof(answer->plan.stages[0]);
}

void syscall_workflow_status(struct syscall *call)
{
    answer_about(call, describe_status);
}

void syscall_workflow_plan(struct syscall *call)
{
    answer_about(call, describe_plan);
}
