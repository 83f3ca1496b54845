/* intake.c - events in, results out. */
#include "kernel/nucleus/guide/intake.h"

#include "kernel/nucleus/guide/taking.h"

bool ring_open(struct guide *guide, struct program_ring *ring, uint32_t owner)
{
    ring->owner = owner;
    ring->held = guide_alloc(guide, ring->results.slots * sizeof(*ring->held));
    if (ring->held == NULL) {
        return false;
    }
    ring->next = guide->rings;
    guide->rings = ring;
    return true;
}

static void leave_open(struct guide *guide, const struct program_ring *ring)
{
    struct program_ring **link = &guide->rings;

    while (*link != ring) {
        link = &(*link)->next;
    }
    *link = ring->next;
}

void ring_close(struct guide *guide, struct program_ring *ring)
{
    guide_free(guide, ring->held, ring->results.slots * sizeof(*ring->held));
    ring->held = NULL;
}

/* ---- out ------------------------------------------------------------------------------------------------------------ */

void ring_publish(struct guide *guide, struct program_ring *ring, const struct kwe_result *result,
                  struct event *holder)
{
    ring->reserved--;
    if (ring->abandoned) {
        if (ring->reserved == 0) {
            guide->config.port.ring_drained(guide->config.port.context, ring);
        }
        return;
    }
    /* The place was reserved among those that the program had read past: whatever its head says now, nothing is lost but by itself. */
    const uint32_t place = ring->results.tail & ring->results.mask;
    ring_place(&ring->results, 0, result);
    ring_give(&ring->results, 1);
    if (holder != NULL) {
        ring_hold(ring, holder, place);
    }
    ring_tell(guide, ring, 1, result->finished_ns);
}

void ring_tell(struct guide *guide, struct program_ring *ring, uint32_t count, uint64_t now_ns)
{
    if (guide->results == 0) {
        guide->first_result_ns = now_ns;
    }
    guide->results += count;
    if (ring->tell_after == 0) {
        return;
    }
    ring->tell_after -= count < ring->tell_after ? count : ring->tell_after;
    if (ring->tell_after == 0) {
        ring->tell_after = ring->tells_each ? 1 : 0;
        guide->config.port.result_published(guide->config.port.context, ring);
    }
}

bool ring_listen(struct program_ring *ring, uint32_t least, bool each, uint32_t *count)
{
    uint32_t room;

    /* A head that cannot be is none: the next intake sees it. */
    *count = ring_room(&ring->results, &room) == RING_OK ? ring->results.slots - room : 0;
    ring->tells_each = each;
    ring->tell_after = each ? 1 : *count < least ? least - *count : 0;
    return *count >= least;
}

void ring_let_go(struct guide *guide, struct program_ring *ring, uint32_t place)
{
    struct event *event = ring->held[place];

    if (event != NULL) {
        ring->held[place] = NULL;
        ring->held_count--;
        event_release(guide, event);
    }
}

/* Slots of results that the program has read past go back. KERR_BAD_EVENT: its head cannot be. */
static enum kerr release_read(struct guide *guide, struct program_ring *ring)
{
    uint32_t room;

    if (ring_room(&ring->results, &room) != RING_OK) {
        return KERR_BAD_EVENT;
    }
    const uint32_t head = ring->results.tail - (ring->results.slots - room);
    if (head - ring->released > ring->results.slots) {
        return KERR_BAD_EVENT; /* it went back */
    }
    for (uint32_t at = ring->released; ring->held_count != 0 && at != head; at++) {
        ring_let_go(guide, ring, at & ring->results.mask);
    }
    ring->released = head;
    return KERR_OK;
}

/* Results read from the program's other rings hold slots, too, until somebody looks. One that lies is found out at its own next intake. */
static bool release_in_others(struct guide *guide, const struct program_ring *ring)
{
    bool released = false;

    for (struct program_ring *other = guide->rings; other != NULL; other = other->next) {
        const uint32_t before = other->released;
        if (other != ring && other->owner == ring->owner) {
            released =
                (release_read(guide, other) == KERR_OK && other->released != before) || released;
        }
    }
    return released;
}

/* ---- in ------------------------------------------------------------------------------------------------------------- */

/* An event that never was one: its verdict at once. */
static void refuse(struct guide *guide, struct program_ring *ring, const struct kwe_event *wire,
                   enum kerr status, uint16_t stage, uint64_t now_ns)
{
    struct kwe_result result = {
        .cookie = wire->cookie,
        .workflow = wire->workflow,
        .status = (uint16_t)status,
        .stage = stage,
        .submitted_ns = now_ns,
        .finished_ns = now_ns,
    };

