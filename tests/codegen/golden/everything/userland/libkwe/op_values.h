/*
 * op_values.h - the values that operations answer, by name.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/op_values.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct kwe_op_value {
    uint8_t deck;  /* prefix */
    uint8_t width; /* bytes of the value's type: 4 or 8 */
    uint16_t op;
    uint16_t index;   /* of the value in a completion */
    const char *name; /* "width" */
};

/* Ordered by deck, then operation, then index. */
extern const struct kwe_op_value kwe_op_values[];
extern const size_t kwe_op_value_count;
