/* workflows.c - a workflow's arena: made and mapped at registration, so that no event costs page-table work. */
#include "kernel/nucleus/program/workflows.h"

#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"

/* Of the free frames, this part stays free for rings, tables, restarts. */
#define ARENA_SHARE_NUMERATOR   7u
#define ARENA_SHARE_DENOMINATOR 8u

static bool write_nucleus_segment(struct workflow_arena *workflow)
{
    const struct plan *plan = workflow->plan;
    const struct kwe_workflow *header = plan->header;
    size_t manifest_bytes = header->manifest_count * sizeof(struct kwe_manifest_entry);

    return arena_write(workflow->arena, PLAN_SEGMENT_NUCLEUS, plan->manifest_offset, plan->manifest,
                       manifest_bytes) &&
           arena_write(workflow->arena, PLAN_SEGMENT_NUCLEUS, plan->constant_offset,
                       plan->constants, header->constant_bytes);
}

static void unmap_everywhere(struct nucleus *nucleus, struct workflow_arena *workflow)
{
    for (uint32_t i = 0; i < nucleus->instance_count; i++) {
        deck_unmap_arena(nucleus->instance[i], workflow);
    }
    if (workflow->owner != NULL) {
        arena_unmap(workflow->arena, workflow->owner->space);
    }
}

/* All or nothing. */
static bool map_everywhere(struct nucleus *nucleus, struct workflow_arena *workflow)
{
    uint32_t done = 0;

    while (done < nucleus->instance_count && deck_map_arena(nucleus->instance[done], workflow)) {
        done++;
    }
    if (done == nucleus->instance_count &&
        arena_map(workflow->arena, workflow->owner->space, PLAN_SEGMENT_PROGRAM) == KERR_OK) {
        return true;
    }
    while (done > 0) {
        deck_unmap_arena(nucleus->instance[--done], workflow);
    }
    return false;
}

static struct arena *make_arena(struct nucleus *nucleus, const struct plan *plan)
{
    uint64_t sizes[PLAN_MAX_SEGMENTS];

    for (uint32_t i = 0; i < plan->segment_count; i++) {
        sizes[i] = plan->segment[i].bytes;
    }
    return arena_create(&nucleus->frames, &nucleus->heap, sizes, plan->segment_count);
}

static enum kerr enter(struct nucleus *nucleus, struct workflow_arena *workflow)
{
    uint64_t offsets[PLAN_MAX_SEGMENTS];
    struct plan *plan = workflow->plan;

    for (uint32_t i = 0; i < plan->segment_count; i++) {
        offsets[i] = workflow->arena->segment[i].offset;
    }
    if (!write_nucleus_segment(workflow) || !map_everywhere(nucleus, workflow)) {
        return KERR_NO_MEMORY;
    }
    enum kerr entered = guides_register(nucleus->guides, plan, workflow->owner->index,
                                        workflow->arena->base.value, offsets, &workflow->id);
    if (entered != KERR_OK) {
        unmap_everywhere(nucleus, workflow);
    }
    return entered;
}

static void fill_info(const struct workflow_arena *workflow, struct kwe_workflow_info *info)
{
    const struct arena *arena = workflow->arena;

    info->workflow = workflow->id;
    info->slots = workflow->plan->slots;
    info->arena_base = arena->base.value;
    info->arena_bytes = arena->bytes;
    info->program_offset = arena->segment[PLAN_SEGMENT_PROGRAM].offset;
    info->program_bytes = arena->segment[PLAN_SEGMENT_PROGRAM].bytes;
    info->slot_bytes = workflow->plan->slot_bytes;
}

static enum kerr build(struct nucleus *nucleus, struct program *program, struct plan *plan,
                       struct kwe_workflow_info *info)
{
    uint64_t free_bytes = nucleus->frames.free_frames * PAGE_SIZE;
    enum kerr fits = plan_fit(plan, free_bytes * ARENA_SHARE_NUMERATOR / ARENA_SHARE_DENOMINATOR);

    if (fits != KERR_OK) {
        return fits;
    }
    struct workflow_arena *workflow = heap_alloc_zeroed(&nucleus->heap, sizeof(*workflow));
    if (workflow == NULL) {
        return KERR_NO_MEMORY;
    }
    workflow->owner = program;
    workflow->plan = plan;
    workflow->arena = make_arena(nucleus, plan);
    enum kerr entered = workflow->arena == NULL ? KERR_NO_MEMORY : enter(nucleus, workflow);
    if (entered != KERR_OK) {
        if (workflow->arena != NULL) {
            arena_destroy(workflow->arena);
        }
        heap_free(&nucleus->heap, workflow, sizeof(*workflow));
        return entered;
    }
    /* Release: see read_segment() in told.c. */
    __atomic_store_n(&nucleus->workflow[GUIDE_WORKFLOW_INDEX(workflow->id)], workflow,
                     __ATOMIC_RELEASE);
    fill_info(workflow, info);
    return KERR_OK;
}

/* The plan was `made`, or not: go on. */
static enum kerr finish(struct nucleus *nucleus, struct program *program, enum kerr made,
                        struct plan *plan, struct kwe_workflow_info *info)
{
    enum kerr result = made;

    if (made == KERR_OK) {
        result = build(nucleus, program, plan, info);
        if (result != KERR_OK) {
            plan_destroy(plan);
        }
    }
    info->status = (uint16_t)result;
    return result;
}

enum kerr workflows_register(struct nucleus *nucleus, struct program *program, const void *blob,
                             size_t bytes, struct kwe_workflow_info *info)
{
    struct guide_memory memory = nucleus_guide_memory(nucleus);
    struct plan_error error;
    struct plan *plan;

    *info = (struct kwe_workflow_info){ .stage = KWE_NO_STAGE };
    enum kerr made = plan_create(&memory, deck_specs, deck_spec_count, nucleus->cpu_count, blob,
                                 bytes, &plan, &error);
    if (made != KERR_OK) {
        info->stage = error.stage;
        info->detail = error.detail;
    }
    return finish(nucleus, program, made, plan, info);
}

enum kerr workflows_create_arena(struct nucleus *nucleus, struct program *program,
                                 const void *arena, size_t bytes, struct kwe_workflow_info *info)
{
    struct guide_memory memory = nucleus_guide_memory(nucleus);
    struct plan *plan;

    *info = (struct kwe_workflow_info){ .stage = KWE_NO_STAGE };
    enum kerr made = plan_create_arena(&memory, deck_specs, deck_spec_count, nucleus->cpu_count,
                                       arena, bytes, &plan);
    return finish(nucleus, program, made, plan, info);
}

void workflows_gone(struct nucleus *nucleus, uint32_t id)
{
    struct workflow_arena *workflow = nucleus->workflow[GUIDE_WORKFLOW_INDEX(id)];

    KASSERT(workflow != NULL && workflow->id == id, "workflow 0x%x", id);
    unmap_everywhere(nucleus, workflow);
    nucleus->workflow[GUIDE_WORKFLOW_INDEX(id)] = NULL;
    arena_destroy(workflow->arena);
    heap_free(&nucleus->heap, workflow, sizeof(*workflow));
}

void workflows_orphan(struct nucleus *nucleus, struct program *program)
{
    for (unsigned i = 0; i < MAX_WORKFLOWS; i++) {
        struct workflow_arena *workflow = nucleus->workflow[i];
        if (workflow != NULL && workflow->owner == program) {
            arena_unmap(workflow->arena, program->space);
            workflow->owner = NULL;
        }
    }
}
