/*
 * Numbers in a text.
 * uses: kernel/decks/operations/format_core.c
 */
#include "kernel/decks/operations/format_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t numbers[FORMAT_NUMBERS] = { 0, 17, UINT64_MAX, 4 };

/* In rooms of just those sizes, so that a step behind them is seen. */
static enum kerr format(const char *pattern, size_t room, const char *wanted)
{
    const size_t length = strlen(pattern);
    char *exact = malloc(length);
    char *text = malloc(room);
    size_t written = 0;

    memcpy(exact, pattern, length);
    const enum kerr error = format_text(exact, length, numbers, text, room, &written);
    assert(error != KERR_OK || (written == strlen(wanted) && memcmp(text, wanted, written) == 0));
    free(exact);
    free(text);
    return error;
}

int main(void)
{
    assert(format("n: {b}\r\n", 64, "n: 17\r\n") == KERR_OK);
    assert(format("{a}{b}{c}{d}", 24, "017184467440737095516154") == KERR_OK);
    assert(format("{c}", 20, "18446744073709551615") == KERR_OK);
    assert(format("{e} {A} {} {a {{b}} a}{", 64, "{e} {A} {} {a {17} a}{") == KERR_OK);
    assert(format("", 0, "") == KERR_OK);
    assert(format("{c}", 19, "") == KERR_OUTPUT_TOO_LARGE);
    assert(format("abc", 2, "") == KERR_OUTPUT_TOO_LARGE);
    return 0;
}
