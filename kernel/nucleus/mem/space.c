/* space.c - address spaces: what is mapped where, and whose frames those are. */
#include "kernel/nucleus/mem/space.h"

#include "kernel/nucleus/mem/region.h"

/* A random page in [begin, end). */
static uint64_t random_page(uint64_t begin, uint64_t end)
{
    return begin + port_random_u64() % ((end - begin) / PAGE_SIZE) * PAGE_SIZE;
}

struct space *space_create(struct frames *frames, struct heap *heap, uint64_t quota_bytes)
{
    struct space *space = heap_alloc_zeroed(heap, sizeof(*space));
    if (space == NULL) {
        return NULL;
    }
    if (!port_space_create(&space->root)) {
        heap_free(heap, space, sizeof(*space));
        return NULL;
    }
    space->frames = frames;
    space->heap = heap;
    space->quota_frames = quota_bytes / PAGE_SIZE;
    /* The lower half of each range holds the random start, the upper half is left to grow into. */
    space->brk_begin = random_page(SPACE_BRK_BEGIN, SPACE_BRK_END / 2);
    space->brk_end = space->brk_begin;
    space->placed_base =
        random_page(SPACE_PLACED_BEGIN, (SPACE_PLACED_BEGIN + SPACE_PLACED_END) / 2);
    space->mmap_base = random_page(SPACE_MMAP_BEGIN, (SPACE_MMAP_BEGIN + SPACE_MMAP_END) / 2);
    return space;
}

void space_loaded(struct space *space, unsigned cpu_index)
{
    space->loaded_cpus |= 1u << cpu_index;
    space->stale_cpus &= ~(1u << cpu_index);
    frames_cpu_loaded(space->frames, cpu_index);
}

void space_unloaded(struct space *space, unsigned cpu_index)
{
    space->loaded_cpus &= ~(1u << cpu_index);
    space->stale_cpus &= ~(1u << cpu_index);
    frames_cpu_loaded(space->frames, cpu_index);
    if (space->prune) {
        space_prune(space);
    }
}

void space_reloaded(struct space *space, unsigned cpu_index)
{
    space_loaded(space, cpu_index);
    if (space->prune) {
        space_prune(
            space); /* with this CPU among those that have it loaded: it is not forgotten, and flushes */
    }
}

void space_prune(struct space *space)
{
    space->prune = space_stale_cpus(space) != 0;
    if (!space->prune) {
        port_space_prune(space->root);
        if (space->loaded_cpus != 0) {
            port_space_reload();
        }
    }
}

uint32_t space_stale_cpus(const struct space *space)
{
    uint32_t mask = space->loaded_cpus;
    bool is_one_cpu = (mask & (mask - 1)) == 0;
    if (is_one_cpu && port_space_loaded().value == space->root.value) {
        return 0; /* this one, whose entries port_space_unmap() has dropped */
    }
    return mask;
}

uint32_t space_mark_stale(struct space *space)
{
    const uint32_t stale = space_stale_cpus(space);

    space->stale_cpus |= stale;
    return stale;
}

/* ---- pages of private memory ---- */

static void give_pages(struct space *space, uint64_t begin, uint64_t end, enum region_kind kind)
{
    struct frames_fence fence = { { 0 } };
    frames_fence_add(space->frames, &fence, space_mark_stale(space));
    for (uint64_t at = begin; at < end; at += PAGE_SIZE) {
        paddr_t frame;
        bool was_mapped = port_space_unmap(space->root, vaddr(at), &frame);
        KASSERT(was_mapped, "nothing mapped at 0x%llx", (unsigned long long)at);
        frames_give_after(space->frames, frame, &fence);
    }
    space->private_frames -= (end - begin) / PAGE_SIZE;
    if (region_is_charged(kind)) {
        space->charged_frames -= (end - begin) / PAGE_SIZE;
    }
}

