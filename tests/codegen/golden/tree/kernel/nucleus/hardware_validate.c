/*
 * hardware_validate.c - range checks of the hardware deck's parameters.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/hardware/deck.yaml
 *   template  codegen/templates/deck_validate.c.j2
 *   rebuild   make gen
 */
#include "kernel/nucleus/deck_validate.h"

#include <stddef.h>

#include "kernel/abi/hardware.h"

enum kerr hardware_convolve_validate(const void *params, uint32_t *bad_offset)
{
    const struct hardware_convolve_params *p = params;

    for (size_t i = 0; i < 9; i++) {
        if (p->weights[i] < -65536 || p->weights[i] > 65536) {
            *bad_offset = offsetof(struct hardware_convolve_params, weights);
            return KERR_BAD_PARAMETER;
        }
    }
    if (p->divisor < 1 || p->divisor > 1048576) {
        *bad_offset = offsetof(struct hardware_convolve_params, divisor);
        return KERR_BAD_PARAMETER;
    }
    if (p->bias < -65536 || p->bias > 65536) {
        *bad_offset = offsetof(struct hardware_convolve_params, bias);
        return KERR_BAD_PARAMETER;
    }
    if (p->width < 1u || p->width > 65500u) {
        *bad_offset = offsetof(struct hardware_convolve_params, width);
        return KERR_BAD_PARAMETER;
    }
    if (p->height < 1u || p->height > 65500u) {
        *bad_offset = offsetof(struct hardware_convolve_params, height);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr hardware_jpeg_encode_validate(const void *params, uint32_t *bad_offset)
{
    const struct hardware_jpeg_encode_params *p = params;

    if (p->quality < 1u || p->quality > 100u) {
        *bad_offset = offsetof(struct hardware_jpeg_encode_params, quality);
        return KERR_BAD_PARAMETER;
    }
    if (p->width < 1u || p->width > 65500u) {
        *bad_offset = offsetof(struct hardware_jpeg_encode_params, width);
        return KERR_BAD_PARAMETER;
    }
    if (p->height < 1u || p->height > 65500u) {
        *bad_offset = offsetof(struct hardware_jpeg_encode_params, height);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr hardware_tick_validate(const void *params, uint32_t *bad_offset)
{
    const struct hardware_tick_params *p = params;

    if (p->period_ns < 100000u || p->period_ns > UINT64_C(86400000000000)) {
        *bad_offset = offsetof(struct hardware_tick_params, period_ns);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr hardware_wait_validate(const void *params, uint32_t *bad_offset)
{
    const struct hardware_wait_params *p = params;

    if (p->ns > UINT64_C(86400000000000)) {
        *bad_offset = offsetof(struct hardware_wait_params, ns);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}
