/*
 * live.c - where in its slot each output lies: two of one deck share a place when the later is written only after the earlier has been read
 * for the last time, so that a long pipeline's working set stays as small and warm as a short one's.
 *
 * over[B]: stages that can no longer run, read or write when B starts, whichever way the event took. What B waits for strictly is done,
 * and so is what that waited for; what it tolerates is over, but says nothing of what came before it; of a FIRST join nothing is known.
 * ended[B]: the same when B is over, which for one that starts early is more.
 */
#include "kernel/nucleus/workflow/live.h"

#include "kernel/lib/string.h"

#define OUTPUT_ALIGN 64u

_Static_assert(KWE_MAX_STAGES == 64, "one bit a stage");

struct lives {
    uint64_t over[KWE_MAX_STAGES], ended[KWE_MAX_STAGES];
    uint64_t readers[KWE_MAX_STAGES];
};

static uint64_t bit(uint32_t stage)
{
    return 1ull << stage;
}

/* A loop that is done has taken its body along. */
static uint64_t with_body(const struct plan *plan, uint16_t stage)
{
    uint64_t stages = bit(stage);

    if (plan->stages[stage].op == NULL) {
        const struct plan_loop *loop = &plan->loops[plan->stages[stage].loop];
        for (uint16_t i = 0; i < loop->body_count; i++) {
            stages |= bit(loop->body_first + i);
        }
    }
    return stages;
}

static void find_over(const struct plan *plan, struct lives *lives)
{
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        const struct plan_stage *stage = &plan->stages[i];
        for (uint16_t k = 0; k < stage->dependency_count; k++) {
            const struct kwe_dependency *before = &plan->dependencies[stage->dependency_first + k];
            if (stage->is_body || stage->join == KWE_JOIN_FIRST) {
                break;
            }
            if ((before->flags & KWE_DEPENDENCY_TOLERATES) != 0) {
                lives->ended[i] |= bit(before->stage);
            } else {
                lives->ended[i] |= with_body(plan, before->stage) | lives->ended[before->stage];
            }
        }
        lives->over[i] = stage->is_early ? 0 : lives->ended[i];
    }
}

static void find_readers(const struct plan *plan, struct lives *lives)
{
    for (uint16_t i = 0; i < plan->stage_count; i++) {
        const struct plan_stage *stage = &plan->stages[i];
        for (uint16_t k = 0; !stage->is_dropped && k < stage->binding_count; k++) {
            const struct kwe_binding *binding = &plan->bindings[stage->binding_first + k];
            if (!plan_binds_stage(binding) ||
                (!plan_binds_input(binding) && binding->kind != KWE_BIND_PARAM_OUTPUT)) {
                continue;
            }
            if (binding->stage < plan->stage_count) {
                lives->readers[binding->stage] |= bit(i);
            }
            for (uint16_t d = 0; binding->stage == KWE_ANY_STAGE && d < stage->dependency_count;
                 d++) {
                lives->readers[plan->dependencies[stage->dependency_first + d].stage] |= bit(i);
            }
        }
    }
}

static bool may_take_the_place(const struct plan *plan, const struct lives *lives, uint32_t later,
                               uint32_t earlier)
{
    const uint64_t users = lives->readers[earlier] | bit(earlier);
    return earlier != plan->header->result_stage && !plan->stages[earlier].is_body &&
           (users & ~lives->over[later]) == 0;
}

static uint64_t place_bytes(const struct plan *plan, const struct plan_stage *stage)
{
    return stage->out_stride * (stage->is_body ? plan->loops[stage->loop].lanes : 1u);
}

static bool has_place(const struct plan_stage *stage)
{
    return stage->out_room != 0 && !stage->is_dropped;
}

/* The first place that is free of all that `index` may not overwrite. */
static uint64_t find_place(const struct plan *plan, const struct lives *lives, uint32_t index,
                           const struct plan_stage *stage)
{
    uint64_t at = 0;
    bool moved = true;

    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < index; i++) {
            const struct plan_stage *other = plan_stage_in(plan, i, stage->deck);
            bool is_apart = other == NULL || !has_place(other) ||
                            may_take_the_place(plan, lives, index, i) ||
                            at >= other->out_offset + place_bytes(plan, other) ||
                            at + place_bytes(plan, stage) <= other->out_offset;
            if (!is_apart) {
                at = other->out_offset + place_bytes(plan, other);
                moved = true;
            }
        }
    }
    return at;
}

/* In the deck that may run it. */
static void lay_out(struct plan *plan, const struct lives *lives, uint32_t index,
                    struct plan_stage *stage, uint64_t deck_bytes[MAX_DECKS])
{
    stage->out_room = plan->stages[index].out_room;
    stage->out_stride = round_up_u64(stage->out_room, OUTPUT_ALIGN);
    stage->out_offset = find_place(plan, lives, index, stage);
    const uint64_t end = stage->out_offset + place_bytes(plan, stage);
    deck_bytes[stage->deck] = end > deck_bytes[stage->deck] ? end : deck_bytes[stage->deck];
    plan->outputs_bytes += place_bytes(plan, stage);
}

void live_lay_out(struct plan *plan, uint64_t deck_bytes[MAX_DECKS])
{
    struct lives lives;

    memset(&lives, 0, sizeof(lives));
    memset(deck_bytes, 0, MAX_DECKS * sizeof(deck_bytes[0]));
    find_over(plan, &lives);
    find_readers(plan, &lives);
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        struct plan_stage *stage = &plan->stages[i];
        if (!has_place(stage)) {
            continue;
        }
        lay_out(plan, &lives, i, stage, deck_bytes);
        for (uint32_t k = 0; stage->is_open && k < stage->other_count; k++) {
            lay_out(plan, &lives, i, &plan->others[stage->other_first + k], deck_bytes);
        }
    }
    for (uint32_t i = 0; i < MAX_DECKS; i++) {
        plan->shared_bytes += deck_bytes[i];
    }
}
