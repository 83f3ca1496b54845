/* dispatch.c - vectors of ready stages to instances, and their answers back. */
#include "kernel/nucleus/guide/state.h"

/* A vector's worth of work: long enough that the visit costs little beside it, short enough that others get their turn. */
#define VECTOR_COST_NS     200000u
#define TICKET_GENERATIONS 0xffffffu

/* ---- parameters and inputs ---------------------------------------------------------------------------------------- */

static uint64_t output_offset(const struct event *event, const struct stage_run *run)
{
    const struct workflow *workflow = event->workflow;
    return workflow->segment_offset[run->segment] +
           event->slot * workflow->plan->segment[run->segment].stride +
           workflow->plan->stages[run->stage].out_offset;
}

static void bind_input(const struct event *event, const struct kwe_binding *binding,
                       struct kwe_buffer *input)
{
    const struct workflow *workflow = event->workflow;

    if (binding->kind == KWE_BIND_INPUT_STAGE) {
        const struct stage_run *source = &event->run[binding->stage];
        *input =
            (struct kwe_buffer){ output_offset(event, source), source->length, source->segment };
    } else if (binding->kind == KWE_BIND_INPUT_EVENT) {
        *input = (struct kwe_buffer){ workflow->segment_offset[PLAN_SEGMENT_PROGRAM] +
                                          event->input_offset,
                                      event->input_length, PLAN_SEGMENT_PROGRAM };
    } else {
        uint64_t at = workflow->segment_offset[PLAN_SEGMENT_NUCLEUS] +
                      workflow->plan->constant_offset + binding->source_offset;
        *input = (struct kwe_buffer){ at, binding->source_bytes, PLAN_SEGMENT_NUCLEUS };
    }
}

/* KERR_BAD_PARAMETER: the value does not fit the field. */
static enum kerr bind_number(uint64_t value, const struct kwe_binding *binding, uint8_t *params)
{
    if (binding->width == 4) {
        if (value > UINT32_MAX) {
            return KERR_BAD_PARAMETER;
        }
        uint32_t narrow = (uint32_t)value;
        memcpy(params + binding->target, &narrow, sizeof(narrow));
    } else {
        memcpy(params + binding->target, &value, sizeof(value));
    }
    return KERR_OK;
}

static enum kerr bind_one(const struct event *event, const struct kwe_binding *binding,
                          struct kwe_work_frame *frame)
{
    switch (binding->kind) {
    case KWE_BIND_PARAM_VALUE:
        return bind_number(event->run[binding->stage].value[binding->source_index], binding,
                           frame->params);
    case KWE_BIND_PARAM_LENGTH:
        return bind_number(event->run[binding->stage].length, binding, frame->params);
    case KWE_BIND_PARAM_BLOCK:
        memcpy(frame->params + binding->target, event->block + binding->source_offset,
               binding->source_bytes);
        return KERR_OK;
    default:
        bind_input(event, binding, &frame->input[binding->target]);
        return KERR_OK;
    }
}

static enum kerr fill_frame(const struct stage_run *run, struct kwe_work_frame *frame)
{
    const struct event *event = run->event;
    const struct plan *plan = event->workflow->plan;
    const struct plan_stage *stage = &plan->stages[run->stage];
    bool bound_params = false;
    uint32_t bad_offset;

    memcpy(frame->params, plan->params + stage->params_offset, stage->params_bytes);
    for (uint16_t i = 0; i < stage->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[stage->binding_first + i];
        enum kerr bound = bind_one(event, binding, frame);
        if (bound != KERR_OK) {
            return bound;
        }
        bound_params |= binding->kind > KWE_BIND_INPUT_CONSTANT;
    }
    if (bound_params && stage->op->validate != NULL) {
        return stage->op->validate(frame->params, &bad_offset);
    }
    return KERR_OK;
}

/* ---- handing over ------------------------------------------------------------------------------------------------- */

static void fill_work(const struct stage_run *run, uint32_t ticket, struct kwe_work *work)
{
    const struct event *event = run->event;
    const struct workflow *workflow = event->workflow;
    const struct plan_stage *stage = &workflow->plan->stages[run->stage];

    *work = (struct kwe_work){
        .ticket = ticket,
        .op = stage->number,
        .stage = run->stage,
        .workflow = workflow->id,
        .input_count = (uint8_t)stage->input_count,
        .params_bytes = (uint16_t)stage->params_bytes,
        .arena_base = workflow->arena_base,
        .out_offset = stage->out_room == 0 ? 0 : output_offset(event, run),
        .out_capacity = stage->out_room,
        .manifest_offset = (uint32_t)(workflow->segment_offset[PLAN_SEGMENT_NUCLEUS] +
                                      workflow->plan->manifest_offset),
        .manifest_count = workflow->plan->header->manifest_count,
        .deadline_ns = event->deadline_ns,
        .event = event->number,
    };
}

