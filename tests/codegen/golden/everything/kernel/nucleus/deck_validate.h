/*
 * deck_validate.h - range checks of operations' parameters.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/deck_validate.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/errors.h"

/*
 * Each reads one parameter struct, 8-byte aligned and of its full size, and changes nothing.
 * KERR_BAD_PARAMETER: *bad_offset is the field that is out of range; else *bad_offset stays as it was.
 * Fields that a workflow binds to another stage's value by default are looked at last: before they are bound
 * they are 0 and may fail, and by then all others have passed.
 * Context: any. Called when a workflow is registered, and again on a bound struct before it is handed over.
 */
enum kerr everything_params_validate(const void *params, uint32_t *bad_offset);
