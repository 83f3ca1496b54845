/* arena.c - a workflow's shared memory. */
#include "kernel/nucleus/mem/arena.h"

#include "kernel/lib/string.h"

static uint64_t page_count(const struct arena_segment *segment)
{
    return segment->bytes / PAGE_SIZE;
}

/* ---- making ---- */

/* Segments one behind the other, odd gaps between them; the gaps differ, so that equal segments do not stay in step. */
static void lay_out(struct arena *arena, const uint64_t *segment_bytes)
{
    uint64_t offset = 0;
    for (uint32_t i = 0; i < arena->segment_count; i++) {
        struct arena_segment *segment = &arena->segment[i];
        segment->offset = offset;
        segment->bytes = round_up_u64(segment_bytes[i], PAGE_SIZE);
        arena->bytes = offset + segment->bytes;
        offset = arena->bytes + (1 + 2 * (uint64_t)(i % 8)) * PAGE_SIZE;
    }
}

static bool take_frames(struct arena *arena, struct arena_segment *segment)
{
    uint64_t count = page_count(segment);
    if (count == 0) {
        return true;
    }
    if (count > arena->frames->free_frames) {
        return false;
    }
    segment->frame = heap_alloc_zeroed(arena->heap, count * sizeof(paddr_t));
    if (segment->frame == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!frames_take_zeroed(arena->frames, &segment->frame[i])) {
            return false;
        }
    }
    return true;
}

/* Frame 0 is never anybody's: an entry of 0 is one that was not taken. */
static void give_frames(struct arena *arena, struct arena_segment *segment)
{
    uint64_t count = page_count(segment);
    for (uint64_t i = 0; segment->frame != NULL && i < count && segment->frame[i].value != 0; i++) {
        frames_give_after(arena->frames, segment->frame[i], &arena->fence);
    }
    heap_free(arena->heap, segment->frame, count * sizeof(paddr_t));
}

static void free_arena(struct arena *arena)
{
    for (uint32_t i = 0; i < arena->segment_count; i++) {
        give_frames(arena, &arena->segment[i]);
    }
    heap_free(arena->heap, arena, sizeof(*arena));
}

struct arena *arena_create(struct frames *frames, struct heap *heap, const uint64_t *segment_bytes,
                           uint32_t segment_count)
{
    if (segment_count > ARENA_MAX_SEGMENTS) {
        return NULL;
    }
    for (uint32_t i = 0; i < segment_count; i++) {
        if (segment_bytes[i] > frames->total_frames * PAGE_SIZE) {
            return NULL;
        }
    }
    struct arena *arena = heap_alloc_zeroed(heap, sizeof(*arena));
    if (arena == NULL) {
        return NULL;
    }
    arena->frames = frames;
    arena->heap = heap;
    arena->segment_count = segment_count;
    lay_out(arena, segment_bytes);
    uint64_t pages = (SPACE_ARENA_END - SPACE_ARENA_BEGIN - arena->bytes) / PAGE_SIZE;
    arena->base = vaddr(SPACE_ARENA_BEGIN + port_random_u64() % pages * PAGE_SIZE);
    for (uint32_t i = 0; i < segment_count; i++) {
        if (!take_frames(arena, &arena->segment[i])) {
            free_arena(arena);
            return NULL;
        }
    }
    return arena;
}

void arena_destroy(struct arena *arena)
{
    KASSERT(arena->map_count == 0, "mapped in %u places", arena->map_count);
    free_arena(arena);
}

/* ---- spaces ---- */

static void unmap_segments(struct arena *arena, struct space *space, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct arena_segment *segment = &arena->segment[i];
        if (segment->bytes > 0) {
            space_unmap_lent(space, vaddr(arena->base.value + segment->offset), &arena->fence);
        }
    }
}

