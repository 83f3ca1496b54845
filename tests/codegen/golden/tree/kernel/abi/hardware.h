/*
 * hardware.h - the hardware deck's operations, as all sides see them.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/hardware/deck.yaml
 *   template  codegen/templates/deck_abi.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HARDWARE_PREFIX 2u

enum {
    HARDWARE_OP_NOP = 0,
    HARDWARE_OP_CONVOLVE = 1,
    HARDWARE_OP_JPEG_ENCODE = 2,
    HARDWARE_OP_TICK = 3,
    HARDWARE_OP_WAIT = 4,
};

/* ---- convolve ---- */

enum {
    HARDWARE_CONVOLVE_INPUT_PIXELS = 0, /* rgb8 */
};

enum {
    HARDWARE_CONVOLVE_VALUE_WIDTH = 0,  /* u32 */
    HARDWARE_CONVOLVE_VALUE_HEIGHT = 1, /* u32 */
};

/*
 * 3x3 convolution with integer weights; edges replicated, rounded half away from zero, clamped to
 * 0..255, each channel alone.
 */
struct hardware_convolve_params {
    uint32_t width;     /* 1..65500; the width of what feeds pixels */
    uint32_t height;    /* 1..65500; the height of what feeds pixels */
    int32_t weights[9]; /* row by row; -65536..65536 */
    int32_t divisor;    /* 1..1048576 */
    int32_t bias;       /* -65536..65536 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct hardware_convolve_params, width) == 0, "ABI");
_Static_assert(offsetof(struct hardware_convolve_params, height) == 4, "ABI");
_Static_assert(offsetof(struct hardware_convolve_params, weights) == 8, "ABI");
_Static_assert(offsetof(struct hardware_convolve_params, divisor) == 44, "ABI");
_Static_assert(offsetof(struct hardware_convolve_params, bias) == 48, "ABI");
_Static_assert(sizeof(struct hardware_convolve_params) == 56, "ABI");

/* Left at 0, for the caller to set or bind: width, height, weights. */
static inline struct hardware_convolve_params hardware_convolve_defaults(void)
{
    return (struct hardware_convolve_params){
        .divisor = 1,
        .bias = 0,
    };
}

/* ---- jpeg_encode ---- */

enum {
    HARDWARE_JPEG_ENCODE_INPUT_PIXELS = 0, /* rgb8 */
};

/* Encode 8-bit RGB to a baseline JPEG picture. */
struct hardware_jpeg_encode_params {
    uint32_t width;   /* 1..65500; the width of what feeds pixels */
    uint32_t height;  /* 1..65500; the height of what feeds pixels */
    uint32_t quality; /* 1 to 100, as libjpeg counts it; 1..100 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct hardware_jpeg_encode_params, width) == 0, "ABI");
_Static_assert(offsetof(struct hardware_jpeg_encode_params, height) == 4, "ABI");
_Static_assert(offsetof(struct hardware_jpeg_encode_params, quality) == 8, "ABI");
_Static_assert(sizeof(struct hardware_jpeg_encode_params) == 16, "ABI");

/* Left at 0, for the caller to set or bind: width, height. */
static inline struct hardware_jpeg_encode_params hardware_jpeg_encode_defaults(void)
{
    return (struct hardware_jpeg_encode_params){
        .quality = 90u,
    };
}

/* ---- tick ---- */

enum {
    HARDWARE_TICK_VALUE_NUMBER = 0,  /* u64 */
    HARDWARE_TICK_VALUE_TIME_NS = 1, /* u64 */
    HARDWARE_TICK_VALUE_LATE_NS = 2, /* u64 */
};

/*
 * Wait for the next multiple of period_ns of the time since the system started. Nothing adds up, so
 * that it does not drift: one that comes too late has missed ticks, which the number shows.
 */
struct hardware_tick_params {
    uint64_t period_ns; /* 100000..86400000000000 */
};
_Static_assert(offsetof(struct hardware_tick_params, period_ns) == 0, "ABI");
_Static_assert(sizeof(struct hardware_tick_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: period_ns. */
static inline struct hardware_tick_params hardware_tick_defaults(void)
{
    return (struct hardware_tick_params){ 0 };
}

/* ---- wait ---- */

/* Wait for so long. */
struct hardware_wait_params {
    uint64_t ns; /* at most 86400000000000 */
};
_Static_assert(offsetof(struct hardware_wait_params, ns) == 0, "ABI");
_Static_assert(sizeof(struct hardware_wait_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: ns. */
static inline struct hardware_wait_params hardware_wait_defaults(void)
{
    return (struct hardware_wait_params){ 0 };
}
