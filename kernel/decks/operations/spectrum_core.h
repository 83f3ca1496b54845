/*
 * spectrum_core.h - the discrete Fourier transform of real samples, of any length. Pure.
 *
 * Own code because no library fits: as a static archive, Debian 12 has FFTW and GSL only, whose licence (GPL) is not ours to link; its kissfft
 * is a shared library of float, and takes n * n steps for a prime n; pocketfft for C comes inside numpy's sources only, behind Python's headers.
 * What is here are two textbook algorithms: radix 2 (Cooley and Tukey), and Bluestein's, which makes any length a convolution by the first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/decks/operations/samples_core.h"

#define SPECTRUM_SIZE_MAX (1u << 18)

/* The numbers are deck.yaml's. */
enum spectrum_window {
    SPECTRUM_WINDOW_NONE = 0,
    SPECTRUM_WINDOW_HANN = 1, /* periodic: 0.5 - 0.5 cos(2 pi i / n) over the n samples taken */
};

struct spectrum {
    size_t
        size; /* 1..SPECTRUM_SIZE_MAX samples are taken; zeros stand for those that are not there */
    enum spectrum_window window;
    bool power; /* the magnitudes' squares */
    /* called again and again: it takes seconds on a slow machine */
    void (*progress)(void);
};

static inline size_t spectrum_lines(size_t size)
{
    return size / 2 + 1;
}

/*
 * Line k is the magnitude of the sum of x[i] * exp(-2 pi i k / size), not scaled: numpy's abs(rfft(x, size)). `lines` has room for
 * spectrum_lines(size).  OUT_OF_SCRATCH: malloc said no; at most 24 MiB are asked for.
 */
enum kerr spectrum_of(const struct samples *samples, const struct spectrum *spectrum,
                      double *lines);
