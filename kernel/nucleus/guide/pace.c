/*
 * pace.c - what a stage is expected to take whose output's size nobody knows before: a read takes what there is. By its hints such a stage always
 * fills its room, and a vector would hold one or two of them; so it goes by what the newest of its workflow's have taken, and never by more than
 * the hints say: a device's time is no work of the deck's. One that waits for what a standing event is about has nothing to take yet.
 *
 * The sums are those that are kept anyway, and are looked at once for so many answers. A deterministic system goes by the hints alone.
 */
#include "kernel/nucleus/guide/state.h"

#define WINDOW_ANSWERS 16u

static uint64_t measured_ns(struct workflow *workflow, uint16_t stage)
{
    const struct kwe_stage_status *counts = &workflow->stage_status[stage];
    struct stage_pace *pace = &workflow->pace[stage];
    const uint64_t answers = counts->events + counts->failed;
    const uint64_t newest = answers - pace->answers;

    if (newest >= WINDOW_ANSWERS) {
        pace->cost_ns = (counts->busy_ns - pace->busy_ns) / newest;
        pace->answers = answers;
        pace->busy_ns = counts->busy_ns;
    }
    return pace->answers == 0 ? UINT64_MAX : pace->cost_ns;
}

uint64_t pace_cost_ns(const struct guide *guide, struct workflow *workflow,
                      const struct plan_stage *stage, uint64_t bytes)
{
    const bool waits = (stage->op->traits & OP_TRAIT_TRIGGER) != 0;
    const uint64_t hinted_ns = plan_cost_ns(stage, waits ? 0 : bytes);

    if (hinted_ns == 0 || waits || stage->size_binding != PLAN_NO_BINDING ||
        workflow->plan->is_arena || guide->config.first_instance_only) {
        return hinted_ns;
    }
    const uint64_t newest_ns = measured_ns(workflow, stage->index);
    return newest_ns < hinted_ns ? newest_ns : hinted_ns;
}
