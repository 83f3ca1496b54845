/* pack_core.h - lz4 and zstd over plain memory, both ways. Knows nothing of rings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"

/* lz4: an 8-byte little-endian length of the plain data, then one block. */
#define LZ4_PREFIX_BYTES 8u

/* The libraries' working memory, kept between calls. */
struct packer {
    void *lz4;                /* LZ4's hash table */
    struct ZSTD_CCtx_s *zstd; /* NULL: made at the next call */
    struct ZSTD_DCtx_s *unzstd;
};

/* False: no memory. */
bool packer_init(struct packer *packer);

/* Common answers: *length is what was written. KERR_OUTPUT_TOO_LARGE: a packed result does not fit. */

/* KERR_TOO_LARGE: more than the block format can hold (about 2 GiB). */
enum kerr pack_lz4(struct packer *packer, const uint8_t *data, size_t bytes, uint8_t *packed,
                   size_t capacity, size_t *length);
/* KERR_CORRUPT_DATA, KERR_OUTPUT_TOO_LARGE: the plain data does not fit; *length says what would. */
enum kerr unpack_lz4(const uint8_t *packed, size_t bytes, uint8_t *data, size_t capacity,
                     size_t *length);

/* One frame with content size and checksum. KERR_OUT_OF_SCRATCH: the library got no memory. */
enum kerr pack_zstd(struct packer *packer, int level, const uint8_t *data, size_t bytes,
                    uint8_t *packed, size_t capacity, size_t *length);
/* One or more frames. KERR_CORRUPT_DATA, KERR_OUTPUT_TOO_LARGE (*length as above, 0 when the frames do not say), KERR_OUT_OF_SCRATCH. */
enum kerr unpack_zstd(struct packer *packer, const uint8_t *packed, size_t bytes, uint8_t *data,
                      size_t capacity, size_t *length);
