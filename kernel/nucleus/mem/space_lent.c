/* space_lent.c - memory in a space that belongs to somebody else: rings, arenas, device registers. */
#include "kernel/nucleus/mem/region.h"

/* The frames of a lent region: those in `list`, or, when that is NULL, a run from `first` on. */
struct lent {
    const paddr_t *list;
    paddr_t first;
};

static paddr_t lent_frame(const struct lent *lent, uint64_t index)
{
    return lent->list != NULL ? lent->list[index] : paddr(lent->first.value + index * PAGE_SIZE);
}

static enum kerr lend(struct space *space, enum region_kind kind, uint64_t begin, uint64_t count,
                      const struct lent *lent, unsigned rights)
{
    KASSERT((rights & PORT_EXEC) == 0, "lent memory is never executable");
    struct region *region = region_insert(space, begin, begin + count * PAGE_SIZE, kind, rights);
    if (region == NULL) {
        return KERR_NO_MEMORY;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (port_space_map(space->root, vaddr(begin + i * PAGE_SIZE), lent_frame(lent, i),
                           rights)) {
            continue;
        }
        while (i-- > 0) {
            paddr_t frame;
            port_space_unmap(space->root, vaddr(begin + i * PAGE_SIZE), &frame);
        }
        region_remove(space, region);
        return KERR_NO_MEMORY;
    }
    return KERR_OK;
}

static enum kerr lend_run(struct space *space, enum region_kind kind, paddr_t first, uint64_t count,
                          unsigned rights, vaddr_t *address)
{
    const struct lent lent = { .list = NULL, .first = first };
    if (count == 0 || first.value % PAGE_SIZE != 0) {
        return KERR_BAD_ADDRESS;
    }
    uint64_t place =
        region_find_place(space, space->placed_base, SPACE_PLACED_END, count * PAGE_SIZE);
    if (place == 0) {
        return KERR_NO_MEMORY;
    }
    enum kerr status = lend(space, kind, place, count, &lent, rights);
    if (status == KERR_OK) {
        *address = vaddr(place);
    }
    return status;
}

enum kerr space_map_frames(struct space *space, paddr_t first, uint32_t count, unsigned rights,
                           vaddr_t *address)
{
    return lend_run(space, REGION_RING, first, count, rights, address);
}

enum kerr space_map_device(struct space *space, paddr_t base, uint64_t bytes, vaddr_t *address)
{
    if (bytes % PAGE_SIZE != 0) {
        return KERR_BAD_ADDRESS;
    }
    return lend_run(space, REGION_DEVICE, base, bytes / PAGE_SIZE,
                    PORT_READ | PORT_WRITE | PORT_UNCACHED, address);
}

enum kerr space_map_arena(struct space *space, vaddr_t address, const paddr_t *frames,
                          uint64_t count, unsigned rights)
{
    const struct lent lent = { .list = frames };
    uint64_t end = address.value + count * PAGE_SIZE;
    if (address.value < SPACE_ARENA_BEGIN || end > SPACE_ARENA_END ||
        !region_range_is_free(space, address.value, end)) {
        return KERR_BAD_ADDRESS;
    }
    return lend(space, REGION_ARENA, address.value, count, &lent, rights);
}

void space_unmap_lent(struct space *space, vaddr_t address, struct frames_fence *fence)
{
    struct region *region = region_at_or_above(space, address.value);
    KASSERT(region != NULL && region->begin == address.value &&
                !region_is_private((enum region_kind)region->kind),
            "nothing lent begins at 0x%llx", (unsigned long long)address.value);
    for (uint64_t at = region->begin; at < region->end; at += PAGE_SIZE) {
        paddr_t frame;
        bool was_mapped = port_space_unmap(space->root, vaddr(at), &frame);
        KASSERT(was_mapped, "nothing mapped at 0x%llx", (unsigned long long)at);
    }
    frames_fence_add(space->frames, fence, space_mark_stale(space));
    region_remove(space, region);
}
