/* event.c - one event from its first stage to its one result. */
#include "kernel/nucleus/guide/taking.h"

static void start_plainly(struct guide *guide, struct event *event, uint64_t now_ns)
{
    const struct plan *plan = event->plan;

    for (uint16_t i = 0; i < plan->stage_count; i++) {
        event->run[i].step = run_step(RUN_WAITING, 0, 0, plan->stages[i].waits);
        event->run[i].length = 0;
    }
    for (uint64_t left = plan->sources; left != 0 && event->status == KERR_OK; left &= left - 1) {
        ready_push(guide, &event->run[__builtin_ctzll(left)], now_ns);
    }
}

void event_run_start(struct guide *guide, struct event *event, uint64_t now_ns)
{
    const struct plan *plan = event->plan;

    event->stages_left = (uint16_t)plan->stage_count;
    event->in_hand = 0;
    event->status = KERR_OK;
    event->status_stage = KWE_NO_STAGE;
    if (plan->is_plain) {
        start_plainly(guide, event, now_ns);
        return;
    }
    for (struct stage_run *run = event->run; run != event->run + plan->run_count; run++) {
        const struct plan_stage *stage = run_stage(run);
        run->waits = stage->waits;
        run->status = KERR_OK;
        run->length = 0;
        run->state = RUN_WAITING;
        if (stage->is_dropped || stage->is_body) { /* a body's runs wait when their part starts */
            run->state = RUN_SKIPPED;
            if (!stage->is_body) {
                event->stages_left -= plan_stages_of(plan, stage);
            }
        }
    }
    for (uint64_t left = plan->sources; left != 0; left &= left - 1) {
        struct stage_run *run = &event->run[__builtin_ctzll(left)];
        if (run->state == RUN_WAITING) { /* another's end may have come to it */
            stage_start(guide, run, now_ns);
        }
    }
}

void event_start(struct guide *guide, struct event *event, uint64_t now_ns)
{
    event->live = true;
    event->holds = false;
    event->workflow->live_count++;
    if (event->deadline_ns != 0) {
        deadline_set(guide, &event->deadline, event->deadline_ns);
    }
    event_run_start(guide, event, now_ns);
}

static void fill_buffer(const struct event *event, struct kwe_result *result)
{
    const struct plan *plan = event->plan;
    const uint16_t index = plan->header->result_stage;

    if (index == KWE_NO_STAGE || event->status != KERR_OK) {
        return;
    }
    const struct stage_run *run = bind_last(event, index);
    result->value = run_value(run, 0);
    result->length = run->length;
    result->offset = run->length == 0 ? 0 : run->out_offset;
}

/* A run of it is over: told to who observes, and counted. */
static void run_over(struct guide *guide, struct event *event, struct kwe_result *result,
                     uint64_t now_ns)
{
    struct workflow *workflow = event->workflow;

    *result = (struct kwe_result){
        .cookie = event->cookie,
        .workflow = workflow->id,
        .status = event->status,
        .stage = event->status_stage,
        .step = (uint8_t)(event->plan->stage_count - event->stages_left),
        .submitted_ns = event->submitted_ns,
        .finished_ns = now_ns,
    };
    if (event->status_stage != KWE_NO_STAGE) {
        result->deck = run_stage(&event->run[event->status_stage])->deck;
    }
    fill_buffer(event, result);
    if (event->deadline.at_ns != 0) {
        deadline_set(guide, &event->deadline, 0);
    }
    if (event->is_parked) {
        return; /* cancelled in the pause between two runs: the first has been told */
    }
    if (event->status == KERR_OK) {
        workflow->status.completed++;
    } else if (!event->was_standing || event->has_fired || event->is_standing) {
        workflow->status.failed++; /* one that waited when it was cancelled was no run */
    }
    observe(guide, result);
    trace_event(guide, KWE_TRACE_ENDED, event, event->cookie);
}

static void event_end(struct guide *guide, struct event *event, uint64_t now_ns)
{
    struct workflow *workflow = event->workflow;
    struct program_ring *ring = event->ring;
    struct kwe_result result;

    if (event->status == KERR_NEED_ROOM) {
        room_wait(guide, event, now_ns);
        return;
    }
    run_over(guide, event, &result, now_ns);
    if (event->was_standing) {
        if (standing_again(guide, event, &result.status, now_ns)) {
            return;
        }
        standing_close(guide, event);
        result.length = 0;
    }
    event->live = false;
    workflow->live_count--;
    bool holds = result.length > 0 && !ring->abandoned && workflow->registered;
    if (holds) {
        ring_publish(guide, ring, &result, event);
    } else {
        event_release(guide, event);
        ring_publish(guide, ring, &result, NULL);
    }
    guide_serve_line(guide, now_ns);
}

void event_cancel(struct guide *guide, struct event *event, uint64_t now_ns)
{
    event->is_standing = false;
    event_fail(guide, event, KWE_NO_STAGE, KERR_CANCELLED, now_ns);
    event_settle(guide, event, now_ns);
}

void event_release(struct guide *guide, struct event *event)
{
    struct workflow *workflow = event->workflow;

    if (workflow->plan->is_arena) {
        plan_destroy(event->plan);
        event->plan = NULL;
    }
    room_release(guide, event);
    event->status_stage = KWE_NO_STAGE;
    event->holds = false;
    event->next_free = workflow->free;
    workflow->free = event;
}

void event_settle(struct guide *guide, struct event *event, uint64_t now_ns)
{
    bool decided = event->status != KERR_OK || event->stages_left == 0;

    if (event->live && decided && event->in_hand == 0) {
        event_end(guide, event, now_ns);
    }
}

void event_fail(struct guide *guide, struct event *event, uint16_t stage, enum kerr status,
                uint64_t now_ns)
{
    if (event->status == KERR_NEED_ROOM && stage == KWE_NO_STAGE) {
        event->status = (uint16_t)status; /* it was to begin again: now it is not */
        event->status_stage = stage;
    }
    if (event->status != KERR_OK || event->stages_left == 0) {
        return; /* decided */
    }
    event->status = (uint16_t)status;
    event->status_stage = stage;
    for (uint32_t i = 0; i < event->plan->run_count; i++) {
        struct stage_run *run = &event->run[i];
        if (run->state == RUN_IN_HAND) {
            stage_recall(guide, run, KERR_CANCELLED, now_ns);
            continue;
        }
        if (run->state == RUN_ABANDONED) {
            continue;
        }
        if (run->state == RUN_READY) {
            ready_remove(guide, run);
        }
        deadline_set(guide, &run->deadline, 0);
        if (!run_is_over(run)) {
            run->state = RUN_SKIPPED;
        }
    }
}
