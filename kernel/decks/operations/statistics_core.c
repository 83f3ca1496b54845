/* statistics_core.c - see statistics_core.h. */
#include "kernel/decks/operations/statistics_core.h"

#include <math.h>
#include <stdbool.h>

void statistics_of(const struct samples *samples, struct statistics *statistics)
{
    double minimum = INFINITY;
    double maximum = -INFINITY;
    double mean = 0;
    double squares = 0; /* of the distances from the mean so far */
    bool unordered = false;

    for (size_t i = 0; i < samples->count; i++) {
        const double x = sample_at(samples, i);
        const double step = x - mean;
        unordered |= isnan(x);
        minimum = x < minimum ? x : minimum;
        maximum = x > maximum ? x : maximum;
        mean += step / (double)(i + 1);
        squares += step * (x - mean);
    }
    *statistics = (struct statistics){
        .count = samples->count,
        .minimum = unordered ? (double)NAN : minimum,
        .maximum = unordered ? (double)NAN : maximum,
        .mean = unordered ? (double)NAN : mean,
        .variance = unordered ? (double)NAN : squares / (double)samples->count,
    };
}

/* Rounding may put a sample beside its bin; the bins' edges decide. `x` lies within low..high. */
static uint32_t bin_of(const struct histogram *histogram, double width, double x)
{
    const double guess = (x - histogram->low) / width;
    uint32_t bin = guess < histogram->bins ? (uint32_t)guess : histogram->bins - 1;

    if (bin > 0 && x < histogram->low + bin * width) {
        bin--;
    } else if (bin < histogram->bins - 1 && x >= histogram->low + (bin + 1) * width) {
        bin++;
    }
    return bin;
}

enum kerr histogram_of(const struct samples *samples, const struct histogram *histogram,
                       uint64_t *counts)
{
    const double span = histogram->high - histogram->low;
    const double width = span / histogram->bins;

    if (histogram->bins == 0 || histogram->bins > HISTOGRAM_BINS_MAX || !isfinite(histogram->low) ||
        !isfinite(histogram->high) || !isfinite(span) ||
        !(histogram->low + width > histogram->low)) {
        return KERR_BAD_PARAMETER;
    }
    memset(counts, 0, (histogram->bins + HISTOGRAM_RESTS) * sizeof(*counts));
    for (size_t i = 0; i < samples->count; i++) {
        const double x = sample_at(samples, i);
        uint32_t place;
        if (isnan(x)) {
            place = histogram->bins + HISTOGRAM_UNORDERED;
        } else if (x < histogram->low) {
            place = histogram->bins + HISTOGRAM_BELOW;
        } else if (x > histogram->high) {
            place = histogram->bins + HISTOGRAM_ABOVE;
        } else {
            place = bin_of(histogram, width, x);
        }
        counts[place]++;
    }
    return KERR_OK;
}