static uint32_t ticket_take(struct guide_instance *instance, struct stage_run *run)
{
    uint32_t index = instance->first_free;
    struct in_hand *place = &instance->in_hand[index];

    instance->first_free = place->next_free;
    place->run = run;
    place->generation = (place->generation + 1) & TICKET_GENERATIONS;
    return index | place->generation << 8;
}

static void ticket_give(struct guide_instance *instance, uint32_t index)
{
    instance->in_hand[index].run = NULL;
    instance->in_hand[index].next_free = instance->first_free;
    instance->first_free = index;
}

/* Count what is handed over. */
static void account(struct workflow *workflow, const struct stage_run *run,
                    const struct kwe_work_frame *frame, uint64_t now_ns)
{
    struct kwe_stage_status *status = &workflow->stage_status[run->stage];
    uint32_t inputs = workflow->plan->stages[run->stage].input_count;

    status->queued_ns += now_ns - run->ready_ns;
    for (uint32_t i = 0; i < inputs; i++) {
        status->bytes_in += frame->input[i].length;
    }
}

/* Hand the deck's first ready stage over. False: it could not be (its event has failed), try the next. */
static bool take_first(struct guide *guide, struct guide_deck *deck,
                       struct guide_instance *instance, uint64_t now_ns, struct kwe_work *work,
                       struct kwe_work_frame *frames, struct guide_vector *vector)
{
    struct stage_run *run = ready_first(deck);
    const struct plan_stage *stage;
    struct event *event = run->event;
    struct workflow *workflow = event->workflow;

    if (event->deadline_ns != 0 && now_ns > event->deadline_ns) {
        event_fail(guide, event, run->stage, KERR_DEADLINE_PASSED, now_ns);
        return false;
    }
    struct kwe_work_frame *frame = &frames[instance->first_free];
    enum kerr filled = fill_frame(run, frame);
    if (filled != KERR_OK) {
        event_fail(guide, event, run->stage, filled, now_ns);
        return false;
    }
    ready_remove(guide, run);
    run->state = RUN_IN_HAND;
    run->segment = workflow->segment_of[instance - guide->instance];
    event->in_hand++;
    stage = &workflow->plan->stages[run->stage];
    vector->cost_ns += run->cost_ns;
    /* A small input may have a large output: what is allowed goes by the larger. */
    uint64_t most_ns = plan_cost_ns(stage, stage->out_room);
    vector->most_ns += most_ns > run->cost_ns ? most_ns : run->cost_ns;
    account(workflow, run, frame, now_ns);
    fill_work(run, ticket_take(instance, run), work);
    return true;
}

uint32_t guide_take(struct guide *guide, uint32_t instance_index, uint64_t now_ns,
                    struct kwe_work *work, struct kwe_work_frame *frames, uint32_t room,
                    struct guide_vector *vector)
{
    struct guide_instance *instance = &guide->instance[instance_index];
    struct guide_deck *deck = &guide->deck[instance->spec->prefix];
    uint32_t count = 0;

    *vector = (struct guide_vector){ .cost_ns = 0 };
    if (guide->observer == deck) {
        count = observe_take(guide, work, room / 2);
    }
    /* Instances of one deck share what is ready when it is worth a second one's while; the last one's share is not larger than the first's. */
    uint32_t sharers = deck->ready_cost_ns < GUIDE_SHARE_NS ? 1 : deck->instance_count;
    uint32_t share = (deck->ready_count + sharers - 1) / sharers;
    uint32_t most = count + share < room ? count + share : room;
    while (count < most && deck->ready_count > 0 && instance->first_free < instance->spec->depth &&
           vector->cost_ns < VECTOR_COST_NS) {
        if (take_first(guide, deck, instance, now_ns, &work[count], frames, vector)) {
            count++;
            deck->statistics.events++;
        }
    }
    if (count > 0) {
        deck->statistics.visits++;
    }
    return count;
}

/* ---- answers ------------------------------------------------------------------------------------------------------ */

