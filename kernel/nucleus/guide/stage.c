/* stage.c - one stage of one event, from what it waits for to what waits for it: joins, conditions, who tolerates a failure. */
#include "kernel/nucleus/guide/state.h"

/* How long a deck may take to give back what it is asked for. */
#define RECALL_GRACE_NS 10000000000u

static const struct plan_successor *successor(const struct stage_run *run, uint16_t index)
{
    return &run->event->plan->successors[run_stage(run)->successor_first + index];
}

/* The successor's run: in the same lane, for both are in the same body or in none. */
static struct stage_run *successor_run(const struct stage_run *run, uint16_t index)
{
    return event_run(run->event, successor(run, index)->stage, run->lane);
}

static bool is_awaited(const struct stage_run *run)
{
    for (uint16_t i = 0; i < run_stage(run)->successor_count; i++) {
        if (run_waits(successor_run(run, i))) {
            return true;
        }
    }
    return run->event->plan->header->result_stage == run->stage;
}

/* ---- over ------------------------------------------------------------------------------------------------------------ */

static void stage_skip(struct guide *guide, struct stage_run *run, uint64_t now_ns);
static void give_up(struct guide *guide, struct stage_run *run, uint64_t now_ns);

/* What strictly waits for a run that is over without being done cannot run any more, or has run for nothing: it was fused. */
static void skip_after(struct guide *guide, const struct stage_run *run, uint64_t now_ns)
{
    const struct plan_successor *to = successor(run, 0);

    for (uint16_t left = run_stage(run)->successor_count; left != 0; left--, to++) {
        struct stage_run *next = event_run(run->event, to->stage, run->lane);
        if (to->tolerates || !run_waits(next) || run_stage(next)->join != KWE_JOIN_ALL) {
            continue;
        }
        if (next->state == RUN_IN_HAND) {
            give_up(guide, next, now_ns);
        } else {
            stage_skip(guide, next, now_ns);
        }
    }
}

/* ... for `run` (NULL: none), and for all that are over and not yet told of: those that are skipped here join them, and take others along. */
static void spread_skips(struct guide *guide, struct event *event, const struct stage_run *run,
                         uint64_t now_ns)
{
    if (run != NULL && run->state != RUN_DONE) {
        skip_after(guide, run, now_ns);
    }
    for (run = event->over_first; run != NULL; run = run->next) {
        if (run->state != RUN_DONE) {
            skip_after(guide, run, now_ns);
        }
    }
}

static void drop_losers(struct guide *guide, const struct stage_run *run, uint64_t now_ns)
{
    const struct plan *plan = run->event->plan;
    const struct plan_stage *stage = run_stage(run);

    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        const uint16_t other = plan->dependencies[stage->dependency_first + i].stage;
        if (other != run->winner) {
            stage_drop(guide, event_run(run->event, other, run->lane), now_ns);
        }
    }
}

/* All that a FIRST join waited for is over, and none was good: the last that failed, in the order of its dependencies, is to blame. */
static void nobody_won(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    const struct plan *plan = run->event->plan;
    const struct plan_stage *stage = run_stage(run);

    for (uint16_t i = stage->dependency_count; i-- > 0;) {
        const uint16_t other = plan->dependencies[stage->dependency_first + i].stage;
        const struct stage_run *source = event_run(run->event, other, run->lane);
        if (source->state == RUN_FAILED) {
            stage_fail(guide, run, (enum kerr)source->status, source->winner, now_ns);
            return;
        }
    }
    stage_skip(guide, run, now_ns);
}

/* Two in one visit: what the second has read is known when the first is over. */
static void count_fused_input(const struct stage_run *run, const struct stage_run *from)
{
    if (run->state != RUN_WAITING && run_stage(from)->fused_next == run->stage) {
        run->event->workflow->stage_status[run->stage].bytes_in += from->length;
    }
}

