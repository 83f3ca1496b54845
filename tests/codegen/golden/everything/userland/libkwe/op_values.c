/*
 * op_values.c - the values that operations answer, by name.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/op_values.c.j2
 *   rebuild   make gen
 */
#include "userland/libkwe/op_values.h"

#include "kernel/abi/everything.h"

const struct kwe_op_value kwe_op_values[5] = {
    {
        .deck = EVERYTHING_PREFIX,
        .width = 4,
        .op = EVERYTHING_OP_PARAMS,
        .index = EVERYTHING_PARAMS_VALUE_WIDTH,
        .name = "width",
    },
    {
        .deck = EVERYTHING_PREFIX,
        .width = 4,
        .op = EVERYTHING_OP_PARAMS,
        .index = EVERYTHING_PARAMS_VALUE_NEAR,
        .name = "near",
    },
    {
        .deck = EVERYTHING_PREFIX,
        .width = 8,
        .op = EVERYTHING_OP_PARAMS,
        .index = EVERYTHING_PARAMS_VALUE_FAR,
        .name = "far",
    },
    {
        .deck = EVERYTHING_PREFIX,
        .width = 4,
        .op = EVERYTHING_OP_PARAMS,
        .index = EVERYTHING_PARAMS_VALUE_READY,
        .name = "ready",
    },
    {
        .deck = EVERYTHING_PREFIX,
        .width = 8,
        .op = EVERYTHING_OP_REAL,
        .index = EVERYTHING_REAL_VALUE_MEAN,
        .name = "mean",
    },
};
const size_t kwe_op_value_count = 5;
