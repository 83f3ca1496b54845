/*
 * standing.c - events that start again when they are over, in the same slot.
 *
 *   armed      a stage waits in a deck for what the event is about: one whose operation is a trigger, and has said so, else its first;
 *              a loop's stages only wait on the way (for a timer, say)
 *   fired      that stage is done: from here on it is an event like others, with the workflow's limit of time
 *   over       armed again at once when it had fired, well or not: a client that goes away must not keep the next one waiting
 *   parked     it was over before it fired: again after a pause, twice as long each time, so that what fails at once does not spin.
 *              Without a trigger nobody says that the first stage has waited: there every failure pauses
 *
 * What waits keeps a place in its deck's hands. The stages behind it need places of the same deck, so those that wait may have half of them.
 */
#include "kernel/nucleus/guide/state.h"

#define PAUSE_LEAST_NS 1000000u
#define PAUSE_MOST_NS  1000000000u

static bool is_trigger(const struct plan_stage *stage)
{
    return stage->op != NULL && (stage->op->traits & OP_TRAIT_TRIGGER) != 0 && !stage->is_body &&
           !stage->is_dropped;
}

static bool has_trigger(const struct plan *plan)
{
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        if (is_trigger(&plan->stages[i])) {
            return true;
        }
    }
    return false;
}

/* Where it waits: stages whose operation is a trigger; without any, those that wait for no other stage. */
static bool waits_here(const struct event *event, uint16_t index)
{
    const struct plan_stage *stage = &event->plan->stages[index];

    return has_trigger(event->plan)
               ? is_trigger(stage)
               : stage->op != NULL && stage->waits == 0 && !stage->is_body && !stage->is_dropped;
}

static void count(struct guide *guide, const struct event *event, uint32_t change)
{
    for (uint16_t i = 0; i < event->plan->stage_count; i++) {
        if (waits_here(event, i)) {
            (void)__atomic_add_fetch(&guide->shared->standing[event->plan->stages[i].deck], change,
                                     __ATOMIC_RELAXED);
        }
    }
}

static bool too_many_wait(const struct guide *guide, uint8_t deck)
{
    return __atomic_load_n(&guide->shared->standing[deck], __ATOMIC_RELAXED) >
           guide->deck[deck].spec->depth / 2u;
}

enum kerr standing_open(struct guide *guide, struct event *event)
{
    count(guide, event, 1);
    for (uint16_t i = 0; i < event->plan->stage_count; i++) {
        if (waits_here(event, i) && too_many_wait(guide, event->plan->stages[i].deck)) {
            count(guide, event, UINT32_MAX);
            return KERR_TOO_MANY;
        }
    }
    event->is_standing = true;
    event->was_standing = true;
    event->pause_ns = PAUSE_LEAST_NS;
    event->workflow->standing_count++;
    return KERR_OK;
}

void standing_close(struct guide *guide, struct event *event)
{
    event->was_standing = false;
    event->workflow->standing_count--;
    count(guide, event, UINT32_MAX);
}

static void arm(const struct stage_run *run)
{
    struct event *event = run->event;

    if (event->is_standing && !event->is_armed && !event->has_fired &&
        waits_here(event, run->stage)) {
        event->is_armed = true;
        event->workflow->status.armed++;
    }
}

/* A trigger says itself when what it is about can come: it may have to get ready for that. */
void standing_stage_handed(const struct stage_run *run)
{
    if (!is_trigger(run_stage(run))) {
        arm(run);
    }
}

void standing_stage_armed(const struct stage_run *run)
{
    arm(run);
}

void standing_disarm(struct event *event)
{
    if (event->is_armed) {
        event->is_armed = false;
        event->workflow->status.armed--;
    }
}

void standing_stage_done(struct guide *guide, const struct stage_run *run, uint64_t now_ns)
{
    struct event *event = run->event;
    const uint64_t timeout_ns = event->plan->header->timeout_ns;

    if (!waits_here(event, run->stage)) {
        return;
    }
    standing_disarm(event);
    event->has_fired = true;
    if (has_trigger(event->plan)) {
        event->pause_ns = PAUSE_LEAST_NS;
    }
    event->submitted_ns = now_ns;
    if (timeout_ns != 0) {
        event->deadline_ns = now_ns + timeout_ns;
        deadline_set(guide, &event->deadline, event->deadline_ns);
    }
}

static void start(struct guide *guide, struct event *event, uint64_t now_ns)
{
    event->number = ++guide->event_number;
    event->submitted_ns = now_ns;
    event->deadline_ns = 0;
    event->has_fired = false;
    trace_event(guide, KWE_TRACE_ADMITTED, event, event->cookie);
    event_run_start(guide, event, now_ns);
    event_settle(guide, event, now_ns);
}

static void park(struct guide *guide, struct event *event, uint64_t now_ns)
{
    event->is_parked = true;
    event->status = KERR_OK;
    event->status_stage = KWE_NO_STAGE;
    event->stages_left =
        (uint16_t)event->plan->stage_count; /* so that nobody takes it for decided */
    for (uint32_t i = 0; i < event->plan->run_count; i++) {
        event->run[i].state = RUN_SKIPPED;
    }
    deadline_set(guide, &event->deadline, now_ns + event->pause_ns);
    event->pause_ns = event->pause_ns < PAUSE_MOST_NS / 2 ? event->pause_ns * 2 : PAUSE_MOST_NS;
}

bool standing_again(struct guide *guide, struct event *event, uint16_t *status, uint64_t now_ns)
{
    standing_disarm(event);
    if (!event->is_standing) {
        *status = KERR_CANCELLED;
        return false;
    }
    if (event->status == KERR_DECK_DOWN && !event->has_fired) {
        return false;
    }
    if (event->status == KERR_OK) {
        event->pause_ns = PAUSE_LEAST_NS;
    }
    if (event->has_fired && (event->status == KERR_OK || has_trigger(event->plan))) {
        start(guide, event, now_ns);
    } else {
        park(guide, event, now_ns);
    }
    return true;
}

void standing_resume(struct guide *guide, struct event *event, uint64_t now_ns)
{
    event->is_parked = false;
    start(guide, event, now_ns);
}
