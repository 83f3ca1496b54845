/* rings.c - the pairs of rings that programs submit to and read results from. */
#include "kernel/nucleus/program/rings.h"

#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/polling.h"
#include "kernel/nucleus/program/upcall.h"

#define RING_SLOTS_MIN    8u
#define RING_SLOTS_MAX    4096u
#define RING_ID_INDEX(id) ((id) & 0xffu)

static uint64_t one_ring_bytes(uint32_t slots)
{
    return round_up_u64(ring_bytes(slots), PAGE_SIZE);
}

static struct program_rings *rings_of(struct program_ring *ring)
{
    return (struct program_rings *)(void *)((uint8_t *)ring - offsetof(struct program_rings, ring));
}

uint32_t program_rings_index(struct program_ring *ring)
{
    return RING_ID_INDEX(rings_of(ring)->id);
}

static void free_rings(struct nucleus *nucleus, struct program_rings *rings)
{
    polling_end(nucleus, rings);
    nucleus->ring[RING_ID_INDEX(rings->id)] = NULL;
    guides_ring_close(nucleus->guides, &rings->ring);
    frames_give_run_after(&nucleus->frames, rings->frames, rings->frame_count, &rings->fence);
    heap_free(&nucleus->heap, rings, sizeof(*rings));
}

/* Frames mapped into the program, both rings over them. */
static enum kerr build(struct nucleus *nucleus, struct program *program,
                       struct program_rings *rings, uint32_t slots)
{
    uint64_t bytes = one_ring_bytes(slots);
    vaddr_t at;

    rings->frame_count = (uint32_t)(2 * bytes / PAGE_SIZE);
    if (!frames_take_run(&nucleus->frames, rings->frame_count, &rings->frames)) {
        return KERR_NO_MEMORY;
    }
    uint8_t *memory = port_direct(rings->frames);
    struct ring *events = (struct ring *)(void *)memory;
    struct ring *results = (struct ring *)(void *)(memory + bytes);
    ring_init(events, 0);
    ring_init(results, 0);
    ring_consumer_init(&rings->ring.events, events, slots, 0);
    ring_producer_init(&rings->ring.results, results, slots, 0);
    enum kerr mapped = space_map_frames(program->space, rings->frames, rings->frame_count,
                                        PORT_READ | PORT_WRITE, &at);
    if (mapped == KERR_OK && !guides_ring_open(nucleus->guides, &rings->ring, program->index)) {
        space_unmap_lent(program->space, at, &rings->fence);
        mapped = KERR_NO_MEMORY;
    }
    if (mapped != KERR_OK) {
        frames_give_run_after(&nucleus->frames, rings->frames, rings->frame_count, &rings->fence);
        return mapped;
    }
    rings->address = at.value;
    return KERR_OK;
}

static uint64_t name_of(const struct program *program, uint32_t id)
{
    return (uint64_t)(program->index + 1) << 32 | id;
}

enum kerr program_rings_create(struct nucleus *nucleus, struct program *program, uint32_t slots,
                               uint64_t flags, struct kwe_ring_info *info)
{
    uint32_t index = 0;

    if ((flags & ~(uint64_t)KWE_RING_POLLED) != 0 || slots < RING_SLOTS_MIN ||
        slots > RING_SLOTS_MAX || (slots & (slots - 1)) != 0) {
        return KERR_BAD_CALL;
    }
    while (index < MAX_RINGS && nucleus->ring[index] != NULL) {
        index++;
    }
    if (index == MAX_RINGS) {
        return KERR_TOO_MANY;
    }
    struct program_rings *rings = heap_alloc_zeroed(&nucleus->heap, sizeof(*rings));
    if (rings == NULL) {
        return KERR_NO_MEMORY;
    }
    enum kerr built = build(nucleus, program, rings, slots);
    if (built != KERR_OK) {
        heap_free(&nucleus->heap, rings, sizeof(*rings));
        return built;
    }
    nucleus->ring_generation = (nucleus->ring_generation + 1) & 0x7fffff;
    rings->program = program;
    rings->id = (nucleus->ring_generation + 1) << 8 | index;
    nucleus->ring[index] = rings;
    __atomic_store_n(&nucleus->ring_name[index], name_of(program, rings->id), __ATOMIC_RELAXED);
    if ((flags & KWE_RING_POLLED) != 0) {
        polling_begin(nucleus, rings);
    }
    *info = (struct kwe_ring_info){
        .event_ring = rings->address,
        .result_ring = rings->address + one_ring_bytes(slots),
        .slots = slots,
        .ring = rings->id,
    };
    return KERR_OK;
}

struct program_rings *program_rings_find(struct nucleus *nucleus, const struct program *program,
                                         uint32_t id)
{
    const uint32_t index = RING_ID_INDEX(id);

    /* Another program's may go at any moment; its own only by its own call. */
    return index < MAX_RINGS && __atomic_load_n(&nucleus->ring_name[index], __ATOMIC_RELAXED) ==
                                    name_of(program, id)
               ? nucleus->ring[index]
               : NULL;
}

void program_rings_destroy(struct nucleus *nucleus, struct program_rings *rings)
{
    polling_end(nucleus, rings);
    space_unmap_lent(rings->program->space, vaddr(rings->address), &rings->fence);
    rings->program = NULL;
    __atomic_store_n(&nucleus->ring_name[RING_ID_INDEX(rings->id)], 0, __ATOMIC_RELAXED);
    guides_ring_abandon(nucleus->guides, &rings->ring, port_now_ns());
}

void program_rings_drained(struct nucleus *nucleus, struct program_rings *rings)
{
    free_rings(nucleus, rings);
}

bool program_rings_listen(struct nucleus *nucleus, struct program_rings *rings, uint32_t least,
                          uint32_t *count)
{
    return guides_listen(nucleus->guides, &rings->ring, least, rings->upcall, count);
}

void program_rings_published(struct nucleus *nucleus, struct program_rings *rings)
{
    if (rings == NULL || rings->program == NULL) {
        return; /* it went before this CPU came to tell */
    }
    if (rings->waiter) {
        sched_ready(nucleus, rings->program->thread); /* it counts for itself what lies there */
    }
    upcall_raise(nucleus, rings);
}

void program_rings_broken(struct nucleus *nucleus, struct program_rings *rings)
{
    if (rings != NULL && rings->program != NULL) {
        program_end(nucleus, rings->program, -1, "wrote an impossible count into one of its rings");
    }
}

void program_rings_orphan(struct nucleus *nucleus, struct program *program)
{
    for (unsigned i = 0; i < MAX_RINGS; i++) {
        if (nucleus->ring[i] != NULL && nucleus->ring[i]->program == program) {
            program_rings_destroy(nucleus, nucleus->ring[i]);
        }
    }
}

bool program_rings_serve(struct nucleus *nucleus, struct program_rings *rings, uint64_t now_ns)
{
    polling_look(nucleus, rings);
    if (guides_intake(nucleus->guides, &rings->ring, now_ns) != KERR_OK) {
        return false;
    }
    polling_served(nucleus, rings);
    return true;
}
