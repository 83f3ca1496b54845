/*
 * kwe_operations.h - stages of the operations deck, typed, for programs.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/operations/deck.yaml
 *   template  codegen/templates/kwe_deck.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>

#include "kernel/abi/event.h"
#include "kernel/abi/operations.h"
#include "userland/libkwe/program/kwe.h"

/*
 * Each adds a stage and returns it; mistakes stick in the builder. `params` is copied; start from
 * the operation's _defaults(). An input is the stage whose output it is; one that comes from
 * elsewhere is given as KWE_STAGE_NONE and bound with kwe_input_event() or kwe_input_constant(); an
 * optional one may be KWE_STAGE_NONE and stay unbound, if those behind it do too.
 */

/* Decode one JPEG picture to 8-bit RGB, rows without padding. */
static inline kwe_stage_t kwe_operations_jpeg_decode(struct kwe_builder *builder, const char *name,
                                                     kwe_stage_t picture)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_JPEG_DECODE, NULL, 0);

    if (picture.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_JPEG_DECODE_INPUT_PICTURE, picture);
    }
    return stage;
}

/* Encode 8-bit RGB to a baseline JPEG picture. */
static inline kwe_stage_t
kwe_operations_jpeg_encode(struct kwe_builder *builder, const char *name, kwe_stage_t pixels,
                           const struct operations_jpeg_encode_params *params)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_JPEG_ENCODE,
                                  params, sizeof(*params));

    if (pixels.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_JPEG_ENCODE_INPUT_PIXELS, pixels);
        kwe_param_from(builder, stage, offsetof(struct operations_jpeg_encode_params, width),
                       sizeof(params->width), pixels, "width");
        kwe_param_from(builder, stage, offsetof(struct operations_jpeg_encode_params, height),
                       sizeof(params->height), pixels, "height");
    }
    return stage;
}

/*
 * 3x3 convolution with integer weights; edges replicated, rounded half away from zero, clamped to
 * 0..255, each channel alone.
 */
static inline kwe_stage_t kwe_operations_convolve(struct kwe_builder *builder, const char *name,
                                                  kwe_stage_t pixels,
                                                  const struct operations_convolve_params *params)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_CONVOLVE, params,
                                  sizeof(*params));

    if (pixels.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_CONVOLVE_INPUT_PIXELS, pixels);
        kwe_param_from(builder, stage, offsetof(struct operations_convolve_params, width),
                       sizeof(params->width), pixels, "width");
        kwe_param_from(builder, stage, offsetof(struct operations_convolve_params, height),
                       sizeof(params->height), pixels, "height");
    }
    return stage;
}

/* One LZ4 block behind an 8-byte little-endian length of the plain data. */
static inline kwe_stage_t kwe_operations_lz4_compress(struct kwe_builder *builder, const char *name,
                                                      kwe_stage_t data)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_LZ4_COMPRESS, NULL, 0);

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_LZ4_COMPRESS_INPUT_DATA, data);
    }
    return stage;
}

/* The reverse of lz4_compress. */
static inline kwe_stage_t kwe_operations_lz4_decompress(struct kwe_builder *builder,
                                                        const char *name, kwe_stage_t packed)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_LZ4_DECOMPRESS, NULL, 0);

    if (packed.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_LZ4_DECOMPRESS_INPUT_PACKED, packed);
    }
    return stage;
}

/*
 * One zstd frame with content size and checksum. High levels search as far as 32 MiB of memory
 * allow.
 */
static inline kwe_stage_t
kwe_operations_zstd_compress(struct kwe_builder *builder, const char *name, kwe_stage_t data,
                             const struct operations_zstd_compress_params *params)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_ZSTD_COMPRESS,
                                  params, sizeof(*params));

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_ZSTD_COMPRESS_INPUT_DATA, data);
    }
    return stage;
}

/* One or more zstd frames. */
static inline kwe_stage_t kwe_operations_zstd_decompress(struct kwe_builder *builder,
                                                         const char *name, kwe_stage_t packed)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_ZSTD_DECOMPRESS, NULL, 0);

    if (packed.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_ZSTD_DECOMPRESS_INPUT_PACKED, packed);
    }
    return stage;
}

