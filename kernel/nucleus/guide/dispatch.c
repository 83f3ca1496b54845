/* dispatch.c - vectors of ready stages to instances, and their answers back. */
#include "kernel/nucleus/guide/taking.h"

/* What may hold up others that wait for the stage before it. */
#define FUSED_COST_NS 50000u

/* ---- handing over ------------------------------------------------------------------------------------------------- */

/* What it may take goes by the larger of `most_bytes` of input and its output's room: a small input may have a large output. */
static void hand_over(struct guide *guide, struct taking *taking, struct stage_run *run,
                      uint64_t most_bytes)
{
    struct guide_vector *vector = taking->vector;
    const uint64_t room = run_room(run);

    taking_account_inputs(run, &taking->frames[ticket_next(taking->instance->hands)]);
    run->state = RUN_IN_HAND;
    run->ticket = ticket_take(guide, taking->instance->hands, run);
    run->event->in_hand++;
    vector->cost_ns += run->cost_ns;
    vector->most_ns += plan_most_ns(run_stage(run), most_bytes > room ? most_bytes : room);
    work_fill(run, ring_back(taking->work, taking->count++));
    if (run->event->is_standing) {
        standing_stage_handed(run);
    }
    if (run_stage(run)->is_open) {
        variant_handed(guide, run);
    }
    trace_run(guide, KWE_TRACE_HANDED, run, NULL, taking->now_ns);
}

static enum kerr bind_here(struct guide *guide, const struct taking *taking, struct stage_run *run)
{
    run->instance = (uint8_t)(taking->instance - guide->instance);
    bind_output(run, run->event->workflow->segment_of[run->instance]);
    return bind_frame(guide, run, &taking->frames[ticket_next(taking->instance->hands)]);
}

/* Answers come back by the visit: another that waits for `before` would wait for what is fused to it, too. */
static bool is_worth_fusing(const struct stage_run *before, uint64_t cost_ns)
{
    return run_stage(before)->successor_count == 1 || cost_ns <= FUSED_COST_NS;
}

void taking_fuse(struct guide *guide, struct taking *taking, struct stage_run *before)
{
    if (before->waits != 0) {
        return;
    }
    while (run_stage(before)->fused_next != KWE_NO_STAGE && taking_has_place(taking)) {
        struct stage_run *run =
            event_run(before->event, run_stage(before)->fused_next, before->lane);
        const uint64_t cost_ns = plan_cost_ns(run_stage(run), before->size_bytes); /* a guess */
        if (run->state != RUN_WAITING || run->waits != 1 || !is_worth_fusing(before, cost_ns) ||
            bind_here(guide, taking, run) != KERR_OK) {
            return;
        }
        run->ready_ns = taking->now_ns;
        run->size_bytes = before->size_bytes;
        run->cost_ns = cost_ns;
        ready_charge(guide, run->event->workflow, cost_ns);
        taking_account(taking, run, 0);
        taking->deck->statistics.events++;
        hand_over(guide, taking, run, run_room(before));
        struct kwe_work *work = ring_back(taking->work, taking->count - 1);
        work->after = (uint8_t)(KWE_TICKET_INDEX(before->ticket) + 1);
        run->event->workflow->stage_status[run->stage].fused++;
        before = run;
    }
}

/* Hand the deck's first ready stage over, if it can be; else its event has failed, try the next. */
static void take_first(struct guide *guide, struct taking *taking, struct stage_run *run)
{
    struct event *event = run->event;
    enum kerr bound = bind_here(guide, taking, run);

    if (bound != KERR_OK) {
        stage_fail(guide, run, bound, run->stage, taking->now_ns);
        event_settle(guide, event, taking->now_ns);
        return;
    }
    ready_remove(guide, run);
    ready_charge(guide, event->workflow, run->cost_ns);
    taking_account(taking, run, taking->now_ns - run->ready_ns);
    taking->deck->statistics.events++;
    hand_over(guide, taking, run, run->size_bytes);
    taking_fuse(guide, taking, run);
}

