/*
 * operations_ops.h - operations deck: the operations it answers, in deck.yaml order.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/operations/deck.yaml
 *   template  codegen/templates/deck_ops.h.j2
 *   rebuild   make gen
 */
#pragma once

#include "kernel/abi/operations.h"
#include "userland/libkwe/deck/deck.h"

/*
 * Each operation is a function of the deck's own. It reads its inputs where they lie, writes its output and sets
 * its length, sets its values, and returns KERR_OK or what went wrong; then output and values do not count.
 */

struct operations_jpeg_decode_call {
    struct deck_request *request;
    struct deck_bytes picture; /* in: bytes */
    struct deck_room pixels;   /* out: rgb8; set .length */
    uint32_t width;            /* value: set it */
    uint32_t height;           /* value: set it */
};
/*
 * Decode one JPEG picture to 8-bit RGB, rows without padding. Errors: OUTPUT_TOO_LARGE, NOT_A_JPEG,
 * OUT_OF_SCRATCH.
 */
enum kerr operations_jpeg_decode(struct operations_jpeg_decode_call *call);

struct operations_jpeg_encode_call {
    struct deck_request *request;
    const struct operations_jpeg_encode_params *params;
    struct deck_bytes pixels; /* in: rgb8 */
    struct deck_room picture; /* out: bytes; set .length */
};
/*
 * Encode 8-bit RGB to a baseline JPEG picture. Errors: OUTPUT_TOO_LARGE, BAD_PICTURE,
 * OUT_OF_SCRATCH.
 */
enum kerr operations_jpeg_encode(struct operations_jpeg_encode_call *call);

struct operations_convolve_call {
    struct deck_request *request;
    const struct operations_convolve_params *params;
    struct deck_bytes pixels;  /* in: rgb8 */
    struct deck_room filtered; /* out: rgb8; set .length */
    uint32_t width;            /* value: set it */
    uint32_t height;           /* value: set it */
};
/*
 * 3x3 convolution with integer weights; edges replicated, rounded half away from zero, clamped to
 * 0..255, each channel alone. Errors: OUTPUT_TOO_LARGE, BAD_PICTURE.
 */
enum kerr operations_convolve(struct operations_convolve_call *call);

struct operations_lz4_compress_call {
    struct deck_request *request;
    struct deck_bytes data;  /* in: bytes */
    struct deck_room packed; /* out: bytes; set .length */
};
/*
 * One LZ4 block behind an 8-byte little-endian length of the plain data. Errors: OUTPUT_TOO_LARGE,
 * TOO_LARGE.
 */
enum kerr operations_lz4_compress(struct operations_lz4_compress_call *call);

struct operations_lz4_decompress_call {
    struct deck_request *request;
    struct deck_bytes packed; /* in: bytes */
    struct deck_room data;    /* out: bytes; set .length */
};
/* The reverse of lz4_compress. Errors: OUTPUT_TOO_LARGE, CORRUPT_DATA. */
enum kerr operations_lz4_decompress(struct operations_lz4_decompress_call *call);

struct operations_zstd_compress_call {
    struct deck_request *request;
    const struct operations_zstd_compress_params *params;
    struct deck_bytes data;  /* in: bytes */
    struct deck_room packed; /* out: bytes; set .length */
};
/*
 * One zstd frame with content size and checksum. High levels search as far as 32 MiB of memory
 * allow. Errors: OUTPUT_TOO_LARGE, OUT_OF_SCRATCH.
 */
enum kerr operations_zstd_compress(struct operations_zstd_compress_call *call);

struct operations_zstd_decompress_call {
    struct deck_request *request;
    struct deck_bytes packed; /* in: bytes */
    struct deck_room data;    /* out: bytes; set .length */
};
/* One or more zstd frames. Errors: OUTPUT_TOO_LARGE, CORRUPT_DATA, OUT_OF_SCRATCH. */
enum kerr operations_zstd_decompress(struct operations_zstd_decompress_call *call);

struct operations_sha256_call {
    struct deck_request *request;
    struct deck_bytes data;  /* in: bytes */
    struct deck_room digest; /* out: bytes; set .length */
};
/* SHA-256 (FIPS 180-4) of the data; 32 bytes. Errors: OUTPUT_TOO_LARGE. */
enum kerr operations_sha256(struct operations_sha256_call *call);

