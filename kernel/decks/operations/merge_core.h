/* merge_core.h - buffers one behind the other. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"

struct merge_part {
    const uint8_t *data;
    size_t length;
};

/*
 * `header`: u64 count, then each part's u64 length, come first, so that the parts can be told apart again. `merged` is apart from the parts.
 * OUTPUT_TOO_LARGE: more than `capacity`, nothing was written; *length says what would fit.
 */
enum kerr merge_parts(const struct merge_part *parts, size_t count, bool header, uint8_t *merged,
                      size_t capacity, size_t *length);
