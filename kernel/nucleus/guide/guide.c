/* guide.c - the Guide's records of workflows and decks. */
#include "kernel/nucleus/guide/guide.h"

#include "kernel/nucleus/guide/taking.h"
#include "kernel/nucleus/workflow/explain.h"

#define EVENT_ALIGN 64u

/* ---- the Guide itself --------------------------------------------------------------------------------------------- */

static uint32_t instances_of(const struct guide_config *config, const struct deck_spec *spec)
{
    return spec->per_cpu ? config->per_cpu_instances : 1;
}

static size_t shared_bytes(const struct guide_config *config)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < config->spec_count; i++) {
        count += instances_of(config, &config->specs[i]);
    }
    return sizeof(struct guide_shared) + count * sizeof(struct guide_hands);
}

struct guide_shared *guide_shared_create(const struct guide_config *config)
{
    struct guide_shared *shared =
        config->memory.alloc_zeroed(config->memory.context, shared_bytes(config));
    uint32_t count = 0;

    for (uint32_t i = 0; shared != NULL && i < config->spec_count; i++) {
        for (uint32_t n = instances_of(config, &config->specs[i]); n > 0; n--) {
            tickets_open(&shared->hands[count++], config->specs[i].depth);
        }
    }
    return shared;
}

void guide_shared_destroy(const struct guide_config *config, struct guide_shared *shared)
{
    if (shared != NULL) {
        config->memory.free(config->memory.context, shared, shared_bytes(config));
    }
}

static void add_instance(struct guide *guide, const struct deck_spec *spec, uint32_t ordinal)
{
    const uint32_t index = guide->instance_count++;

    guide->instance[index] = (struct guide_instance){ .spec = spec,
                                                      .ordinal = ordinal,
                                                      .hands = &guide->shared->hands[index] };
}

static void add_decks(struct guide *guide)
{
    for (uint32_t i = 0; i < guide->config.spec_count; i++) {
        const struct deck_spec *spec = &guide->config.specs[i];
        struct guide_deck *deck = &guide->deck[spec->prefix];
        deck->spec = spec;
        deck->first_instance = guide->instance_count;
        deck->instance_count = instances_of(&guide->config, spec);
        for (uint32_t ordinal = 0; ordinal < deck->instance_count; ordinal++) {
            add_instance(guide, spec, ordinal);
        }
        if (spec->observes) {
            guide->observer = deck;
        }
    }
}

struct guide *guide_create_among(const struct guide_config *config, struct guide_shared *shared)
{
    struct guide *guide = config->memory.alloc_zeroed(config->memory.context, sizeof(*guide));

    if (guide == NULL) {
        return NULL;
    }
    guide->config = *config;
    guide->shared = shared;
    add_decks(guide);
    if (!variant_open(guide)) {
        variant_close(guide);
        guide_free(guide, guide, sizeof(*guide));
        return NULL;
    }
    return guide;
}

struct guide *guide_create(const struct guide_config *config)
{
    struct guide_shared *shared = guide_shared_create(config);
    struct guide *guide = shared == NULL ? NULL : guide_create_among(config, shared);

    if (guide == NULL) {
        guide_shared_destroy(config, shared);
        return NULL;
    }
    guide->owns_shared = true;
    return guide;
}

void guide_destroy(struct guide *guide)
{
    guide_collect(guide);
    variant_close(guide);
    if (guide->owns_shared) {
        guide_shared_destroy(&guide->config, guide->shared);
    }
    guide_free(guide, guide, sizeof(*guide));
}

/* ---- workflows ----------------------------------------------------------------------------------------------------- */

struct workflow *workflow_find(const struct guide *guide, uint32_t id)
{
    uint32_t index = GUIDE_WORKFLOW_INDEX(id);
    struct workflow *workflow = index < GUIDE_MAX_WORKFLOWS ? guide->workflow[index] : NULL;
    return workflow != NULL && workflow->id == id ? workflow : NULL;
}

