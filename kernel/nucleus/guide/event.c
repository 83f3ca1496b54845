/* event.c - one event from its first stage to its one result. */
#include "kernel/nucleus/guide/state.h"

/* ---- ready queues ------------------------------------------------------------------------------------------------ */

static bool deck_is_down(const struct guide *guide, const struct guide_deck *deck)
{
    for (uint32_t i = 0; i < deck->instance_count; i++) {
        if (!guide->instance[deck->first_instance + i].down) {
            return false;
        }
    }
    return true;
}

/* Of the first input; of the output's room when there is none. The stages before it have answered. */
static uint64_t size_bytes(const struct stage_run *run)
{
    const struct event *event = run->event;
    const struct plan *plan = event->workflow->plan;
    const struct plan_stage *stage = &plan->stages[run->stage];

    for (uint16_t i = 0; i < stage->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[stage->binding_first + i];
        if (binding->kind <= KWE_BIND_INPUT_CONSTANT && binding->target == 0) {
            return binding->kind == KWE_BIND_INPUT_STAGE   ? event->run[binding->stage].length
                   : binding->kind == KWE_BIND_INPUT_EVENT ? event->input_length
                                                           : binding->source_bytes;
        }
    }
    return stage->out_room;
}

bool ready_push(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    const struct plan_stage *stage = &run->event->workflow->plan->stages[run->stage];
    struct guide_deck *deck = &guide->deck[stage->deck];
    struct ready_queue *queue = &deck->ready[stage->level];

    if (deck_is_down(guide, deck)) {
        event_fail(guide, run->event, run->stage, KERR_DECK_DOWN, now_ns);
        return false;
    }
    run->state = RUN_READY;
    run->ready_ns = now_ns;
    run->cost_ns = plan_cost_ns(stage, size_bytes(run));
    run->next = NULL;
    run->previous = queue->last;
    if (queue->last == NULL) {
        queue->first = run;
        deck->ready_levels |= 1ull << stage->level;
    } else {
        queue->last->next = run;
    }
    queue->last = run;
    deck->ready_count++;
    deck->ready_cost_ns += run->cost_ns;
    if (deck->ready_count == 1) {
        /* More than one: whoever takes the first sees the rest and has a sibling come for it. */
        guide->config.port.deck_ready(guide->config.port.context, stage->deck);
    }
    return true;
}

void ready_remove(struct guide *guide, struct stage_run *run)
{
    const struct plan_stage *stage = &run->event->workflow->plan->stages[run->stage];
    struct guide_deck *deck = &guide->deck[stage->deck];
    struct ready_queue *queue = &deck->ready[stage->level];

    if (run->previous == NULL) {
        queue->first = run->next;
    } else {
        run->previous->next = run->next;
    }
    if (run->next == NULL) {
        queue->last = run->previous;
    } else {
        run->next->previous = run->previous;
    }
    if (queue->first == NULL) {
        deck->ready_levels &= ~(1ull << stage->level);
    }
    deck->ready_count--;
    deck->ready_cost_ns -= run->cost_ns;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void event_start(struct guide *guide, struct event *event, uint64_t now_ns)
{
    const struct plan *plan = event->workflow->plan;

    event->stages_left = (uint16_t)plan->stage_count;
    event->in_hand = 0;
    event->status = KERR_OK;
    event->status_stage = KWE_NO_STAGE;
    event->live = true;
    event->holds = false;
    event->workflow->live_count++;
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        struct stage_run *run = &event->run[i];
        run->event = event;
        run->stage = i;
        run->waits = plan->stages[i].waits;
        run->state = RUN_WAITING;
        run->length = 0;
    }
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        if (event->run[i].waits == 0 && !ready_push(guide, &event->run[i], now_ns)) {
            return;
        }
    }
}

static void fill_buffer(const struct event *event, struct kwe_result *result)
{
    const struct workflow *workflow = event->workflow;
    uint16_t index = workflow->plan->header->result_stage;

    if (index == KWE_NO_STAGE || event->status != KERR_OK) {
        return;
    }
    const struct stage_run *run = &event->run[index];
    const struct plan_stage *stage = &workflow->plan->stages[index];
    result->value = stage->op->value_count > 0 ? run->value[0] : 0;
    result->length = run->length;
    if (run->length > 0) {
        result->offset = workflow->segment_offset[run->segment] +
                         event->slot * workflow->plan->segment[run->segment].stride +
                         stage->out_offset;
    }
}

/* Nothing of it is in hand, and there is a verdict. */
static void event_end(struct guide *guide, struct event *event, uint64_t now_ns)
{
    struct workflow *workflow = event->workflow;
    struct program_ring *ring = event->ring;
    struct kwe_result result = {
        .cookie = event->cookie,
        .workflow = workflow->id,
        .status = event->status,
        .stage = event->status_stage,
        .step = (uint8_t)(workflow->plan->stage_count - event->stages_left),
        .submitted_ns = event->submitted_ns,
        .finished_ns = now_ns,
    };

    if (event->status_stage != KWE_NO_STAGE) {
        result.deck = workflow->plan->stages[event->status_stage].deck;
    }
    fill_buffer(event, &result);
    event->live = false;
    workflow->live_count--;
    if (event->status == KERR_OK) {
        workflow->status.completed++;
    } else {
        workflow->status.failed++;
    }
    observe(guide, &result);
    bool holds = result.length > 0 && !ring->abandoned && workflow->registered;
    if (holds) {
        ring_publish(guide, ring, &result, event);
    } else {
        event_release(event);
        ring_publish(guide, ring, &result, NULL);
    }
}

void event_release(struct event *event)
{
    struct workflow *workflow = event->workflow;

    event->holds = false;
    event->next_free = workflow->free;
    workflow->free = event;
}

void event_settle(struct guide *guide, struct event *event, uint64_t now_ns)
{
    if (event->in_hand == 0) {
        event_end(guide, event, now_ns);
    }
}

/* What has not been handed over never will be. */
static void skip_rest(struct guide *guide, struct event *event)
{
    for (uint32_t i = 0; i < event->workflow->plan->stage_count; i++) {
        struct stage_run *run = &event->run[i];
        if (run->state == RUN_READY) {
            ready_remove(guide, run);
        }
        if (run->state == RUN_READY || run->state == RUN_WAITING) {
            run->state = RUN_SKIPPED;
        }
    }
}

void event_fail(struct guide *guide, struct event *event, uint16_t stage, enum kerr status,
                uint64_t now_ns)
{
    if (event->status == KERR_OK) {
        event->status = (uint16_t)status;
        event->status_stage = stage;
        skip_rest(guide, event);
    }
    event_settle(guide, event, now_ns);
}

void event_advance(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    struct event *event = run->event;
    const struct plan *plan = event->workflow->plan;
    const struct plan_stage *stage = &plan->stages[run->stage];

    if (event->status !=
        KERR_OK) { /* it failed meanwhile; this was one of the answers waited for */
        event_settle(guide, event, now_ns);
        return;
    }
    if (event->stages_left == 0) {
        event_settle(guide, event, now_ns);
        return;
    }
    for (uint16_t i = 0; i < stage->successor_count; i++) {
        struct stage_run *next = &event->run[plan->successors[stage->successor_first + i]];
        next->waits--;
        if (next->waits == 0 && !ready_push(guide, next, now_ns)) {
            return;
        }
    }
}
