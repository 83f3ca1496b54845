/*
 * variant.c - which of the decks that have a stage's operation runs it, event by event (docs/decisions/0021).
 *
 * expected    = what lies before that deck, over its instances + what this size of the operation has been measured to take there
 * measured    an average of the newest samples, as a ratio to the operation's hints: so that one size of a class says something of another, and
 *             of a class not seen yet the nearest seen does. Where a deck has several under way at once, a sample is its time by their number:
 *             what one more adds.
 * looked at   what is not the best is chosen once in each class, if it is not far worse; later whenever the time that the best took since
 *             has earned what it is expected to cost more. So looking costs at most one part in EXPLORE_PARTS of the time, and what was
 *             slow once is seen to have become fast.
 * shunned     a variant that answered what only it can answer (its device is gone) is gone past for a number of choices, twice as many each
 *             time it says so again.
 *
 * Nothing here is drawn by chance or read from a clock: the same answers make the same choices. A deterministic system always takes the variant
 * that the workflow names, if it is there.
 */
#include "kernel/nucleus/guide/state.h"

#define RATIO_ONE        1024u
#define RATIO_MOST       (RATIO_ONE << 16)
#define NEWEST_SAMPLES   4u
#define EXPLORE_PARTS    32u
#define FIRST_LOOK_TIMES 16u /* a first look may take so many times what the best would */
#define SHUN_FIRST       8u
#define SHUN_MOST        1024u

/* ---- what is known ---------------------------------------------------------------------------------------------------------- */

static size_t table_bytes(const struct deck_spec *spec)
{
    return spec->op_count * sizeof(struct variant_op);
}

static bool has_variants(const struct deck_spec *spec)
{
    for (uint32_t i = 0; i < spec->op_count; i++) {
        if (spec->ops[i].variant_count != 0) {
            return true;
        }
    }
    return false;
}

bool variant_open(struct guide *guide)
{
    for (uint32_t i = 0; i < guide->config.spec_count; i++) {
        const struct deck_spec *spec = &guide->config.specs[i];
        if (!has_variants(spec)) {
            continue;
        }
        guide->deck[spec->prefix].variants = guide_alloc(guide, table_bytes(spec));
        if (guide->deck[spec->prefix].variants == NULL) {
            return false;
        }
    }
    return true;
}

void variant_close(struct guide *guide)
{
    for (uint32_t i = 0; i < MAX_DECKS; i++) {
        if (guide->deck[i].spec != NULL) {
            guide_free(guide, guide->deck[i].variants, table_bytes(guide->deck[i].spec));
        }
    }
}

static struct variant_op *op_of(const struct guide *guide, const struct plan_stage *stage)
{
    return &guide->deck[stage->deck].variants[stage->number];
}

static uint32_t size_class(uint64_t bytes)
{
    const uint64_t pages = bytes >> 12;
    const uint32_t size = pages == 0 ? 0 : 64u - (uint32_t)__builtin_clzll(pages);

    return size < VARIANT_SIZES ? size : VARIANT_SIZES - 1;
}

/* Of the nearest class that has been measured. */
static uint32_t known_ratio(const struct variant_op *op, uint32_t size)
{
    for (uint32_t away = 0; away < VARIANT_SIZES; away++) {
        if (size >= away && op->size[size - away].ratio != 0) {
            return op->size[size - away].ratio;
        }
        if (size + away < VARIANT_SIZES && op->size[size + away].ratio != 0) {
            return op->size[size + away].ratio;
        }
    }
    return RATIO_ONE;
}

static uint64_t hinted_ns(const struct plan_stage *stage, uint64_t bytes)
{
    const uint64_t cost_ns = plan_cost_ns(stage, bytes);
    return cost_ns == 0 ? 1 : cost_ns;
}

uint64_t variant_cost_ns(const struct guide *guide, const struct plan_stage *stage, uint64_t bytes)
{
    const uint64_t cost_ns =
        hinted_ns(stage, bytes) * known_ratio(op_of(guide, stage), size_class(bytes)) / RATIO_ONE;
    return cost_ns == 0 ? 1 : cost_ns;
}

