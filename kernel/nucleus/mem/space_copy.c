/* space_copy.c - the nucleus's way to ring 3's memory: never by ring 3's addresses, always through the direct map. */
#include "kernel/lib/string.h"
#include "kernel/nucleus/mem/region.h"

const struct region *space_find(const struct space *space, uint64_t address)
{
    const struct region *region = region_at_or_above(space, address);
    return region != NULL && region->begin <= address ? region : NULL;
}

enum kerr space_check(const struct space *space, uaddr_t address, uint64_t bytes, unsigned rights)
{
    uint64_t at = address.value;
    if (bytes == 0) {
        return KERR_OK;
    }
    if (at >= SPACE_STACK_END || bytes > SPACE_STACK_END - at) {
        return KERR_BAD_ADDRESS;
    }
    uint64_t end = at + bytes;
    for (const struct region *region = space_find(space, at); at < end; region = region->next) {
        if (region == NULL || region->begin > at || region->kind == REGION_DEVICE ||
            (region->rights & rights) != rights || region->rights == 0) {
            return KERR_BAD_ADDRESS;
        }
        at = region->end;
    }
    return KERR_OK;
}

/* Where a mapped byte lies in the direct map, and how many follow it in the same page. */
static uint8_t *window(const struct space *space, uint64_t address, size_t *bytes)
{
    paddr_t frame;
    unsigned rights;
    uint64_t offset = address % PAGE_SIZE;
    bool is_mapped = port_space_query(space->root, vaddr(address - offset), &frame, &rights);
    KASSERT(is_mapped, "a region without a page at 0x%llx", (unsigned long long)address);
    *bytes = PAGE_SIZE - offset;
    return (uint8_t *)port_direct(frame) + offset;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum kerr space_copy_in(const struct space *space, void *to, uaddr_t from, size_t bytes)
{
    if (space_check(space, from, bytes, PORT_READ) != KERR_OK) {
        return KERR_BAD_ADDRESS;
    }
    for (size_t done = 0; done < bytes;) {
        size_t room;
        const uint8_t *source = window(space, from.value + done, &room);
        size_t part = least(room, bytes - done);
        memcpy((uint8_t *)to + done, source, part);
        done += part;
    }
    return KERR_OK;
}

static void copy_to(const struct space *space, uint64_t to, const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        size_t room;
        uint8_t *target = window(space, to + done, &room);
        size_t part = least(room, bytes - done);
        memcpy(target, (const uint8_t *)from + done, part);
        done += part;
    }
}

enum kerr space_copy_out(const struct space *space, uaddr_t to, const void *from, size_t bytes)
{
    if (space_check(space, to, bytes, PORT_WRITE) != KERR_OK) {
        return KERR_BAD_ADDRESS;
    }
    copy_to(space, to.value, from, bytes);
    return KERR_OK;
}

enum kerr space_copy_in_string(const struct space *space, char *to, size_t room, uaddr_t from)
{
    for (size_t done = 0; done < room;) {
        uaddr_t at = { from.value + done };
        if (at.value < from.value || space_check(space, at, 1, PORT_READ) != KERR_OK) {
            return KERR_BAD_ADDRESS;
        }
        size_t in_page;
        const uint8_t *source = window(space, at.value, &in_page);
        for (size_t i = 0; i < in_page && done < room; i++, done++) {
            /* Read once: ring 3 may change it meanwhile. */
            to[done] = (char)*(const volatile uint8_t *)&source[i];
            if (to[done] == '\0') {
                return KERR_OK;
            }
        }
    }
    return KERR_BAD_ADDRESS;
}

void space_fill(struct space *space, vaddr_t to, const void *from, size_t bytes)
{
    for (uint64_t at = to.value; at < to.value + bytes;) {
        const struct region *region = space_find(space, at);
        KASSERT(region != NULL && region_is_private((enum region_kind)region->kind),
                "0x%llx is not private memory", (unsigned long long)at);
        at = region->end;
    }
    copy_to(space, to.value, from, bytes);
}
