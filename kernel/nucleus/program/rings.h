/* rings.h - the pairs of rings that programs submit to and read results from. Callers hold nucleus->lock. */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/nucleus/program/program.h"

/* Make a pair of `slots` each for the program; flags: KWE_RING_*. */
enum kerr program_rings_create(struct nucleus *nucleus, struct program *program, uint32_t slots,
                               uint64_t flags, struct kwe_ring_info *info);
/* The program's ring of this id; NULL: none of its own. */
struct program_rings *program_rings_find(struct nucleus *nucleus, const struct program *program,
                                         uint32_t id);
/* Its events drain to nowhere; it is freed when the last has ended. */
void program_rings_destroy(struct nucleus *nucleus, struct program_rings *rings);
/* All of a program that goes. */
void program_rings_orphan(struct nucleus *nucleus, struct program *program);
/* Take what lies in the EventRing as far as there is room. False: the program lied in its rings, end it. By its own CPU without nucleus->lock. */
bool program_rings_serve(struct nucleus *nucleus, struct program_rings *rings, uint64_t now_ns);
/*
 * Are there `least` results? *count: how many. If not, program_rings_published() comes when there are; for a ring whose results raise upcalls, with
 * each. By its own CPU without nucleus->lock.
 */
bool program_rings_listen(struct nucleus *nucleus, struct program_rings *rings, uint32_t least,
                          uint32_t *count);
/* The index of its id; any lock. */
uint32_t program_rings_index(struct program_ring *ring);
/*
 * What the Guide told (told.h): nothing of an abandoned ring is in flight; results that somebody listens for were published; the program lied.
 * NULL: it has gone since.
 */
void program_rings_drained(struct nucleus *nucleus, struct program_rings *rings);
void program_rings_published(struct nucleus *nucleus, struct program_rings *rings);
void program_rings_broken(struct nucleus *nucleus, struct program_rings *rings);
