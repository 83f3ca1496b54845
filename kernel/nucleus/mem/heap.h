/*
 * heap.h - the nucleus's own memory: size classes within a frame, whole frames above.
 *
 * Every block ends in a canary that heap_free() checks, and says its size again when it is freed: an
 * overrun, a double free or a wrong size is a panic at the free, with the block's address.
 * Addresses are multiples of 64 (blocks of up to 24 bytes: of 32), of 4096 above HEAP_LARGEST_BLOCK.
 * A lock of its own: any CPU may call.
 */
#pragma once

#include "kernel/nucleus/mem/frames.h"
#include "kernel/nucleus/port.h"

#define HEAP_CLASSES       12
#define HEAP_LARGEST_BLOCK 1976u /* in a class; whole frames above */

struct heap_slab;

struct heap {
    struct port_lock lock;
    struct frames *frames;
    struct heap_slab *partial[HEAP_CLASSES]; /* slabs with a free block */
    uint64_t secret;                         /* canaries are made of it */

    /* for statistics */
    uint64_t used_bytes; /* as asked for */
    uint64_t used_blocks;
    uint64_t held_frames;
};

void heap_init(struct heap *heap, struct frames *frames);
/* NULL: no memory. The contents are whatever was there; `bytes` > 0. */
void *heap_alloc(struct heap *heap, size_t bytes);
void *heap_alloc_zeroed(struct heap *heap, size_t bytes);
/* `bytes` as given to heap_alloc(); NULL is allowed. The block is wiped. */
void heap_free(struct heap *heap, void *block, size_t bytes);