/* `from`, for which `run` waits, is over, and well enough: all but the usual case. */
static void notice_unusual(struct guide *guide, struct stage_run *run, const struct stage_run *from,
                           uint64_t now_ns)
{
    const bool good = from->state == RUN_DONE;

    if (run_stage(run)->join == KWE_JOIN_FIRST) {
        run->waits--;
        if (good) {
            run->waits = 0; /* for none of the others any more */
            run->winner = from->stage;
            stage_start(guide, run, now_ns);
            spread_skips(guide, run->event, NULL, now_ns); /* it may be skipped by its condition */
            drop_losers(guide, run, now_ns);
        } else if (run->waits == 0) {
            nobody_won(guide, run, now_ns);
        }
        return;
    }
    count_fused_input(run, from);
    if (--run->waits != 0) {
        return;
    }
    if (run->state == RUN_WAITING) {
        stage_start(guide, run, now_ns);
    } else if (run->state == RUN_HELD && run->status != KERR_OK) {
        stage_fail(guide, run, (enum kerr)run->status, run->winner, now_ns);
    } else if (run->state == RUN_HELD) {
        stage_done(guide, run, now_ns);
    }
}

static inline void notice(struct guide *guide, struct stage_run *run, const struct stage_run *from,
                          uint64_t now_ns)
{
    if (run->state != RUN_WAITING || run_stage(run)->join != KWE_JOIN_ALL) {
        notice_unusual(guide, run, from, now_ns);
    } else if (--run->waits == 0) {
        stage_start(guide, run, now_ns);
    }
}

/*
 * Tell those that wait for what is over, run by run: a list and not a recursion, since a program decides how long the chains are. Skips go
 * first, so that what cannot run any more counts for nobody who looks whether a failure is tolerated.
 */
static void tell(struct guide *guide, struct event *event, uint64_t now_ns)
{
    struct stage_run *run;

    event->telling = true;
    while ((run = event->over_first) != NULL) {
        event->over_first = run->next; /* a body's run may begin again while it is told of */
        if (event->status != KERR_OK) {
            continue;
        }
        spread_skips(guide, event, run, now_ns);
        const struct plan_successor *to = successor(run, 0);
        for (uint16_t left = run_stage(run)->successor_count; left != 0 && event->status == KERR_OK;
             left--, to++) {
            struct stage_run *next = event_run(event, to->stage, run->lane);
            if (run_waits(next)) {
                notice(guide, next, run, now_ns);
            }
        }
        if (run_stage(run)->is_body) {
            loop_stage_over(guide, run, now_ns);
        }
    }
    event->telling = false;
}

/* Its event has it no longer before it, nor, of a loop, its body. */
static void leave_stages(const struct stage_run *run)
{
    run->event->stages_left -= plan_stages_of(run->event->plan, run_stage(run));
}

/* Its state says how. */
static void stage_over(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    struct event *event = run->event;
    const struct plan_stage *stage = run_stage(run);

    if (run->deadline.at_ns != 0 && run->state != RUN_ABANDONED) {
        deadline_set(guide, &run->deadline, 0);
    }
    if (!stage->is_body) {
        leave_stages(run);
    }
    run->next = NULL;
    if (event->over_first == NULL) {
        event->over_first = run;
    } else {
        event->over_last->next = run;
    }
    event->over_last = run;
    if (!event->telling) {
        tell(guide, event, now_ns);
    }
}

/* It has an answer before what it waits for is over: that counts first. */
static void hold(struct guide *guide, struct stage_run *run, enum kerr status, uint16_t blame)
{
    if (run->state == RUN_READY) {
        ready_remove(guide, run);
    }
    run->state = RUN_HELD;
    run->status = (uint16_t)status;
    run->winner = blame;
    deadline_set(guide, &run->deadline, 0);
}

void stage_done(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    if (run->waits != 0) {
        hold(guide, run, KERR_OK, run->stage);
        return;
    }
    run->state = RUN_DONE;
    stage_over(guide, run, now_ns);
}

