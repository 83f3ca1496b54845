/* region.h - the ordered list of a space's regions: bookkeeping only, pages are space.c's business. */
#pragma once

#include "kernel/nucleus/mem/space.h"

/* Do the frames belong to the space? */
static inline bool region_is_private(enum region_kind kind)
{
    return kind <= REGION_DMA;
}

/* Does ring 3 ask for them, so that they count against its quota? */
static inline bool region_is_charged(enum region_kind kind)
{
    return kind == REGION_BRK || kind == REGION_MMAP || kind == REGION_DMA;
}

/* The first region that ends above `address`; NULL: none. */
struct region *region_at_or_above(const struct space *space, uint64_t address);
/* Does no region touch [begin, end)? */
bool region_range_is_free(const struct space *space, uint64_t begin, uint64_t end);
/* The range must be free. NULL: no memory. */
struct region *region_insert(struct space *space, uint64_t begin, uint64_t end,
                             enum region_kind kind, unsigned rights);
void region_remove(struct space *space, struct region *region);
/* Make `address` a border: a region that has it inside becomes two. False: no memory. */
bool region_split(struct space *space, uint64_t address);
/* Join brk and mmap regions that touch and are alike, near [begin, end). */
void region_join(struct space *space, uint64_t begin, uint64_t end);
/*
 * The lowest place for `bytes` in [base, limit) with at least one unmapped page before and behind it, the one before
 * of random size. 0: there is none.
 */
uint64_t region_find_place(const struct space *space, uint64_t base, uint64_t limit,
                           uint64_t bytes);

/* ---- pages, in space.c ---------------------------------------------------------------------------------- */

/* CPUs whose TLB may still know a page that has just been unmapped here. */
uint32_t space_stale_cpus(const struct space *space);
/* Pages were taken away or changed: those CPUs are marked, and told for a fence. */
uint32_t space_mark_stale(struct space *space);
/* Frames for [begin, end), zeroed; KERR_NO_MEMORY: over the quota or none left, and nothing has changed. */
enum kerr space_commit(struct space *space, uint64_t begin, uint64_t end, enum region_kind kind,
                       unsigned rights);
/* Unmap committed private pages and give their frames back. */
void space_release(struct space *space, uint64_t begin, uint64_t end, enum region_kind kind);
