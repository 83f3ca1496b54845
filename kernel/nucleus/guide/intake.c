/* intake.c - events in, results out. */
#include "kernel/nucleus/guide/intake.h"

#include "kernel/nucleus/guide/state.h"

bool ring_open(struct guide *guide, struct program_ring *ring, uint32_t owner)
{
    ring->owner = owner;
    ring->held = guide_alloc(guide, ring->results.slots * sizeof(*ring->held));
    return ring->held != NULL;
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
    uint32_t place = ring->results.tail % ring->results.slots;
    /* The place was reserved. A head that lies is seen at the next intake; until then the slots behind it are the liar's loss. */
    if (ring_push(&ring->results, result) != RING_OK) {
        if (holder != NULL) {
            event_release(holder);
        }
        return;
    }
    ring->held[place] = holder;
    if (holder != NULL) {
        holder->holds = true;
        holder->held_place = place;
    }
    guide->config.port.result_published(guide->config.port.context, ring);
}

/* Slots of results that the program has read past go back. KERR_BAD_EVENT: its head cannot be. */
static enum kerr release_read(struct program_ring *ring, uint32_t *room)
{
    if (ring_room(&ring->results, room) != RING_OK) {
        return KERR_BAD_EVENT;
    }
    uint32_t head = ring->results.tail - (ring->results.slots - *room);
    if (head - ring->released > ring->results.slots) {
        return KERR_BAD_EVENT; /* it went back */
    }
    for (; ring->released != head; ring->released++) {
        uint32_t place = ring->released % ring->results.slots;
        struct event *event = ring->held[place];
        ring->held[place] = NULL;
        if (event != NULL) {
            event_release(event);
        }
    }
    return KERR_OK;
}

/* ---- in ------------------------------------------------------------------------------------------------------------- */

/* An event that never was one: its verdict at once. */
static void refuse(struct guide *guide, struct program_ring *ring, const struct kwe_event *wire,
                   enum kerr status, uint64_t now_ns)
{
    struct kwe_result result = {
        .cookie = wire->cookie,
        .workflow = wire->workflow,
        .status = (uint16_t)status,
        .stage = KWE_NO_STAGE,
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

    if (wire->flags != 0 || wire->reserved[0] != 0 || wire->reserved[1] != 0 ||
        wire->block_length != header->block_bytes) {
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

/* Fill a free slot. False: the block does not lie in the program's segment. */
static bool admit(struct guide *guide, struct program_ring *ring, struct workflow *workflow,
                  const struct kwe_event *wire, uint64_t now_ns)
{
    struct event *event = workflow->free;
    const struct guide_port *port = &guide->config.port;
    uint32_t block_bytes = workflow->plan->header->block_bytes;

    if (block_bytes != 0 &&
        !port->read_program_segment(port->context, workflow->id, wire->block_offset, event->block,
                                    block_bytes)) {
        return false;
    }
    workflow->free = event->next_free;
    event->ring = ring;
    event->cookie = wire->cookie;
    event->number = ++guide->event_number;
    event->input_offset = wire->input_offset;
    event->input_length = (uint32_t)wire->input_length;
    event->deadline_ns = deadline_of(wire, workflow->plan->header, now_ns);
    event->submitted_ns = now_ns;
    ring->reserved++;
    workflow->status.submitted++;
    event_start(guide, event, now_ns);
    event_settle(guide, event, now_ns);
    return true;
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
        refuse(guide, ring, wire, KERR_BAD_EVENT, now_ns);
        return true;
    }
    if (wire->deadline_ns != 0 && now_ns > wire->deadline_ns) {
        refuse(guide, ring, wire, KERR_OVERLOADED, now_ns);
        return true;
    }
    if (workflow->free == NULL) {
        if (over_waiting(workflow, waiting)) {
            refuse(guide, ring, wire, KERR_OVERLOADED, now_ns);
            return true;
        }
        workflow->status.waiting++;
        return false;
    }
    if (!admit(guide, ring, workflow, wire, now_ns)) {
        refuse(guide, ring, wire, KERR_BAD_EVENT, now_ns);
    }
    return true;
}

enum kerr ring_intake(struct guide *guide, struct program_ring *ring, uint64_t now_ns)
{
    uint32_t room, waiting;

    enum kerr released = release_read(ring, &room);
    if (released != KERR_OK || ring_used(&ring->events, &waiting) != RING_OK) {
        return KERR_BAD_EVENT;
    }
    ring->starved = false;
    for (; waiting > 0; waiting--) {
        struct kwe_event wire;
        if (ring_room(&ring->results, &room) != RING_OK) {
            return KERR_BAD_EVENT;
        }
        if (ring->reserved >= room) {
            ring->starved = true;
            break;
        }
        ring_peek(&ring->events, 0, &wire);
        if (!take_one(guide, ring, &wire, waiting, now_ns)) {
            ring->starved = true;
            break;
        }
        ring_take(&ring->events, 1);
    }
    return KERR_OK;
}

void ring_abandon(struct guide *guide, struct program_ring *ring)
{
    ring->abandoned = true;
    for (uint32_t place = 0; place < ring->results.slots; place++) {
        struct event *event = ring->held[place];
        ring->held[place] = NULL;
        if (event != NULL) {
            event_release(event);
        }
    }
    if (ring->reserved == 0) {
        guide->config.port.ring_drained(guide->config.port.context, ring);
    }
}