static size_t block_stride(const struct plan *plan)
{
    return (plan->header->block_bytes + 15u) & ~(size_t)15u;
}

static size_t loops_bytes(const struct plan *plan)
{
    return plan_events(plan) * plan->loop_count * sizeof(struct loop_run);
}

static void free_workflow(struct guide *guide, struct workflow *workflow)
{
    struct plan *plan = workflow->plan;

    guide_free(guide, workflow->events, workflow->event_bytes * plan_events(plan));
    guide_free(guide, workflow->blocks, block_stride(plan) * plan_events(plan));
    guide_free(guide, workflow->loops, loops_bytes(plan));
    guide_free(guide, workflow->places[false].place, plan_events(plan) * sizeof(uint32_t));
    ready_close(guide, workflow);
    work_close(guide, workflow);
    guide_free(guide, workflow->stage_status,
               workflow->stage_room * sizeof(*workflow->stage_status));
    guide_free(guide, workflow, sizeof(*workflow));
}

static void make_run(struct event *event, uint32_t index, uint16_t stage, unsigned lane)
{
    struct stage_run *run = &event->run[index];

    run->event = event;
    run->plan_stage = &event->plan->stages[stage];
    run->counts = &event->workflow->stage_status[stage];
    run->stage = stage;
    run->lane = (uint8_t)lane;
    run->deadline.event = event;
    run->deadline.run = run;
}

void event_make_runs(struct event *event)
{
    const struct plan *plan = event->plan;

    event->deadline.event = event;
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        make_run(event, i, i, 0);
    }
    for (uint32_t i = 0; i < plan->loop_count; i++) {
        const struct plan_loop *loop = &plan->loops[i];
        for (uint32_t k = 0; k < (loop->lanes - 1u) * loop->body_count; k++) {
            make_run(event, loop->extra_runs + k,
                     (uint16_t)(loop->body_first + k % loop->body_count), 1 + k / loop->body_count);
        }
    }
}

/* The first is the first to be taken. */
static void fill_places(struct place_stack *stack, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        stack->place[i] = count - 1 - i;
    }
    stack->count = count;
}

static bool make_places(struct guide *guide, struct workflow *workflow)
{
    const struct plan *plan = workflow->plan;
    uint32_t *places = guide_alloc(guide, plan_events(plan) * sizeof(*places));

    if (places == NULL) {
        return false;
    }
    workflow->places[false].place = places;
    workflow->places[true].place = places + plan->slots;
    fill_places(&workflow->places[false], plan->slots);
    fill_places(&workflow->places[true], plan->large_slots);
    return true;
}

static bool make_slots(struct guide *guide, struct workflow *workflow)
{
    const struct plan *plan = workflow->plan;
    const uint32_t run_count = plan->is_arena ? KWE_MAX_ROUTE_STAGES : plan->run_count;
    size_t bytes = sizeof(struct event) + run_count * sizeof(struct stage_run);

    workflow->event_bytes = (bytes + EVENT_ALIGN - 1) / EVENT_ALIGN * EVENT_ALIGN;
    workflow->events = guide_alloc(guide, workflow->event_bytes * plan_events(plan));
    workflow->stage_status =
        guide_alloc(guide, workflow->stage_room * sizeof(*workflow->stage_status));
    if (block_stride(plan) != 0) {
        workflow->blocks = guide_alloc(guide, block_stride(plan) * plan_events(plan));
    }
    if (plan->loop_count != 0) {
        workflow->loops = guide_alloc(guide, loops_bytes(plan));
    }
    if (workflow->events == NULL || workflow->stage_status == NULL ||
        (block_stride(plan) != 0 && workflow->blocks == NULL) ||
        (plan->loop_count != 0 && workflow->loops == NULL) || !make_places(guide, workflow) ||
        !ready_open(guide, workflow)) {
        return false;
    }
    for (uint32_t slot = plan_events(plan);
         slot-- > 0;) { /* so that slot 0 is the first to be taken */
        struct event *event = workflow_event(workflow, slot);
        event->workflow = workflow;
        event->slot = slot;
        event->status_stage = KWE_NO_STAGE;
        event->place = slot; /* for good, unless there are places of two sizes */
        event->block =
            workflow->blocks == NULL ? NULL : workflow->blocks + slot * block_stride(plan);
        event->loops = workflow->loops == NULL ? NULL : workflow->loops + slot * plan->loop_count;
        if (!plan->is_arena) {
            event->plan = workflow->plan;
            event_make_runs(event);
        }
        event->next_free = workflow->free;
        workflow->free = event;
    }
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        workflow->stage_status[i].deck = plan->stages[i].deck;
    }
    return true;
}

