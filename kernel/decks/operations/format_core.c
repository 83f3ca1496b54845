/* format_core.c - see format_core.h. */
#include "kernel/decks/operations/format_core.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MARK_BYTES  3u /* "{a}" */
#define DIGITS_MOST 21u

static bool is_mark(const char *at, size_t left)
{
    return left >= MARK_BYTES && at[0] == '{' && at[1] >= 'a' &&
           at[1] < 'a' + (char)FORMAT_NUMBERS && at[2] == '}';
}

enum kerr format_text(const char *pattern, size_t length, const uint64_t numbers[FORMAT_NUMBERS],
                      char *text, size_t capacity, size_t *written)
{
    char digits[DIGITS_MOST];
    size_t to = 0;

    for (size_t at = 0; at < length;) {
        const char *piece = pattern + at;
        size_t bytes = 1;
        if (is_mark(piece, length - at)) {
            const int count = snprintf(digits, sizeof(digits), "%llu",
                                       (unsigned long long)numbers[piece[1] - 'a']);
            bytes = (size_t)count;
            piece = digits;
            at += MARK_BYTES;
        } else {
            at++;
        }
        if (bytes > capacity - to) {
            return KERR_OUTPUT_TOO_LARGE;
        }
        memcpy(text + to, piece, bytes);
        to += bytes;
    }
    *written = to;
    return KERR_OK;
}
