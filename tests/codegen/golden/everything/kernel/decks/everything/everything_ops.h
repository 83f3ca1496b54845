/*
 * everything_ops.h - everything deck: the operations it answers, in deck.yaml order.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/deck_ops.h.j2
 *   rebuild   make gen
 */
#pragma once

#include "kernel/abi/everything.h"
#include "userland/libkwe/deck/deck.h"

/*
 * Each operation is a function of the deck's own. It reads its inputs where they lie, writes its output and sets
 * its length, sets its values, and returns KERR_OK or what went wrong; then output and values do not count.
 */

struct everything_bare_call {
    struct deck_request *request;
};
/* Neither inputs nor outputs. */
enum kerr everything_bare(struct everything_bare_call *call);

struct everything_params_call {
    struct deck_request *request;
    const struct everything_params_params *params;
    struct deck_bytes picture; /* in: rgb8 */
    struct deck_bytes mask;    /* in: gray8 */
    struct deck_bytes more;    /* in: bytes; .data is NULL when not bound */
    struct deck_bytes most;    /* in: gray8; .data is NULL when not bound */
    struct deck_room packed;   /* out: bytes; set .length */
    uint32_t width;            /* value: set it */
    int32_t near;              /* value: set it */
    int64_t far;               /* value: set it */
    uint32_t ready;            /* value: set it */
};
/*
 * Every type of parameter, with a text that is long enough to be broken over the lines of its
 * comment in C. Errors: OUTPUT_TOO_LARGE, IO_ERROR, TOO_LARGE. On a fibre: may wait.
 */
enum kerr everything_params(struct everything_params_call *call);

struct everything_real_call {
    struct deck_request *request;
    struct deck_bytes data; /* in: bytes; .data is NULL when not bound */
    double mean;            /* value: set it */
};
/* A value that is no whole number, and no input that has to be there. */
enum kerr everything_real(struct everything_real_call *call);

struct everything_limited_call {
    struct deck_request *request;
    struct deck_room data; /* out: bytes; set .length */
};
/* An output by the workflow's limit. Errors: OUTPUT_TOO_LARGE. */
enum kerr everything_limited(struct everything_limited_call *call);
