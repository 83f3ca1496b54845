/*
 * execution_validate.c - range checks of the execution deck's parameters.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/execution/deck.yaml
 *   template  codegen/templates/deck_validate.c.j2
 *   rebuild   make gen
 */
#include "kernel/nucleus/deck_validate.h"

#include <stddef.h>

#include "kernel/abi/execution.h"

enum kerr execution_history_validate(const void *params, uint32_t *bad_offset)
{
    const struct execution_history_params *p = params;

    if (p->count < 1u || p->count > 4096u) {
        *bad_offset = offsetof(struct execution_history_params, count);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}
