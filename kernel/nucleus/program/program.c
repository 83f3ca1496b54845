/* program.c - a user program's life: loaded from the payload, run, ended, its events drained to nowhere. */
#include "kernel/nucleus/program/program.h"

#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/nucleus/exit.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/rings.h"
#include "kernel/nucleus/program/upcall.h"
#include "kernel/nucleus/program/workflows.h"

#define PROGRAM_HEAP_MAX_BYTES (64u << 20)

static struct program *make_program(struct nucleus *nucleus, const char *name)
{
    unsigned index = 0;
    while (index < MAX_PROGRAMS && nucleus->program[index] != NULL) {
        index++;
    }
    if (index == MAX_PROGRAMS) {
        return NULL;
    }
    struct program *program = heap_alloc_zeroed(&nucleus->heap, sizeof(*program));
    struct thread *thread = heap_alloc_zeroed(&nucleus->heap, sizeof(*thread));
    if (program == NULL || thread == NULL || !guides_open(nucleus->guides, index)) {
        heap_free(&nucleus->heap, program, sizeof(*program));
        heap_free(&nucleus->heap, thread, sizeof(*thread));
        return NULL;
    }
    program->index = index;
    program->thread = thread;
    fmt_print(program->name, sizeof(program->name), "%s", name);
    fmt_print(thread->name, sizeof(thread->name), "program %s", program->name);
    thread->program = program;
    thread->class = THREAD_SHARED;
    thread->pinned_cpu = -1;
    nucleus->program[index] = program;
    return program;
}

static void free_program(struct nucleus *nucleus, struct program *program)
{
    if (program->space != NULL) {
        cpus_leave_space(nucleus, program->space);
        space_destroy(program->space);
    }
    nucleus->program[program->index] = NULL;
    upcall_free(nucleus, program);
    heap_free(&nucleus->heap, program->thread, sizeof(*program->thread));
    heap_free(&nucleus->heap, program, sizeof(*program));
}

static bool load(struct nucleus *nucleus, struct program *program)
{
    program->space = space_create(&nucleus->frames, &nucleus->heap, PROGRAM_HEAP_MAX_BYTES);
    if (program->space == NULL) {
        log_line(program->thread->name, "there is not enough memory for its address space");
        return false;
    }
    return thread_load(nucleus, program->thread, program->space, "program", program->name);
}

bool program_start(struct nucleus *nucleus, const char *name)
{
    struct program *program = make_program(nucleus, name);
    if (program == NULL) {
        log_line("nucleus", "program %s: no memory, or more than %u programs", name, MAX_PROGRAMS);
        return false;
    }
    if (!load(nucleus, program)) {
        free_program(nucleus, program);
        return false;
    }
    if (nucleus->first_program_ns == 0) {
        nucleus->first_program_ns = port_now_ns();
    }
    sched_ready(nucleus, program->thread);
    return true;
}

void program_end(struct nucleus *nucleus, struct program *program, int status, const char *why)
{
    if (program->ending) {
        return;
    }
    program->ending = true;
    program->exit_status = status;
    if (why != NULL) {
        log_line(program->thread->name, "FAULT %s", why);
        thread_log_backtrace(program->thread, "program", program->name);
    } else {
        log_line(program->thread->name, "exit %d", status);
    }
    if (status != 0 || why != NULL) {
        nucleus->program_failed = true;
    }
    if (sched_condemn(nucleus, program->thread)) {
        program_reap(nucleus, program);
    }
}

void program_reap(struct nucleus *nucleus, struct program *program)
{
    program_rings_orphan(nucleus, program);
    workflows_orphan(nucleus, program);
    guides_program_gone(nucleus->guides, program->index, port_now_ns());
    guides_collect(nucleus->guides);
    free_program(nucleus, program);
    for (unsigned i = 0; i < MAX_PROGRAMS; i++) {
        if (nucleus->program[i] != NULL) {
            return;
        }
    }
    if (nucleus->program_failed) {
        nucleus_exit(EXIT_PROGRAM_FAILED, "a program failed");
    }
    nucleus_exit(EXIT_DONE, "done");
}
