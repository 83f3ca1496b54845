/* spectrum_core.c - see spectrum_core.h. */
#include "kernel/decks/operations/spectrum_core.h"

#include <math.h>
#include <stdlib.h>

struct point {
    double re, im;
};

static struct point times(struct point a, struct point b)
{
    return (struct point){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

static struct point conjugate(struct point a)
{
    return (struct point){ a.re, -a.im };
}

/* exp(-pi i * numerator / denominator). Each from its own angle: a product of earlier ones would add up their errors. */
static struct point turned(size_t numerator, size_t denominator)
{
    const double angle = -M_PI * (double)numerator / (double)denominator;

    return (struct point){ cos(angle), sin(angle) };
}

/* ---- a power of two ----------------------------------------------------------------------------------------------- */

/* turns[k] = exp(-2 pi i k / size), k < size / 2 */
static void fill_turns(struct point *turns, size_t size)
{
    for (size_t k = 0; k < size / 2; k++) {
        turns[k] = turned(2 * k, size);
    }
}

/* Each to the place that has its index's bits in the other order. */
static void reverse_order(struct point *data, size_t size)
{
    for (size_t i = 1, j = 0; i < size; i++) {
        size_t bit = size >> 1;
        for (; (j & bit) != 0; bit >>= 1) {
            j ^= bit;
        }
        j |= bit;
        if (i < j) {
            const struct point moved = data[i];
            data[i] = data[j];
            data[j] = moved;
        }
    }
}

static void transform(struct point *data, size_t size, const struct point *turns,
                      void (*progress)(void))
{
    reverse_order(data, size);
    for (size_t half = 1; half < size; half *= 2) {
        progress();
        const size_t step = size / (2 * half);
        for (size_t first = 0; first < size; first += 2 * half) {
            for (size_t k = 0; k < half; k++) {
                struct point *low = &data[first + k];
                struct point *high = low + half;
                const struct point odd = times(*high, turns[k * step]);
                *high = (struct point){ low->re - odd.re, low->im - odd.im };
                *low = (struct point){ low->re + odd.re, low->im + odd.im };
            }
        }
    }
}

/* ---- any length --------------------------------------------------------------------------------------------------- */

static size_t power_of_two(size_t least)
{
    size_t size = 1;

    while (size < least) {
        size *= 2;
    }
    return size;
}

/* A transform in progress; all of it in one allocation. */
struct work {
    size_t size;          /* of the transform that is asked for */
    size_t padded;        /* of those that are done: `size`, or room for a convolution of it */
    struct point *data;   /* padded */
    struct point *turns;  /* padded / 2 */
    struct point *kernel; /* padded; only when size is no power of two, as the next */
    struct point *chirp;  /* size: exp(-pi i k * k / size) */
    void (*progress)(void);
};

static bool work_begin(struct work *work, size_t size, void (*progress)(void))
{
    const bool direct = power_of_two(size) == size;
    const size_t padded = direct ? size : power_of_two(2 * size - 1);
    const size_t points = padded + padded / 2 + (direct ? 0 : padded + size);

    work->size = size;
    work->padded = padded;
    work->data = calloc(points, sizeof(struct point));
    if (work->data == NULL) {
        return false;
    }
    work->turns = work->data + padded;
    work->kernel = direct ? NULL : work->turns + padded / 2;
    work->chirp = direct ? NULL : work->kernel + padded;
    fill_turns(work->turns, padded);
    work->progress = progress;
    progress();
    return true;
}

/*
 * With 2 i k = i * i + k * k - (k - i) * (k - i), the sum over x[i] exp(-2 pi i k / n) is the convolution of x[i] * chirp[i] with
 * 1 / chirp[i], times chirp[k].
 */
static void transform_any(struct work *work)
{
    struct point *data = work->data;
    const double scale = 1 / (double)work->padded;

    for (size_t k = 0; k < work->size; k++) {
        /* The angle's period is 2 * size: reduced as a whole number, or a large square would lose its digits. */
        work->chirp[k] = turned((uint64_t)k * k % (2 * work->size), work->size);
        data[k] = times(data[k], work->chirp[k]);
        work->kernel[k] = conjugate(work->chirp[k]);
        work->kernel[(work->padded - k) % work->padded] = work->kernel[k];
    }
    work->progress();
    transform(data, work->padded, work->turns, work->progress);
    transform(work->kernel, work->padded, work->turns, work->progress);
    for (size_t k = 0; k < work->padded; k++) {
        /* Of the conjugate: the way forward is then the way back. */
        data[k] = conjugate(times(data[k], work->kernel[k]));
    }
    transform(data, work->padded, work->turns, work->progress);
    for (size_t k = 0; k < work->size; k++) {
        const struct point back = { data[k].re * scale, -data[k].im * scale };
        data[k] = times(back, work->chirp[k]);
    }
}

/* ---- samples to lines --------------------------------------------------------------------------------------------- */

static void take_samples(struct work *work, const struct samples *samples,
                         enum spectrum_window window)
{
    const size_t count = samples->count < work->size ? samples->count : work->size;

    for (size_t i = 0; i < count; i++) {
        const double weight =
            window == SPECTRUM_WINDOW_HANN ? 0.5 - 0.5 * turned(2 * i, count).re : 1;
        work->data[i] = (struct point){ sample_at(samples, i) * weight, 0 };
    }
}

enum kerr spectrum_of(const struct samples *samples, const struct spectrum *spectrum, double *lines)
{
    struct work work;

    if (!work_begin(&work, spectrum->size, spectrum->progress)) {
        return KERR_OUT_OF_SCRATCH;
    }
    take_samples(&work, samples, spectrum->window);
    if (work.chirp == NULL) {
        transform(work.data, work.size, work.turns, work.progress);
    } else {
        transform_any(&work);
    }
    for (size_t k = 0; k < spectrum_lines(work.size); k++) {
        const struct point point = work.data[k];
        lines[k] =
            spectrum->power ? point.re * point.re + point.im * point.im : hypot(point.re, point.im);
    }
    free(work.data);
    return KERR_OK;
}