/* ---- the choice --------------------------------------------------------------------------------------------------------------- */

/* Variant 0 is the one that is named. */
static const struct plan_stage *variant(const struct plan *plan, const struct plan_stage *named,
                                        uint32_t index)
{
    return index == 0 ? named : &plan->others[named->other_first + index - 1];
}

static uint32_t variant_index(const struct stage_run *run)
{
    const struct plan *plan = run->event->plan;
    const struct plan_stage *named = &plan->stages[run->stage], *mine = run_stage(run);

    return mine == named ? 0 : (uint32_t)(mine - &plan->others[named->other_first]) + 1;
}

static uint32_t instances_up(const struct guide *guide, const struct guide_deck *deck)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < deck->instance_count; i++) {
        count += guide->instance[deck->first_instance + i].down ? 0 : 1;
    }
    return count;
}

/* UINT64_MAX: it cannot be chosen. */
static uint64_t expected_ns(const struct guide *guide, const struct plan_stage *stage,
                            uint64_t bytes)
{
    const struct guide_deck *deck = &guide->deck[stage->deck];
    const uint32_t up = instances_up(guide, deck);

    return up == 0
               ? UINT64_MAX
               : (deck->ready_cost_ns + deck->open_ns) / up + variant_cost_ns(guide, stage, bytes);
}

struct choice {
    const struct plan_stage *stage[KWE_MAX_VARIANTS]; /* that can be chosen */
    uint64_t expected_ns[KWE_MAX_VARIANTS];
    uint32_t count, best;
    uint64_t bytes;
};

/* Those that are there and were not tried; without the shunned ones, unless there are no others. */
static void list_variants(const struct guide *guide, const struct stage_run *run, bool with_shunned,
                          struct choice *choice)
{
    const struct plan *plan = run->event->plan;
    const struct plan_stage *named = &plan->stages[run->stage];

    for (uint32_t i = 0; i <= named->other_count; i++) {
        const struct plan_stage *stage = variant(plan, named, i);
        const uint64_t ns = expected_ns(guide, stage, choice->bytes);
        if ((run->tried >> i & 1) != 0 || ns == UINT64_MAX ||
            (!with_shunned && op_of(guide, stage)->shunned != 0)) {
            continue;
        }
        choice->stage[choice->count] = stage;
        choice->expected_ns[choice->count] = ns;
        if (ns < choice->expected_ns[choice->best]) {
            choice->best = choice->count;
        }
        choice->count++;
    }
}

static void count_shunned(const struct guide *guide, const struct stage_run *run)
{
    const struct plan *plan = run->event->plan;
    const struct plan_stage *named = &plan->stages[run->stage];

    for (uint32_t i = 0; i <= named->other_count; i++) {
        struct variant_op *op = op_of(guide, variant(plan, named, i));
        op->shunned -= op->shunned != 0 ? 1 : 0;
    }
}

/* Is it time to look at one that is not the best? Its credit grows by what the best is expected to take. */
static bool is_due(const struct guide *guide, const struct choice *choice, uint32_t index)
{
    struct variant_cost *cost =
        &op_of(guide, choice->stage[index])->size[size_class(choice->bytes)];
    const uint64_t best_ns = choice->expected_ns[choice->best];
    const uint64_t ns = choice->expected_ns[index];

    if (!cost->looked_at && ns / FIRST_LOOK_TIMES <= best_ns) {
        return true;
    }
    cost->credit_ns +=
        variant_cost_ns(guide, choice->stage[choice->best], choice->bytes) / EXPLORE_PARTS;
    if (cost->credit_ns < ns - best_ns) {
        return false;
    }
    cost->credit_ns = 0;
    return true;
}

static uint32_t look_around(const struct guide *guide, const struct choice *choice)
{
    for (uint32_t i = 0; i < choice->count; i++) {
        if (i != choice->best && is_due(guide, choice, i)) {
            return i;
        }
    }
    return choice->best;
}