static uint32_t next_generation(struct guide_shared *shared)
{
    shared->generation = (shared->generation + 1) & 0xffffffu;
    shared->generation = shared->generation == 0 ? 1 : shared->generation;
    return shared->generation;
}

enum kerr guide_register(struct guide *guide, struct plan *plan, uint32_t owner,
                         uint64_t arena_base, const uint64_t *segment_offsets, uint32_t *id)
{
    uint32_t index = 0;

    while (index < GUIDE_MAX_WORKFLOWS && guide->shared->workflow_taken[index]) {
        index++;
    }
    if (index == GUIDE_MAX_WORKFLOWS || owner >= MAX_PROGRAMS) {
        return KERR_TOO_MANY;
    }
    struct workflow *workflow = guide_alloc(guide, sizeof(*workflow));
    if (workflow == NULL) {
        return KERR_NO_MEMORY;
    }
    workflow->plan = plan;
    workflow->stage_room = plan->is_arena ? KWE_MAX_ROUTE_STAGES : plan->stage_count;
    workflow->arena_base = arena_base;
    memcpy(workflow->segment_offset, segment_offsets,
           plan->segment_count * sizeof(*segment_offsets));
    workflow->id = next_generation(guide->shared) << 8 | index;
    workflow->owner = owner;
    workflow->registered = true;
    workflow->status.workflow = workflow->id;
    workflow->status.stage_count = plan->stage_count;
    for (uint32_t i = 0; i < guide->instance_count; i++) {
        int segment =
            plan_segment_of(plan, guide->instance[i].spec->prefix, guide->instance[i].ordinal);
        workflow->segment_of[i] = segment < 0 ? NO_SEGMENT : (uint8_t)segment;
    }
    if (!make_slots(guide, workflow) || !work_open(guide, workflow)) {
        free_workflow(guide, workflow);
        return KERR_NO_MEMORY;
    }
    guide->workflow[index] = workflow;
    guide->shared->workflow_taken[index] = true;
    *id = workflow->id;
    return KERR_OK;
}

enum kerr guide_check_owner(const struct guide *guide, uint32_t owner, uint32_t id)
{
    const struct workflow *workflow = workflow_find(guide, id);
    return workflow != NULL && workflow->registered && workflow->owner == owner ? KERR_OK
                                                                                : KERR_BAD_HANDLE;
}

/* A verdict will not do for one that stands: it starts again. */
static bool can_be_cancelled(const struct event *event)
{
    return event->live &&
           (event->status == KERR_OK || event->status == KERR_NEED_ROOM || event->is_standing);
}

void guide_cancel(struct guide *guide, uint32_t id, uint64_t now_ns)
{
    struct workflow *workflow = workflow_find(guide, id);

    for (uint32_t slot = 0; workflow != NULL && slot < plan_events(workflow->plan); slot++) {
        struct event *event = workflow_event(workflow, slot);
        if (can_be_cancelled(event)) {
            event_cancel(guide, event, now_ns);
        }
    }
}

/* Those that came through the ring and have this cookie; NULL: that stand. Returns how many. */
static uint32_t cancel_of_ring(struct guide *guide, const struct program_ring *ring,
                               const uint64_t *cookie, uint64_t now_ns)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < GUIDE_MAX_WORKFLOWS; i++) {
        const struct workflow *workflow = guide->workflow[i];
        for (uint32_t slot = 0; workflow != NULL && slot < plan_events(workflow->plan); slot++) {
            struct event *event = workflow_event(workflow, slot);
            if (can_be_cancelled(event) && event->ring == ring &&
                (cookie == NULL ? event->is_standing : event->cookie == *cookie)) {
                event_cancel(guide, event, now_ns);
                count++;
            }
        }
    }
    return count;
}

