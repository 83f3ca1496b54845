/* merge_core.c - see merge_core.h. */
#include "kernel/decks/operations/merge_core.h"

#include <string.h>

static uint8_t *put_number(uint8_t *to, uint64_t number)
{
    memcpy(to, &number, sizeof(number));
    return to + sizeof(number);
}

enum kerr merge_parts(const struct merge_part *parts, size_t count, bool header, uint8_t *merged,
                      size_t capacity, size_t *length)
{
    size_t bytes = header ? (count + 1) * sizeof(uint64_t) : 0;

    for (size_t i = 0; i < count; i++) {
        bytes = parts[i].length > SIZE_MAX - bytes ? SIZE_MAX : bytes + parts[i].length;
    }
    *length = bytes;
    if (bytes > capacity) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    uint8_t *to = merged;
    if (header) {
        to = put_number(to, count);
        for (size_t i = 0; i < count; i++) {
            to = put_number(to, parts[i].length);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i].length != 0) {
            memcpy(to, parts[i].data, parts[i].length);
            to += parts[i].length;
        }
    }
    return KERR_OK;
}
