/*
 * ready.c - what is ready, and which of it goes next.
 *
 * The workflows of a program get equal shares of a deck's time: each has an account of the time that it was given (by the operations' hints).
 * Next goes the one whose next event has the soonest deadline, among equals the one with the least. So do programs (guides.c), by the accounts
 * kept here. Whoever comes after a pause starts a little below those who are there: it goes first once, and has saved up nothing.
 * Within a workflow: by rank (workflow/order.c), but with one event in flight by the longest way that lies ahead.
 */
#include "kernel/nucleus/guide/state.h"

/* How far below those who are there a newcomer starts. */
#define HEAD_START_NS 200000u

_Static_assert(KWE_MAX_STAGES == 64, "one bit of ready_set.ranks a rank");

/* ---- a workflow's sets --------------------------------------------------------------------------------------------------- */

static size_t set_bytes(const struct workflow *workflow)
{
    return sizeof(struct ready_set) + workflow->stage_room * sizeof(struct ready_queue);
}

bool ready_open(struct guide *guide, struct workflow *workflow)
{
    const struct plan *plan = workflow->plan;

    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const uint8_t deck = plan->segment[i].deck;
        if (!plan->segment[i].is_instance || workflow->ready[deck] != NULL) {
            continue;
        }
        workflow->ready[deck] = guide_alloc(guide, set_bytes(workflow));
        if (workflow->ready[deck] == NULL) {
            return false;
        }
        workflow->ready[deck]->workflow = workflow;
    }
    return true;
}

void ready_close(struct guide *guide, struct workflow *workflow)
{
    for (uint32_t deck = 0; deck < MAX_DECKS; deck++) {
        guide_free(guide, workflow->ready[deck], set_bytes(workflow));
    }
}

/* ---- shares -------------------------------------------------------------------------------------------------------------- */

static void raise_to(uint64_t *used_ns, uint64_t floor_ns)
{
    const uint64_t least_ns = floor_ns > HEAD_START_NS ? floor_ns - HEAD_START_NS : 0;
    *used_ns = *used_ns < least_ns ? least_ns : *used_ns;
}

static void enter(struct guide *guide, struct guide_deck *deck, struct ready_set *set)
{
    raise_to(&set->workflow->used_ns, guide->workflow_floor_ns);
    raise_to(&guide->used_ns, __atomic_load_n(&guide->shared->floor_ns, __ATOMIC_RELAXED));
    set->next = deck->ready;
    deck->ready = set;
}

static void leave(struct guide_deck *deck, const struct ready_set *set)
{
    struct ready_set **link = &deck->ready;

    while (*link != set) {
        link = &(*link)->next;
    }
    *link = set->next;
}

void ready_charge(struct guide *guide, struct workflow *workflow, uint64_t cost_ns)
{
    workflow->used_ns += cost_ns;
    guide->workflow_floor_ns =
        workflow->used_ns > guide->workflow_floor_ns ? workflow->used_ns : guide->workflow_floor_ns;
    guide->used_ns += cost_ns;
    if (guide->used_ns > __atomic_load_n(&guide->shared->floor_ns, __ATOMIC_RELAXED)) {
        __atomic_store_n(&guide->shared->floor_ns, guide->used_ns, __ATOMIC_RELAXED);
    }
}

/* ---- who goes next --------------------------------------------------------------------------------------------------------- */

static struct stage_run *longest_way(const struct ready_set *set)
{
    struct stage_run *best = NULL;

    for (uint64_t ranks = set->ranks; ranks != 0; ranks &= ranks - 1) {
        struct stage_run *run = set->queue[__builtin_ctzll(ranks)].first;
        if (best == NULL || run_stage(run)->remaining_ns >= run_stage(best)->remaining_ns) {
            best = run;
        }
    }
    return best;
}

static struct stage_run *set_first(const struct ready_set *set)
{
    return set->workflow->live_count == 1 && (set->ranks & (set->ranks - 1)) != 0
               ? longest_way(set)
               : set->queue[63 - __builtin_clzll(set->ranks)].first;
}

/* 0 is none, and the latest. */
static uint64_t deadline_of(const struct ready_set *set)
{
    return set_first(set)->event->deadline_ns - 1;
}

