/*
 * Execution's memory: order, wrap, sums, room.
 * uses: kernel/decks/execution/history_core.c kernel/lib/errors.c
 */
#include "kernel/decks/execution/history_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/errors.h"

#define KEPT 64u

static struct kwe_result kept[KEPT];
static uint64_t kept_count;

static const struct kwe_result *newest(uint32_t back)
{
    const uint64_t there = kept_count < KEPT ? kept_count : KEPT;
    return back < there ? &kept[(kept_count - 1 - back) % KEPT] : NULL;
}

static void record(struct history *history, const struct kwe_result *result)
{
    kept[kept_count++ % KEPT] = *result;
    history_count(history, result, 1);
}

static struct kwe_result make(uint64_t cookie, uint16_t status, uint64_t took_ns)
{
    return (struct kwe_result){
        .cookie = cookie,
        .workflow = 5,
        .status = status,
        .stage = status == KERR_OK ? KWE_NO_STAGE : 2,
        .deck = status == KERR_OK ? 0 : 3,
        .submitted_ns = 100,
        .finished_ns = 100 + took_ns,
    };
}

static void test_lines_are_oldest_first(struct history *history)
{
    const struct kwe_result good = make(7, KERR_OK, 50), bad = make(8, KERR_NOT_A_JPEG, 20);
    static const char wanted[] = "7 5 OK - 0 100 150\n8 5 NOT_A_JPEG 2 3 100 120\n";
    char lines[400];

    record(history, &good);
    record(history, &bad);
    size_t length = history_print(newest, 256, lines, sizeof(lines));
    assert(length == sizeof(wanted) - 1 && memcmp(lines, wanted, length) == 0);
    length = history_print(newest, 1, lines, sizeof(lines));
    assert(length == 27 && memcmp(lines, wanted + 19, length) == 0);
    assert(history->seen == 2 && history->failed == 1 && history->longest_ns == 50);
}

static void test_only_whole_lines_are_written(void)
{
    char lines[30];

    assert(history_print(newest, 256, lines, 18) == 0);
    assert(history_print(newest, 256, lines, 19) == 19);
    assert(history_print(newest, 256, lines, 30) == 19);
}

static void test_what_is_kept_is_told_of_and_no_more(struct history *history)
{
    for (uint64_t i = 0; i < 3 * KEPT; i++) {
        const struct kwe_result result = make(1000 + i, KERR_OK, 1);
        record(history, &result);
    }
    size_t capacity = (size_t)KEPT * HISTORY_LINE_BYTES, count = 0;
    char *lines = malloc(capacity + 1);
    size_t length = history_print(newest, 4096, lines, capacity);
    lines[length] = '\0';
    assert(strtoull(lines, NULL, 10) == 1000 + 2 * KEPT);
    for (const char *at = lines; (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    assert(count == KEPT && history->seen == 2 + 3 * KEPT);
    free(lines);
}

static void test_many_at_once_add_up(void)
{
    struct history history = { .seen = 0 };
    struct kwe_result results[3] = { make(1, KERR_OK, 9), make(2, KERR_IO_ERROR, 30),
                                     make(3, KERR_OK, 12) };

    results[2].finished_ns = 1; /* before it was submitted: no time at all */
    history_count(&history, results, 3);
    assert(history.seen == 3 && history.failed == 1 && history.longest_ns == 30);
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

    record(history, &result);
    assert(history_print(newest, 1, line, sizeof(line)) > 90);
}

int main(void)
{
    struct history history = { .seen = 0 };

    test_lines_are_oldest_first(&history);
    test_only_whole_lines_are_written();
    test_what_is_kept_is_told_of_and_no_more(&history);
    test_many_at_once_add_up();
    test_the_longest_line_fits(&history);
    return 0;
}