struct operations_crc32c_call {
    struct deck_request *request;
    struct deck_bytes data; /* in: bytes */
    uint32_t crc;           /* value: set it */
};
/* CRC-32C (Castagnoli) of the data. */
enum kerr operations_crc32c(struct operations_crc32c_call *call);

struct operations_seal_call {
    struct deck_request *request;
    struct deck_bytes data;  /* in: bytes */
    struct deck_bytes key;   /* in: bytes */
    struct deck_room sealed; /* out: bytes; set .length */
};
/*
 * ChaCha20-Poly1305 (RFC 8439) with a fresh random nonce; nonce (12 bytes), ciphertext, tag (16
 * bytes). Errors: OUTPUT_TOO_LARGE, BAD_KEY.
 */
enum kerr operations_seal(struct operations_seal_call *call);

struct operations_open_call {
    struct deck_request *request;
    struct deck_bytes sealed; /* in: bytes */
    struct deck_bytes key;    /* in: bytes */
    struct deck_room data;    /* out: bytes; set .length */
};
/* The reverse of seal. Errors: OUTPUT_TOO_LARGE, BAD_KEY, NOT_AUTHENTIC. */
enum kerr operations_open(struct operations_open_call *call);

struct operations_statistics_call {
    struct deck_request *request;
    const struct operations_statistics_params *params;
    struct deck_bytes samples; /* in: bytes */
    struct deck_room record;   /* out: bytes; set .length */
    uint64_t count;            /* value: set it */
    double minimum;            /* value: set it */
    double maximum;            /* value: set it */
    double mean;               /* value: set it */
};
/*
 * Of samples: a record of u64 count and f64 minimum, maximum, mean, variance (of the whole, by
 * count); a NaN among them makes all four NaN. Errors: OUTPUT_TOO_LARGE, BAD_SAMPLES.
 */
enum kerr operations_statistics(struct operations_statistics_call *call);

struct operations_histogram_call {
    struct deck_request *request;
    const struct operations_histogram_params *params;
    struct deck_bytes samples; /* in: bytes */
    struct deck_room counts;   /* out: bytes; set .length */
    uint64_t below;            /* value: set it */
    uint64_t above;            /* value: set it */
    uint64_t unordered;        /* value: set it */
};
/*
 * How many samples lie in each of the bins of equal width from low to high, the last one with high
 * itself: u64 for each bin, then below, above, NaN. Errors: OUTPUT_TOO_LARGE, BAD_PARAMETER,
 * BAD_SAMPLES.
 */
enum kerr operations_histogram(struct operations_histogram_call *call);

struct operations_merge_call {
    struct deck_request *request;
    const struct operations_merge_params *params;
    struct deck_bytes part1; /* in: bytes */
    struct deck_bytes part2; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes part3; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes part4; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes part5; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes part6; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes part7; /* in: bytes; .data is NULL when not bound */
    struct deck_bytes part8; /* in: bytes; .data is NULL when not bound */
    struct deck_room merged; /* out: bytes; set .length */
    uint64_t parts;          /* value: set it */
};
/*
 * The inputs one behind the other, in order; with a header first when wished: u64 how many they
 * are, then each one's u64 length. Errors: OUTPUT_TOO_LARGE.
 */
enum kerr operations_merge(struct operations_merge_call *call);

struct operations_sha256_update_call {
    struct deck_request *request;
    struct deck_bytes data;  /* in: bytes */
    struct deck_bytes state; /* in: bytes; .data is NULL when not bound */
    struct deck_room next;   /* out: bytes; set .length */
    uint64_t seen;           /* value: set it */
};
/*
 * SHA-256 in parts. Takes the data in behind what the state has already seen; no state, or an empty
 * one, begins. The state is for sha256_final and the next sha256_update only. Errors:
 * OUTPUT_TOO_LARGE, BAD_STATE, TOO_LARGE.
 */
enum kerr operations_sha256_update(struct operations_sha256_update_call *call);

struct operations_sha256_final_call {
    struct deck_request *request;
    struct deck_bytes state; /* in: bytes */
    struct deck_room digest; /* out: bytes; set .length */
    uint64_t seen;           /* value: set it */
};
/*
 * The digest of all that the state has seen, as sha256 of the whole would be; an empty state has
 * seen nothing. Errors: OUTPUT_TOO_LARGE, BAD_STATE.
 */