uint32_t guide_take_more(struct guide *guide, uint32_t instance_index, uint64_t now_ns,
                         struct ring_producer *work, struct kwe_work_frame *frames, uint32_t room,
                         struct guide_vector *vector)
{
    const struct guide_instance *instance = &guide->instance[instance_index];
    struct guide_deck *deck = &guide->deck[instance->spec->prefix];
    const uint32_t before = vector->count;

    if (deck->ready_count == 0 || (guide->config.first_instance_only && instance->ordinal != 0)) {
        return 0;
    }
    /* Instances of one deck share what is ready when it is worth a second one's while; the last one's share is not larger than the first's. */
    uint32_t sharers = deck->ready_cost_ns < GUIDE_SHARE_NS ? 1 : deck->instance_count;
    uint32_t share = (deck->ready_count + sharers - 1) / sharers;
    uint32_t most = before + share < room ? before + share : room;
    struct taking taking = { deck, instance, work, frames, vector, before, room, now_ns };
    while (taking.count < most && deck->ready_count > 0 && taking_has_place(&taking)) {
        if (ready_may_be_alike(deck) && vector_take(guide, &taking, most) != 0) {
            continue;
        }
        struct stage_run *run = ready_first(deck);
        if (vector_is_long_enough(vector->cost_ns, run)) {
            break;
        }
        take_first(guide, &taking, run);
    }
    vector->count = taking.count;
    deck->statistics.visits += before == 0 && taking.count > 0 ? 1 : 0;
    return taking.count - before;
}

uint32_t guide_take(struct guide *guide, uint32_t instance, uint64_t now_ns,
                    struct ring_producer *work, struct kwe_work_frame *frames, uint32_t room,
                    struct guide_vector *vector)
{
    *vector = (struct guide_vector){ .cost_ns = 0 };
    const uint32_t count = guide_take_more(guide, instance, now_ns, work, frames, room, vector);
    vector->has_observations = guide_observe_due(guide, instance, count > 0);
    return count;
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
    *verdict = KERR_OUTPUT_TOO_LARGE;
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
        /* That a deck is down is for the nucleus to say: what is fused behind the stage would still be in hand. */
        if (run->status != KERR_OK || verdict == KERR_DECK_DOWN ||
            !variant_again(guide, run, verdict, now_ns)) {
            stage_fail(guide, run, verdict, run->stage, now_ns);
        }
    } else {
        if (run->event->is_standing && !run->event->has_fired) {
            standing_stage_done(guide, run, now_ns);
        }
        run->length = completion->out_length;
        for (uint32_t i = 0; i < run_stage(run)->op->value_count; i++) {
            run->value[i] = completion->value[i];
        }
        stage_done(guide, run, now_ns);
    }
}

enum kerr guide_complete(struct guide *guide, uint32_t instance_index,
                         const struct kwe_completion *completion, uint64_t now_ns)
{
    const struct guide_instance *instance = &guide->instance[instance_index];
    const uint32_t index = KWE_TICKET_INDEX(completion->ticket);

    if (guide_of_ticket(guide->shared, instance_index, instance->spec, completion->ticket) !=
        guide) {
        return KERR_DECK_BROKE_RULES;
    }
    struct stage_run *run = instance->hands->run[index];
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
    ticket_give(instance->hands, index);
    event->in_hand--;
    statistics->completions++;
    statistics->copied_cache += completion->copied_cache;
    statistics->copied_device += completion->copied_device;
    status->busy_ns += completion->elapsed_ns;
    if (run_stage(run)->is_open) {
        variant_answered(guide, run, completion);
    }
    room_note_effect(run);
    answered(guide, run, completion, now_ns);
    event_settle(guide, event, now_ns);
    return KERR_OK;
}

struct guide *guide_of_ticket(const struct guide_shared *shared, uint32_t instance,
                              const struct deck_spec *spec, uint32_t ticket)
{
    const struct guide_hands *hands = &shared->hands[instance];
    const uint32_t index = KWE_TICKET_INDEX(ticket);

    (void)spec;
    return hands->done[index] == ticket ? hands->guide[index] : NULL;
}

