/*
 * Execution's memory: order, wrap, sums, room.
 * uses: kernel/decks/execution/history_core.c kernel/lib/errors.c
 */
#include "kernel/decks/execution/history_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/errors.h"

static void record(struct history *history, uint64_t cookie, uint16_t status, uint64_t took_ns)
{
    struct kwe_result result = {
        .cookie = cookie,
        .workflow = 5,
        .status = status,
        .stage = status == KERR_OK ? KWE_NO_STAGE : 2,
        .deck = status == KERR_OK ? 0 : 3,
        .submitted_ns = 100,
        .finished_ns = 100 + took_ns,
    };
    history_record(history, &result, 1);
}

static void test_lines_are_oldest_first(struct history *history)
{
    char lines[400];

    record(history, 7, KERR_OK, 50);
    record(history, 8, KERR_NOT_A_JPEG, 20);
    size_t length = history_print(history, 256, lines, sizeof(lines));
    static const char wanted[] = "7 5 OK - 0 100 150\n8 5 NOT_A_JPEG 2 3 100 120\n";
    assert(length == sizeof(wanted) - 1 && memcmp(lines, wanted, length) == 0);
    length = history_print(history, 1, lines, sizeof(lines));
    assert(length == 27 && memcmp(lines, wanted + 19, length) == 0);
    assert(history->seen == 2 && history->failed == 1 && history->longest_ns == 50);
}

static void test_only_whole_lines_are_written(struct history *history)
{
    char lines[30];

    assert(history_print(history, 256, lines, 18) == 0);
    assert(history_print(history, 256, lines, 19) == 19);
    assert(history_print(history, 256, lines, 30) == 19);
}

static void test_the_oldest_are_forgotten(struct history *history)
{
    for (uint64_t i = 0; i < 3 * HISTORY_RESULTS; i++) {
        record(history, 1000 + i, KERR_OK, 1);
    }
    size_t capacity = (size_t)HISTORY_RESULTS * HISTORY_LINE_BYTES;
    char *lines = malloc(capacity + 1);
    size_t length = history_print(history, HISTORY_RESULTS, lines, capacity);
    lines[length] = '\0';
    assert(strtoull(lines, NULL, 10) == 1000 + 2 * HISTORY_RESULTS);
    size_t count = 0;
    for (const char *at = lines; (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    assert(count == HISTORY_RESULTS);
    free(lines);
}

static void test_the_longest_line_fits(struct history *history)
{
    char line[2 * HISTORY_LINE_BYTES];
    struct kwe_result result = {
        .workflow = UINT32_MAX,
        .status = KERR_CORRUPT_FILESYSTEM,
        .stage = 65534,
        .deck = 255,
        .cookie = UINT64_MAX,
        .submitted_ns = UINT64_MAX,
        .finished_ns = UINT64_MAX,
    };

    history_record(history, &result, 1);
    assert(history_print(history, 1, line, sizeof(line)) > 90);
}

int main(void)
{
    struct history *history = calloc(1, sizeof(*history));

    test_lines_are_oldest_first(history);
    test_only_whole_lines_are_written(history);
    test_the_oldest_are_forgotten(history);
    test_the_longest_line_fits(history);
    free(history);
    return 0;
}
