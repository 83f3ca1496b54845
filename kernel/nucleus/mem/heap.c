/*
 * heap.c - the nucleus's own memory.
 *
 *   slab, one frame   | struct heap_slab, 64 bytes | block | block | ...        |
 *   block             | the caller's bytes ... slack ...  | canary, 8 bytes     |
 *   free block        | next free | ...                   | its complement      |
 *
 * Blocks above HEAP_LARGEST_BLOCK are runs of frames; frames.c knows their length.
 */
#include "kernel/nucleus/mem/heap.h"

#define SLAB_MAGIC        0x62616c7321455748ull
#define SLAB_HEADER_BYTES 64u
#define CANARY_BYTES      8u

struct heap_slab {
    uint64_t magic;
    struct heap_slab *next, *previous; /* in heap->partial while a block is free */
    void *first_free;
    uint32_t bin;
    uint32_t free_count;
};
_Static_assert(sizeof(struct heap_slab) <= SLAB_HEADER_BYTES, "blocks begin behind the header");

/* Sizes of the classes (bins), canary included; multiples of 64 from the second on. */
static const uint16_t class_bytes[HEAP_CLASSES] = {
    32, 64, 128, 192, 256, 320, 448, 576, 768, 960, 1344, HEAP_LARGEST_BLOCK + CANARY_BYTES,
};

/* Back from the nucleus's window, which is one linear mapping of all memory. */
static paddr_t frame_of(const void *direct)
{
    return paddr((uint64_t)((const char *)direct - (const char *)port_direct(paddr(0))));
}

static uint32_t blocks_per_slab(uint32_t bin)
{
    return (PAGE_SIZE - SLAB_HEADER_BYTES) / class_bytes[bin];
}

static uint64_t *canary_of(void *block, uint32_t bin)
{
    return (uint64_t *)(void *)((char *)block + class_bytes[bin] - CANARY_BYTES);
}

static uint64_t canary_value(const struct heap *heap, const void *block)
{
    return heap->secret ^ (uint64_t)(uintptr_t)block;
}

void heap_init(struct heap *heap, struct frames *frames)
{
    *heap = (struct heap){ .frames = frames, .secret = port_random_u64() };
}

/* ---- slabs ---- */

static void partial_push(struct heap *heap, struct heap_slab *slab)
{
    slab->previous = NULL;
    slab->next = heap->partial[slab->bin];
    if (slab->next != NULL) {
        slab->next->previous = slab;
    }
    heap->partial[slab->bin] = slab;
}

static void partial_remove(struct heap *heap, struct heap_slab *slab)
{
    if (slab->previous == NULL) {
        heap->partial[slab->bin] = slab->next;
    } else {
        slab->previous->next = slab->next;
    }
    if (slab->next != NULL) {
        slab->next->previous = slab->previous;
    }
}

static void block_push(const struct heap *heap, struct heap_slab *slab, void *block)
{
    *(void **)block = slab->first_free;
    *canary_of(block, slab->bin) = ~canary_value(heap, block);
    slab->first_free = block;
    slab->free_count++;
}

static struct heap_slab *slab_create(struct heap *heap, uint32_t bin)
{
    paddr_t frame;
    if (!frames_take(heap->frames, &frame)) {
        return NULL;
    }
    struct heap_slab *slab = port_direct(frame);
    *slab = (struct heap_slab){ .magic = SLAB_MAGIC, .bin = bin };
    for (uint32_t i = blocks_per_slab(bin); i-- > 0;) {
        block_push(heap, slab, (char *)slab + SLAB_HEADER_BYTES + (size_t)i * class_bytes[bin]);
    }
    heap->held_frames++;
    partial_push(heap, slab);
    return slab;
}

static void slab_destroy(struct heap *heap, struct heap_slab *slab)
{
    partial_remove(heap, slab);
    slab->magic = 0;
    heap->held_frames--;
    frames_give(heap->frames, frame_of(slab));
}

static void *slab_alloc(struct heap *heap, uint32_t bin)
{
    struct heap_slab *slab = heap->partial[bin];
    if (slab == NULL) {
        slab = slab_create(heap, bin);
    }
    if (slab == NULL) {
        return NULL;
    }
    void *block = slab->first_free;
    KASSERT(*canary_of(block, bin) == ~canary_value(heap, block), "free block %p was written to",
            block);
    slab->first_free = *(void **)block;
    *canary_of(block, bin) = canary_value(heap, block);
    slab->free_count--;
    if (slab->free_count == 0) {
        partial_remove(heap, slab);
    }
    return block;
}

