/*
 * room.c - events whose outputs turn out larger than the room that is kept for them.
 *
 * A workflow may have places of two sizes: as many of the expected one as it has slots, and a few in which every output has the most that it
 * may have. An event begins in one of the first kind. When an operation answers NEED_ROOM and nothing of the event can have been seen from
 * outside, all that runs of it is asked back, its place is given to others, and it waits in line for a large one, in which it begins again.
 *
 *   running --NEED_ROOM--> asked back --all has come--> waiting in line --a large place is free--> running, the second and last time
 *
 * Nobody who waits holds a place, and who has a large one never waits for another: there is no circle. A cancel or a deadline ends an event in
 * each of these states.
 */
#include "kernel/nucleus/guide/state.h"

/* ---- places ------------------------------------------------------------------------------------------------------------ */

void room_take_place(struct event *event, bool is_large)
{
    struct place_stack *stack = &event->workflow->places[is_large];

    event->place = stack->place[--stack->count];
    event->is_large = is_large;
    event->has_place = true;
}

static void give_place(struct event *event)
{
    struct place_stack *stack = &event->workflow->places[event->is_large];

    stack->place[stack->count++] = event->place;
    event->has_place = false;
}

static void leave_line(struct guide *guide, struct event *event)
{
    struct event **link = &event->workflow->line_first;

    while (*link != event) {
        link = &(*link)->line_next;
    }
    *link = event->line_next;
    event->waits_for_room = false;
    guide->events_in_line--;
}

void room_release(struct guide *guide, struct event *event)
{
    if (event->waits_for_room) {
        leave_line(guide, event);
    } else if (event->has_place) {
        give_place(event);
    }
}

/* ---- what may begin again ------------------------------------------------------------------------------------------------ */

static bool has_begun(const struct stage_run *run)
{
    return run->waits == 0 || run_stage(run)->is_early; /* else it is fused behind another */
}

void room_note_effect(struct stage_run *run)
{
    if (has_begun(run) && (run_stage(run)->op->traits & OP_TRAIT_EFFECT) != 0) {
        run->event->has_effect = true;
    }
}

static bool may_have_effect(struct event *event)
{
    for (uint32_t i = 0; i < event->plan->run_count; i++) {
        if (event->run[i].state == RUN_IN_HAND || event->run[i].state == RUN_ABANDONED) {
            room_note_effect(&event->run[i]);
        }
    }
    return event->has_effect;
}

bool room_ask(struct guide *guide, struct stage_run *run, uint64_t bytes, uint64_t now_ns)
{
    struct event *event = run->event;
    const struct plan_stage *stage = run_stage(run);

    if (event->is_large || event->was_standing || bytes > stage->large.room ||
        bytes <= stage->out_room || may_have_effect(event)) {
        return false;
    }
    deadline_set(guide, &run->deadline, 0);
    run->state = RUN_SKIPPED;
    event_fail(guide, event, run->stage, KERR_NEED_ROOM, now_ns);
    return true;
}

/* ---- the line ------------------------------------------------------------------------------------------------------------ */

static void serve(struct guide *guide, struct workflow *workflow, uint64_t now_ns)
{
    while (workflow->line_first != NULL && workflow->places[true].count > 0) {
        struct event *event = workflow->line_first;
        leave_line(guide, event);
        room_take_place(event, true);
        event_run_start(guide, event, now_ns);
        event_settle(guide, event, now_ns);
    }
}

void guide_serve_line(struct guide *guide, uint64_t now_ns)
{
    for (uint32_t i = 0; guide->events_in_line > 0 && i < GUIDE_MAX_WORKFLOWS; i++) {
        if (guide->workflow[i] != NULL) {
            serve(guide, guide->workflow[i], now_ns);
        }
    }
}

void room_wait(struct guide *guide, struct event *event, uint64_t now_ns)
{
    struct event **link = &event->workflow->line_first;

    give_place(event);
    event->status = KERR_OK;
    event->status_stage = KWE_NO_STAGE;
    /* So that nobody takes it for decided. */
    event->stages_left = (uint16_t)event->plan->stage_count;
    for (uint32_t i = 0; i < event->plan->run_count; i++) {
        event->run[i].state = RUN_SKIPPED;
        event->run[i].length = 0;
    }
    while (*link != NULL) {
        link = &(*link)->line_next;
    }
    *link = event;
    event->line_next = NULL;
    event->waits_for_room = true;
    guide->events_in_line++;
    serve(guide, event->workflow, now_ns);
}