enum kerr arena_map(struct arena *arena, struct space *space, uint32_t own_segment)
{
    for (uint32_t i = 0; i < arena->segment_count; i++) {
        const struct arena_segment *segment = &arena->segment[i];
        unsigned rights = i == own_segment ? PORT_READ | PORT_WRITE : PORT_READ;
        if (segment->bytes == 0) {
            continue;
        }
        enum kerr status = space_map_arena(space, vaddr(arena->base.value + segment->offset),
                                           segment->frame, page_count(segment), rights);
        if (status != KERR_OK) {
            unmap_segments(arena, space, i);
            return status;
        }
    }
    arena->map_count++;
    return KERR_OK;
}

void arena_unmap(struct arena *arena, struct space *space)
{
    KASSERT(arena->map_count > 0, "mapped nowhere");
    unmap_segments(arena, space, arena->segment_count);
    space_prune(space); /* arenas lie at random places, each with tables of its own */
    arena->map_count--;
}

/* ---- devices ---- */

static void unmap_device_pages(struct arena *arena, unsigned domain, uint32_t segments,
                               uint64_t pages_of_next)
{
    for (uint32_t i = 0; i <= segments && i < arena->segment_count; i++) {
        const struct arena_segment *segment = &arena->segment[i];
        uint64_t count = i < segments ? page_count(segment) : pages_of_next;
        for (uint64_t page = 0; page < count; page++) {
            port_iommu_unmap(domain, arena->base.value + segment->offset + page * PAGE_SIZE);
        }
    }
    port_iommu_flush(domain);
}

enum kerr arena_map_device(struct arena *arena, unsigned domain, uint32_t own_segment)
{
    for (uint32_t i = 0; i < arena->segment_count; i++) {
        const struct arena_segment *segment = &arena->segment[i];
        for (uint64_t page = 0; page < page_count(segment); page++) {
            uint64_t address = arena->base.value + segment->offset + page * PAGE_SIZE;
            if (!port_iommu_map(domain, address, segment->frame[page], i == own_segment)) {
                unmap_device_pages(arena, domain, i, page);
                return KERR_NO_MEMORY;
            }
        }
    }
    arena->map_count++;
    return KERR_OK;
}

void arena_unmap_device(struct arena *arena, unsigned domain)
{
    KASSERT(arena->map_count > 0, "mapped nowhere");
    unmap_device_pages(arena, domain, arena->segment_count, 0);
    arena->map_count--;
}

/* ---- the nucleus's own reading and writing ---- */

static bool is_inside(const struct arena *arena, uint32_t segment, uint64_t offset, size_t bytes)
{
    return segment < arena->segment_count && offset <= arena->segment[segment].bytes &&
           bytes <= arena->segment[segment].bytes - offset;
}

void *arena_page(const struct arena *arena, uint32_t segment, uint64_t offset_in_segment)
{
    if (!is_inside(arena, segment, offset_in_segment, 1)) {
        return NULL;
    }
    paddr_t frame = arena->segment[segment].frame[offset_in_segment / PAGE_SIZE];
    return (uint8_t *)port_direct(frame) + offset_in_segment % PAGE_SIZE;
}

static size_t to_page_end(uint64_t offset, size_t bytes)
{
    size_t room = PAGE_SIZE - offset % PAGE_SIZE;
    return room < bytes ? room : bytes;
}

bool arena_read(const struct arena *arena, uint32_t segment, uint64_t offset_in_segment, void *to,
                size_t bytes)
{
    if (!is_inside(arena, segment, offset_in_segment, bytes)) {
        return false;
    }
    for (size_t done = 0; done < bytes;) {
        size_t part = to_page_end(offset_in_segment + done, bytes - done);
        memcpy((uint8_t *)to + done, arena_page(arena, segment, offset_in_segment + done), part);
        done += part;
    }
    return true;
}

bool arena_write(struct arena *arena, uint32_t segment, uint64_t offset_in_segment,
                 const void *from, size_t bytes)
{
    if (!is_inside(arena, segment, offset_in_segment, bytes)) {
        return false;
    }
    for (size_t done = 0; done < bytes;) {
        size_t part = to_page_end(offset_in_segment + done, bytes - done);
        memcpy(arena_page(arena, segment, offset_in_segment + done), (const uint8_t *)from + done,
               part);
        done += part;
    }
    return true;
}
