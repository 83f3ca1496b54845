/* work.c - WorkRing slots: what is the same in all events of a workflow is filled in once, at registration. */
#include "kernel/nucleus/guide/taking.h"

static void describe(const struct workflow *workflow, const struct plan *plan, uint16_t index,
                     struct kwe_work *work)
{
    const struct plan_stage *stage = &plan->stages[index];

    *work = (struct kwe_work){
        .op = stage->number,
        .stage = index,
        .workflow = workflow->id,
        .input_count = (uint8_t)stage->input_count,
        .params_bytes = (uint16_t)stage->params_bytes,
        .arena_base = workflow->arena_base,
        .out_capacity = stage->out_room,
        .manifest_offset = (uint32_t)(workflow->segment_offset[PLAN_SEGMENT_NUCLEUS] +
                                      workflow->plan->manifest_offset),
        .manifest_count = workflow->plan->header->manifest_count,
    };
}

bool work_open(struct guide *guide, struct workflow *workflow)
{
    const struct plan *plan = workflow->plan;

    if (plan->is_arena) {
        return true;
    }
    workflow->work = guide_alloc(guide, plan->stage_count * sizeof(*workflow->work));
    for (uint16_t i = 0; workflow->work != NULL && i < plan->stage_count; i++) {
        describe(workflow, plan, i, &workflow->work[i]);
    }
    return workflow->work != NULL;
}

void work_close(struct guide *guide, struct workflow *workflow)
{
    guide_free(guide, workflow->work, workflow->plan->stage_count * sizeof(*workflow->work));
}

/* 0: none. */
static uint64_t soonest(uint64_t one, uint64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

void work_fill(const struct stage_run *run, struct kwe_work *work)
{
    const struct event *event = run->event;
    const struct workflow *workflow = event->workflow;

    if (workflow->work != NULL) {
        work_fill_from(&workflow->work[run->stage], run, work);
    } else {
        describe(workflow, event->plan, run->stage, work);
        work_fill_from(work, run, work);
    }
    work->op = run_stage(run)->number; /* another deck's may be another */
    work->out_capacity = run_room(run);
    work->out_offset = work->out_capacity == 0 ? 0 : run->out_offset;
    work->deadline_ns = soonest(event->deadline_ns, run->deadline.at_ns);
}
