/* ready.c - what is ready, by deck: the deepest in its plan first. */
#include "kernel/nucleus/guide/state.h"

static bool deck_is_down(const struct guide *guide, const struct guide_deck *deck)
{
    for (uint32_t i = 0; i < deck->instance_count; i++) {
        if (!guide->instance[deck->first_instance + i].down) {
            return false;
        }
    }
    return true;
}

void ready_push(struct guide *guide, struct stage_run *run, uint64_t now_ns)
{
    const struct plan_stage *stage = run_stage(run);
    struct guide_deck *deck = &guide->deck[stage->deck];
    struct ready_queue *queue = &deck->ready[stage->level];

    if (deck_is_down(guide, deck)) {
        stage_fail(guide, run, KERR_DECK_DOWN, run->stage, now_ns);
        return;
    }
    run->state = RUN_READY;
    run->ready_ns = now_ns;
    run->cost_ns = plan_cost_ns(stage, bind_size_bytes(run));
    run->next = NULL;
    run->previous = queue->last;
    if (queue->last == NULL) {
        queue->first = run;
        deck->ready_levels |= 1ull << stage->level;
    } else {
        queue->last->next = run;
    }
    queue->last = run;
    deck->ready_count++;
    deck->ready_cost_ns += run->cost_ns;
    if (deck->ready_count == 1) {
        /* More than one: whoever takes the first sees the rest and has a sibling come for it. */
        guide->config.port.deck_ready(guide->config.port.context, stage->deck);
    }
}

void ready_remove(struct guide *guide, struct stage_run *run)
{
    const struct plan_stage *stage = run_stage(run);
    struct guide_deck *deck = &guide->deck[stage->deck];
    struct ready_queue *queue = &deck->ready[stage->level];

    if (run->previous == NULL) {
        queue->first = run->next;
    } else {
        run->previous->next = run->next;
    }
    if (run->next == NULL) {
        queue->last = run->previous;
    } else {
        run->next->previous = run->previous;
    }
    if (queue->first == NULL) {
        deck->ready_levels &= ~(1ull << stage->level);
    }
    deck->ready_count--;
    deck->ready_cost_ns -= run->cost_ns;
}
