/*
 * Samples as they are read, their moments and their histogram.
 * uses: kernel/decks/operations/samples_core.c kernel/decks/operations/statistics_core.c
 * libs: m
 */
#include "kernel/decks/operations/statistics_core.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define CLOSE(left, right) (fabs((left) - (right)) <= 1e-12 * fabs(right))

static struct samples doubles(const double *numbers, size_t count)
{
    struct samples samples;

    assert(samples_view(&samples, SAMPLES_F64, (const uint8_t *)numbers,
                        count * sizeof(*numbers)) == KERR_OK);
    return samples;
}

static void test_each_format_is_read_where_it_lies(void)
{
    static const int16_t whole[3] = { -32768, 0, 32767 };
    static const float single[2] = { -0.5f, 1e30f };
    uint8_t bytes[9]; /* odd: not aligned */
    struct samples samples;

    memcpy(bytes + 1, whole, sizeof(whole));
    assert(samples_view(&samples, SAMPLES_I16, bytes + 1, sizeof(whole)) == KERR_OK);
    assert(samples.count == 3 && sample_at(&samples, 0) == -32768.0 &&
           sample_at(&samples, 2) == 32767.0);
    memcpy(bytes + 1, single, sizeof(single));
    assert(samples_view(&samples, SAMPLES_F32, bytes + 1, sizeof(single)) == KERR_OK);
    assert(samples.count == 2 && sample_at(&samples, 0) == -0.5 &&
           sample_at(&samples, 1) == (double)1e30f);
}

static void test_half_samples_none_and_unknown_formats_are_refused(void)
{
    static const uint8_t bytes[16];
    struct samples samples;

    assert(samples_view(&samples, SAMPLES_I16, bytes, 3) == KERR_BAD_SAMPLES);
    assert(samples_view(&samples, SAMPLES_F32, bytes, 6) == KERR_BAD_SAMPLES);
    assert(samples_view(&samples, SAMPLES_F64, bytes, 12) == KERR_BAD_SAMPLES);
    assert(samples_view(&samples, SAMPLES_F64, bytes, 0) == KERR_BAD_SAMPLES);
    assert(samples_view(&samples, 3, bytes, 16) == KERR_BAD_PARAMETER);
}

static void test_moments_are_the_textbooks(void)
{
    static const double numbers[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
    struct samples samples = doubles(numbers, 8);
    struct statistics statistics;

    statistics_of(&samples, &statistics);

    assert(statistics.count == 8 && statistics.minimum == 2 && statistics.maximum == 9);
    assert(CLOSE(statistics.mean, 5.0) && CLOSE(statistics.variance, 4.0));
}

static void test_a_small_variance_far_from_zero_is_not_lost(void)
{
    enum { COUNT = 9999 };
    static double numbers[COUNT];
    struct statistics statistics;

    for (int i = 0; i < COUNT; i++) {
        numbers[i] = 1e9 + i % 3; /* sum of squares less square of sum would have no digit left */
    }
    struct samples samples = doubles(numbers, COUNT);
    statistics_of(&samples, &statistics);

    assert(CLOSE(statistics.mean, 1e9 + 1) && fabs(statistics.variance - 2.0 / 3) < 1e-6);
}

static void test_one_nan_is_told(void)
{
    const double numbers[] = { 1, NAN, 3 };
    struct samples samples = doubles(numbers, 3);
    struct statistics statistics;

    statistics_of(&samples, &statistics);

    assert(statistics.count == 3 && isnan(statistics.minimum) && isnan(statistics.maximum) &&
           isnan(statistics.mean) && isnan(statistics.variance));
}

static void test_every_sample_is_counted_once_by_the_edges(void)
{
    const double numbers[] = { -0.1, 0,         0.1,      0.3,       0.7, 0.7 - 1e-16,
                               1,    1.0000001, INFINITY, -INFINITY, NAN };
    struct samples samples = doubles(numbers, sizeof(numbers) / sizeof(numbers[0]));
    const struct histogram histogram = { 0, 1, 10 };
    uint64_t *counts =
        malloc((10 + HISTOGRAM_RESTS) * sizeof(*counts)); /* the sanitizer watches its end */

    assert(histogram_of(&samples, &histogram, counts) == KERR_OK);

    uint64_t sum = 0;
    for (int i = 0; i < 10 + HISTOGRAM_RESTS; i++) {
        sum += counts[i];
    }
    assert(sum == samples.count);
    assert(counts[0] == 1 && counts[1] == 1 && counts[9] == 1);
    assert(counts[10 + HISTOGRAM_BELOW] == 2 && counts[10 + HISTOGRAM_ABOVE] == 2 &&
           counts[10 + HISTOGRAM_UNORDERED] == 1);
    free(counts);
}

static void test_a_sample_on_an_edge_lies_above_it_whatever_the_width(void)
{
    for (uint32_t bins = 1; bins <= 200; bins++) {
        const struct histogram histogram = { -0.3, 0.7, bins };
        const double width = (0.7 - -0.3) / bins;
        for (uint32_t i = 0; i < bins; i++) {
            const double edge = -0.3 + i * width;
            uint64_t counts[200 + HISTOGRAM_RESTS];
            struct samples samples = doubles(&edge, 1);
            assert(histogram_of(&samples, &histogram, counts) == KERR_OK && counts[i] == 1);
        }
    }
}

static void test_bins_that_make_no_sense_are_refused(void)
{
    static const struct histogram bad[] = {
        { 0, 0, 1 },        { 1, 0, 1 },           { 0, 1, 0 },
        { 0, 1, 4097 },     { (double)NAN, 1, 1 }, { 0, (double)NAN, 1 },
        { 0, INFINITY, 1 }, { -1e308, 1e308, 2 },  { 1e300, 1.0000000000000002e300, 4096 },
    };
    static const double numbers[] = { 0.5 };
    struct samples samples = doubles(numbers, 1);
    static uint64_t counts[HISTOGRAM_BINS_MAX + HISTOGRAM_RESTS];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert(histogram_of(&samples, &bad[i], counts) == KERR_BAD_PARAMETER);
    }
}

int main(void)
{
    test_each_format_is_read_where_it_lies();
    test_half_samples_none_and_unknown_formats_are_refused();
    test_moments_are_the_textbooks();
    test_a_small_variance_far_from_zero_is_not_lost();
    test_one_nan_is_told();
    test_every_sample_is_counted_once_by_the_edges();
    test_a_sample_on_an_edge_lies_above_it_whatever_the_width();
    test_bins_that_make_no_sense_are_refused();
    return 0;
}
