/*
 * storage_handles.h - which files workflows have open: handles (userland/libkwe/deck/handles.h), and what each stands for. Pure.
 *
 * A handle is a name that has been looked up, not a lock: between two uses nothing is held in the file system, so that an event that ends
 * without closing keeps nobody waiting. It stands for the file that the path named when it was opened; when the path names another one by
 * now, the handle is void.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"
#include "kernel/abi/workflow.h"
#include "userland/libkwe/deck/handles.h"

#define STORAGE_HANDLES 512u
/* Of one workflow. */
#define STORAGE_HANDLES_EACH 128u
/* One that was not used for that long may be taken back when there is no other: its event is likely to have ended. */
#define STORAGE_HANDLE_IDLE_NS 10000000000ull

struct storage_handle {
    uint32_t inode;
    struct kwe_path path;
};

struct storage_handles {
    struct deck_handles table;
    struct deck_handle place[STORAGE_HANDLES];
    struct storage_handle slot[STORAGE_HANDLES];
};

/* `life`: how often the deck was started. A handle of an earlier life names nothing in this one. */
void storage_handles_init(struct storage_handles *handles, uint32_t life);
/* TOO_MANY: the workflow, or all together, have as many open as may be, and all of them are in use. */
enum kerr storage_handle_open(struct storage_handles *handles, uint32_t workflow,
                              const struct kwe_path *path, uint32_t inode, uint64_t now_ns,
                              uint64_t *handle);
/* The number is whatever the workflow says it is. BAD_HANDLE: it was never given out, is closed, or is another workflow's. */
enum kerr storage_handle_find(struct storage_handles *handles, uint32_t workflow, uint64_t handle,
                              uint64_t now_ns, struct storage_handle **found);
/* BAD_HANDLE as above. */
enum kerr storage_handle_close(struct storage_handles *handles, uint32_t workflow, uint64_t handle);
