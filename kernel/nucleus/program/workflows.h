/* workflows.h - from a registration to an arena that is mapped where it must be, and back. Callers hold nucleus->lock. */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/abi/workflow.h"
#include "kernel/nucleus/program/program.h"

/* `blob` lies in the nucleus's memory. Fills *info in either case. */
enum kerr workflows_register(struct nucleus *nucleus, struct program *program, const void *blob,
                             size_t bytes, struct kwe_workflow_info *info);
/* The same for an arena without stages (struct kwe_arena). */
enum kerr workflows_create_arena(struct nucleus *nucleus, struct program *program,
                                 const void *arena, size_t bytes, struct kwe_workflow_info *info);
/* The Guide says that nothing of it is in flight: unmap and free its arena. */
void workflows_gone(struct nucleus *nucleus, uint32_t workflow);
/* A program that goes leaves its arenas; they are freed when the Guide says that their workflows are gone. */
void workflows_orphan(struct nucleus *nucleus, struct program *program);
