/*
 * upcall.h - a program's own function, called on its thread when results have come: what the thread did is kept in the nucleus until the
 * function ends with upcall_return(). Callers hold nucleus->lock.
 */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/nucleus/program/program.h"

/* `entry` 0: none any more. `stack` 0: on the thread's own. NO_MEMORY, BAD_ADDRESS. */
enum kerr upcall_set(struct nucleus *nucleus, struct program_rings *rings, uint64_t entry,
                     uint64_t stack);
/* A result lies in the ring: call, as soon as the thread is in ring 3. */
void upcall_raise(struct nucleus *nucleus, struct program_rings *rings);
/* The thread is on its way to ring 3. */
void upcall_deliver(struct program *program);
/* BAD_CALL: it is in none. */
enum kerr upcall_return(struct program *program);
/* The program goes. */
void upcall_free(struct nucleus *nucleus, struct program *program);
