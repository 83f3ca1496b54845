/* history_core.h - the newest results and what they add up to. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/event.h"

#define HISTORY_RESULTS    4096u
#define HISTORY_LINE_BYTES 128u /* no line is longer */

/* Zero-initialised is empty. */
struct history {
    struct kwe_result result[HISTORY_RESULTS]; /* result i lies at i modulo HISTORY_RESULTS */
    uint64_t seen;                             /* ever */
    uint64_t failed;
    uint64_t longest_ns; /* from submit to verdict */
};

void history_record(struct history *history, const struct kwe_result *results, uint32_t added);

/*
 * Write the newest `most` (as many as there are), oldest first, a line each:
 *   cookie workflow status stage deck submitted_ns finished_ns
 * status is the code's name; stage is - when none in particular decided. Lines that do not fit whole are left out.
 * Returns the bytes written.
 */
size_t history_print(const struct history *history, uint32_t most, char *lines, size_t capacity);