enum kerr guide_complete(struct guide *guide, uint32_t instance_index,
                         const struct kwe_completion *completion, uint64_t now_ns)
{
    struct guide_instance *instance = &guide->instance[instance_index];
    uint32_t index = KWE_TICKET_INDEX(completion->ticket);

    if (index >= instance->spec->depth || instance->in_hand[index].run == NULL ||
        instance->in_hand[index].generation != completion->ticket >> 8 ||
        completion->status >= KERR_COUNT) {
        return KERR_DECK_BROKE_RULES;
    }
    struct stage_run *run = instance->in_hand[index].run;
    struct event *event = run->event;
    struct workflow *workflow = event->workflow;
    if (completion->out_length > workflow->plan->stages[run->stage].out_room) {
        return KERR_DECK_BROKE_RULES;
    }
    struct kwe_stage_status *status = &workflow->stage_status[run->stage];
    struct kwe_deck_statistics *statistics = &guide->deck[instance->spec->prefix].statistics;

    ticket_give(instance, index);
    event->in_hand--;
    statistics->completions++;
    statistics->copied_cache += completion->copied_cache;
    statistics->copied_device += completion->copied_device;
    status->busy_ns += completion->elapsed_ns;
    if (completion->status != KERR_OK) {
        run->state = RUN_SKIPPED;
        status->failed++;
        event_fail(guide, event, run->stage, (enum kerr)completion->status, now_ns);
        return KERR_OK;
    }
    run->state = RUN_DONE;
    run->length = completion->out_length;
    memcpy(run->value, completion->value, sizeof(run->value));
    event->stages_left--;
    status->events++;
    status->bytes_out += completion->out_length;
    event_advance(guide, run, now_ns);
    return KERR_OK;
}

uint64_t guide_ready_cost_ns(const struct guide *guide, uint8_t prefix)
{
    return guide->deck[prefix].ready_cost_ns;
}

/* ---- death -------------------------------------------------------------------------------------------------------- */

/* Does anything still need this output? */
static bool output_is_live(const struct event *event, const struct stage_run *run)
{
    const struct plan *plan = event->workflow->plan;
    const struct plan_stage *stage = &plan->stages[run->stage];

    if (run->state != RUN_DONE || run->length == 0) {
        return false;
    }
    if (plan->header->result_stage == run->stage) {
        return true;
    }
    for (uint16_t i = 0; i < stage->successor_count; i++) {
        if (event->run[plan->successors[stage->successor_first + i]].state != RUN_DONE) {
            return true;
        }
    }
    return false;
}

/* The first stage whose live output lies in the segment; -1: none. */
static int suspect_stage(const struct event *event, uint8_t segment)
{
    for (uint16_t i = 0; i < event->workflow->plan->stage_count; i++) {
        if (event->run[i].segment == segment && output_is_live(event, &event->run[i])) {
            return i;
        }
    }
    return -1;
}

static void fail_suspects(struct guide *guide, struct workflow *workflow, uint8_t segment,
                          uint64_t now_ns)
{
    uint32_t slots = workflow->plan->slots;
    for (uint32_t slot = 0; slot < slots; slot++) {
        struct event *event = workflow_event(workflow, slot);
        int stage = event->live ? suspect_stage(event, segment) : -1;
        if (stage >= 0) {
            event_fail(guide, event, (uint16_t)stage, KERR_DECK_FAULT, now_ns);
        }
    }
}

void guide_instance_lost(struct guide *guide, uint32_t instance_index, uint64_t now_ns)
{
    struct guide_instance *instance = &guide->instance[instance_index];
    struct stage_run *lost[KWE_MAX_DEPTH];
    uint32_t lost_count = 0;

    /* First take all of it out of its hands, then fail: an event may have had several stages there. */
    for (uint32_t i = 0; i < instance->spec->depth; i++) {
        struct stage_run *run = instance->in_hand[i].run;
        if (run != NULL) {
            run->state = RUN_SKIPPED;
            run->event->in_hand--;
            run->event->workflow->stage_status[run->stage].failed++;
            ticket_give(instance, i);
            lost[lost_count++] = run;
        }
    }
    for (uint32_t i = 0; i < lost_count; i++) {
        struct event *event = lost[i]->event;
        if (event->live) {
            event_fail(guide, event, lost[i]->stage, KERR_DECK_FAULT, now_ns);
        }
    }
    for (uint32_t i = 0; i < GUIDE_MAX_WORKFLOWS; i++) {
        struct workflow *workflow = guide->workflow[i];
        if (workflow != NULL && workflow->segment_of[instance_index] != NO_SEGMENT) {
            fail_suspects(guide, workflow, workflow->segment_of[instance_index], now_ns);
        }
    }
}

void guide_instance_state(struct guide *guide, uint32_t instance_index,
                          enum guide_instance_state state, uint64_t now_ns)
{
    struct guide_instance *instance = &guide->instance[instance_index];
    struct guide_deck *deck = &guide->deck[instance->spec->prefix];

    instance->down = state == GUIDE_INSTANCE_DOWN;
    for (uint32_t i = 0; i < deck->instance_count; i++) {
        if (!guide->instance[deck->first_instance + i].down) {
            if (deck->ready_count > 0) {
                guide->config.port.deck_ready(guide->config.port.context, instance->spec->prefix);
            }
            return;
        }
    }
    struct stage_run *run;
    while ((run = ready_first(deck)) != NULL) {
        event_fail(guide, run->event, run->stage, KERR_DECK_DOWN, now_ns);
    }
}
