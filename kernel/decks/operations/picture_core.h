/* picture_core.h - JPEG pictures in plain memory, by libjpeg-turbo. Knows nothing of rings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"

/* The library's state, kept between calls: making it costs more than a small picture does. */
struct picture_codec {
    void *decompressor; /* NULL: the last one failed and was thrown away */
    void *compressor;
};

/* False: no memory. */
bool picture_codec_init(struct picture_codec *codec);

/*
 * Decode to 8-bit RGB, rows without padding; grey pictures become RGB. *length: bytes written, width * height * 3.
 * KERR_NOT_A_JPEG: no JPEG, or a damaged one: the library warned (data cut off, or not what the headers promise), or it cannot make RGB
 *   of its colours (CMYK). A picture that is grey below some line is no answer to "decode this".
 * KERR_OUTPUT_TOO_LARGE: the pixels do not fit the capacity; *length says what would.  KERR_OUT_OF_SCRATCH: the library got no memory, or a progressive picture needs
 *   more of it than one operation may have (some 10 million pixels).
 */
enum kerr picture_decode(struct picture_codec *codec, const uint8_t *picture, size_t picture_bytes,
                         uint8_t *pixels, size_t capacity, size_t *length, uint32_t *width,
                         uint32_t *height);

/*
 * Encode to a baseline JPEG, 4:2:0. KERR_BAD_PICTURE: pixel_bytes is not width * height * 3. KERR_OUTPUT_TOO_LARGE: *length says what would fit.
 * KERR_OUT_OF_SCRATCH. *copied: bytes that went through a buffer of our own, 0 when the room is large enough for the worst case.
 */
enum kerr picture_encode(struct picture_codec *codec, const uint8_t *pixels, size_t pixel_bytes,
                         uint32_t width, uint32_t height, uint32_t quality, uint8_t *picture,
                         size_t capacity, size_t *length, size_t *copied);
