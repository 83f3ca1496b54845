/* space_user.c - what programs change in their own address space: brk, mmap, munmap, mprotect, mremap. */
#include "kernel/nucleus/mem/region.h"

/* Turn a range as ring 3 gave it into whole pages. False: not page aligned, empty, or out of ring 3's half. */
static bool whole_pages(vaddr_t address, uint64_t bytes, uint64_t *end)
{
    if (address.value % PAGE_SIZE != 0 || bytes == 0 || address.value >= SPACE_STACK_END ||
        bytes > SPACE_STACK_END - address.value) {
        return false;
    }
    *end = address.value + round_up_u64(bytes, PAGE_SIZE);
    return true;
}

static bool is_the_programs(const struct region *region)
{
    return region->kind == REGION_BRK || region->kind == REGION_MMAP;
}

static bool may_protect(const struct region *region)
{
    return is_the_programs(region) || region->kind == REGION_IMAGE || region->kind == REGION_STACK;
}

/* Make both ends of a range borders between regions. */
static bool split_ends(struct space *space, uint64_t begin, uint64_t end)
{
    return region_split(space, begin) && region_split(space, end);
}

static enum kerr unmap_range(struct space *space, uint64_t begin, uint64_t end)
{
    for (const struct region *region = region_at_or_above(space, begin);
         region != NULL && region->begin < end; region = region->next) {
        if (!is_the_programs(region)) {
            return KERR_NOT_PERMITTED;
        }
    }
    if (!split_ends(space, begin, end)) {
        return KERR_NO_MEMORY;
    }
    struct region *region = region_at_or_above(space, begin);
    while (region != NULL && region->begin < end) {
        struct region *next = region->next;
        if (region->rights != 0) {
            space_release(space, region->begin, region->end, (enum region_kind)region->kind);
        }
        region_remove(space, region);
        region = next;
    }
    return KERR_OK;
}

enum kerr space_unmap(struct space *space, vaddr_t address, uint64_t bytes)
{
    uint64_t end;
    if (!whole_pages(address, bytes, &end)) {
        return KERR_BAD_ADDRESS;
    }
    return unmap_range(space, address.value, end);
}

enum kerr space_mmap_fixed(struct space *space, vaddr_t address, uint64_t bytes, unsigned rights)
{
    uint64_t end;
    if (!whole_pages(address, bytes, &end) || address.value < SPACE_BRK_BEGIN ||
        end > SPACE_MMAP_END) {
        return KERR_BAD_ADDRESS;
    }
    if ((rights & PORT_WRITE) != 0 && (rights & PORT_EXEC) != 0) {
        return KERR_NOT_PERMITTED;
    }
    enum kerr status = unmap_range(space, address.value, end);
    if (status != KERR_OK) {
        return status == KERR_NOT_PERMITTED ? KERR_BAD_ADDRESS : status;
    }
    status = space_map_at(space, REGION_MMAP, address, bytes, rights);
    region_join(space, address.value, end);
    return status;
}

/* ---- mprotect ---- */

/* May every page of [begin, end) get these rights? */
static enum kerr check_protect(const struct space *space, uint64_t begin, uint64_t end,
                               unsigned rights)
{
    if ((rights & PORT_WRITE) != 0 && (rights & PORT_EXEC) != 0) {
        return KERR_NOT_PERMITTED;
    }
    uint64_t at = begin;
    for (const struct region *region = space_find(space, begin); at < end; region = region->next) {
        if (region == NULL || region->begin > at || !may_protect(region)) {
            return KERR_BAD_ADDRESS;
        }
        bool is_text = (region->rights & PORT_EXEC) != 0;
        if (((rights & PORT_EXEC) != 0 && !is_text) || ((rights & PORT_WRITE) != 0 && is_text)) {
            return KERR_NOT_PERMITTED;
        }
        at = region->end;
    }
    return KERR_OK;
}