enum kerr space_commit(struct space *space, uint64_t begin, uint64_t end, enum region_kind kind,
                       unsigned rights)
{
    uint64_t count = (end - begin) / PAGE_SIZE;
    if (region_is_charged(kind) && count > space->quota_frames - space->charged_frames) {
        return KERR_NO_MEMORY;
    }
    if (count > space->frames->free_frames) {
        return KERR_NO_MEMORY; /* sooner than after zeroing what there is */
    }
    for (uint64_t at = begin; at < end; at += PAGE_SIZE) {
        paddr_t frame;
        bool has_frame = frames_take_zeroed(space->frames, &frame);
        if (has_frame && port_space_map(space->root, vaddr(at), frame, rights)) {
            continue;
        }
        if (has_frame) {
            frames_give(space->frames, frame);
        }
        space->private_frames += (at - begin) / PAGE_SIZE;
        space->charged_frames += region_is_charged(kind) ? (at - begin) / PAGE_SIZE : 0;
        give_pages(space, begin, at, kind);
        return KERR_NO_MEMORY;
    }
    space->private_frames += count;
    space->charged_frames += region_is_charged(kind) ? count : 0;
    return KERR_OK;
}

void space_release(struct space *space, uint64_t begin, uint64_t end, enum region_kind kind)
{
    give_pages(space, begin, end, kind);
}

void space_destroy(struct space *space)
{
    KASSERT(space->loaded_cpus == 0, "CPUs 0x%x have it loaded", space->loaded_cpus);
    while (space->first != NULL) {
        struct region *region = space->first;
        bool has_frames = region_is_private((enum region_kind)region->kind) && region->rights != 0;
        for (uint64_t at = region->begin; has_frames && at < region->end; at += PAGE_SIZE) {
            paddr_t frame;
            unsigned rights;
            bool is_mapped = port_space_query(space->root, vaddr(at), &frame, &rights);
            KASSERT(is_mapped, "nothing mapped at 0x%llx", (unsigned long long)at);
            frames_give(space->frames, frame);
        }
        region_remove(space, region);
    }
    port_space_destroy(space->root);
    heap_free(space->heap, space, sizeof(*space));
}

/* ---- mapping ---- */

static bool in_range(uint64_t begin, uint64_t end, uint64_t low, uint64_t high)
{
    return begin >= low && end <= high && begin < end;
}

static bool place_suits(enum region_kind kind, uint64_t begin, uint64_t end)
{
    switch (kind) {
    case REGION_IMAGE:
        return in_range(begin, end, SPACE_FIXED_BEGIN, SPACE_FIXED_END) ||
               in_range(begin, end, SPACE_PIE_BEGIN, SPACE_PIE_END);
    case REGION_STACK:
        return in_range(begin, end, SPACE_STACK_BEGIN, SPACE_STACK_END);
    case REGION_BRK:
        return in_range(begin, end, SPACE_BRK_BEGIN, SPACE_BRK_END);
    case REGION_MMAP: /* libraries put guards and arenas of their own into the break's range too */
        return in_range(begin, end, SPACE_MMAP_BEGIN, SPACE_MMAP_END) ||
               in_range(begin, end, SPACE_BRK_BEGIN, SPACE_BRK_END);
    case REGION_ARENA:
        return in_range(begin, end, SPACE_ARENA_BEGIN, SPACE_ARENA_END);
    case REGION_DMA:
    case REGION_RING:
    case REGION_DEVICE:
        return in_range(begin, end, SPACE_PLACED_BEGIN, SPACE_PLACED_END);
    }
    return false;
}

static bool is_write_and_execute(unsigned rights)
{
    return (rights & PORT_WRITE) != 0 && (rights & PORT_EXEC) != 0;
}