/* SHA-256 (FIPS 180-4) of the data; 32 bytes. */
static inline kwe_stage_t kwe_operations_sha256(struct kwe_builder *builder, const char *name,
                                                kwe_stage_t data)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_SHA256, NULL, 0);

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_SHA256_INPUT_DATA, data);
    }
    return stage;
}

/* CRC-32C (Castagnoli) of the data. */
static inline kwe_stage_t kwe_operations_crc32c(struct kwe_builder *builder, const char *name,
                                                kwe_stage_t data)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_CRC32C, NULL, 0);

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_CRC32C_INPUT_DATA, data);
    }
    return stage;
}

/*
 * ChaCha20-Poly1305 (RFC 8439) with a fresh random nonce; nonce (12 bytes), ciphertext, tag (16
 * bytes).
 */
static inline kwe_stage_t kwe_operations_seal(struct kwe_builder *builder, const char *name,
                                              kwe_stage_t data, kwe_stage_t key)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_SEAL, NULL, 0);

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_SEAL_INPUT_DATA, data);
    }
    if (key.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_SEAL_INPUT_KEY, key);
    }
    return stage;
}

/* The reverse of seal. */
static inline kwe_stage_t kwe_operations_open(struct kwe_builder *builder, const char *name,
                                              kwe_stage_t sealed, kwe_stage_t key)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_OPEN, NULL, 0);

    if (sealed.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_OPEN_INPUT_SEALED, sealed);
    }
    if (key.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_OPEN_INPUT_KEY, key);
    }
    return stage;
}

/*
 * Of samples: a record of u64 count and f64 minimum, maximum, mean, variance (of the whole, by
 * count); a NaN among them makes all four NaN.
 */
static inline kwe_stage_t
kwe_operations_statistics(struct kwe_builder *builder, const char *name, kwe_stage_t samples,
                          const struct operations_statistics_params *params)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_STATISTICS,
                                  params, sizeof(*params));

    if (samples.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_STATISTICS_INPUT_SAMPLES, samples);
    }
    return stage;
}

/*
 * How many samples lie in each of the bins of equal width from low to high, the last one with high
 * itself: u64 for each bin, then below, above, NaN.
 */
static inline kwe_stage_t kwe_operations_histogram(struct kwe_builder *builder, const char *name,
                                                   kwe_stage_t samples,
                                                   const struct operations_histogram_params *params)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_HISTOGRAM, params,
                                  sizeof(*params));

    if (samples.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_HISTOGRAM_INPUT_SAMPLES, samples);
    }
    return stage;
}

/*
 * The inputs one behind the other, in order; with a header first when wished: u64 how many they
 * are, then each one's u64 length.
 */
static inline kwe_stage_t kwe_operations_merge(struct kwe_builder *builder, const char *name,
                                               kwe_stage_t part1, kwe_stage_t part2,
                                               kwe_stage_t part3, kwe_stage_t part4,
                                               kwe_stage_t part5, kwe_stage_t part6,
                                               kwe_stage_t part7, kwe_stage_t part8,
                                               const struct operations_merge_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_MERGE, params, sizeof(*params));

    if (part1.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_MERGE_INPUT_PART1, part1);
    }
    if (part2.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_MERGE_INPUT_PART2, part2);
    }
    if (part3.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_MERGE_INPUT_PART3, part3);
    }
    if (part4.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_MERGE_INPUT_PART4, part4);
    }
    if (part5.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_MERGE_INPUT_PART5, part5);
    }
    if (part6.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_MERGE_INPUT_PART6, part6);
    }
    if (part7.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_MERGE_INPUT_PART7, part7);
    }
    if (part8.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_MERGE_INPUT_PART8, part8);
    }
    return stage;
}

/*
 * SHA-256 in parts. Takes the data in behind what the state has already seen; no state, or an empty
 * one, begins. The state is for sha256_final and the next sha256_update only.
 */
static inline kwe_stage_t kwe_operations_sha256_update(struct kwe_builder *builder,
                                                       const char *name, kwe_stage_t data,
                                                       kwe_stage_t state)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_SHA256_UPDATE, NULL, 0);

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_SHA256_UPDATE_INPUT_DATA, data);
    }
    if (state.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_SHA256_UPDATE_INPUT_STATE, state);
    }
    return stage;
}

