/*
 * space.h - the address space of a program or a deck instance.
 *
 *   0x0000'0000'0000  never mapped (NULL and what lies near it)
 *   0x0000'0001'0000  images at a fixed address (static ELF files: 0x400000)
 *   0x0000'8000'0000  nothing: I/O addresses equal addresses here, and an IOMMU takes 0xfee0'0000 for interrupts
 *   0x0010'0000'0000  brk, from a random page on
 *   0x0100'0000'0000  position-independent images, at a random page
 *   0x0400'0000'0000  what the nucleus places: rings, frames, device windows, DMA memory
 *   0x0800'0000'0000  mmap, from a random page on
 *   0x1000'0000'0000  arenas: nothing else, and each at the same address everywhere
 *   0x5000'0000'0000  nothing
 *   0x7000'0000'0000  the stack, at a random page
 *   0x7fff'0000'0000  end
 *
 * Between any two mappings that the nucleus places lies at least one page that is never mapped. No page is ever
 * both writable and executable, and none becomes executable after it was made. Memory is given at once, zeroed;
 * a mapping without rights takes no frames. Callers hold nucleus->lock.
 */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/nucleus/mem/frames.h"
#include "kernel/nucleus/mem/heap.h"
#include "kernel/nucleus/port.h"

#define SPACE_FIXED_BEGIN  0x000000010000ull
#define SPACE_FIXED_END    0x000080000000ull
#define SPACE_BRK_BEGIN    0x001000000000ull
#define SPACE_BRK_END      0x010000000000ull
#define SPACE_PIE_BEGIN    0x010000000000ull
#define SPACE_PIE_END      0x040000000000ull
#define SPACE_PLACED_BEGIN 0x040000000000ull
#define SPACE_PLACED_END   0x080000000000ull
#define SPACE_MMAP_BEGIN   0x080000000000ull
#define SPACE_MMAP_END     0x100000000000ull
#define SPACE_ARENA_BEGIN  0x100000000000ull
#define SPACE_ARENA_END    0x500000000000ull
#define SPACE_STACK_BEGIN  0x700000000000ull
#define SPACE_STACK_END    0x7fff00000000ull

enum region_kind {
    /* private: frames belong to the space and go with it */
    REGION_IMAGE,
    REGION_STACK,
    REGION_BRK,
    REGION_MMAP,
    REGION_DMA,
    /* lent: frames belong to whoever mapped them */
    REGION_RING,
    REGION_ARENA,
    REGION_DEVICE,
};

struct region {
    struct region *next; /* by address */
    uint64_t begin, end; /* whole pages, half open */
    uint8_t kind;        /* enum region_kind */
    uint8_t rights;      /* enum port_prot; 0: reserved, no frames */
};

/* So that a program cannot fill the nucleus's heap, or slow its look-ups, with tiny reservations. */
#define SPACE_MAX_REGIONS 1024u

struct space {
    paddr_t root;
    struct frames *frames;
    struct heap *heap;
    struct region *first;
    uint32_t region_count;

    uint64_t brk_begin, brk_end; /* bytes as asked for; brk_end need not be a page's */
    uint64_t placed_base;        /* from where on the nucleus looks for a place, random */
    uint64_t mmap_base;

    uint64_t quota_frames;   /* brk, mmap and DMA may hold this many */
    uint64_t charged_frames; /* and hold this many */
    uint64_t private_frames; /* all of the space's own, for statistics */

    uint32_t loaded_cpus; /* bit mask: whose page-table register points here */
    uint32_t
        stale_cpus; /* of these, who may know pages that have been taken away or changed: they load it again before they run it */
    bool prune;     /* page tables may have become empty while another CPU had it loaded */
};

/* An empty space; brk, mmap and DMA memory may take up to `quota_bytes`. NULL: no memory. */
struct space *space_create(struct frames *frames, struct heap *heap, uint64_t quota_bytes);
/*
 * Give all of it back; lent frames go back to nobody here. No CPU may have it loaded (first load another), no
 * device may reach its DMA regions (first quiesce and leave the domain), and what was lent should be unmapped.
 */
void space_destroy(struct space *space);

/* This CPU has just loaded the space's page table, or has just loaded another in its place. */
void space_loaded(struct space *space, unsigned cpu_index);
void space_unloaded(struct space *space, unsigned cpu_index);
/* It had it loaded, and has just loaded it again. */
void space_reloaded(struct space *space, unsigned cpu_index);
/* It has it loaded, and must load it again before it runs its thread. */
static inline bool space_is_stale(const struct space *space, unsigned cpu_index)
{
    return (space->stale_cpus >> cpu_index & 1) != 0;
}

