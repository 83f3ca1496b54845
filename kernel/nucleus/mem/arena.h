/*
 * arena.h - a workflow's shared memory: segments with one writer each, at one address in every address space.
 *
 *   base                                                                         base + bytes
 *   | segment 0 | gap | segment 1 | gap | segment 2 ...                                     |
 *
 * Gaps are an odd number of pages that are never mapped: an overrun faults, and no two segments begin at the same
 * place modulo a power of two (QEMU's TLB aliases there). Offsets count from `base`. Callers hold nucleus->lock.
 */
#pragma once

#include "kernel/nucleus/mem/space.h"

#define ARENA_MAX_SEGMENTS 32u
#define ARENA_NO_SEGMENT   UINT32_MAX

struct arena_segment {
    uint64_t offset; /* in the arena, whole pages */
    uint64_t bytes;  /* whole pages; 0: an absent segment */
    paddr_t *frame;  /* one for each page */
};

struct arena {
    struct frames *frames;
    struct heap *heap;
    vaddr_t base;
    uint64_t bytes; /* from base to the last segment's end */
    uint32_t segment_count;
    struct arena_segment segment[ARENA_MAX_SEGMENTS];
    uint32_t map_count;        /* spaces and domains that it is mapped into */
    struct frames_fence fence; /* CPUs that may still know an unmapped frame */
};

/*
 * Make an arena with segments of these sizes (rounded up to pages; 0: absent), zeroed, at a random place. It is
 * mapped nowhere yet. NULL: no memory, or more than ARENA_MAX_SEGMENTS.
 */
struct arena *arena_create(struct frames *frames, struct heap *heap, const uint64_t *segment_bytes,
                           uint32_t segment_count);
/* Mapped nowhere any more. The frames are used again when every CPU that had it loaded has loaded another table. */
void arena_destroy(struct arena *arena);

/*
 * Map it into a space: `own_segment` writable (ARENA_NO_SEGMENT: none), the others read-only. KERR_NO_MEMORY: nothing is
 * mapped then. KERR_BAD_ADDRESS: another arena lies there (impossible while places are chosen by arena_create()).
 */
enum kerr arena_map(struct arena *arena, struct space *space, uint32_t own_segment);
void arena_unmap(struct arena *arena, struct space *space);

/* The same for the devices of an IOMMU domain, at the same addresses. */
enum kerr arena_map_device(struct arena *arena, unsigned domain, uint32_t own_segment);
/* Unmaps and flushes; the domain's devices must not be using it. */
void arena_unmap_device(struct arena *arena, unsigned domain);

/* Copy through the direct map. False: not all of [offset, offset + bytes) lies in the segment; nothing was copied. */
bool arena_read(const struct arena *arena, uint32_t segment, uint64_t offset_in_segment, void *to,
                size_t bytes);
bool arena_write(struct arena *arena, uint32_t segment, uint64_t offset_in_segment,
                 const void *from, size_t bytes);
/* The nucleus's window on one page of a segment, valid to the page's end; NULL: outside. */
void *arena_page(const struct arena *arena, uint32_t segment, uint64_t offset_in_segment);
