/* deadline.c - what must have happened by when: events' deadlines, stages' timeouts, answers that were asked back. */
#include "kernel/nucleus/guide/state.h"

static void list_remove(struct guide *guide, struct deadline *deadline)
{
    if (deadline->previous == NULL) {
        guide->first_deadline = deadline->next;
    } else {
        deadline->previous->next = deadline->next;
    }
    if (deadline->next == NULL) {
        guide->last_deadline = deadline->previous;
    } else {
        deadline->next->previous = deadline->previous;
    }
}

/* From the end: most that are set are the latest so far. */
static void list_insert(struct guide *guide, struct deadline *deadline)
{
    struct deadline *before = guide->last_deadline;

    while (before != NULL && before->at_ns > deadline->at_ns) {
        before = before->previous;
    }
    struct deadline **after = before == NULL ? &guide->first_deadline : &before->next;
    deadline->previous = before;
    deadline->next = *after;
    if (*after == NULL) {
        guide->last_deadline = deadline;
    } else {
        (*after)->previous = deadline;
    }
    *after = deadline;
}

void deadline_set(struct guide *guide, struct deadline *deadline, uint64_t at_ns)
{
    if (deadline->at_ns == at_ns) {
        return;
    }
    if (deadline->at_ns != 0) {
        list_remove(guide, deadline);
    }
    deadline->at_ns = at_ns;
    if (deadline->run == NULL) {
        deadline->event->is_timed = at_ns != 0;
    }
    if (at_ns != 0) {
        list_insert(guide, deadline);
    }
}

uint64_t guide_next_deadline_ns(const struct guide *guide)
{
    return guide->first_deadline == NULL ? UINT64_MAX : guide->first_deadline->at_ns;
}

static void stage_expired(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    const bool was_recalled = run->status != KERR_OK || run->state == RUN_ABANDONED;

    switch (run->state) {
    case RUN_IN_HAND:
    case RUN_ABANDONED:
        if (was_recalled) { /* its deck does not even answer that */
            guide->config.port.instance_stuck(guide->config.port.context, run->instance);
        } else {
            stage_recall(guide, run, KERR_TIMED_OUT, now_ns);
        }
        break;
    case RUN_READY:
    case RUN_LOOPING:
        stage_fail(guide, run, KERR_TIMED_OUT, run->stage, now_ns);
        break;
    default:
        break;
    }
}

void guide_expire(struct guide *guide, uint64_t now_ns)
{
    struct deadline *deadline;

    while ((deadline = guide->first_deadline) != NULL && deadline->at_ns <= now_ns) {
        struct event *event = deadline->event;
        deadline_set(guide, deadline, 0);
        if (deadline->run != NULL) {
            stage_expired(guide, deadline->run, now_ns);
        } else if (event->is_parked) {
            standing_resume(guide, event, now_ns);
            continue;
        } else {
            event_fail(guide, event, KWE_NO_STAGE, KERR_DEADLINE_PASSED, now_ns);
        }
        event_settle(guide, event, now_ns);
    }
}
