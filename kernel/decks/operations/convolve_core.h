/* convolve_core.h - 3x3 convolution of a picture in plain memory. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct convolution {
    int32_t weight[9]; /* row by row, each within +-65536 */
    int32_t divisor;   /* 1..2^20 */
    int32_t bias;      /* within +-65536 */
};

/*
 * out = clamp(round(sum of weight * neighbour / divisor) + bias), halves rounded away from zero, clamped to 0..255; pixels beyond an
 * edge are the edge's own; each of the three channels alone. `pixels` and `filtered` are width * height * 3 bytes and apart.
 */
void convolve_rgb8(const struct convolution *convolution, const uint8_t *pixels, uint8_t *filtered,
                   uint32_t width, uint32_t height);
