/*
 * The scalar convolution against the definition, spelled out slowly.
 * uses: kernel/decks/operations/convolve_core.c
 * libs: m
 */
#include "kernel/decks/operations/convolve_core.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 12345;

static uint32_t any(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static int clamp_to(int at, int count)
{
    return at < 0 ? 0 : at >= count ? count - 1 : at;
}

/* By the words of deck.yaml, in floating point: exact here, sums are far below 2^53. round() rounds halves away from zero. */
static uint8_t defined(const struct convolution *c, const uint8_t *pixels, int width, int height,
                       int x, int y, int k)
{
    double sum = 0;

    for (int dy = -1; dy <= 1; dy++) {
        for (int dx = -1; dx <= 1; dx++) {
            int at = (clamp_to(y + dy, height) * width + clamp_to(x + dx, width)) * 3 + k;
            sum += (double)c->weight[(dy + 1) * 3 + dx + 1] * pixels[at];
        }
    }
    double value = round(sum / c->divisor) + c->bias;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void compare(const struct convolution *c, int width, int height)
{
    size_t bytes = (size_t)width * (size_t)height * 3;
    uint8_t *pixels = malloc(bytes), *out = malloc(bytes);

    for (size_t i = 0; i < bytes; i++) {
        pixels[i] = (uint8_t)any(256);
    }
    convolve_rgb8(c, pixels, out, (uint32_t)width, (uint32_t)height);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            for (int k = 0; k < 3; k++) {
                assert(out[(y * width + x) * 3 + k] == defined(c, pixels, width, height, x, y, k));
            }
        }
    }
    free(pixels);
    free(out);
}

static void test_edges_filter_at_every_small_size(void)
{
    struct convolution edges = { { -1, -1, -1, -1, 8, -1, -1, -1, -1 }, 1, 0 };

    for (int width = 1; width <= 7; width++) {
        for (int height = 1; height <= 7; height++) {
            compare(&edges, width, height);
        }
    }
}

static void test_any_weights_divisor_and_bias(void)
{
    for (int round_number = 0; round_number < 300; round_number++) {
        struct convolution c = { .divisor =
                                     (int32_t)(1 + any(round_number % 3 == 0 ? 1048576 : 20)) };
        int32_t span = round_number % 2 == 0 ? 9 : 65536;
        for (int i = 0; i < 9; i++) {
            c.weight[i] = (int32_t)any((uint32_t)(2 * span + 1)) - span;
        }
        c.bias = (int32_t)any(401) - 200;
        compare(&c, (int)(1 + any(20)), (int)(1 + any(20)));
    }
}

static void test_largest_sums_do_not_overflow(void)
{
    struct convolution c = { { 65536, 65536, 65536, 65536, 65536, 65536, 65536, 65536, 65536 },
                             1048576,
                             65536 };
    uint8_t white[27], out[27];

    memset(white, 255, sizeof(white));
    convolve_rgb8(&c, white, out, 3, 3);
    assert(out[13] == 255);
    for (int i = 0; i < 9; i++) {
        c.weight[i] = -65536;
    }
    convolve_rgb8(&c, white, out, 3, 3);
    assert(out[13] == 255); /* -143 or so, and the bias on top */
}

static void test_halves_are_rounded_away_from_zero(void)
{
    struct convolution half = { { 0, 0, 0, 0, 1, 0, 0, 0, 0 }, 2, 0 };
    struct convolution minus_half = { { 0, 0, 0, 0, -1, 0, 0, 0, 0 }, 2, 10 };
    uint8_t pixel[3] = { 1, 2, 3 }, out[3];

    convolve_rgb8(&half, pixel, out, 1, 1);
    assert(out[0] == 1 && out[1] == 1 && out[2] == 2);
    convolve_rgb8(&minus_half, pixel, out, 1, 1);
    assert(out[0] == 9 && out[1] == 9 && out[2] == 8);
}

int main(void)
{
    test_edges_filter_at_every_small_size();
    test_any_weights_divisor_and_bias();
    test_largest_sums_do_not_overflow();
    test_halves_are_rounded_away_from_zero();
    return 0;
}
