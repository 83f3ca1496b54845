/* rings.c - the pairs of rings that programs submit to and read results from. */
#include "kernel/nucleus/program/rings.h"

#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/polling.h"
#include "kernel/nucleus/program/upcall.h"

#define RING_SLOTS_MIN    8u
#define RING_SLOTS_MAX    4096u
#define RING_ID_INDEX(id) ((id) & 0xffu)

_Static_assert(MAX_RINGS <= 32, "one bit of nucleus->starved_rings a ring");

static uint64_t one_ring_bytes(uint32_t slots)
{
    return round_up_u64(ring_bytes(slots), PAGE_SIZE);
}

static struct program_rings *rings_of(struct program_ring *ring)
{
    return (struct program_rings *)(void *)((uint8_t *)ring - offsetof(struct program_rings, ring));
}

static void free_rings(struct nucleus *nucleus, struct program_rings *rings)
{
    polling_end(nucleus, rings);
    nucleus->ring[RING_ID_INDEX(rings->id)] = NULL;
    nucleus->starved_rings &= ~(1u << RING_ID_INDEX(rings->id));
    ring_close(nucleus->guide, &rings->ring);
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
    if (mapped == KERR_OK && !ring_open(nucleus->guide, &rings->ring, program->index)) {
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
    program->ring_count++;
    rings->id = (nucleus->ring_generation + 1) << 8 | index;
    nucleus->ring[index] = rings;
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
    uint32_t index = RING_ID_INDEX(id);
    struct program_rings *rings = index < MAX_RINGS ? nucleus->ring[index] : NULL;

    return rings != NULL && rings->id == id && rings->program == program ? rings : NULL;
}

void program_rings_destroy(struct nucleus *nucleus, struct program_rings *rings)
{
    guide_cancel_standing(nucleus->guide, &rings->ring, port_now_ns());
    polling_end(nucleus, rings);
    space_unmap_lent(rings->program->space, vaddr(rings->address), &rings->fence);
    rings->program->ring_count--;
    rings->program = NULL;
    ring_abandon(nucleus->guide, &rings->ring); /* frees it at once when nothing is in flight */
    guide_serve_line(nucleus->guide, port_now_ns());
}

void program_rings_drained(struct nucleus *nucleus, struct program_ring *ring)
{
    free_rings(nucleus, rings_of(ring));
}

void program_rings_listen(struct program_rings *rings)
{
    rings->ring.tell_after = rings->upcall ? 1 : rings->waiter ? rings->wanted : 0;
}

void program_rings_published(struct nucleus *nucleus, struct program_ring *ring)
{
    struct program_rings *rings = rings_of(ring);

    if (rings->waiter) {
        sched_ready(nucleus, rings->program->thread); /* it counts for itself what lies there */
    }
    upcall_raise(nucleus, rings);
    program_rings_listen(rings);
}

void program_rings_orphan(struct nucleus *nucleus, struct program *program)
{
    for (unsigned i = 0; i < MAX_RINGS; i++) {
        if (nucleus->ring[i] != NULL && nucleus->ring[i]->program == program) {
            program_rings_destroy(nucleus, nucleus->ring[i]);
        }
    }
}

/* Results read from the program's other rings hold slots, too, until somebody looks. */
static bool release_in_others(const struct nucleus *nucleus, const struct program_rings *rings)
{
    bool released = false;

    for (unsigned i = 0; i < MAX_RINGS; i++) {
        struct program_rings *other = nucleus->ring[i];
        if (other != NULL && other != rings && other->program == rings->program) {
            released = ring_release(nucleus->guide, &other->ring) || released;
        }
    }
    return released;
}

static enum kerr take_in(struct nucleus *nucleus, struct program_rings *rings)
{
    enum kerr taken = ring_intake(nucleus->guide, &rings->ring, port_now_ns());

    if (taken == KERR_OK && rings->ring.starved && rings->program->ring_count > 1 &&
        release_in_others(nucleus, rings)) {
        taken = ring_intake(nucleus->guide, &rings->ring, port_now_ns());
    }
    return taken;
}

bool program_rings_serve(struct nucleus *nucleus, struct program_rings *rings)
{
    polling_look(nucleus, rings);
    if (take_in(nucleus, rings) == KERR_OK) {
        const uint32_t bit = 1u << RING_ID_INDEX(rings->id);
        nucleus->starved_rings = (nucleus->starved_rings & ~bit) | (rings->ring.starved ? bit : 0);
        polling_served(nucleus, rings);
        return true;
    }
    program_end(nucleus, rings->program, -1, "wrote an impossible count into one of its rings");
    return false;
}

void program_rings_serve_starved(struct nucleus *nucleus)
{
    for (uint32_t left = nucleus->starved_rings; left != 0; left &= left - 1) {
        struct program_rings *rings = nucleus->ring[__builtin_ctz(left)];
        if (rings != NULL && rings->program != NULL && !rings->program->ending) {
            (void)program_rings_serve(nucleus, rings);
        }
    }
}