    ring->reserved++;
    observe(guide, &result);
    ring_publish(guide, ring, &result, NULL);
}

static bool is_valid(const struct kwe_event *wire, const struct workflow *workflow)
{
    const struct kwe_workflow *header = workflow->plan->header;
    const bool is_route = wire->flags == KWE_EVENT_ROUTE;
    const bool is_standing = wire->flags == KWE_EVENT_STANDING;

    if ((wire->flags != 0 && !is_route && !is_standing) ||
        (is_standing && wire->deadline_ns != 0) || wire->reserved[0] != 0 ||
        wire->reserved[1] != 0 || is_route != workflow->plan->is_arena ||
        (!is_route && wire->block_length != header->block_bytes)) {
        return false;
    }
    return wire->input_length <= UINT32_MAX && wire->input_length <= header->program_bytes &&
           wire->input_offset <= header->program_bytes - wire->input_length;
}

/* Its own, or what the workflow allows, whichever comes first; 0: none. */
static uint64_t deadline_of(const struct kwe_event *wire, const struct kwe_workflow *header,
                            uint64_t now_ns)
{
    uint64_t allowed = header->timeout_ns == 0 ? 0 : now_ns + header->timeout_ns;
    bool is_sooner = allowed != 0 && (wire->deadline_ns == 0 || allowed < wire->deadline_ns);
    return is_sooner ? allowed : wire->deadline_ns;
}

/* Read and plan the graph that the event brings. *stage: the one at fault. */
static enum kerr read_route(struct guide *guide, const struct workflow *workflow,
                            const struct kwe_event *wire, struct plan **plan, uint16_t *stage)
{
    const struct guide_config *config = &guide->config;
    struct plan_error error = { .stage = KWE_NO_STAGE };
    enum kerr made = KERR_BAD_EVENT;

    if (wire->block_length > KWE_MAX_ROUTE_BYTES) {
        return KERR_OVER_LIMITS;
    }
    void *blob = guide_alloc(guide, wire->block_length + 1ull);
    if (blob == NULL) {
        return KERR_NO_MEMORY;
    }
    if (config->port.read_segment(config->port.context, workflow->id, PLAN_SEGMENT_PROGRAM,
                                  wire->block_offset, blob, wire->block_length)) {
        made = plan_create(&config->memory, config->specs, config->spec_count,
                           config->per_cpu_instances, blob, wire->block_length, plan, &error);
    }
    guide_free(guide, blob, wire->block_length + 1ull);
    if (made == KERR_OK && !plan_fits_arena(*plan, workflow->plan, wire->input_length)) {
        plan_destroy(*plan);
        made = KERR_OVER_LIMITS;
    }
    *stage = error.stage;
    return made;
}

/* The event's variables, or its graph. */
static enum kerr read_block(struct guide *guide, const struct workflow *workflow,
                            const struct kwe_event *wire, struct event *event, uint16_t *stage)
{
    const struct guide_port *port = &guide->config.port;
    const uint32_t block_bytes = workflow->plan->header->block_bytes;

    if (workflow->plan->is_arena) {
        enum kerr read = read_route(guide, workflow, wire, &event->plan, stage);
        if (read == KERR_OK) {
            event_make_runs(event);
        }
        return read;
    }
    return block_bytes == 0 || port->read_segment(port->context, workflow->id, PLAN_SEGMENT_PROGRAM,
                                                  wire->block_offset, event->block, block_bytes)
               ? KERR_OK
               : KERR_BAD_EVENT;
}

/* Fill a free slot, or refuse the event. */
static void admit(struct guide *guide, struct program_ring *ring, struct workflow *workflow,
                  const struct kwe_event *wire, uint64_t now_ns)
{
    struct event *event = workflow->free;
    uint16_t stage = KWE_NO_STAGE;

    enum kerr read = read_block(guide, workflow, wire, event, &stage);
    event->is_standing = false;
    event->was_standing = false;
    if (read == KERR_OK && wire->flags == KWE_EVENT_STANDING) {
        read = standing_open(guide, event);
    }
    if (read != KERR_OK) {
        refuse(guide, ring, wire, read, stage, now_ns);
        return;
    }
    workflow->free = event->next_free;
    if (has_two_sizes(workflow->plan)) {
        room_take_place(event, false);
        event->has_effect = false;
    }
    event->ring = ring;
    event->cookie = wire->cookie;
    event->number = ++guide->event_number;
    event->input_offset = wire->input_offset;
    event->input_length = (uint32_t)wire->input_length;
    event->deadline_ns = event->is_standing ? 0 : deadline_of(wire, event->plan->header, now_ns);
    event->is_armed = false;
    event->has_fired = false;
    event->is_parked = false;
    event->submitted_ns = now_ns;
    ring->reserved++;
    workflow->status.submitted++;
    trace_event(guide, KWE_TRACE_ADMITTED, event, event->cookie);
    event_start(guide, event, now_ns);
    event_settle(guide, event, now_ns);
}