static bool goes_before(const struct ready_set *one, const struct ready_set *other)
{
    if (deadline_of(one) != deadline_of(other)) {
        return deadline_of(one) < deadline_of(other);
    }
    return one->workflow->used_ns < other->workflow->used_ns;
}

struct stage_run *ready_first(const struct guide_deck *deck)
{
    const struct ready_set *best = deck->ready;

    if (best == NULL) {
        return NULL;
    }
    for (const struct ready_set *set = best->next; set != NULL; set = set->next) {
        best = goes_before(set, best) ? set : best;
    }
    return set_first(best);
}

/* ---- in and out -------------------------------------------------------------------------------------------------------------- */

bool ready_deck_is_down(const struct guide *guide, const struct guide_deck *deck)
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
    if (run_stage(run)->is_open) {
        variant_choose(guide, run);
    }
    const struct plan_stage *stage = run_stage(run);
    struct guide_deck *deck = &guide->deck[stage->deck];

    if (ready_deck_is_down(guide, deck)) {
        stage_fail(guide, run, KERR_DECK_DOWN, run->stage, now_ns);
        return;
    }
    run->size_bytes = bind_size_bytes(run);
    run->cost_ns = stage->is_open
                       ? variant_cost_ns(guide, stage, run->size_bytes)
                       : pace_cost_ns(guide, run->event->workflow, stage, run->size_bytes);
    run->state = RUN_READY;
    run->ready_ns = now_ns;
    run->next = NULL;
    trace_run(guide, KWE_TRACE_READY, run, NULL, now_ns);
    ready_append(guide, &(struct ready_chain){ run, run, 1, run->cost_ns });
}

void ready_append(struct guide *guide, const struct ready_chain *chain)
{
    const struct plan_stage *stage = run_stage(chain->first);
    struct guide_deck *deck = &guide->deck[stage->deck];
    struct ready_set *set = chain->first->event->workflow->ready[stage->deck];
    struct ready_queue *queue = &set->queue[stage->rank];

    chain->first->previous = queue->last;
    if (queue->last == NULL) {
        queue->first = chain->first;
        if (set->ranks == 0) {
            enter(guide, deck, set);
        }
        set->ranks |= 1ull << stage->rank;
    } else {
        queue->last->next = chain->first;
    }
    queue->last = chain->last;
    deck->ready_cost_ns += chain->cost_ns;
    deck->ready_count += chain->count;
    ready_note(guide, deck);
    if (deck->ready_count == chain->count) {
        /* More than these: whoever takes the first sees the rest and has a sibling come for it. */
        guide->config.port.deck_ready(guide->config.port.context, stage->deck);
    }
}

void ready_remove(struct guide *guide, struct stage_run *run)
{
    const struct plan_stage *stage = run_stage(run);
    struct guide_deck *deck = &guide->deck[stage->deck];
    struct ready_set *set = run->event->workflow->ready[stage->deck];
    struct ready_queue *queue = &set->queue[stage->rank];

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
        set->ranks &= ~(1ull << stage->rank);
        if (set->ranks == 0) {
            leave(deck, set);
        }
    }
    deck->ready_count--;
    deck->ready_cost_ns -= run->cost_ns;
    ready_note(guide, deck);
}

/* ---- many at once -------------------------------------------------------------------------------------------------------------- */

struct stage_run *ready_alike(const struct guide_deck *deck)
{
    const struct ready_set *set = deck->ready;

    if (set == NULL || set->next != NULL || set->workflow->live_count <= 1 ||
        set->workflow->plan->is_arena) {
        return NULL; /* an arena's events have plans of their own */
    }
    struct stage_run *first = set_first(set);
    return run_stage(first)->is_alike ? first : NULL;
}

void ready_cut(struct guide *guide, struct guide_deck *deck, struct stage_run *first,
               struct stage_run *left, uint32_t count, uint64_t cost_ns)
{
    const struct plan_stage *stage = run_stage(first);
    struct ready_set *set = first->event->workflow->ready[stage->deck];
    struct ready_queue *queue = &set->queue[stage->rank];

    deck->ready_count -= count;
    deck->ready_cost_ns -= cost_ns;
    ready_note(guide, deck);
    queue->first = left;
    if (left != NULL) {
        left->previous = NULL;
        return;
    }
    queue->last = NULL;
    set->ranks &= ~(1ull << stage->rank);
    if (set->ranks == 0) {
        leave(deck, set);
    }
}
