/* region.c - the ordered list of a space's regions. A space has some dozens, so a list does. */
#include "kernel/nucleus/mem/region.h"

#define MOST_GAP_PAGES 4u

struct region *region_at_or_above(const struct space *space, uint64_t address)
{
    struct region *region = space->first;
    while (region != NULL && region->end <= address) {
        region = region->next;
    }
    return region;
}

bool region_range_is_free(const struct space *space, uint64_t begin, uint64_t end)
{
    const struct region *region = region_at_or_above(space, begin);
    return region == NULL || region->begin >= end;
}

/* NULL: no memory, or the space has as many as it may. */
static struct region *new_region(struct space *space)
{
    if (space->region_count >= SPACE_MAX_REGIONS) {
        return NULL;
    }
    struct region *region = heap_alloc(space->heap, sizeof(*region));
    space->region_count += region != NULL ? 1 : 0;
    return region;
}

struct region *region_insert(struct space *space, uint64_t begin, uint64_t end,
                             enum region_kind kind, unsigned rights)
{
    KASSERT(begin < end && region_range_is_free(space, begin, end), "[0x%llx, 0x%llx)",
            (unsigned long long)begin, (unsigned long long)end);
    struct region *region = new_region(space);
    if (region == NULL) {
        return NULL;
    }
    struct region **link = &space->first;
    while (*link != NULL && (*link)->begin < begin) {
        link = &(*link)->next;
    }
    *region = (struct region){
        .next = *link, .begin = begin, .end = end, .kind = (uint8_t)kind, .rights = (uint8_t)rights
    };
    *link = region;
    return region;
}

void region_remove(struct space *space, struct region *region)
{
    struct region **link = &space->first;
    while (*link != region) {
        KASSERT(*link != NULL, "a region at 0x%llx that is not the space's",
                (unsigned long long)region->begin);
        link = &(*link)->next;
    }
    *link = region->next;
    space->region_count--;
    heap_free(space->heap, region, sizeof(*region));
}

bool region_split(struct space *space, uint64_t address)
{
    struct region *low = region_at_or_above(space, address);
    if (low == NULL || low->begin >= address) {
        return true;
    }
    struct region *high = new_region(space);
    if (high == NULL) {
        return false;
    }
    *high = *low;
    high->begin = address;
    low->end = address;
    low->next = high;
    return true;
}

static bool are_alike(const struct region *low, const struct region *high)
{
    bool joinable = low->kind == REGION_BRK || low->kind == REGION_MMAP;
    return joinable && low->end == high->begin && low->kind == high->kind &&
           low->rights == high->rights;
}

void region_join(struct space *space, uint64_t begin, uint64_t end)
{
    struct region *region = space->first;
    while (region != NULL && region->next != NULL && region->begin <= end) {
        struct region *next = region->next;
        if (region->end >= begin && are_alike(region, next)) {
            region->end = next->end;
            region_remove(space, next);
        } else {
            region = next;
        }
    }
}

uint64_t region_find_place(const struct space *space, uint64_t base, uint64_t limit, uint64_t bytes)
{
    uint64_t gap = (1 + port_random_u64() % MOST_GAP_PAGES) * PAGE_SIZE;
    uint64_t place = base;

    for (const struct region *region = region_at_or_above(space, base);
         region != NULL && region->begin < limit; region = region->next) {
        if (place < region->begin && region->begin - place > bytes) {
            break; /* a page or more is left between the two */
        }
        place = region->end + gap;
    }
    return place < limit && bytes <= limit - place ? place : 0;
}
