/* history_core.c - see history_core.h. */
#include "kernel/decks/execution/history_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/abi/errors.h"
#include "kernel/lib/ring.h"

static void count(struct history *history, const struct kwe_result *result)
{
    const uint64_t took_ns = result->finished_ns - result->submitted_ns;

    if (result->status != KERR_OK) {
        history->failed++;
    }
    if (took_ns > history->longest_ns && result->finished_ns > result->submitted_ns) {
        history->longest_ns = took_ns;
    }
}

void history_record(struct history *history, const struct kwe_result *results, uint32_t added)
{
    for (uint32_t i = 0; i < added; i++) {
        ring_copy_slot(&history->result[history->seen++ % HISTORY_RESULTS], &results[i]);
        count(history, &results[i]);
    }
}

static size_t print_line(const struct kwe_result *result, char line[HISTORY_LINE_BYTES])
{
    char stage[8] = "-";

    if (result->stage != KWE_NO_STAGE) {
        snprintf(stage, sizeof(stage), "%u", result->stage);
    }
    int length = snprintf(line, HISTORY_LINE_BYTES,
                          "%" PRIu64 " %" PRIu32 " %s %s %u %" PRIu64 " %" PRIu64 "\n",
                          result->cookie, result->workflow, kerr_name((enum kerr)result->status),
                          stage, result->deck, result->submitted_ns, result->finished_ns);
    return length < 0 || length >= (int)HISTORY_LINE_BYTES ? 0 : (size_t)length;
}

size_t history_print(const struct history *history, uint32_t most, char *lines, size_t capacity)
{
    uint64_t kept = history->seen < HISTORY_RESULTS ? history->seen : HISTORY_RESULTS;
    uint64_t first = history->seen - (most < kept ? most : kept);
    size_t written = 0;

    for (uint64_t i = first; i < history->seen; i++) {
        char line[HISTORY_LINE_BYTES];
        size_t length = print_line(&history->result[i % HISTORY_RESULTS], line);
        if (length > capacity - written) {
            break;
        }
        memcpy(lines + written, line, length);
        written += length;
    }
    return written;
}