/* Is there a place for the oldest event's workflow to wait, beyond its slots? */
static bool over_waiting(const struct workflow *workflow, uint32_t waiting)
{
    uint32_t most = workflow->plan->header->max_waiting;
    return most != 0 && waiting > most;
}

/* Take the oldest event. False: it has to wait. */
static bool take_one(struct guide *guide, struct program_ring *ring, const struct kwe_event *wire,
                     uint32_t waiting, uint64_t now_ns)
{
    struct workflow *workflow = workflow_find(guide, wire->workflow);

    if (workflow == NULL || !workflow->registered || workflow->owner != ring->owner ||
        !is_valid(wire, workflow)) {
        refuse(guide, ring, wire, KERR_BAD_EVENT, KWE_NO_STAGE, now_ns);
        return true;
    }
    if (wire->deadline_ns != 0 && now_ns > wire->deadline_ns) {
        refuse(guide, ring, wire, KERR_OVERLOADED, KWE_NO_STAGE, now_ns);
        return true;
    }
    if (workflow->free == NULL ||
        (has_two_sizes(workflow->plan) && workflow->places[false].count == 0)) {
        if (over_waiting(workflow, waiting)) {
            refuse(guide, ring, wire, KERR_OVERLOADED, KWE_NO_STAGE, now_ns);
            return true;
        }
        workflow->status.waiting++;
        return false;
    }
    admit(guide, ring, workflow, wire, now_ns);
    return true;
}

/* Is there a place for one more result? If there seems to be none, look what the program has read since. False, and *released OK: no. */
static bool has_result_place(struct guide *guide, struct program_ring *ring, enum kerr *released)
{
    const uint32_t unread = ring->results.tail - ring->released;

    if (unread + ring->reserved < ring->results.slots) {
        return true;
    }
    *released = release_read(guide, ring);
    return *released == KERR_OK &&
           ring->results.tail - ring->released + ring->reserved < ring->results.slots;
}

static enum kerr take_in(struct guide *guide, struct program_ring *ring, uint64_t now_ns)
{
    uint32_t waiting, taken = 0;

    enum kerr released = release_read(guide, ring);
    guide_serve_line(guide, now_ns);
    if (released != KERR_OK || ring_used(&ring->events, &waiting) != RING_OK) {
        return KERR_BAD_EVENT;
    }
    while (taken < waiting && has_result_place(guide, ring, &released)) {
        struct kwe_event wire;
        uint32_t admitted = vector_admit(guide, ring, taken, waiting - taken, now_ns);
        taken += admitted;
        if (admitted != 0) {
            continue;
        }
        ring_peek(&ring->events, taken, &wire);
        if (!take_one(guide, ring, &wire, waiting - taken, now_ns)) {
            break;
        }
        taken++;
    }
    ring->starved = taken < waiting;
    ring_take(&ring->events, taken);
    return released;
}

enum kerr ring_intake(struct guide *guide, struct program_ring *ring, uint64_t now_ns)
{
    enum kerr taken = take_in(guide, ring, now_ns);

    if (taken == KERR_OK && ring->starved && release_in_others(guide, ring)) {
        taken = take_in(guide, ring, now_ns);
    }
    return taken;
}

void guide_serve_starved(struct guide *guide, uint64_t now_ns)
{
    for (struct program_ring *ring = guide->rings; ring != NULL; ring = ring->next) {
        if (ring->starved && ring_intake(guide, ring, now_ns) != KERR_OK) {
            ring->starved = false; /* told once; the program is on its way out */
            ring->broken = true;
            guide->config.port.ring_broken(guide->config.port.context, ring);
        }
    }
}

void ring_abandon(struct guide *guide, struct program_ring *ring)
{
    leave_open(guide, ring);
    ring->abandoned = true;
    for (uint32_t place = 0; place < ring->results.slots; place++) {
        ring_let_go(guide, ring, place);
    }
    if (ring->reserved == 0) {
        guide->config.port.ring_drained(guide->config.port.context, ring);
    }
}
