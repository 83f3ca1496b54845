/* dispatch.c - vectors of ready stages to instances, and their answers back. */
#include "kernel/nucleus/guide/state.h"

/* A vector's worth of work: long enough that the visit costs little beside it, short enough that others get their turn. */
#define VECTOR_COST_NS 200000u
/* What may hold up others that wait for the stage before it. */
#define FUSED_COST_NS      50000u
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
    const struct plan_stage *stage = &event->plan->stages[run->stage];

    *work = (struct kwe_work){
        .ticket = run->ticket,
        .op = stage->number,
        .stage = run->stage,
        .workflow = workflow->id,
        .input_count = (uint8_t)stage->input_count,
        .params_bytes = (uint16_t)stage->params_bytes,
        .arena_base = workflow->arena_base,
        .out_offset = run_room(run) == 0 ? 0 : run->out_offset,
        .out_capacity = run_room(run),
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

/* What is being handed over. */
struct taking {
    struct guide_deck *deck;
    struct guide_instance *instance;
    struct kwe_work *work;
    struct kwe_work_frame *frames;
    struct guide_vector *vector;
    uint32_t count, room;
    uint64_t now_ns;
};

/* Count what is handed over; a fused stage's input is counted when its length is known. */
static void account(const struct taking *taking, const struct stage_run *run,
                    const struct kwe_work_frame *frame)
{
    struct workflow *workflow = run->event->workflow;
    struct kwe_stage_status *status = &workflow->stage_status[run->stage];
    const uint64_t visit = taking->deck->statistics.visits + 1;
    uint32_t inputs = run_stage(run)->input_count;

    status->visits += workflow->visit_of[run->stage] == visit ? 0 : 1;
    workflow->visit_of[run->stage] = visit;
    status->queued_ns += taking->now_ns - run->ready_ns;
    for (uint32_t i = 0; i < inputs; i++) {
        status->bytes_in +=
            frame->input[i].length == KWE_LENGTH_OF_BEFORE ? 0 : frame->input[i].length;
    }
}

static void hand_over(struct guide *guide, struct taking *taking, struct stage_run *run,
                      const struct kwe_work_frame *frame)
{
    const struct plan_stage *stage = run_stage(run);
    struct guide_vector *vector = taking->vector;

    ready_charge(guide, run);
    run->state = RUN_IN_HAND;
    run->ticket = ticket_take(taking->instance, run);
    run->event->in_hand++;
    vector->cost_ns += run->cost_ns;
    /* A small input may have a large output: what is allowed goes by the larger. */
    const uint64_t bytes = bind_size_bytes(run), room = run_room(run);
    vector->most_ns += plan_most_ns(stage, bytes > room ? bytes : room);
    account(taking, run, frame);
    fill_work(run, &taking->work[taking->count++]);
    taking->deck->statistics.events++;
    if (run->event->is_standing) {
        standing_stage_handed(run);
    }
    trace_run(guide, KWE_TRACE_HANDED, run, NULL, taking->now_ns);
}

static enum kerr bind_here(struct guide *guide, const struct taking *taking, struct stage_run *run)
{
    run->instance = (uint8_t)(taking->instance - guide->instance);
    bind_output(run, run->event->workflow->segment_of[run->instance]);
    return bind_frame(guide, run, &taking->frames[taking->instance->first_free]);
}

static bool has_place(const struct taking *taking)
{
    return taking->count < taking->room &&
           taking->instance->first_free < taking->instance->spec->depth;
}

/* Answers come back by the visit: another that waits for `before` would wait for what is fused to it, too. */
static bool is_worth_fusing(const struct stage_run *before, uint64_t cost_ns)
{
    return run_stage(before)->successor_count == 1 || cost_ns <= FUSED_COST_NS;
}

/*
 * With a stage go those of its deck that wait for it alone, one after the other. A binding that fails is told when its turn comes. Behind one
 * that is early goes nothing while that waits: its answer would set going what has to come after all that it waits for, too.
 */
static void hand_fused_over(struct guide *guide, struct taking *taking, struct stage_run *before)
{
    const uint64_t bytes = bind_size_bytes(before); /* a guess for what comes after it */

    if (before->waits != 0) {
        return;
    }
    while (run_stage(before)->fused_next != KWE_NO_STAGE && has_place(taking)) {
        struct stage_run *run =
            event_run(before->event, run_stage(before)->fused_next, before->lane);
        struct kwe_work_frame *frame = &taking->frames[taking->instance->first_free];
        if (run->state != RUN_WAITING || run->waits != 1 ||
            !is_worth_fusing(before, plan_cost_ns(run_stage(run), bytes)) ||
            bind_here(guide, taking, run) != KERR_OK) {
            return;
        }
        run->ready_ns = taking->now_ns;
        run->cost_ns = plan_cost_ns(run_stage(run), bytes);
        hand_over(guide, taking, run, frame);
        taking->work[taking->count - 1].after = (uint8_t)(KWE_TICKET_INDEX(before->ticket) + 1);
        run->event->workflow->stage_status[run->stage].fused++;
        before = run;
    }
}

/* Hand the deck's first ready stage over, if it can be; else its event has failed, try the next. */
static void take_first(struct guide *guide, struct taking *taking, struct stage_run *run)
{
    struct event *event = run->event;
    struct kwe_work_frame *frame = &taking->frames[taking->instance->first_free];
    enum kerr bound = bind_here(guide, taking, run);

    if (bound != KERR_OK) {
        stage_fail(guide, run, bound, run->stage, taking->now_ns);
        event_settle(guide, event, taking->now_ns);
        return;
    }
    ready_remove(guide, run);
    hand_over(guide, taking, run, frame);
    hand_fused_over(guide, taking, run);
}

uint32_t guide_take(struct guide *guide, uint32_t instance_index, uint64_t now_ns,
                    struct kwe_work *work, struct kwe_work_frame *frames, uint32_t room,
                    struct guide_vector *vector)
{
    struct guide_instance *instance = &guide->instance[instance_index];
    struct guide_deck *deck = &guide->deck[instance->spec->prefix];
    uint32_t count = 0;

    *vector = (struct guide_vector){ .cost_ns = 0 };
    if (guide->config.first_instance_only && instance->ordinal != 0) {
        return 0;
    }
    if (guide->observer == deck) {
        count = observe_take(guide, work, room / 2);
    }
    /* Instances of one deck share what is ready when it is worth a second one's while; the last one's share is not larger than the first's. */
    uint32_t sharers = deck->ready_cost_ns < GUIDE_SHARE_NS ? 1 : deck->instance_count;
    uint32_t share = (deck->ready_count + sharers - 1) / sharers;
    uint32_t most = count + share < room ? count + share : room;
    struct taking taking = { deck, instance, work, frames, vector, count, room, now_ns };
    while (taking.count < most && deck->ready_count > 0 && has_place(&taking) &&
           vector->cost_ns < VECTOR_COST_NS) {
        struct stage_run *run = ready_first(guide, deck);
        if (vector->cost_ns > 0 && run->cost_ns > VECTOR_COST_NS) {
            break; /* what is short does not wait for what is long */
        }
        take_first(guide, &taking, run);
    }
    if (taking.count > 0) {
        deck->statistics.visits++;
    }
    return taking.count;
}

/* ---- answers ------------------------------------------------------------------------------------------------------ */

/* It does not fit. True: the event will begin again with more room; else *verdict says how the stage has failed. */
static bool begins_again(struct guide *guide, struct stage_run *run,
                         const struct kwe_completion *completion, enum kerr *verdict,
                         uint64_t now_ns)
{
    if (*verdict != KERR_NEED_ROOM) {
        return false;
    }
    *verdict = completion->otherwise == KERR_OK || completion->otherwise >= KERR_COUNT ||
                       completion->otherwise == KERR_NEED_ROOM
                   ? KERR_OUTPUT_TOO_LARGE
                   : (enum kerr)completion->otherwise;
    const bool again = room_ask(guide, run, completion->value[0], now_ns);
    run->event->workflow->stage_status[run->stage].failed += again ? 0 : 1;
    return again;
}

/* What it means. A stage that was recalled because its time was up has failed, whatever it says now. */
static void answered(struct guide *guide, struct stage_run *run,
                     const struct kwe_completion *completion, uint64_t now_ns)
{
    struct kwe_stage_status *status = &run->event->workflow->stage_status[run->stage];
    enum kerr verdict = (enum kerr)(run->status != KERR_OK ? run->status : completion->status);

    if (completion->status == KERR_OK) {
        status->events++;
        status->bytes_out += completion->out_length;
    } else if (completion->status != KERR_CANCELLED && completion->status != KERR_NEED_ROOM) {
        /* given back is neither */
        status->failed++;
    }
    if (run->event->status != KERR_OK || run->state == RUN_ABANDONED) {
        stage_returned(guide, run, now_ns);
    } else if (begins_again(guide, run, completion, &verdict, now_ns)) {
        return;
    } else if (verdict != KERR_OK) {
        stage_fail(guide, run, verdict, run->stage, now_ns);
    } else {
        if (run->event->is_standing && !run->event->has_fired) {
            standing_stage_done(guide, run, now_ns);
        }
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
        instance->in_hand[index].generation != completion->ticket >> 8) {
        return KERR_DECK_BROKE_RULES;
    }
    struct stage_run *run = instance->in_hand[index].run;
    if (completion->status == KWE_STATUS_ARMED) {
        standing_stage_armed(run);
        return KERR_OK;
    }
    if (completion->status >= KERR_COUNT) {
        return KERR_DECK_BROKE_RULES;
    }
    struct event *event = run->event;
    struct workflow *workflow = event->workflow;
    if (completion->out_length > run_room(run)) {
        return KERR_DECK_BROKE_RULES;
    }
    struct kwe_stage_status *status = &workflow->stage_status[run->stage];
    struct kwe_deck_statistics *statistics = &guide->deck[instance->spec->prefix].statistics;

    trace_run(guide, KWE_TRACE_ANSWERED, run, completion, now_ns);
    ticket_give(instance, index);
    event->in_hand--;
    statistics->completions++;
    statistics->copied_cache += completion->copied_cache;
    statistics->copied_device += completion->copied_device;
    status->busy_ns += completion->elapsed_ns;
    room_note_effect(run);
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
    const struct plan *plan = run->event->plan;
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
    const struct plan *plan = run->event->plan;
    const struct plan_stage *stage = run_stage(run);

    if ((run->state != RUN_DONE && run->state != RUN_HELD) || run->length == 0) {
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
    for (uint32_t i = 0; i < event->plan->run_count; i++) {
        if (event->run[i].segment == segment && output_is_live(&event->run[i])) {
            return event->run[i].stage;
        }
    }
    return -1;
}

static void fail_suspects(struct guide *guide, struct workflow *workflow, uint8_t segment,
                          uint64_t now_ns)
{
    uint32_t slots = plan_events(workflow->plan);
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
    } else if (run->waits != 0 && !run_stage(run)->is_early) {
        stage_lost_behind(guide, run, now_ns);
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
            trace_run(guide, KWE_TRACE_FORSAKEN, run, NULL, now_ns);
            room_note_effect(run);
            run->state = run->state == RUN_ABANDONED ? RUN_ABANDONED : RUN_FAILED;
            deadline_set(guide, &run->deadline, 0);
            run->event->in_hand--;
            ticket_give(instance, i);
            lost[lost_count++] = run;
        }
    }
    /* Those that waited for another of them come last: that one is to blame. */
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < lost_count; i++) {
            if (lost[i] != NULL && lost[i]->event->live && (pass == 1 || lost[i]->waits == 0)) {
                fail_lost(guide, lost[i], now_ns);
                lost[i] = NULL;
            }
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
    while ((run = ready_first(guide, deck)) != NULL) {
        struct event *event = run->event;
        stage_fail(guide, run, KERR_DECK_DOWN, run->stage, now_ns);
        event_settle(guide, event, now_ns);
    }
}
