/* history_core.c - see history_core.h. */
#include "kernel/decks/execution/history_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/abi/errors.h"

void history_count(struct history *history, const struct kwe_result *results, uint32_t count)
{
    uint64_t longest_ns = history->longest_ns;
    uint16_t any = KERR_OK; /* what is not OK, of all together */

    for (const struct kwe_result *result = results; result != results + count; result++) {
        const uint64_t took_ns = result->finished_ns - result->submitted_ns;
        any |= result->status;
        if (took_ns > longest_ns && result->finished_ns > result->submitted_ns) {
            longest_ns = took_ns;
        }
    }
    for (uint32_t i = 0; any != KERR_OK && i < count; i++) {
        history->failed += results[i].status != KERR_OK ? 1 : 0;
    }
    history->seen += count;
    history->longest_ns = longest_ns;
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

size_t history_print(history_newest_fn newest, uint32_t most, char *lines, size_t capacity)
{
    size_t written = 0;

    while (most > 0 && newest(most - 1) == NULL) {
        most--;
    }
    for (; most > 0; most--) {
        char line[HISTORY_LINE_BYTES];
        size_t length = print_line(newest(most - 1), line);
        if (length > capacity - written) {
            break;
        }
        memcpy(lines + written, line, length);
        written += length;
    }
    return written;
}