/*
 * The short way of a plain workflow's stage: those that wait for it have one thing less to wait for, and nothing else can come of it. One that
 * has an answer already, since it was fused and its deck took it first, goes the long way.
 */
void stage_done_plainly(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    struct event *event = run->event;
    const struct plan_stage *stage = run_stage(run);
    const struct plan_successor *next = &event->plan->successors[stage->successor_first];

    run->state = RUN_DONE;
    event->stages_left--;
    for (uint16_t i = 0; i < stage->successor_count && event->status == KERR_OK; i++) {
        struct stage_run *after = &event->run[next[i].stage];
        if (after->state == RUN_WAITING && after->waits == 1) {
            after->waits = 0;
            ready_push(guide, after, now_ns);
        } else if (run_waits(after)) {
            notice(guide, after, run, now_ns);
        }
    }
}

static void leave_nothing(struct stage_run *run, enum run_state state, enum kerr status)
{
    run->state = (uint8_t)state;
    run->status = (uint16_t)status;
    run->length = 0;
}

/* Is all that comes of its end that others, which take it for good enough, have one thing less to wait for, and go on waiting? */
static bool ends_quietly(const struct stage_run *run)
{
    const struct plan_stage *stage = run_stage(run);
    const struct plan_successor *to = successor(run, 0);

    if (stage->is_body || run->deadline.at_ns != 0) {
        return false;
    }
    for (uint16_t left = stage->successor_count; left != 0; left--, to++) {
        const struct stage_run *next = &run->event->run[to->stage];
        if (!to->tolerates || next->state != RUN_WAITING || next->waits <= 1 ||
            run_stage(next)->join != KWE_JOIN_ALL) {
            return false;
        }
    }
    return true;
}

static void stage_skip(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    leave_nothing(run, RUN_SKIPPED, KERR_CANCELLED);
    if (!ends_quietly(run)) {
        stage_over(guide, run, now_ns);
        return;
    }
    const struct plan_successor *to = successor(run, 0);
    for (uint16_t left = run_stage(run)->successor_count; left != 0; left--, to++) {
        run->event->run[to->stage].waits--;
    }
    leave_stages(run);
}

static bool is_tolerated(const struct stage_run *run)
{
    for (uint16_t i = 0; i < run_stage(run)->successor_count; i++) {
        const struct stage_run *next = successor_run(run, i);
        if (next->state == RUN_WAITING &&
            (successor(run, i)->tolerates || run_stage(next)->join == KWE_JOIN_FIRST)) {
            return true;
        }
    }
    return false;
}

void stage_fail(struct guide *guide, struct stage_run *run, enum kerr status, uint16_t blame,
                uint64_t now_ns)
{
    if (run->event->status != KERR_OK) {
        return;
    }
    if (run->waits != 0) {
        hold(guide, run, status, blame);
        return;
    }
    if (run->state == RUN_READY) {
        ready_remove(guide, run);
    } else if (run->state == RUN_LOOPING) {
        loop_drop_body(guide, run, now_ns);
    }
    spread_skips(guide, run->event, NULL, now_ns);
    leave_nothing(run, RUN_FAILED, status);
    run->winner = blame;
    if (is_tolerated(run)) {
        stage_over(guide, run, now_ns);
    } else {
        event_fail(guide, run->event, blame, status, now_ns);
    }
}

/* ---- no longer wanted -------------------------------------------------------------------------------------------------- */

void stage_recall(struct guide *guide, struct stage_run *run, enum kerr status, uint64_t now_ns)
{
    if (run->status == KERR_OK) {
        run->status = (uint16_t)status;
        guide->config.port.recall(guide->config.port.context, run->instance, run->ticket);
    }
    deadline_set(guide, &run->deadline, now_ns + RECALL_GRACE_NS);
}

