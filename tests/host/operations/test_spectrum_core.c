/*
 * The spectrum against the definition, term by term, for every small length and some large ones.
 * uses: kernel/decks/operations/samples_core.c kernel/decks/operations/spectrum_core.c
 * libs: m
 */
#include "kernel/decks/operations/spectrum_core.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define MOST 3000u

static double numbers[MOST];
static unsigned progress;

static void count_progress(void)
{
    progress++;
}

static struct samples first(size_t count)
{
    struct samples samples;

    assert(samples_view(&samples, SAMPLES_F64, (const uint8_t *)numbers, count * sizeof(double)) ==
           KERR_OK);
    return samples;
}

static double weight(size_t i, size_t count, enum spectrum_window window)
{
    return window == SPECTRUM_WINDOW_HANN ? 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)count)
                                          : 1;
}

/* Line k by the definition, in long double. */
static double line_of(size_t count, size_t size, size_t k, enum spectrum_window window)
{
    const size_t taken = count < size ? count : size;
    long double re = 0, im = 0;

    for (size_t i = 0; i < taken; i++) {
        const long double angle = 2 * M_PIl * (long double)(i * k % size) / (long double)size;
        re += (long double)(numbers[i] * weight(i, taken, window)) * cosl(angle);
        im -= (long double)(numbers[i] * weight(i, taken, window)) * sinl(angle);
    }
    return (double)sqrtl(re * re + im * im);
}

/* Every `stride`th line; off by at most a few units in the last place of all samples' sum. */
static void check(size_t count, size_t size, size_t stride, enum spectrum_window window)
{
    const struct samples samples = first(count);
    const struct spectrum magnitudes = { size, window, false, count_progress };
    const struct spectrum powers = { size, window, true, count_progress };
    double *lines =
        malloc(spectrum_lines(size) * sizeof(*lines)); /* the sanitizer watches its end */
    double *squares = malloc(spectrum_lines(size) * sizeof(*squares));
    const double allowed = 1e-15 * (double)(10 + size);

    assert(spectrum_of(&samples, &magnitudes, lines) == KERR_OK);
    assert(spectrum_of(&samples, &powers, squares) == KERR_OK);
    for (size_t k = 0; k < spectrum_lines(size); k += stride) {
        assert(fabs(lines[k] - line_of(count, size, k, window)) <= allowed);
        assert(fabs(squares[k] - lines[k] * lines[k]) <= 1e-14 * (1 + squares[k]));
    }
    free(lines);
    free(squares);
}

static void test_every_small_length_is_as_defined(void)
{
    for (size_t size = 1; size <= 130; size++) {
        check(size, size, 1, SPECTRUM_WINDOW_NONE);
    }
}

static void test_large_lengths_are_as_defined(void)
{
    static const size_t sizes[] = { 1024, 2048, 2999, 3000 }; /* 2999 is prime */

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check(sizes[i], sizes[i], 37, SPECTRUM_WINDOW_NONE);
        check(sizes[i], sizes[i], 37, SPECTRUM_WINDOW_HANN);
    }
}

static void test_a_size_cuts_and_fills_up_with_zeros(void)
{
    check(100, 64, 1, SPECTRUM_WINDOW_NONE);
    check(100, 128, 1, SPECTRUM_WINDOW_HANN);
    check(100, 131, 1, SPECTRUM_WINDOW_HANN);
    check(1, 7, 1, SPECTRUM_WINDOW_NONE);
}

static void test_a_pure_tone_is_one_line(void)
{
    static double tone[1000];
    static double lines[501];
    struct samples samples;
    const struct spectrum spectrum = { 1000, SPECTRUM_WINDOW_NONE, false, count_progress };

    for (size_t i = 0; i < 1000; i++) {
        tone[i] = 3 * cos(2 * M_PI * 123 * (double)i / 1000);
    }
    assert(samples_view(&samples, SAMPLES_F64, (const uint8_t *)tone, sizeof(tone)) == KERR_OK);
    assert(spectrum_of(&samples, &spectrum, lines) == KERR_OK);
    for (size_t k = 0; k < 501; k++) {
        assert(fabs(lines[k] - (k == 123 ? 1500 : 0)) < 1e-9);
    }
}

static void test_the_longest_is_done(void)
{
    static double lines[SPECTRUM_SIZE_MAX / 2 + 1];
    const struct samples samples = first(MOST);
    const struct spectrum longest = { SPECTRUM_SIZE_MAX - 1, SPECTRUM_WINDOW_NONE, false,
                                      count_progress };

    progress = 0;
    assert(spectrum_of(&samples, &longest, lines) == KERR_OK);
    assert(progress >= 3 * 19); /* each pass over the 2^19 of each of the three transforms */
    for (size_t k = 0; k < spectrum_lines(longest.size); k += 9973) {
        assert(fabs(lines[k] - line_of(MOST, longest.size, k, SPECTRUM_WINDOW_NONE)) < 1e-9);
    }
}

int main(void)
{
    for (size_t i = 0; i < MOST; i++) {
        numbers[i] = (double)(i * 7919 % 1009) / 1009 - 0.5;
    }
    test_every_small_length_is_as_defined();
    test_large_lengths_are_as_defined();
    test_a_size_cuts_and_fills_up_with_zeros();
    test_a_pure_tone_is_one_line();
    test_the_longest_is_done();
    return 0;
}
