/*
 * operations.h - the operations deck's operations, as all sides see them.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/operations/deck.yaml
 *   template  codegen/templates/deck_abi.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/workflow.h"

#define OPERATIONS_PREFIX 1u

enum {
    OPERATIONS_OP_NOP = 0,
    OPERATIONS_OP_JPEG_DECODE = 1,
    OPERATIONS_OP_JPEG_ENCODE = 2,
    OPERATIONS_OP_CONVOLVE = 3,
    OPERATIONS_OP_LZ4_COMPRESS = 4,
    OPERATIONS_OP_LZ4_DECOMPRESS = 5,
    OPERATIONS_OP_ZSTD_COMPRESS = 6,
    OPERATIONS_OP_ZSTD_DECOMPRESS = 7,
    OPERATIONS_OP_SHA256 = 8,
    OPERATIONS_OP_CRC32C = 9,
    OPERATIONS_OP_SEAL = 10,
    OPERATIONS_OP_OPEN = 11,
    OPERATIONS_OP_STATISTICS = 12,
    OPERATIONS_OP_HISTOGRAM = 13,
    OPERATIONS_OP_MERGE = 14,
    OPERATIONS_OP_SHA256_UPDATE = 15,
    OPERATIONS_OP_SHA256_FINAL = 16,
    OPERATIONS_OP_SPECTRUM = 17,
    OPERATIONS_OP_HTTP_ROUTE = 18,
    OPERATIONS_OP_HTTP_FORM = 19,
    OPERATIONS_OP_HTTP_RENDER = 20,
    OPERATIONS_OP_FORMAT = 21,
    OPERATIONS_OP_ENTRY = 22,
};

/* ---- jpeg_decode ---- */

enum {
    OPERATIONS_JPEG_DECODE_INPUT_PICTURE = 0, /* bytes */
};

enum {
    OPERATIONS_JPEG_DECODE_VALUE_WIDTH = 0,  /* u32 */
    OPERATIONS_JPEG_DECODE_VALUE_HEIGHT = 1, /* u32 */
};

/* ---- jpeg_encode ---- */

enum {
    OPERATIONS_JPEG_ENCODE_INPUT_PIXELS = 0, /* rgb8 */
};

