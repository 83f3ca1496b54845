/*
 * spec.h - what a deck.yaml says, as the nucleus reads it. The tables are generated into build/gen/kernel/nucleus/deck_table.c.
 */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/nucleus/port.h"

/* How much room an operation's output needs, from its inputs' rooms. */
struct op_output_rule {
    bool present;  /* the operation has an output */
    bool by_limit; /* the workflow must say (stage.out_limit); the numbers below are not used */
    /* room = base + rounded-up input[of] * numerator / denominator; an explicit out_limit is taken instead when larger than 0 */
    uint32_t base_bytes;
    uint16_t of; /* input index; 0xffff: none */
    uint16_t numerator, denominator;
};

#define OP_TRAIT_PURE       1u
#define OP_TRAIT_IDEMPOTENT 2u
#define OP_TRAIT_EFFECT     4u
#define OP_TRAIT_TRIGGER    8u /* it waits for what a standing event is about */

/* The same operation in another deck. */
struct op_variant {
    uint8_t deck; /* prefix */
    uint16_t op;
};

struct op_spec {
    const char *name;      /* "jpeg_decode"; NULL: no such op */
    uint32_t params_bytes; /* size of the generated parameter struct, 0: none */
    /* Range checks of the static parameters. NULL: nothing to check. *bad_offset: the field that is wrong. */
    enum kerr (*validate)(const void *params, uint32_t *bad_offset);
    uint8_t inputs_min, inputs_max;
    uint8_t value_count;
    uint8_t traits;
    struct op_output_rule output;
    uint32_t cost_fixed_ns;        /* hints: how long one takes */
    uint32_t cost_ns_per_kib;      /* of its first input, or of its output's room without one */
    uint32_t cost_most_ns_per_kib; /* with the slowest parameters: for its time budget */
    uint64_t scratch_max_bytes;
    /* Others that do the same: one a deck, all pure. */
    uint32_t variant_count; /* at most KWE_MAX_VARIANTS - 1 */
    const struct op_variant *variants;
    /* Answers that not all of these can give: they tell of this variant (its device is gone), not of the work. */
    uint32_t own_error_count;
    const uint16_t *own_errors;
};

struct deck_device_spec {
    uint16_t vendor, device; /* PCI */
    uint8_t interrupts;      /* MSI-X entries used, 0..8 */
    enum port_quiesce quiesce;
    bool required; /* without it the deck stays down; else it starts and answers NO_DEVICE */
};

struct deck_spec {
    const char *name; /* "storage"; its image is "deck/storage" in the payload */
    uint8_t prefix;
    bool per_cpu; /* one instance a CPU, else one */
    /* scheduled before compute decks and programs: short visits that keep devices busy */
    bool device_class;
    bool observes;          /* Execution: sees the results that were published */
    uint16_t depth;         /* work in one instance's hands at most, 1..KWE_MAX_DEPTH */
    uint16_t restart_limit; /* deaths within restart_window_ns after which it is given up */
    uint64_t restart_window_ns;
    uint64_t heap_max_bytes; /* brk and mmap quota of an instance */
    uint32_t op_count;       /* ops[0] is nop */
    const struct op_spec *ops;
    uint32_t device_count;
    const struct deck_device_spec *devices;
};

extern const struct deck_spec deck_specs[];
extern const uint32_t deck_spec_count;
