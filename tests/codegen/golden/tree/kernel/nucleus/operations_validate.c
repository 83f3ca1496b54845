/*
 * operations_validate.c - range checks of the operations deck's parameters.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/operations/deck.yaml
 *   template  codegen/templates/deck_validate.c.j2
 *   rebuild   make gen
 */
#include "kernel/nucleus/deck_validate.h"

#include <stddef.h>

#include "kernel/abi/operations.h"

enum kerr operations_jpeg_encode_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_jpeg_encode_params *p = params;

    if (p->quality < 1u || p->quality > 100u) {
        *bad_offset = offsetof(struct operations_jpeg_encode_params, quality);
        return KERR_BAD_PARAMETER;
    }
    if (p->width < 1u || p->width > 65500u) {
        *bad_offset = offsetof(struct operations_jpeg_encode_params, width);
        return KERR_BAD_PARAMETER;
    }
    if (p->height < 1u || p->height > 65500u) {
        *bad_offset = offsetof(struct operations_jpeg_encode_params, height);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr operations_convolve_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_convolve_params *p = params;

    for (size_t i = 0; i < 9; i++) {
        if (p->weights[i] < -65536 || p->weights[i] > 65536) {
            *bad_offset = offsetof(struct operations_convolve_params, weights);
            return KERR_BAD_PARAMETER;
        }
    }
    if (p->divisor < 1 || p->divisor > 1048576) {
        *bad_offset = offsetof(struct operations_convolve_params, divisor);
        return KERR_BAD_PARAMETER;
    }
    if (p->bias < -65536 || p->bias > 65536) {
        *bad_offset = offsetof(struct operations_convolve_params, bias);
        return KERR_BAD_PARAMETER;
    }
    if (p->width < 1u || p->width > 65500u) {
        *bad_offset = offsetof(struct operations_convolve_params, width);
        return KERR_BAD_PARAMETER;
    }
    if (p->height < 1u || p->height > 65500u) {
        *bad_offset = offsetof(struct operations_convolve_params, height);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr operations_zstd_compress_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_zstd_compress_params *p = params;

    if (p->level < 1 || p->level > 19) {
        *bad_offset = offsetof(struct operations_zstd_compress_params, level);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr operations_statistics_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_statistics_params *p = params;

    if (p->format > 2u) {
        *bad_offset = offsetof(struct operations_statistics_params, format);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr operations_histogram_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_histogram_params *p = params;

    if (p->format > 2u) {
        *bad_offset = offsetof(struct operations_histogram_params, format);
        return KERR_BAD_PARAMETER;
    }
    if (p->bins < 1u || p->bins > 4096u) {
        *bad_offset = offsetof(struct operations_histogram_params, bins);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr operations_merge_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_merge_params *p = params;

    if (p->header > 1u) {
        *bad_offset = offsetof(struct operations_merge_params, header);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr operations_spectrum_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_spectrum_params *p = params;

    if (p->format > 2u) {
        *bad_offset = offsetof(struct operations_spectrum_params, format);
        return KERR_BAD_PARAMETER;
    }
    if (p->window > 1u) {
        *bad_offset = offsetof(struct operations_spectrum_params, window);
        return KERR_BAD_PARAMETER;
    }
    if (p->size > 262144u) {
        *bad_offset = offsetof(struct operations_spectrum_params, size);
        return KERR_BAD_PARAMETER;
    }
    if (p->power > 1u) {
        *bad_offset = offsetof(struct operations_spectrum_params, power);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr operations_http_route_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_http_route_params *p = params;

    if (p->part_bytes < 1u) {
        *bad_offset = offsetof(struct operations_http_route_params, part_bytes);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr operations_entry_validate(const void *params, uint32_t *bad_offset)
{
    const struct operations_entry_params *p = params;

    if (p->directory.length > sizeof(p->directory.bytes)) {
        *bad_offset = offsetof(struct operations_entry_params, directory);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}
