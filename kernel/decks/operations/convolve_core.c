/*
 * convolve_core.c - scalar integer code, which loses least under QEMU's translation.
 *
 * Sums fit 32 bits: 9 weights of at most 65536 times 255 are 150 million, twice that and a divisor of 2^20 still below 2^31.
 */
#include "kernel/decks/operations/convolve_core.h"

#define CHANNELS 3u

/* The three rows that one output row is made of. */
struct rows {
    const uint8_t *above, *here, *below;
};

static inline uint8_t finish(const struct convolution *convolution, int32_t sum)
{
    int32_t divisor = convolution->divisor;

    if (divisor != 1) {
        sum = sum >= 0 ? (2 * sum + divisor) / (2 * divisor)
                       : -((-2 * sum + divisor) / (2 * divisor));
    }
    sum += convolution->bias;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* One byte whose left and right neighbours lie at the given places of the row; for edges. */
static uint8_t one_byte(const struct convolution *convolution, const struct rows *rows, size_t left,
                        size_t middle, size_t right)
{
    const int32_t *weight = convolution->weight;
    int32_t sum = weight[0] * rows->above[left] + weight[1] * rows->above[middle] +
                  weight[2] * rows->above[right] + weight[3] * rows->here[left] +
                  weight[4] * rows->here[middle] + weight[5] * rows->here[right] +
                  weight[6] * rows->below[left] + weight[7] * rows->below[middle] +
                  weight[8] * rows->below[right];

    return finish(convolution, sum);
}

/* All but the first and last pixel of a row. */
static void inner_row(const struct convolution *convolution, const struct rows *rows, uint8_t *out,
                      size_t row_bytes)
{
    const int32_t w0 = convolution->weight[0], w1 = convolution->weight[1],
                  w2 = convolution->weight[2];
    const int32_t w3 = convolution->weight[3], w4 = convolution->weight[4],
                  w5 = convolution->weight[5];
    const int32_t w6 = convolution->weight[6], w7 = convolution->weight[7],
                  w8 = convolution->weight[8];
    const uint8_t *above = rows->above, *here = rows->here, *below = rows->below;

    for (size_t i = CHANNELS; i + CHANNELS < row_bytes; i++) {
        int32_t sum = w0 * above[i - CHANNELS] + w1 * above[i] + w2 * above[i + CHANNELS] +
                      w3 * here[i - CHANNELS] + w4 * here[i] + w5 * here[i + CHANNELS] +
                      w6 * below[i - CHANNELS] + w7 * below[i] + w8 * below[i + CHANNELS];
        out[i] = finish(convolution, sum);
    }
}

void convolve_rgb8(const struct convolution *convolution, const uint8_t *pixels, uint8_t *filtered,
                   uint32_t width, uint32_t height)
{
    size_t row_bytes = (size_t)width * CHANNELS;
    size_t last = row_bytes - CHANNELS;
    /* A picture of one column has its only pixel as both neighbours. */
    size_t second = width > 1 ? CHANNELS : 0;
    size_t before_last = width > 1 ? last - CHANNELS : 0;

    for (size_t y = 0; y < height; y++) {
        const uint8_t *here = pixels + y * row_bytes;
        struct rows rows = {
            .above = y == 0 ? here : here - row_bytes,
            .here = here,
            .below = y + 1 == height ? here : here + row_bytes,
        };
        uint8_t *out = filtered + y * row_bytes;
        for (size_t channel = 0; channel < CHANNELS; channel++) {
            out[channel] = one_byte(convolution, &rows, channel, channel, second + channel);
            out[last + channel] =
                one_byte(convolution, &rows, before_last + channel, last + channel, last + channel);
        }
        inner_row(convolution, &rows, out, row_bytes);
    }
}