static void slab_free(struct heap *heap, void *block, uint32_t bin)
{
    struct heap_slab *slab = (struct heap_slab *)((uintptr_t)block & ~(uintptr_t)(PAGE_SIZE - 1));
    size_t offset = (size_t)((char *)block - (char *)slab);
    KASSERT(slab->magic == SLAB_MAGIC && slab->bin == bin, "block %p is not of class %u", block,
            bin);
    bool begins_there =
        offset >= SLAB_HEADER_BYTES && (offset - SLAB_HEADER_BYTES) % class_bytes[bin] == 0;
    KASSERT(begins_there, "no block begins at %p", block);
    KASSERT(*canary_of(block, bin) != ~canary_value(heap, block), "block %p is free", block);
    KASSERT(*canary_of(block, bin) == canary_value(heap, block), "block %p was overrun", block);

    __builtin_memset(block, 0, class_bytes[bin]);
    block_push(heap, slab, block);
    if (slab->free_count == 1) {
        partial_push(heap, slab);
    }
    /* One empty slab of a class stays, so that a block that comes and goes does not cost a frame each time. */
    bool is_only = heap->partial[bin] == slab && slab->next == NULL;
    if (slab->free_count == blocks_per_slab(bin) && !is_only) {
        slab_destroy(heap, slab);
    }
}

/* ---- whole frames ---- */

/* The canary stands in the last frame's slack; a block that fills its frames has none. */
static uint64_t *large_canary(void *block, size_t bytes, uint32_t frame_count)
{
    size_t held = (size_t)frame_count * PAGE_SIZE;
    return held - bytes < CANARY_BYTES ? NULL
                                       : (uint64_t *)(void *)((char *)block + held - CANARY_BYTES);
}

static uint32_t frames_for(size_t bytes)
{
    return (uint32_t)((bytes + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

static void *large_alloc(struct heap *heap, size_t bytes)
{
    paddr_t first;
    uint32_t frame_count = frames_for(bytes);
    if (!frames_take_run(heap->frames, frame_count, &first)) {
        return NULL;
    }
    void *block = port_direct(first);
    uint64_t *canary = large_canary(block, bytes, frame_count);
    if (canary != NULL) {
        *canary = canary_value(heap, block);
    }
    heap->held_frames += frame_count;
    return block;
}

static void large_free(struct heap *heap, void *block, size_t bytes)
{
    uint32_t frame_count = frames_for(bytes);
    const uint64_t *canary = large_canary(block, bytes, frame_count);
    KASSERT(canary == NULL || *canary == canary_value(heap, block), "block %p was overrun", block);
    frames_give_run(heap->frames, frame_of(block), frame_count);
    heap->held_frames -= frame_count;
}

/* ---- both ---- */

/* The bin that holds `bytes` and a canary; HEAP_CLASSES: none does. */
static uint32_t class_for(size_t bytes)
{
    uint32_t bin = 0;
    while (bin < HEAP_CLASSES && bytes + CANARY_BYTES > class_bytes[bin]) {
        bin++;
    }
    return bin;
}

void *heap_alloc(struct heap *heap, size_t bytes)
{
    KASSERT(bytes > 0 && bytes < (size_t)1 << 40, "a block of %zu bytes", bytes);
    uint32_t bin = class_for(bytes);
    port_lock_acquire(&heap->lock);
    void *block = bin < HEAP_CLASSES ? slab_alloc(heap, bin) : large_alloc(heap, bytes);
    if (block != NULL) {
        heap->used_bytes += bytes;
        heap->used_blocks++;
    }
    port_lock_release(&heap->lock);
    return block;
}

void *heap_alloc_zeroed(struct heap *heap, size_t bytes)
{
    void *block = heap_alloc(heap, bytes);
    if (block != NULL) {
        __builtin_memset(block, 0, bytes);
    }
    return block;
}

void heap_free(struct heap *heap, void *block, size_t bytes)
{
    if (block == NULL) {
        return;
    }
    uint32_t bin = class_for(bytes);
    port_lock_acquire(&heap->lock);
    if (bin < HEAP_CLASSES) {
        slab_free(heap, block, bin);
    } else {
        large_free(heap, block, bytes);
    }
    heap->used_bytes -= bytes;
    heap->used_blocks--;
    port_lock_release(&heap->lock);
}
