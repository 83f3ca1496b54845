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
 * Decode one JPEG picture to 8-bit RGB, rows without padding. Errors: NOT_A_JPEG, TOO_LARGE,
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
 * Encode 8-bit RGB to a baseline JPEG picture. Errors: BAD_PICTURE, OUTPUT_TOO_LARGE,
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
 * 0..255, each channel alone. Errors: BAD_PICTURE.
 */
enum kerr operations_convolve(struct operations_convolve_call *call);

struct operations_lz4_compress_call {
    struct deck_request *request;
    struct deck_bytes data;  /* in: bytes */
    struct deck_room packed; /* out: bytes; set .length */
};
/* One LZ4 block behind an 8-byte little-endian length of the plain data. */
enum kerr operations_lz4_compress(struct operations_lz4_compress_call *call);

struct operations_lz4_decompress_call {
    struct deck_request *request;
    struct deck_bytes packed; /* in: bytes */
    struct deck_room data;    /* out: bytes; set .length */
};
/* The reverse of lz4_compress. Errors: CORRUPT_DATA, TOO_LARGE. */
enum kerr operations_lz4_decompress(struct operations_lz4_decompress_call *call);

struct operations_zstd_compress_call {
    struct deck_request *request;
    const struct operations_zstd_compress_params *params;
    struct deck_bytes data;  /* in: bytes */
    struct deck_room packed; /* out: bytes; set .length */
};
/* One zstd frame with content size and checksum. Errors: OUT_OF_SCRATCH. */
enum kerr operations_zstd_compress(struct operations_zstd_compress_call *call);

struct operations_zstd_decompress_call {
    struct deck_request *request;
    struct deck_bytes packed; /* in: bytes */
    struct deck_room data;    /* out: bytes; set .length */
};
/* One or more zstd frames. Errors: CORRUPT_DATA, TOO_LARGE, OUT_OF_SCRATCH. */
enum kerr operations_zstd_decompress(struct operations_zstd_decompress_call *call);

struct operations_sha256_call {
    struct deck_request *request;
    struct deck_bytes data;  /* in: bytes */
    struct deck_room digest; /* out: bytes; set .length */
};
/* SHA-256 (FIPS 180-4) of the data; 32 bytes. */
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
 * bytes). Errors: BAD_KEY.
 */
enum kerr operations_seal(struct operations_seal_call *call);

struct operations_open_call {
    struct deck_request *request;
    struct deck_bytes sealed; /* in: bytes */
    struct deck_bytes key;    /* in: bytes */
    struct deck_room data;    /* out: bytes; set .length */
};
/* The reverse of seal. Errors: BAD_KEY, NOT_AUTHENTIC. */
enum kerr operations_open(struct operations_open_call *call);