/* It is in a deck's hands, and nobody waits for it any more. */
static void give_up(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    stage_recall(guide, run, KERR_CANCELLED, now_ns);
    run->state = RUN_ABANDONED;
    if (!run_stage(run)
             ->is_body) { /* its lane is needed again: there it is over when it has come back */
        stage_over(guide, run, now_ns);
    }
}

static void drop_sources(struct guide *guide, const struct stage_run *run, uint64_t now_ns)
{
    const struct plan *plan = run->event->plan;
    const struct plan_stage *stage = run_stage(run);

    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        const uint16_t other = plan->dependencies[stage->dependency_first + i].stage;
        if (plan->stages[other].is_body == stage->is_body) {
            stage_drop(guide, event_run(run->event, other, run->lane), now_ns);
        }
    }
}

void stage_drop(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    if (run_is_over(run) || run->event->status != KERR_OK || is_awaited(run)) {
        return;
    }
    if (run->state == RUN_IN_HAND) {
        give_up(guide, run, now_ns);
        if (run->waits != 0) {
            drop_sources(guide, run, now_ns);
        }
        return;
    }
    if (run->state == RUN_READY) {
        ready_remove(guide, run);
    } else if (run->state == RUN_LOOPING) {
        loop_drop_body(guide, run, now_ns);
    }
    stage_skip(guide, run, now_ns);
    drop_sources(guide, run, now_ns);
}

void stage_returned(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    const struct plan_stage *stage = run_stage(run);
    const bool in_loop =
        stage->is_body &&
        event_run(run->event, run->event->plan->loops[stage->loop].stage, 0)->state == RUN_LOOPING;

    leave_nothing(run, RUN_SKIPPED, KERR_CANCELLED);
    deadline_set(guide, &run->deadline, 0);
    if (in_loop) {
        stage_over(guide, run, now_ns);
    }
}

void stage_lost_behind(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    run->waits = 0;
    stage_skip(guide, run, now_ns);
}

/* ---- beginning --------------------------------------------------------------------------------------------------------- */

static bool compares(uint64_t have, uint8_t relation, uint64_t want)
{
    switch (relation) {
    case KWE_NOT_EQUAL:
        return have != want;
    case KWE_BELOW:
        return have < want;
    case KWE_AT_MOST:
        return have <= want;
    case KWE_ABOVE:
        return have > want;
    default:
        return have >= want;
    }
}

static inline bool holds(const struct stage_run *source, const struct kwe_condition *condition)
{
    const uint64_t have = condition->what == KWE_IF_VALUE
                              ? run_value(source, condition->source_index)
                          : condition->what == KWE_IF_STATUS ? source->status
                                                             : source->length;

    return condition->relation == KWE_EQUAL
               ? have == condition->constant
               : compares(have, condition->relation, condition->constant);
}

bool stage_conditions_hold(const struct stage_run *run, unsigned lane)
{
    const struct plan_stage *stage = run_stage(run);
    const struct kwe_condition *condition = &run->event->plan->conditions[stage->condition_first];

    for (uint16_t left = stage->condition_count; left != 0; left--, condition++) {
        const struct stage_run *source = stage->kind == KWE_STAGE_UNTIL
                                             ? event_run(run->event, condition->stage, lane)
                                             : bind_from(run, condition->stage);
        if (!holds(source, condition)) {
            return false;
        }
    }
    return true;
}

void stage_start(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    const struct plan_stage *stage = run_stage(run);

    if (run->event->status != KERR_OK) {
        return;
    }
    if (stage->condition_count != 0 && stage->kind != KWE_STAGE_UNTIL &&
        !stage_conditions_hold(run, run->lane)) {
        stage_skip(guide, run, now_ns);
        return;
    }
    if (stage->timeout_ns != 0) {
        deadline_set(guide, &run->deadline, now_ns + stage->timeout_ns);
    }
    if (stage->op == NULL) {
        loop_start(guide, run, now_ns);
    } else {
        run->tried = 0;
        ready_push(guide, run, now_ns);
    }
}
