/* samples_core.h - measurements in plain memory, one number behind the other, as operations read them. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/abi/errors.h"

/* Little endian; the numbers are deck.yaml's. */
enum samples_format {
    SAMPLES_I16 = 0,
    SAMPLES_F32 = 1,
    SAMPLES_F64 = 2,
};

struct samples {
    const uint8_t *bytes; /* not aligned */
    size_t count;         /* at least 1 */
    enum samples_format format;
};

/* BAD_PARAMETER: no such format.  BAD_SAMPLES: no whole number of samples, or none at all. */
enum kerr samples_view(struct samples *samples, uint32_t format, const uint8_t *bytes,
                       size_t length);

static inline double sample_at(const struct samples *samples, size_t index)
{
    int16_t whole;
    float single;
    double number;

    switch (samples->format) {
    case SAMPLES_I16:
        memcpy(&whole, samples->bytes + index * sizeof(whole), sizeof(whole));
        return whole;
    case SAMPLES_F32:
        memcpy(&single, samples->bytes + index * sizeof(single), sizeof(single));
        return (double)single;
    default:
        memcpy(&number, samples->bytes + index * sizeof(number), sizeof(number));
        return number;
    }
}