uint32_t guide_cancel_event(struct guide *guide, const struct program_ring *ring, uint64_t cookie,
                            uint64_t now_ns)
{
    return cancel_of_ring(guide, ring, &cookie, now_ns);
}

void guide_cancel_standing(struct guide *guide, const struct program_ring *ring, uint64_t now_ns)
{
    (void)cancel_of_ring(guide, ring, NULL, now_ns);
}

/* Results that still hold slots of this workflow hold them no longer: its arena goes. */
static void let_go(struct guide *guide, struct workflow *workflow)
{
    for (uint32_t slot = 0; slot < plan_events(workflow->plan); slot++) {
        struct event *event = workflow_event(workflow, slot);
        if (event->holds) {
            ring_let_go(guide, event->ring, event->held_place);
        }
    }
}

void guide_unregister(struct guide *guide, uint32_t id, uint64_t now_ns)
{
    struct workflow *workflow = workflow_find(guide, id);

    if (workflow == NULL || !workflow->registered) {
        return;
    }
    workflow->registered = false;
    guide->draining++;
    let_go(guide, workflow);
    guide_cancel(guide, id, now_ns);
}

void guide_collect(struct guide *guide)
{
    for (uint32_t i = 0; guide->draining > 0 && i < GUIDE_MAX_WORKFLOWS; i++) {
        struct workflow *workflow = guide->workflow[i];
        if (workflow == NULL || workflow->registered || workflow->live_count > 0) {
            continue;
        }
        guide->draining--;
        guide->workflow[i] = NULL;
        guide->shared->workflow_taken[i] = false;
        guide->config.port.workflow_gone(guide->config.port.context, workflow->id);
        struct plan *plan = workflow->plan;
        free_workflow(guide, workflow);
        plan_destroy(plan);
    }
}

void guide_program_gone(struct guide *guide, uint32_t owner, uint64_t now_ns)
{
    for (uint32_t i = 0; i < GUIDE_MAX_WORKFLOWS; i++) {
        if (guide->workflow[i] != NULL && guide->workflow[i]->owner == owner) {
            guide_unregister(guide, guide->workflow[i]->id, now_ns);
        }
    }
}

bool guide_status(const struct guide *guide, uint32_t id, struct kwe_workflow_status *status,
                  struct kwe_stage_status *stages)
{
    const struct workflow *workflow = workflow_find(guide, id);

    if (workflow == NULL) {
        return false;
    }
    *status = workflow->status;
    status->in_flight = workflow->live_count;
    memcpy(stages, workflow->stage_status, workflow->plan->stage_count * sizeof(*stages));
    return true;
}

bool guide_plan(const struct guide *guide, uint32_t id, struct kwe_plan *plan,
                struct kwe_plan_stage *stages)
{
    const struct workflow *workflow = workflow_find(guide, id);

    if (workflow == NULL) {
        return false;
    }
    plan_explain(workflow->plan, plan, stages);
    plan->workflow = id;
    return true;
}

void guide_deck_statistics(const struct guide *guide, uint8_t prefix,
                           struct kwe_deck_statistics *out)
{
    const struct kwe_deck_statistics *statistics = &guide->deck[prefix].statistics;

    out->visits = statistics->visits;
    out->events = statistics->events;
    out->completions = statistics->completions;
    out->copied_cache = statistics->copied_cache;
    out->copied_device = statistics->copied_device;
}

uint64_t guide_results(const struct guide *guide, uint64_t *first_ns)
{
    *first_ns = guide->first_result_ns;
    return guide->results;
}

uint64_t guide_observe_dropped(const struct guide *guide)
{
    return guide->observe_dropped;
}