/* Give frames to the reservations in [begin, end); their regions still say that they have none. */
static enum kerr commit_reserved(struct space *space, uint64_t begin, uint64_t end, unsigned rights)
{
    for (struct region *region = region_at_or_above(space, begin);
         region != NULL && region->begin < end; region = region->next) {
        enum region_kind kind = (enum region_kind)region->kind;
        if (region->rights != 0 ||
            space_commit(space, region->begin, region->end, kind, rights) == KERR_OK) {
            continue;
        }
        for (const struct region *undo = region_at_or_above(space, begin); undo != region;
             undo = undo->next) {
            if (undo->rights == 0) {
                space_release(space, undo->begin, undo->end, (enum region_kind)undo->kind);
            }
        }
        return KERR_NO_MEMORY;
    }
    return KERR_OK;
}

static void protect_pages(struct space *space, const struct region *region, unsigned rights)
{
    for (uint64_t at = region->begin; at < region->end; at += PAGE_SIZE) {
        bool is_mapped = port_space_protect(space->root, vaddr(at), rights);
        KASSERT(is_mapped, "nothing mapped at 0x%llx", (unsigned long long)at);
    }
}

enum kerr space_protect(struct space *space, vaddr_t address, uint64_t bytes, unsigned rights)
{
    uint64_t begin = address.value;
    uint64_t end;
    if (!whole_pages(address, bytes, &end)) {
        return KERR_BAD_ADDRESS;
    }
    enum kerr status = check_protect(space, begin, end, rights);
    if (status != KERR_OK) {
        return status;
    }
    if (!split_ends(space, begin, end)) {
        return KERR_NO_MEMORY;
    }
    if (rights != 0 && commit_reserved(space, begin, end, rights) != KERR_OK) {
        region_join(space, begin, end);
        return KERR_NO_MEMORY;
    }
    for (struct region *region = region_at_or_above(space, begin);
         region != NULL && region->begin < end; region = region->next) {
        if (region->rights != 0 && rights != 0) {
            protect_pages(space, region, rights);
        } else if (region->rights != 0) {
            space_release(space, region->begin, region->end, (enum region_kind)region->kind);
        }
        region->rights = (uint8_t)rights;
    }
    region_join(space, begin, end);
    (void)space_mark_stale(space);
    if (port_space_loaded().value == space->root.value) {
        port_space_reload(); /* rights that were taken away must not live on in this CPU's TLB */
    }
    return KERR_OK;
}

/* ---- brk, mremap ---- */

uint64_t space_brk(struct space *space, uint64_t wanted)
{
    uint64_t now = round_up_u64(space->brk_end, PAGE_SIZE);
    if (wanted < space->brk_begin || wanted > SPACE_BRK_END) {
        return space->brk_end;
    }
    uint64_t then = round_up_u64(wanted, PAGE_SIZE);
    if (then < now && unmap_range(space, then, now) != KERR_OK) {
        return space->brk_end;
    }
    if (then > now) {
        if (space_map_at(space, REGION_BRK, vaddr(now), then - now, PORT_READ | PORT_WRITE) !=
            KERR_OK) {
            return space->brk_end;
        }
        region_join(space, now, then);
    }
    space->brk_end = wanted;
    return wanted;
}

enum kerr space_grow(struct space *space, vaddr_t address, uint64_t old_bytes, uint64_t new_bytes)
{
    uint64_t old_end, new_end;
    if (!whole_pages(address, old_bytes, &old_end) || !whole_pages(address, new_bytes, &new_end) ||
        new_end < old_end) {
        return KERR_BAD_ADDRESS;
    }
    const struct region *region = space_find(space, address.value);
    if (region == NULL || region->kind != REGION_MMAP || region->end < old_end) {
        return KERR_BAD_ADDRESS;
    }
    if (new_end == old_end) {
        return KERR_OK;
    }
    /* One page more than asked for must be free: it stays the gap to whatever comes next. */
    if (region->end != old_end || !region_range_is_free(space, old_end, new_end + PAGE_SIZE)) {
        return KERR_NO_MEMORY;
    }
    enum kerr status =
        space_map_at(space, REGION_MMAP, vaddr(old_end), new_end - old_end, region->rights);
    if (status != KERR_OK) {
        return KERR_NO_MEMORY;
    }
    region_join(space, old_end, new_end);
    return KERR_OK;
}