enum kerr operations_sha256_final(struct operations_sha256_final_call *call);

struct operations_spectrum_call {
    struct deck_request *request;
    const struct operations_spectrum_params *params;
    struct deck_bytes samples; /* in: bytes */
    struct deck_room lines;    /* out: bytes; set .length */
    uint64_t count;            /* value: set it */
};
/*
 * Discrete Fourier transform of real samples, of any length up to 2^18: f64 magnitudes of the lines
 * 0 to size / 2, not scaled. Errors: OUTPUT_TOO_LARGE, BAD_SAMPLES, TOO_LARGE, OUT_OF_SCRATCH.
 */
enum kerr operations_spectrum(struct operations_spectrum_call *call);

struct operations_http_route_call {
    struct deck_request *request;
    const struct operations_http_route_params *params;
    struct deck_bytes question; /* in: bytes */
    struct deck_bytes routes;   /* in: bytes */
    struct deck_room path;      /* out: path; set .length */
    uint32_t kind;              /* value: set it */
    uint32_t answer;            /* value: set it */
    uint64_t offset;            /* value: set it */
    uint64_t bytes;             /* value: set it */
};
/*
 * What a request is for, by a table: lines of METHODS PATH KIND TARGET, the first that fits counts;
 * a path that ends with /... fits all below it. KIND: file (its path is the output), change, text,
 * stream. kind 0 refused, 1 file, 2 change, 3 text, 4 stream; answer: the status so far; offset and
 * bytes are what storage.read has to read. Errors: OUTPUT_TOO_LARGE, BAD_REQUEST, BAD_PARAMETER,
 * NO_MEMORY.
 */
enum kerr operations_http_route(struct operations_http_route_call *call);

struct operations_http_form_call {
    struct deck_request *request;
    struct deck_bytes question; /* in: bytes */
    struct deck_room line;      /* out: bytes; set .length */
};
/*
 * A form that was sent (application/x-www-form-urlencoded) as one line of JSON, an object of texts.
 * Errors: OUTPUT_TOO_LARGE, BAD_REQUEST.
 */
enum kerr operations_http_form(struct operations_http_form_call *call);

struct operations_http_render_call {
    struct deck_request *request;
    const struct operations_http_render_params *params;
    struct deck_bytes question; /* in: bytes */
    struct deck_bytes routes;   /* in: bytes */
    struct deck_bytes text;     /* in: bytes; .data is NULL when not bound */
    struct deck_bytes entries;  /* in: bytes; .data is NULL when not bound */
    struct deck_room page;      /* out: bytes; set .length */
    uint32_t answer;            /* value: set it */
    uint32_t head_bytes;        /* value: set it */
    uint64_t body_bytes;        /* value: set it */
    uint64_t more_bytes;        /* value: set it */
};
/*
 * The answer, for http_send: lines of fields and, but for a file, the body. What the stages before
 * said of the file, the directory and the change comes as statuses; a failure becomes an error
 * page. By the same table as http_route. Of a stream, text is the beginning, and more_bytes 2^64 -
 * 1. Errors: OUTPUT_TOO_LARGE, BAD_REQUEST, BAD_PARAMETER, NO_MEMORY.
 */
enum kerr operations_http_render(struct operations_http_render_call *call);

struct operations_format_call {
    struct deck_request *request;
    const struct operations_format_params *params;
    struct deck_bytes template; /* in: bytes */
    struct deck_room text;      /* out: bytes; set .length */
};
/*
 * The template with numbers in it: {a}, {b}, {c} and {d} become the parameters, in decimal; all
 * else stays as it is. Errors: OUTPUT_TOO_LARGE.
 */
enum kerr operations_format(struct operations_format_call *call);

struct operations_entry_call {
    struct deck_request *request;
    const struct operations_entry_params *params;
    struct deck_bytes entries; /* in: bytes */
    struct deck_room path;     /* out: path; set .length */
    uint64_t count;            /* value: set it */
};
/*
 * The path of one of a directory's files, in the order of their names: the first has number 0, and
 * behind the last comes the first again. The entries are storage.list's. Errors: OUTPUT_TOO_LARGE,
 * BAD_PARAMETER, NO_SUCH_FILE, NAME_TOO_LONG, NO_MEMORY.
 */
enum kerr operations_entry(struct operations_entry_call *call);
