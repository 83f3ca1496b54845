/*
 * everything_validate.c - range checks of the everything deck's parameters.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/deck_validate.c.j2
 *   rebuild   make gen
 */
#include "kernel/nucleus/deck_validate.h"

#include <stddef.h>

#include "kernel/abi/everything.h"

enum kerr everything_params_validate(const void *params, uint32_t *bad_offset)
{
    const struct everything_params_params *p = params;

    if (p->flag > 1u) {
        *bad_offset = offsetof(struct everything_params_params, flag);
        return KERR_BAD_PARAMETER;
    }
    if (p->wide < 1u) {
        *bad_offset = offsetof(struct everything_params_params, wide);
        return KERR_BAD_PARAMETER;
    }
    if (p->small > 10) {
        *bad_offset = offsetof(struct everything_params_params, small);
        return KERR_BAD_PARAMETER;
    }
    if (p->low > -1) {
        *bad_offset = offsetof(struct everything_params_params, low);
        return KERR_BAD_PARAMETER;
    }
    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct everything_params_params, path);
        return KERR_BAD_PARAMETER;
    }
    for (size_t i = 0; i < 3; i++) {
        if (p->triple[i] > 9u) {
            *bad_offset = offsetof(struct everything_params_params, triple);
            return KERR_BAD_PARAMETER;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        if (p->same[i] < -4) {
            *bad_offset = offsetof(struct everything_params_params, same);
            return KERR_BAD_PARAMETER;
        }
    }
    if (p->width < 1u || p->width > 100u) {
        *bad_offset = offsetof(struct everything_params_params, width);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}