enum kerr space_map_at(struct space *space, enum region_kind kind, vaddr_t address, uint64_t bytes,
                       unsigned rights)
{
    if (is_write_and_execute(rights)) {
        return KERR_NOT_PERMITTED;
    }
    if (address.value % PAGE_SIZE != 0 || bytes == 0 || bytes > SPACE_STACK_END ||
        address.value > SPACE_STACK_END) {
        return KERR_BAD_ADDRESS;
    }
    uint64_t begin = address.value;
    uint64_t end = begin + round_up_u64(bytes, PAGE_SIZE);
    if (!place_suits(kind, begin, end) || !region_range_is_free(space, begin, end)) {
        return KERR_BAD_ADDRESS;
    }
    KASSERT(region_is_private(kind), "kind %d is lent", (int)kind);
    struct region *region = region_insert(space, begin, end, kind, rights);
    if (region == NULL) {
        return KERR_NO_MEMORY;
    }
    if (rights != 0 && space_commit(space, begin, end, kind, rights) != KERR_OK) {
        region_remove(space, region);
        return KERR_NO_MEMORY;
    }
    return KERR_OK;
}

/* A place for `bytes` where regions of this kind go; 0: none, or not a sensible size. */
static uint64_t choose_place(const struct space *space, enum region_kind kind, uint64_t bytes)
{
    if (bytes == 0 || bytes > SPACE_STACK_END) {
        return 0;
    }
    bytes = round_up_u64(bytes, PAGE_SIZE);
    switch (kind) {
    case REGION_IMAGE:
        if (bytes >= (SPACE_PIE_END - SPACE_PIE_BEGIN) / 2) {
            return 0;
        }
        return random_page(SPACE_PIE_BEGIN, SPACE_PIE_END - bytes);
    case REGION_STACK:
        if (bytes >= (SPACE_STACK_END - SPACE_STACK_BEGIN) / 2) {
            return 0;
        }
        return random_page(SPACE_STACK_BEGIN + PAGE_SIZE, SPACE_STACK_END - bytes);
    case REGION_MMAP:
        return region_find_place(space, space->mmap_base, SPACE_MMAP_END, bytes);
    case REGION_DMA:
    case REGION_RING:
    case REGION_DEVICE:
        return region_find_place(space, space->placed_base, SPACE_PLACED_END, bytes);
    case REGION_BRK:
    case REGION_ARENA:
        break;
    }
    panic("the nucleus chooses no place for kind %d", (int)kind);
}

enum kerr space_map_anonymous(struct space *space, enum region_kind kind, uint64_t bytes,
                              unsigned rights, vaddr_t *address)
{
    uint64_t place = choose_place(space, kind, bytes);
    if (place == 0) {
        return KERR_NO_MEMORY;
    }
    enum kerr status = space_map_at(space, kind, vaddr(place), bytes, rights);
    if (status == KERR_OK) {
        *address = vaddr(place);
    }
    return status;
}

enum kerr space_map_stack(struct space *space, uint64_t bytes, vaddr_t *top)
{
    vaddr_t bottom;
    enum kerr status =
        space_map_anonymous(space, REGION_STACK, bytes, PORT_READ | PORT_WRITE, &bottom);
    if (status == KERR_OK) {
        *top = vaddr(bottom.value + round_up_u64(bytes, PAGE_SIZE));
    }
    return status;
}

enum kerr space_map_dma(struct space *space, unsigned domain, uint64_t bytes, vaddr_t *address)
{
    enum kerr status =
        space_map_anonymous(space, REGION_DMA, bytes, PORT_READ | PORT_WRITE, address);
    if (status != KERR_OK || domain == 0) {
        return status;
    }
    const struct region *region = space_find(space, address->value);
    for (uint64_t at = region->begin; at < region->end; at += PAGE_SIZE) {
        paddr_t frame;
        unsigned rights;
        port_space_query(space->root, vaddr(at), &frame, &rights);
        if (port_iommu_map(domain, at, frame, true)) {
            continue;
        }
        for (uint64_t undo = region->begin; undo < at; undo += PAGE_SIZE) {
            port_iommu_unmap(domain, undo);
        }
        port_iommu_flush(domain);
        space_release(space, region->begin, region->end, REGION_DMA);
        region_remove(space, (struct region *)region);
        return KERR_NO_MEMORY;
    }
    return KERR_OK;
}
