/* format_core.h - a text with numbers in it. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"

#define FORMAT_NUMBERS 4u

/* "{a}" to "{d}" become the numbers, in decimal; all else stays as it is. OUTPUT_TOO_LARGE: more than `capacity`. */
enum kerr format_text(const char *pattern, size_t length, const uint64_t numbers[FORMAT_NUMBERS],
                      char *text, size_t capacity, size_t *written);