/* Is it worth while to try the short way? Only a look: the answer is believed by who takes it. */
static bool may_be_plain(const struct guide *guide, uint32_t instance,
                         const struct ring_consumer *done, uint32_t at)
{
    const struct kwe_completion *answer = ring_front(done, at);
    const uint32_t ticket = read_once_32(&answer->ticket), index = KWE_TICKET_INDEX(ticket);
    const struct guide_hands *hands = guide->instance[instance].hands;

    return hands->done[index] == ticket && hands->guide[index] == guide &&
           hands->run[index]->event->workflow->plan->is_plain;
}

enum kerr guide_harvest_own(struct guide *guide, uint32_t instance,
                            const struct ring_consumer *done, uint32_t first, uint32_t end,
                            uint32_t *taken, uint64_t now_ns)
{
    uint32_t at = first;
    enum kerr answer = KERR_OK;

    while (at < end && answer == KERR_OK) {
        struct kwe_completion completion;
        if (may_be_plain(guide, instance, done, at)) {
            at += vector_complete(guide, instance, done, at, end, now_ns);
        }
        if (at == end) {
            break;
        }
        ring_peek(done, at, &completion);
        const struct guide *whose = guide_of_ticket(
            guide->shared, instance, guide->instance[instance].spec, completion.ticket);
        if (whose != NULL && whose != guide) {
            break;
        }
        answer = guide_complete(guide, instance, &completion, now_ns);
        at++;
    }
    *taken = at - first;
    return answer;
}

enum kerr guide_harvest(struct guide *guide, uint32_t instance, struct ring_consumer *done,
                        uint32_t count, uint64_t now_ns)
{
    uint32_t taken;

    enum kerr answer = guide_harvest_own(guide, instance, done, 0, count, &taken, now_ns);
    if (answer == KERR_OK) {
        ring_take(done, count);
    }
    return answer;
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
}

void guide_instance_lost(struct guide *guide, uint32_t instance_index, uint64_t now_ns)
{
    const struct guide_instance *instance = &guide->instance[instance_index];
    struct guide_hands *hands = instance->hands;
    struct stage_run *lost[KWE_MAX_DEPTH];
    struct event *events[KWE_MAX_DEPTH];
    uint32_t lost_count = 0;

    /* First take all of it out of its hands, then fail: an event may have had several stages there. */
    for (uint32_t i = 0; i < instance->spec->depth; i++) {
        struct stage_run *run = hands->run[i];
        if (!ticket_is_free(hands, i) && hands->guide[i] == guide) {
            trace_run(guide, KWE_TRACE_FORSAKEN, run, NULL, now_ns);
            if (run_stage(run)->is_open) {
                variant_returned(guide, run);
            }
            room_note_effect(run);
            run->state = run->state == RUN_ABANDONED ? RUN_ABANDONED : RUN_FAILED;
            deadline_set(guide, &run->deadline, 0);
            run->event->in_hand--;
            ticket_give(hands, i);
            events[lost_count] = run->event;
            lost[lost_count++] = run;
        }
    }
    /* Those that waited for another of them come last: that one is to blame. */
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < lost_count; i++) {
            if (lost[i] != NULL && (pass == 1 || lost[i]->waits == 0)) {
                fail_lost(guide, lost[i], now_ns);
                lost[i] = NULL;
            }
        }
    }
    /* Now that all have: one that stands, or asked for room, begins again at once, and these were of its last run. */
    for (uint32_t i = 0; i < lost_count; i++) {
        event_settle(guide, events[i], now_ns);
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
        if (variant_again(guide, run, KERR_DECK_DOWN, now_ns)) {
            continue;
        }
        stage_fail(guide, run, KERR_DECK_DOWN, run->stage, now_ns);
        event_settle(guide, event, now_ns);
    }
}
