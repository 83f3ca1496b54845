/* loop.c - a loop's body, part by part, in lanes: FOR_EACH over parts, UNTIL a condition holds. */
#include "kernel/nucleus/guide/state.h"

static const struct plan_loop *plan_loop(const struct stage_run *run)
{
    return &run->event->plan->loops[run_stage(run)->loop];
}

static struct loop_run *loop_run(const struct stage_run *run)
{
    return &run->event->loops[run_stage(run)->loop];
}

static bool looks_back(const struct kwe_binding *binding)
{
    return binding->kind == KWE_BIND_INPUT_PREVIOUS || binding->kind == KWE_BIND_PARAM_PREVIOUS;
}

/* How many of its bindings to the part before are about a stage that is not over there. */
static uint16_t waits_for_previous(const struct stage_run *run, uint64_t part)
{
    const struct plan *plan = run->event->plan;
    const struct plan_stage *stage = run_stage(run);
    uint16_t waits = 0;

    for (uint16_t i = 0; part > 0 && i < stage->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[stage->binding_first + i];
        const unsigned lane = (unsigned)((part - 1) % plan_loop(run)->lanes);
        /* One that was given up tells when it comes back. */
        if (looks_back(binding) &&
            event_run(run->event, binding->stage, lane)->state <= RUN_ABANDONED) {
            waits++;
        }
    }
    return waits;
}

static void start_part(struct guide *guide, struct stage_run *run, uint64_t part, uint64_t now_ns)
{
    const struct plan_loop *loop = plan_loop(run);
    const unsigned lane = (unsigned)(part % loop->lanes);

    loop_run(run)->lane[lane].part = part;
    loop_run(run)->lane[lane].left = loop->body_runs;
    for (uint16_t i = 0; i < loop->body_count; i++) {
        struct stage_run *body = event_run(run->event, loop->body_first + i, lane);
        if (run_stage(body)->is_dropped) {
            continue;
        }
        body->state = RUN_WAITING;
        body->status = KERR_OK;
        body->length = 0;
        body->waits = run_stage(body)->waits + waits_for_previous(body, part);
    }
    /* One that is over at once may have begun, or ended, others already. */
    for (uint16_t i = 0; i < loop->body_count; i++) {
        struct stage_run *body = event_run(run->event, loop->body_first + i, lane);
        if (body->state == RUN_WAITING && body->waits == 0) {
            stage_start(guide, body, now_ns);
        }
    }
}

/* Count the parts that are over, in order. True: an UNTIL's condition held. */
static bool count_parts(const struct stage_run *run)
{
    const struct plan_loop *loop = plan_loop(run);
    struct loop_run *state = loop_run(run);

    while (state->done < state->started && state->lane[state->done % loop->lanes].left == 0) {
        const unsigned lane = (unsigned)(state->done++ % loop->lanes);
        if (run_stage(run)->kind == KWE_STAGE_UNTIL && stage_conditions_hold(run, lane)) {
            return true;
        }
    }
    return false;
}

/* Parts may be over as soon as they start: then this is already on the stack, and goes on. */
static void pump(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    struct loop_run *state = loop_run(run);

    if (state->pumping) {
        return;
    }
    state->pumping = true;
    while (run->state == RUN_LOOPING && run->event->status == KERR_OK) {
        const bool held = count_parts(run);
        if (held || state->done == state->count) {
            run->value[0] = state->done;
            if (held || run_stage(run)->kind == KWE_STAGE_FOR_EACH) {
                stage_done(guide, run, now_ns);
            } else {
                stage_fail(guide, run, KERR_BOUND_REACHED, run->stage, now_ns);
            }
            break;
        }
        if (state->started == state->count ||
            state->started == state->done + plan_loop(run)->window) {
            break;
        }
        /* Round by round without a deck that does anything it would go on in here. Parts of a FOR_EACH are fewer. */
        if (run_stage(run)->kind == KWE_STAGE_UNTIL && state->idle++ == KWE_MAX_IDLE_ROUNDS) {
            stage_fail(guide, run, KERR_BOUND_REACHED, run->stage, now_ns);
            break;
        }
        start_part(guide, run, state->started++, now_ns);
    }
    state->pumping = false;
}

void loop_start(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    struct loop_run *state = loop_run(run);

    *state = (struct loop_run){ .count = plan_loop(run)->rounds };
    run->value[0] = 0;
    run->state = RUN_LOOPING;
    enum kerr bound = bind_parts(guide, run, &state->parts);
    if (bound == KERR_OK && run_stage(run)->kind == KWE_STAGE_FOR_EACH) {
        state->count =
            (state->parts.total_bytes + state->parts.part_bytes - 1) / state->parts.part_bytes;
        bound = state->count > KWE_MAX_PARTS ? KERR_OVER_LIMITS : KERR_OK;
    }
    if (plan_loop(run)->body_runs == 0) {
        state->started = state->done = state->count; /* all of its body is dropped */
    }
    if (bound != KERR_OK) {
        stage_fail(guide, run, bound, run->stage, now_ns);
        return;
    }
    pump(guide, run, now_ns);
}

/* Whoever looks back at this run from the next part. */
static void tell_next_part(struct guide *guide, const struct stage_run *run, uint64_t now_ns)
{
    const struct plan *plan = run->event->plan;
    const struct plan_loop *loop = plan_loop(run);
    const uint64_t next = run_part(run) + 1;

    for (uint16_t i = 0; next < loop_run(run)->started && i < loop->body_count; i++) {
        struct stage_run *body =
            event_run(run->event, loop->body_first + i, (unsigned)(next % loop->lanes));
        const struct plan_stage *stage = run_stage(body);
        for (uint16_t k = 0; k < stage->binding_count; k++) {
            const struct kwe_binding *binding = &plan->bindings[stage->binding_first + k];
            if (looks_back(binding) && binding->stage == run->stage && body->state == RUN_WAITING &&
                --body->waits == 0) {
                stage_start(guide, body, now_ns);
            }
        }
    }
}

void loop_stage_over(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    struct loop_run *state = loop_run(run);
    struct stage_run *loop = event_run(run->event, plan_loop(run)->stage, 0);

    if (loop->state != RUN_LOOPING) {
        return;
    }
    if (run->state == RUN_DONE) {
        state->idle = 0;
    }
    tell_next_part(guide, run, now_ns);
    if (--state->lane[run->lane].left == 0) {
        pump(guide, loop, now_ns);
    }
}

void loop_drop_body(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    const struct plan_loop *loop = plan_loop(run);

    for (unsigned lane = 0; lane < loop->lanes; lane++) {
        for (uint16_t i = 0; i < loop->body_count; i++) {
            struct stage_run *body = event_run(run->event, loop->body_first + i, lane);
            if (body->state == RUN_READY) {
                ready_remove(guide, body);
            }
            if (body->state == RUN_IN_HAND) {
                stage_recall(guide, body, KERR_CANCELLED, now_ns);
                body->state = RUN_ABANDONED;
            } else if (!run_is_over(body)) {
                body->state = RUN_SKIPPED;
                body->status = KERR_CANCELLED;
                deadline_set(guide, &body->deadline, 0);
            }
        }
    }
}