/*
 * The digest of all that the state has seen, as sha256 of the whole would be; an empty state has
 * seen nothing.
 */
static inline kwe_stage_t kwe_operations_sha256_final(struct kwe_builder *builder, const char *name,
                                                      kwe_stage_t state)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_SHA256_FINAL, NULL, 0);

    if (state.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_SHA256_FINAL_INPUT_STATE, state);
    }
    return stage;
}

/*
 * Discrete Fourier transform of real samples, of any length up to 2^18: f64 magnitudes of the lines
 * 0 to size / 2, not scaled.
 */
static inline kwe_stage_t kwe_operations_spectrum(struct kwe_builder *builder, const char *name,
                                                  kwe_stage_t samples,
                                                  const struct operations_spectrum_params *params)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_SPECTRUM, params,
                                  sizeof(*params));

    if (samples.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_SPECTRUM_INPUT_SAMPLES, samples);
    }
    return stage;
}

/*
 * What a request is for, by a table: lines of METHODS PATH KIND TARGET, the first that fits counts;
 * a path that ends with /... fits all below it. KIND: file (its path is the output), change, text,
 * stream. kind 0 refused, 1 file, 2 change, 3 text, 4 stream; answer: the status so far; offset and
 * bytes are what storage.read has to read.
 */
static inline kwe_stage_t
kwe_operations_http_route(struct kwe_builder *builder, const char *name, kwe_stage_t question,
                          kwe_stage_t routes, const struct operations_http_route_params *params)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_HTTP_ROUTE,
                                  params, sizeof(*params));

    if (question.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_HTTP_ROUTE_INPUT_QUESTION, question);
    }
    if (routes.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_HTTP_ROUTE_INPUT_ROUTES, routes);
    }
    return stage;
}

/*
 * A form that was sent (application/x-www-form-urlencoded) as one line of JSON, an object of texts.
 */
static inline kwe_stage_t kwe_operations_http_form(struct kwe_builder *builder, const char *name,
                                                   kwe_stage_t question)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_HTTP_FORM, NULL, 0);

    if (question.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_HTTP_FORM_INPUT_QUESTION, question);
    }
    return stage;
}

/*
 * The answer, for http_send: lines of fields and, but for a file, the body. What the stages before
 * said of the file, the directory and the change comes as statuses; a failure becomes an error
 * page. By the same table as http_route. Of a stream, text is the beginning, and more_bytes 2^64 -
 * 1.
 */
static inline kwe_stage_t
kwe_operations_http_render(struct kwe_builder *builder, const char *name, kwe_stage_t question,
                           kwe_stage_t routes, kwe_stage_t text, kwe_stage_t entries,
                           const struct operations_http_render_params *params)
{
    kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_HTTP_RENDER,
                                  params, sizeof(*params));

    if (question.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_HTTP_RENDER_INPUT_QUESTION, question);
    }
    if (routes.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_HTTP_RENDER_INPUT_ROUTES, routes);
    }
    if (text.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_HTTP_RENDER_INPUT_TEXT, text);
    }
    if (entries.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_HTTP_RENDER_INPUT_ENTRIES, entries);
    }
    return stage;
}

/*
 * The template with numbers in it: {a}, {b}, {c} and {d} become the parameters, in decimal; all
 * else stays as it is.
 */
static inline kwe_stage_t kwe_operations_format(struct kwe_builder *builder, const char *name,
                                                kwe_stage_t template,
                                                const struct operations_format_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_FORMAT, params, sizeof(*params));

    if (template.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_FORMAT_INPUT_TEMPLATE, template);
    }
    return stage;
}

/*
 * The path of one of a directory's files, in the order of their names: the first has number 0, and
 * behind the last comes the first again. The entries are storage.list's.
 */
static inline kwe_stage_t kwe_operations_entry(struct kwe_builder *builder, const char *name,
                                               kwe_stage_t entries,
                                               const struct operations_entry_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_ENTRY, params, sizeof(*params));

    if (entries.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, OPERATIONS_ENTRY_INPUT_ENTRIES, entries);
    }
    return stage;
}