/* Give page tables back that map nothing any more: now, or as soon as no other CPU has the space loaded. */
void space_prune(struct space *space);

/* ---- mapping ---------------------------------------------------------------------------------------- */

/* Fresh zeroed private pages (rights 0: a reservation) where the nucleus chooses. KERR_NO_MEMORY, KERR_NOT_PERMITTED (W+X). */
enum kerr space_map_anonymous(struct space *space, enum region_kind kind, uint64_t bytes,
                              unsigned rights, vaddr_t *address);
/* The same at a given page; KERR_BAD_ADDRESS: not free, or not in a range for this kind. */
enum kerr space_map_at(struct space *space, enum region_kind kind, vaddr_t address, uint64_t bytes,
                       unsigned rights);
/* A stack of `bytes` with unmapped pages around it; `top` is its end, 16-byte aligned. */
enum kerr space_map_stack(struct space *space, uint64_t bytes, vaddr_t *top);
/* Lend `count` frames in a row: rings and work frames. */
enum kerr space_map_frames(struct space *space, paddr_t first, uint32_t count, unsigned rights,
                           vaddr_t *address);
/* Lend a device's registers, uncached; `base` and `bytes` are whole pages. */
enum kerr space_map_device(struct space *space, paddr_t base, uint64_t bytes, vaddr_t *address);
/* Fresh zeroed private pages that the devices of IOMMU domain `domain` reach at the same address (0: no IOMMU). */
enum kerr space_map_dma(struct space *space, unsigned domain, uint64_t bytes, vaddr_t *address);
/* Lend an arena's segment at its place; arena_map() is who calls it. */
enum kerr space_map_arena(struct space *space, vaddr_t address, const paddr_t *frames,
                          uint64_t count, unsigned rights);
/*
 * Take back a whole lent region that begins at `address`. CPUs that may still reach its frames are added to `fence`:
 * give the frames with frames_give_run_after() or the like.
 */
void space_unmap_lent(struct space *space, vaddr_t address, struct frames_fence *fence);

/* ---- what programs ask for themselves: only brk, mmap, image and stack pages -------------------------- */

/*
 * mmap at a given place, instead of what brk or mmap had there. KERR_BAD_ADDRESS: not in their ranges. KERR_NOT_PERMITTED:
 * writable and executable. KERR_NO_MEMORY: then nothing lies there any more.
 */
enum kerr space_mmap_fixed(struct space *space, vaddr_t address, uint64_t bytes, unsigned rights);
/* Holes are fine, as for munmap(); KERR_NOT_PERMITTED: something in it is not the program's to unmap. */
enum kerr space_unmap(struct space *space, vaddr_t address, uint64_t bytes);
/*
 * KERR_NOT_PERMITTED: writable and executable, or newly executable. KERR_BAD_ADDRESS: a hole, or not the program's.
 * KERR_NO_MEMORY: a reservation gets rights, and frames with them. Taking all rights gives the frames back.
 */
enum kerr space_protect(struct space *space, vaddr_t address, uint64_t bytes, unsigned rights);
/* Move the break; returns where it is now (as it was when it cannot be moved). 0 asks. */
uint64_t space_brk(struct space *space, uint64_t wanted);
/* Make an mmap region of old_bytes longer where it lies. KERR_NO_MEMORY: something is in the way, or no frames. */
enum kerr space_grow(struct space *space, vaddr_t address, uint64_t old_bytes, uint64_t new_bytes);

/* ---- reaching ring 3's memory, through the direct map ------------------------------------------------- */

/* The region that holds `address`; NULL: nothing is mapped there. */
const struct region *space_find(const struct space *space, uint64_t address);
/* Is all of it mapped memory (no device) with at least these rights? KERR_BAD_ADDRESS when not. */
enum kerr space_check(const struct space *space, uaddr_t address, uint64_t bytes, unsigned rights);
/* KERR_BAD_ADDRESS: not all of it is readable to ring 3; nothing was copied. */
enum kerr space_copy_in(const struct space *space, void *to, uaddr_t from, size_t bytes);
/* KERR_BAD_ADDRESS: not all of it is writable to ring 3; nothing was written. */
enum kerr space_copy_out(const struct space *space, uaddr_t to, const void *from, size_t bytes);
/* Copy a NUL-terminated text into `room` bytes. KERR_BAD_ADDRESS: not readable, or no NUL within the room. */
enum kerr space_copy_in_string(const struct space *space, char *to, size_t room, uaddr_t from);
/* Write whatever ring 3's rights are (loading an image, building a stack); the range must be private memory. */
void space_fill(struct space *space, vaddr_t to, const void *from, size_t bytes);