/* Encode 8-bit RGB to a baseline JPEG picture. */
struct operations_jpeg_encode_params {
    uint32_t width;   /* 1..65500; the width of what feeds pixels */
    uint32_t height;  /* 1..65500; the height of what feeds pixels */
    uint32_t quality; /* 1 to 100, as libjpeg counts it; 1..100 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct operations_jpeg_encode_params, width) == 0, "ABI");
_Static_assert(offsetof(struct operations_jpeg_encode_params, height) == 4, "ABI");
_Static_assert(offsetof(struct operations_jpeg_encode_params, quality) == 8, "ABI");
_Static_assert(sizeof(struct operations_jpeg_encode_params) == 16, "ABI");

/* Left at 0, for the caller to set or bind: width, height. */
static inline struct operations_jpeg_encode_params operations_jpeg_encode_defaults(void)
{
    return (struct operations_jpeg_encode_params){
        .quality = 90u,
    };
}

/* ---- convolve ---- */

enum {
    OPERATIONS_CONVOLVE_INPUT_PIXELS = 0, /* rgb8 */
};

enum {
    OPERATIONS_CONVOLVE_VALUE_WIDTH = 0,  /* u32 */
    OPERATIONS_CONVOLVE_VALUE_HEIGHT = 1, /* u32 */
};

/*
 * 3x3 convolution with integer weights; edges replicated, rounded half away from zero, clamped to
 * 0..255, each channel alone.
 */
struct operations_convolve_params {
    uint32_t width;     /* 1..65500; the width of what feeds pixels */
    uint32_t height;    /* 1..65500; the height of what feeds pixels */
    int32_t weights[9]; /* row by row; -65536..65536 */
    int32_t divisor;    /* 1..1048576 */
    int32_t bias;       /* -65536..65536 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct operations_convolve_params, width) == 0, "ABI");
_Static_assert(offsetof(struct operations_convolve_params, height) == 4, "ABI");
_Static_assert(offsetof(struct operations_convolve_params, weights) == 8, "ABI");
_Static_assert(offsetof(struct operations_convolve_params, divisor) == 44, "ABI");
_Static_assert(offsetof(struct operations_convolve_params, bias) == 48, "ABI");
_Static_assert(sizeof(struct operations_convolve_params) == 56, "ABI");

/* Left at 0, for the caller to set or bind: width, height, weights. */
static inline struct operations_convolve_params operations_convolve_defaults(void)
{
    return (struct operations_convolve_params){
        .divisor = 1,
        .bias = 0,
    };
}

/* ---- lz4_compress ---- */

enum {
    OPERATIONS_LZ4_COMPRESS_INPUT_DATA = 0, /* bytes */
};

/* ---- lz4_decompress ---- */

enum {
    OPERATIONS_LZ4_DECOMPRESS_INPUT_PACKED = 0, /* bytes */
};

/* ---- zstd_compress ---- */

enum {
    OPERATIONS_ZSTD_COMPRESS_INPUT_DATA = 0, /* bytes */
};

/*
 * One zstd frame with content size and checksum. High levels search as far as 32 MiB of memory
 * allow.
 */
struct operations_zstd_compress_params {
    int32_t level; /* 1..19 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct operations_zstd_compress_params, level) == 0, "ABI");
_Static_assert(sizeof(struct operations_zstd_compress_params) == 8, "ABI");

static inline struct operations_zstd_compress_params operations_zstd_compress_defaults(void)
{
    return (struct operations_zstd_compress_params){
        .level = 3,
    };
}

/* ---- zstd_decompress ---- */

enum {
    OPERATIONS_ZSTD_DECOMPRESS_INPUT_PACKED = 0, /* bytes */
};

/* ---- sha256 ---- */

enum {
    OPERATIONS_SHA256_INPUT_DATA = 0, /* bytes */
};

/* ---- crc32c ---- */

enum {
    OPERATIONS_CRC32C_INPUT_DATA = 0, /* bytes */
};

enum {
    OPERATIONS_CRC32C_VALUE_CRC = 0, /* u32 */
};

/* ---- seal ---- */

enum {
    OPERATIONS_SEAL_INPUT_DATA = 0, /* bytes */
    OPERATIONS_SEAL_INPUT_KEY = 1,  /* bytes */
};

/* ---- open ---- */

enum {
    OPERATIONS_OPEN_INPUT_SEALED = 0, /* bytes */
    OPERATIONS_OPEN_INPUT_KEY = 1,    /* bytes */
};

/* ---- statistics ---- */

enum {
    OPERATIONS_STATISTICS_INPUT_SAMPLES = 0, /* bytes */
};

enum {
    OPERATIONS_STATISTICS_VALUE_COUNT = 0,   /* u64 */
    OPERATIONS_STATISTICS_VALUE_MINIMUM = 1, /* f64 */
    OPERATIONS_STATISTICS_VALUE_MAXIMUM = 2, /* f64 */
    OPERATIONS_STATISTICS_VALUE_MEAN = 3,    /* f64 */
};

/*
 * Of samples: a record of u64 count and f64 minimum, maximum, mean, variance (of the whole, by
 * count); a NaN among them makes all four NaN.
 */
struct operations_statistics_params {
    uint32_t format; /* of the samples, little endian: 0 i16, 1 f32, 2 f64; at most 2 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct operations_statistics_params, format) == 0, "ABI");
_Static_assert(sizeof(struct operations_statistics_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: format. */
static inline struct operations_statistics_params operations_statistics_defaults(void)
{
    return (struct operations_statistics_params){ 0 };
}

/* ---- histogram ---- */

enum {
    OPERATIONS_HISTOGRAM_INPUT_SAMPLES = 0, /* bytes */
};

enum {
    OPERATIONS_HISTOGRAM_VALUE_BELOW = 0,     /* u64 */
    OPERATIONS_HISTOGRAM_VALUE_ABOVE = 1,     /* u64 */
    OPERATIONS_HISTOGRAM_VALUE_UNORDERED = 2, /* u64 */
};

/*
 * How many samples lie in each of the bins of equal width from low to high, the last one with high
 * itself: u64 for each bin, then below, above, NaN.
 */
struct operations_histogram_params {
    double low;
    double high;     /* above low */
    uint32_t format; /* of the samples, little endian: 0 i16, 1 f32, 2 f64; at most 2 */
    uint32_t bins;   /* 1..4096 */
};
_Static_assert(offsetof(struct operations_histogram_params, low) == 0, "ABI");
_Static_assert(offsetof(struct operations_histogram_params, high) == 8, "ABI");
_Static_assert(offsetof(struct operations_histogram_params, format) == 16, "ABI");
_Static_assert(offsetof(struct operations_histogram_params, bins) == 20, "ABI");
_Static_assert(sizeof(struct operations_histogram_params) == 24, "ABI");

/* Left at 0, for the caller to set or bind: low, high, format, bins. */
static inline struct operations_histogram_params operations_histogram_defaults(void)
{
    return (struct operations_histogram_params){ 0 };
}

/* ---- merge ---- */

enum {
    OPERATIONS_MERGE_INPUT_PART1 = 0, /* bytes */
    OPERATIONS_MERGE_INPUT_PART2 = 1, /* bytes */
    OPERATIONS_MERGE_INPUT_PART3 = 2, /* bytes */
    OPERATIONS_MERGE_INPUT_PART4 = 3, /* bytes */
    OPERATIONS_MERGE_INPUT_PART5 = 4, /* bytes */
    OPERATIONS_MERGE_INPUT_PART6 = 5, /* bytes */
    OPERATIONS_MERGE_INPUT_PART7 = 6, /* bytes */
    OPERATIONS_MERGE_INPUT_PART8 = 7, /* bytes */
};

enum {
    OPERATIONS_MERGE_VALUE_PARTS = 0, /* u64 */
};

/*
 * The inputs one behind the other, in order; with a header first when wished: u64 how many they
 * are, then each one's u64 length.
 */
struct operations_merge_params {
    uint32_t header; /* 0 or 1 */
    uint8_t reserved[4];
};
_Static_assert(offsetof(struct operations_merge_params, header) == 0, "ABI");
_Static_assert(sizeof(struct operations_merge_params) == 8, "ABI");

static inline struct operations_merge_params operations_merge_defaults(void)
{
    return (struct operations_merge_params){
        .header = 0u,
    };
}

/* ---- sha256_update ---- */

enum {
    OPERATIONS_SHA256_UPDATE_INPUT_DATA = 0,  /* bytes */
    OPERATIONS_SHA256_UPDATE_INPUT_STATE = 1, /* bytes */
};

enum {
    OPERATIONS_SHA256_UPDATE_VALUE_SEEN = 0, /* u64 */
};

/* ---- sha256_final ---- */

enum {
    OPERATIONS_SHA256_FINAL_INPUT_STATE = 0, /* bytes */
};

enum {
    OPERATIONS_SHA256_FINAL_VALUE_SEEN = 0, /* u64 */
};

/* ---- spectrum ---- */

enum {
    OPERATIONS_SPECTRUM_INPUT_SAMPLES = 0, /* bytes */
};

enum {
    OPERATIONS_SPECTRUM_VALUE_COUNT = 0, /* u64 */
};

/*
 * Discrete Fourier transform of real samples, of any length up to 2^18: f64 magnitudes of the lines
 * 0 to size / 2, not scaled.
 */
struct operations_spectrum_params {
    uint32_t format; /* of the samples, little endian: 0 i16, 1 f32, 2 f64; at most 2 */
    uint32_t window; /* 0 none, 1 Hann (periodic); at most 1 */
    /* samples taken from the beginning, zeros where there are fewer; 0: all; at most 262144 */
    uint32_t size;
    uint32_t power; /* the magnitudes' squares instead; 0 or 1 */
};
_Static_assert(offsetof(struct operations_spectrum_params, format) == 0, "ABI");
_Static_assert(offsetof(struct operations_spectrum_params, window) == 4, "ABI");
_Static_assert(offsetof(struct operations_spectrum_params, size) == 8, "ABI");
_Static_assert(offsetof(struct operations_spectrum_params, power) == 12, "ABI");
_Static_assert(sizeof(struct operations_spectrum_params) == 16, "ABI");

/* Left at 0, for the caller to set or bind: format. */
static inline struct operations_spectrum_params operations_spectrum_defaults(void)
{
    return (struct operations_spectrum_params){
        .window = 0u,
        .size = 0u,
        .power = 0u,
    };
}

/* ---- http_route ---- */

enum {
    OPERATIONS_HTTP_ROUTE_INPUT_QUESTION = 0, /* bytes */
    OPERATIONS_HTTP_ROUTE_INPUT_ROUTES = 1,   /* bytes */
};

enum {
    OPERATIONS_HTTP_ROUTE_VALUE_KIND = 0,   /* u32 */
    OPERATIONS_HTTP_ROUTE_VALUE_ANSWER = 1, /* u32 */
    OPERATIONS_HTTP_ROUTE_VALUE_OFFSET = 2, /* u64 */
    OPERATIONS_HTTP_ROUTE_VALUE_BYTES = 3,  /* u64 */
};

/*
 * What a request is for, by a table: lines of METHODS PATH KIND TARGET, the first that fits counts;
 * a path that ends with /... fits all below it. KIND: file (its path is the output), change, text,
 * stream. kind 0 refused, 1 file, 2 change, 3 text, 4 stream; answer: the status so far; offset and
 * bytes are what storage.read has to read.
 */
struct operations_http_route_params {
    /*
     * so many at most: a longer range is answered by its beginning, and of a longer file the rest
     * has to come behind; at least 1
     */
    uint64_t part_bytes;
};
_Static_assert(offsetof(struct operations_http_route_params, part_bytes) == 0, "ABI");
_Static_assert(sizeof(struct operations_http_route_params) == 8, "ABI");

static inline struct operations_http_route_params operations_http_route_defaults(void)
{
    return (struct operations_http_route_params){
        .part_bytes = UINT64_C(18446744073709551615),
    };
}

/* ---- http_form ---- */

enum {
    OPERATIONS_HTTP_FORM_INPUT_QUESTION = 0, /* bytes */
};

/* ---- http_render ---- */

enum {
    OPERATIONS_HTTP_RENDER_INPUT_QUESTION = 0, /* bytes */
    OPERATIONS_HTTP_RENDER_INPUT_ROUTES = 1,   /* bytes */
    OPERATIONS_HTTP_RENDER_INPUT_TEXT = 2,     /* bytes */
    OPERATIONS_HTTP_RENDER_INPUT_ENTRIES = 3,  /* bytes */
};

enum {
    OPERATIONS_HTTP_RENDER_VALUE_ANSWER = 0,     /* u32 */
    OPERATIONS_HTTP_RENDER_VALUE_HEAD_BYTES = 1, /* u32 */
    OPERATIONS_HTTP_RENDER_VALUE_BODY_BYTES = 2, /* u64 */
    OPERATIONS_HTTP_RENDER_VALUE_MORE_BYTES = 3, /* u64 */
};

/*
 * The answer, for http_send: lines of fields and, but for a file, the body. What the stages before
 * said of the file, the directory and the change comes as statuses; a failure becomes an error
 * page. By the same table as http_route. Of a stream, text is the beginning, and more_bytes 2^64 -
 * 1.
 */
struct operations_http_render_params {
    uint32_t load_status;   /* of storage.read */
    uint32_t list_status;   /* of storage.list, whose output is entries */
    uint32_t form_status;   /* of what a change takes from the request */
    uint32_t change_status; /* of what it does */
    uint64_t size;          /* the value of storage.read */
    uint64_t mtime;         /* the value of storage.read */
    /*
     * the length of what storage.read read: when the file is longer, more_bytes are to come by
     * http_more
     */
    uint64_t loaded;
};
_Static_assert(offsetof(struct operations_http_render_params, load_status) == 0, "ABI");
_Static_assert(offsetof(struct operations_http_render_params, list_status) == 4, "ABI");
_Static_assert(offsetof(struct operations_http_render_params, form_status) == 8, "ABI");
_Static_assert(offsetof(struct operations_http_render_params, change_status) == 12, "ABI");
_Static_assert(offsetof(struct operations_http_render_params, size) == 16, "ABI");
_Static_assert(offsetof(struct operations_http_render_params, mtime) == 24, "ABI");
_Static_assert(offsetof(struct operations_http_render_params, loaded) == 32, "ABI");
_Static_assert(sizeof(struct operations_http_render_params) == 40, "ABI");

static inline struct operations_http_render_params operations_http_render_defaults(void)
{
    return (struct operations_http_render_params){
        .load_status = 0u,
        .list_status = 0u,
        .form_status = 0u,
        .change_status = 0u,
        .size = 0u,
        .mtime = 0u,
        .loaded = 0u,
    };
}

/* ---- format ---- */

enum {
    OPERATIONS_FORMAT_INPUT_TEMPLATE = 0, /* bytes */
};

/*
 * The template with numbers in it: {a}, {b}, {c} and {d} become the parameters, in decimal; all
 * else stays as it is.
 */
struct operations_format_params {
    uint64_t a;
    uint64_t b;
    uint64_t c;
    uint64_t d;
};
_Static_assert(offsetof(struct operations_format_params, a) == 0, "ABI");
_Static_assert(offsetof(struct operations_format_params, b) == 8, "ABI");
_Static_assert(offsetof(struct operations_format_params, c) == 16, "ABI");
_Static_assert(offsetof(struct operations_format_params, d) == 24, "ABI");
_Static_assert(sizeof(struct operations_format_params) == 32, "ABI");

static inline struct operations_format_params operations_format_defaults(void)
{
    return (struct operations_format_params){
        .a = 0u,
        .b = 0u,
        .c = 0u,
        .d = 0u,
    };
}

/* ---- entry ---- */

enum {
    OPERATIONS_ENTRY_INPUT_ENTRIES = 0, /* bytes */
};

enum {
    OPERATIONS_ENTRY_VALUE_COUNT = 0, /* u64 */
};

/*
 * The path of one of a directory's files, in the order of their names: the first has number 0, and
 * behind the last comes the first again. The entries are storage.list's.
 */
struct operations_entry_params {
    struct kwe_path directory; /* absolute */
    uint64_t number;
};
_Static_assert(offsetof(struct operations_entry_params, directory) == 0, "ABI");
_Static_assert(offsetof(struct operations_entry_params, number) == 256, "ABI");
_Static_assert(sizeof(struct operations_entry_params) == 264, "ABI");

/* Left at 0, for the caller to set or bind: directory, number. */
static inline struct operations_entry_params operations_entry_defaults(void)
{
    return (struct operations_entry_params){ 0 };
}