void variant_choose(struct guide *guide, struct stage_run *run)
{
    struct choice choice = { .bytes = bind_size_bytes(run) };

    list_variants(guide, run, false, &choice);
    if (choice.count == 0) {
        list_variants(guide, run, true, &choice);
    }
    count_shunned(guide, run);
    if (choice.count == 0) {
        return; /* none is there: it fails where it would have run last */
    }
    /* The first is the one that is named, when it is there. */
    const uint32_t chosen = guide->config.first_instance_only ? 0 : look_around(guide, &choice);
    op_of(guide, choice.stage[chosen])->size[size_class(choice.bytes)].looked_at = true;
    run->plan_stage = choice.stage[chosen];
}

/* ---- there and back ------------------------------------------------------------------------------------------------------------- */

void variant_handed(struct guide *guide, struct stage_run *run)
{
    struct guide_deck *deck = &guide->deck[run_stage(run)->deck];

    deck->open_ns += run->cost_ns;
    deck->open_count++;
    run->among = !deck->spec->device_class      ? 1
                 : deck->open_count > UINT8_MAX ? UINT8_MAX
                                                : (uint8_t)deck->open_count;
}

void variant_returned(struct guide *guide, const struct stage_run *run)
{
    struct guide_deck *deck = &guide->deck[run_stage(run)->deck];

    deck->open_ns -= run->cost_ns;
    deck->open_count--;
}

static void learn(struct variant_cost *cost, uint64_t measured_ns, uint64_t hint_ns)
{
    const uint64_t most = hint_ns * (RATIO_MOST / RATIO_ONE);
    uint64_t ratio = (measured_ns < most ? measured_ns : most) * RATIO_ONE / hint_ns;

    ratio = ratio == 0 ? 1 : ratio;
    if (cost->samples < NEWEST_SAMPLES) {
        cost->samples++;
    }
    const int64_t step = ((int64_t)ratio - (int64_t)cost->ratio) / cost->samples;
    cost->ratio = (uint32_t)((int64_t)cost->ratio + step);
    cost->ratio = cost->ratio == 0 ? 1 : cost->ratio;
}

void variant_answered(struct guide *guide, const struct stage_run *run,
                      const struct kwe_completion *completion)
{
    const struct plan_stage *stage = run_stage(run);
    const uint32_t index = variant_index(run);
    struct variant_op *op = op_of(guide, stage);

    variant_returned(guide, run);
    if (completion->status != KERR_OK) {
        return;
    }
    op->shunned = 0;
    op->shun_next = 0;
    learn(&op->size[size_class(run->size_bytes)], completion->elapsed_ns / run->among,
          hinted_ns(stage, run->size_bytes));
    if (index != 0) {
        struct kwe_variant_status *status =
            &run->event->workflow->stage_status[run->stage].other[index - 1];
        status->events++;
        status->busy_ns += completion->elapsed_ns;
    }
}

static bool is_own_error(const struct op_spec *op, enum kerr status)
{
    for (uint32_t i = 0; i < op->own_error_count; i++) {
        if (op->own_errors[i] == status) {
            return true;
        }
    }
    return false;
}

static void shun(struct variant_op *op)
{
    if (op->shunned == 0) { /* else this one was chosen before that was known */
        op->shun_next = op->shun_next == 0 ? SHUN_FIRST : op->shun_next * 2;
        op->shun_next = op->shun_next < SHUN_MOST ? op->shun_next : SHUN_MOST;
        op->shunned = op->shun_next;
    }
}

bool variant_again(struct guide *guide, struct stage_run *run, enum kerr status, uint64_t now_ns)
{
    const struct plan_stage *stage = run_stage(run);
    struct choice choice = { .bytes = 0 };

    if (!stage->is_open || (status != KERR_DECK_DOWN && !is_own_error(stage->op, status))) {
        return false;
    }
    run->tried |= (uint8_t)(1u << variant_index(run));
    if (status != KERR_DECK_DOWN) {
        shun(op_of(guide, stage));
    }
    list_variants(guide, run, true, &choice);
    if (choice.count == 0) {
        return false;
    }
    if (run->state == RUN_READY) {
        ready_remove(guide, run);
    }
    ready_push(guide, run, now_ns);
    return true;
}
