/*
 * handles.h - what workflows have open in a deck: a bounded table of handles, each with a generation. Pure.
 *
 *   handle = index | generation << 32       a value that flows between the stages of an event like any other
 *
 * The deck keeps what a handle stands for in an array of its own, by index.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"

struct deck_handle {
    bool is_open;
    uint32_t generation; /* of the newest handle with this index; never 0 */
    uint32_t workflow;
    uint32_t users; /* operations that are at work on it: it is not taken back */
    uint64_t used_ns;
};

struct deck_handles {
    struct deck_handle *slot;
    uint32_t count;
    uint32_t each; /* of one workflow, at most */
    uint64_t
        idle_ns; /* one unused for that long may be taken back when there is no other: its event is likely to have ended */
};

/* `life`: how often the deck was started. A handle of an earlier life names nothing in this one. */
void deck_handles_init(struct deck_handles *handles, struct deck_handle *slot, uint32_t count,
                       uint32_t each, uint64_t idle_ns, uint32_t life);
/*
 * *taken_back: the place was another handle's, which is void now; what it stood for is the caller's to end.
 * TOO_MANY: the workflow, or all together, have as many open as may be, and all of them are in use.
 */
enum kerr deck_handle_open(struct deck_handles *handles, uint32_t workflow, uint64_t now_ns,
                           uint64_t *handle, uint32_t *index, bool *taken_back);
/* The number is whatever the workflow says it is. BAD_HANDLE: it was never given out, is closed, or is another workflow's. */
enum kerr deck_handle_find(struct deck_handles *handles, uint32_t workflow, uint64_t handle,
                           uint64_t now_ns, uint32_t *index);
/* BAD_HANDLE as above. */
enum kerr deck_handle_close(struct deck_handles *handles, uint32_t workflow, uint64_t handle,
                            uint32_t *index);
