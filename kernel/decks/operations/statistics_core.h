/* statistics_core.h - what a row of samples is like: its moments, its histogram. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/decks/operations/samples_core.h"

/* The record that the operation `statistics` puts out, as it lies in memory. */
struct statistics {
    uint64_t count;
    double minimum, maximum, mean;
    double variance; /* of the whole: divided by count */
};
_Static_assert(sizeof(struct statistics) == 40, "deck.yaml says so");

/* In one pass (Welford): no sum that grows and loses digits. With a NaN among the samples all but the count are NaN. */
void statistics_of(const struct samples *samples, struct statistics *statistics);

#define HISTOGRAM_BINS_MAX 4096u
/* Behind the bins: how many samples lie in none of them. */
enum histogram_rest {
    HISTOGRAM_BELOW,
    HISTOGRAM_ABOVE,
    HISTOGRAM_UNORDERED, /* NaN */
    HISTOGRAM_RESTS,
};

struct histogram {
    double low, high;
    uint32_t bins;
};
/*
 * Bin i holds low + i * width <= x < low + (i + 1) * width with width = (high - low) / bins; the last one `high` too. `counts` has room for
 * bins + HISTOGRAM_RESTS.  BAD_PARAMETER: low and high are not finite, not in order, or too far apart or too near each other for this many
 * bins; bins is not 1..HISTOGRAM_BINS_MAX.
 */
enum kerr histogram_of(const struct samples *samples, const struct histogram *histogram,
                       uint64_t *counts);
