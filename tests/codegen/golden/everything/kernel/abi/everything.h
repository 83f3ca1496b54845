/*
 * everything.h - the everything deck's operations, as all sides see them.
 *
 * GENERATED, do not edit.
 *   spec      tests/codegen/good/everything/deck.yaml
 *   template  codegen/templates/deck_abi.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/workflow.h"

#define EVERYTHING_PREFIX 15u

enum {
    EVERYTHING_OP_NOP = 0,
    EVERYTHING_OP_BARE = 1,
    EVERYTHING_OP_PARAMS = 2,
    EVERYTHING_OP_REAL = 3,
    EVERYTHING_OP_LIMITED = 4,
};

/* ---- params ---- */

enum {
    EVERYTHING_PARAMS_INPUT_PICTURE = 0, /* rgb8 */
    EVERYTHING_PARAMS_INPUT_MASK = 1,    /* gray8 */
    EVERYTHING_PARAMS_INPUT_MORE = 2,    /* bytes */
    EVERYTHING_PARAMS_INPUT_MOST = 3,    /* gray8 */
};

enum {
    EVERYTHING_PARAMS_VALUE_WIDTH = 0, /* u32 */
    EVERYTHING_PARAMS_VALUE_NEAR = 1,  /* i32 */
    EVERYTHING_PARAMS_VALUE_FAR = 2,   /* i64 */
    EVERYTHING_PARAMS_VALUE_READY = 3, /* bool */
};

/*
 * Every type of parameter, with a text that is long enough to be broken over the lines of its
 * comment in C.
 */
struct everything_params_params {
    uint32_t flag; /* a switch; 0 or 1 */
    uint8_t reserved[4];
    uint64_t wide; /* at least 1 */
    uint8_t key[13];
    uint8_t reserved2[3];
    int32_t small; /* at most 10 */
    uint8_t reserved3[4];
    int64_t low; /* at most -1 */
    struct kwe_path path;
    uint32_t width;     /* 1..100; the width of what feeds picture */
    uint32_t triple[3]; /* at most 9 */
    int32_t same[2];    /* one number for all; at least -4 */
    double share;       /* of the whole */
    double weight;
    /* with a remark that does not fit behind the member and is put above it instead of that */
    uint32_t anything;
    uint8_t reserved4[4];
};
_Static_assert(offsetof(struct everything_params_params, flag) == 0, "ABI");
_Static_assert(offsetof(struct everything_params_params, wide) == 8, "ABI");
_Static_assert(offsetof(struct everything_params_params, key) == 16, "ABI");
_Static_assert(offsetof(struct everything_params_params, small) == 32, "ABI");
_Static_assert(offsetof(struct everything_params_params, low) == 40, "ABI");
_Static_assert(offsetof(struct everything_params_params, path) == 48, "ABI");
_Static_assert(offsetof(struct everything_params_params, width) == 304, "ABI");
_Static_assert(offsetof(struct everything_params_params, triple) == 308, "ABI");
_Static_assert(offsetof(struct everything_params_params, same) == 320, "ABI");
_Static_assert(offsetof(struct everything_params_params, share) == 328, "ABI");
_Static_assert(offsetof(struct everything_params_params, weight) == 336, "ABI");
_Static_assert(offsetof(struct everything_params_params, anything) == 344, "ABI");
_Static_assert(sizeof(struct everything_params_params) == 352, "ABI");

/* Left at 0, for the caller to set or bind: key, width, weight, anything. */
static inline struct everything_params_params everything_params_defaults(void)
{
    return (struct everything_params_params){
        .flag = 1u,
        .wide = UINT64_C(9223372036854775808),
        .small = INT64_C(-2147483648),
        .low = INT64_MIN,
        .path = { .length = 9, .bytes = "/a \042b\042 \303\274" },
        .triple = { 1u, 2u, 3u },
        .same = { -3, -3 },
        .share = -0.25,
    };
}

/* ---- real ---- */

enum {
    EVERYTHING_REAL_INPUT_DATA = 0, /* bytes */
};

enum {
    EVERYTHING_REAL_VALUE_MEAN = 0, /* f64 */
};
