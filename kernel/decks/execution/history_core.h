/* history_core.h - what results add up to, and lines about the newest of them. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/event.h"

#define HISTORY_LINE_BYTES 128u /* no line is longer */

/* Zero-initialised is empty. */
struct history {
    uint64_t seen; /* ever */
    uint64_t failed;
    uint64_t longest_ns; /* from submit to verdict */
};

void history_count(struct history *history, const struct kwe_result *results, uint32_t count);

/* The `back`th newest result; NULL: it is not kept. */
typedef const struct kwe_result *(*history_newest_fn)(uint32_t back);

/*
 * Write the newest `most` (as many as are kept), oldest first, a line each:
 *   cookie workflow status stage deck submitted_ns finished_ns
 * status is the code's name; stage is - when none in particular decided. Lines that do not fit whole are left out.
 * Returns the bytes written.
 */
size_t history_print(history_newest_fn newest, uint32_t most, char *lines, size_t capacity);
