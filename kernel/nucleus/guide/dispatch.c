/* dispatch.c - vectors of ready stages to instances, and their answers back. */
#include "kernel/nucleus/guide/state.h"

/* A vector's worth of work: long enough that the visit costs little beside it, short enough that others get their turn. */
#define VECTOR_COST_NS     200000u
#define TICKET_GENERATIONS 0xffffffu

/* ---- handing over ------------------------------------------------------------------------------------------------- */

/* 0: none. */
static uint64_t soonest(uint64_t one, uint64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

static void fill_work(const struct stage_run *run, struct kwe_work *work)
{
    const struct event *event = run->event;
    const struct workflow *workflow = event->workflow;
    const struct plan_stage *stage = &workflow->plan->stages[run->stage];

    *work = (struct kwe_work){
        .ticket = run->ticket,
        .op = stage->number,
        .stage = run->stage,
        .workflow = workflow->id,
        .input_count = (uint8_t)stage->input_count,
        .params_bytes = (uint16_t)stage->params_bytes,
        .arena_base = workflow->arena_base,
        .out_offset = stage->out_room == 0 ? 0 : bind_output_offset(run),
        .out_capacity = stage->out_room,
        .manifest_offset = (uint32_t)(workflow->segment_offset[PLAN_SEGMENT_NUCLEUS] +
                                      workflow->plan->manifest_offset),
        .manifest_count = workflow->plan->header->manifest_count,
        .deadline_ns = soonest(event->deadline_ns, run->deadline.at_ns),
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

    struct kwe_work_frame *frame = &frames[instance->first_free];
    enum kerr bound = bind_frame(run, frame);
    if (bound != KERR_OK) {
        stage_fail(guide, run, bound, run->stage, now_ns);
        event_settle(guide, event, now_ns);
        return false;
    }
    ready_remove(guide, run);
    run->state = RUN_IN_HAND;
    run->instance = (uint8_t)(instance - guide->instance);
    run->segment = workflow->segment_of[run->instance];
    run->ticket = ticket_take(instance, run);
    event->in_hand++;
    stage = run_stage(run);
    vector->cost_ns += run->cost_ns;
    /* A small input may have a large output: what is allowed goes by the larger. */
    uint64_t most_ns = plan_cost_ns(stage, stage->out_room);
    vector->most_ns += most_ns > run->cost_ns ? most_ns : run->cost_ns;
    account(workflow, run, frame, now_ns);
    fill_work(run, work);
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

/* What it means. A stage that was recalled because its time was up has failed, whatever it says now. */
static void answered(struct guide *guide, struct stage_run *run,
                     const struct kwe_completion *completion, uint64_t now_ns)
{
    struct kwe_stage_status *status = &run->event->workflow->stage_status[run->stage];
    enum kerr verdict = (enum kerr)(run->status != KERR_OK ? run->status : completion->status);

    if (completion->status == KERR_OK) {
        status->events++;
        status->bytes_out += completion->out_length;
    } else {
        status->failed++;
    }
    if (run->event->status != KERR_OK || run->state == RUN_ABANDONED) {
        stage_returned(guide, run, now_ns);
    } else if (verdict != KERR_OK) {
        stage_fail(guide, run, verdict, run->stage, now_ns);
    } else {
        run->length = completion->out_length;
        memcpy(run->value, completion->value, sizeof(run->value));
        stage_done(guide, run, now_ns);
    }
}

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
    answered(guide, run, completion, now_ns);
    event_settle(guide, event, now_ns);
    return KERR_OK;
}

uint64_t guide_ready_cost_ns(const struct guide *guide, uint8_t prefix)
{
    return guide->deck[prefix].ready_cost_ns;
}

/* ---- death -------------------------------------------------------------------------------------------------------- */

static bool has_open_successor(const struct stage_run *run)
{
    const struct plan *plan = run->event->workflow->plan;
    const struct plan_stage *stage = run_stage(run);

    for (uint16_t i = 0; i < stage->successor_count; i++) {
        const uint16_t next = plan->successors[stage->successor_first + i].stage;
        if (!run_is_over(event_run(run->event, next, run->lane))) {
            return true;
        }
    }
    return false;
}

/* Does anything still need this output? That of a body's stage: the next part too, and what comes after the loop. */
static bool output_is_live(const struct stage_run *run)
{
    const struct plan *plan = run->event->workflow->plan;
    const struct plan_stage *stage = run_stage(run);

    if (run->state != RUN_DONE || run->length == 0) {
        return false;
    }
    if (plan->header->result_stage == run->stage || has_open_successor(run)) {
        return true;
    }
    if (!stage->is_body) {
        return false;
    }
    const struct stage_run *loop = event_run(run->event, plan->loops[stage->loop].stage, 0);
    return !run_is_over(loop) || has_open_successor(loop);
}

/* The first stage whose live output lies in the segment; -1: none. */
static int suspect_stage(const struct event *event, uint8_t segment)
{
    for (uint32_t i = 0; i < event->workflow->plan->run_count; i++) {
        if (event->run[i].segment == segment && output_is_live(&event->run[i])) {
            return event->run[i].stage;
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
            event_settle(guide, event, now_ns);
        }
    }
}

/* It was in the hands of an instance that died. */
static void fail_lost(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    struct event *event = run->event;

    if (run->state == RUN_ABANDONED || event->status != KERR_OK) {
        stage_returned(guide, run, now_ns);
    } else {
        enum kerr status = run->status != KERR_OK ? (enum kerr)run->status : KERR_DECK_FAULT;
        event->workflow->stage_status[run->stage].failed++;
        stage_fail(guide, run, status, run->stage, now_ns);
    }
    event_settle(guide, event, now_ns);
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
            run->state = run->state == RUN_ABANDONED ? RUN_ABANDONED : RUN_FAILED;
            deadline_set(guide, &run->deadline, 0);
            run->event->in_hand--;
            ticket_give(instance, i);
            lost[lost_count++] = run;
        }
    }
    for (uint32_t i = 0; i < lost_count; i++) {
        if (lost[i]->event->live) {
            fail_lost(guide, lost[i], now_ns);
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
        struct event *event = run->event;
        stage_fail(guide, run, KERR_DECK_DOWN, run->stage, now_ns);
        event_settle(guide, event, now_ns);
    }
}
