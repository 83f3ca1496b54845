/*
 * deck_table.c - every deck and its operations, as the nucleus and the Guide read them.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/deck_table.c.j2
 *   rebuild   make gen
 */
#include "kernel/nucleus/deck/spec.h"

#include "kernel/abi/everything.h"
#include "kernel/abi/work.h"
#include "kernel/nucleus/deck_validate.h"

/* codegen has refused what is larger; it and work.h must mean the same. */
_Static_assert(KWE_MAX_PARAM_BYTES == 384, "codegen/model/check_op.py");
_Static_assert(KWE_MAX_INPUTS == 8 && KWE_MAX_VALUES == 4, "codegen/spec/deck.py");
_Static_assert(KWE_MAX_VARIANTS - 1 == 3, "codegen/model/check_variants.py");
_Static_assert(KWE_MAX_DEPTH == 128 && KWE_MAX_DECK_DEVICES == 4, "codegen/spec/deck.py");

/* ---- everything: Every key and every type of the language. ---- */

static const struct op_spec everything_ops[] = {
    /* Takes any inputs, does nothing, answers at once. */
    [EVERYTHING_OP_NOP] = {
        .name = "nop",
        .inputs_max = KWE_MAX_INPUTS,
        .traits = OP_TRAIT_PURE,
    },
    /* Neither inputs nor outputs. */
    [EVERYTHING_OP_BARE] = {
        .name = "bare",
        .cost_fixed_ns = 0,
    },
    /*
     * Every type of parameter, with a text that is long enough to be broken over the lines of its
     * comment in C.
     */
    [EVERYTHING_OP_PARAMS] = {
        .name = "params",
        .params_bytes = sizeof(struct everything_params_params),
        .validate = everything_params_validate,
        .inputs_min = 2,
        .inputs_max = 4,
        .value_count = 4,
        .traits = OP_TRAIT_IDEMPOTENT | OP_TRAIT_EFFECT,
        .output = {
            .present = true,
            .base_bytes = 1024,
            .of = 1, /* mask */
            .numerator = 3,
            .denominator = 2,
        },
        .cost_fixed_ns = 4294967295,
        .cost_ns_per_kib = 256,
        .cost_most_ns_per_kib = 256,
        .scratch_max_bytes = 12345ull,
    },
    /* A value that is no whole number, and no input that has to be there. */
    [EVERYTHING_OP_REAL] = {
        .name = "real",
        .inputs_min = 0,
        .inputs_max = 1,
        .value_count = 1,
        .cost_fixed_ns = 0,
    },
    /* An output by the workflow's limit. */
    [EVERYTHING_OP_LIMITED] = {
        .name = "limited",
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 0,
        .cost_ns_per_kib = 3072,
        .cost_most_ns_per_kib = 3072,
    },
};

static const struct deck_device_spec everything_devices[] = {
    /* first */
    {
        .vendor = 0x1af4,
        .device = 0x1042,
        .interrupts = 8,
        .quiesce = PORT_QUIESCE_VIRTIO,
        .required = true,
    },
    /* second */
    {
        .vendor = 0x1234,
        .device = 0x11e8,
        .interrupts = 0,
        .quiesce = PORT_QUIESCE_NONE,
        .required = false,
    },
};

/* In prefix order. */
const struct deck_spec deck_specs[] = {
    {
        .name = "everything",
        .prefix = EVERYTHING_PREFIX,
        .per_cpu = true,
        .device_class = true,
        .observes = false,
        .depth = 128,
        .restart_limit = 16,
        .restart_window_ns = 3600ull * 1000000000,
        .heap_max_bytes = 1ull << 30,
        .op_count = sizeof(everything_ops) / sizeof(everything_ops[0]),
        .ops = everything_ops,
        .device_count = 2,
        .devices = everything_devices,
    },
};
const uint32_t deck_spec_count = sizeof(deck_specs) / sizeof(deck_specs[0]);
