/* plan.c - from a checked workflow to its layout: slots, segments, room for every output. */
#include "kernel/nucleus/workflow/plan.h"

#include "kernel/lib/string.h"
#include "kernel/nucleus/workflow/check.h"
#include "kernel/nucleus/workflow/dead.h"
#include "kernel/nucleus/workflow/layout.h"
#include "kernel/nucleus/workflow/live.h"
#include "kernel/nucleus/workflow/order.h"
#include "kernel/nucleus/workflow/variants.h"

#define MAX_ROOM 0x7fffffffu

/* ---- room for outputs -------------------------------------------------------------------------------------------- */

/* Of whichever comes first. */
static uint64_t largest_room(const struct plan *plan, const struct plan_stage *stage)
{
    uint64_t room = 0;
    for (uint16_t i = 0; i < stage->dependency_count; i++) {
        uint64_t one = plan->stages[plan->dependencies[stage->dependency_first + i].stage].out_room;
        room = one > room ? one : room;
    }
    return room;
}

/* A part of it is at most as large as a part can be, when that is known now. */
static uint64_t part_room(const struct plan *plan, const struct plan_stage *stage, uint64_t whole)
{
    const struct plan_stage *loop = &plan->stages[plan->loops[stage->loop].stage];
    struct kwe_parts parts;

    memcpy(&parts, plan->params + loop->params_offset, sizeof(parts));
    for (uint16_t i = 0; i < loop->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[loop->binding_first + i];
        if (binding->target != offsetof(struct kwe_parts, total_bytes)) {
            return whole;
        }
    }
    return parts.part_bytes < whole ? parts.part_bytes : whole;
}

static uint64_t source_room(const struct plan *plan, const struct plan_stage *stage,
                            const struct kwe_binding *binding)
{
    switch (binding->kind) {
    case KWE_BIND_INPUT_EVENT:
        return plan->header->program_bytes;
    case KWE_BIND_INPUT_CONSTANT:
        return binding->source_bytes;
    case KWE_BIND_INPUT_PART:
        return part_room(plan, stage,
                         binding->stage == KWE_NO_STAGE ? plan->header->program_bytes
                                                        : plan->stages[binding->stage].out_room);
    default:
        return binding->stage == KWE_ANY_STAGE ? largest_room(plan, stage)
                                               : plan->stages[binding->stage].out_room;
    }
}

/* 0 too when it comes round a loop from a stage whose room is not known yet. */
static uint64_t input_room(const struct plan *plan, const struct plan_stage *stage, uint16_t input)
{
    for (uint16_t i = 0; i < stage->binding_count; i++) {
        const struct kwe_binding *binding = &plan->bindings[stage->binding_first + i];
        if (plan_binds_input(binding) && binding->target == input) {
            return source_room(plan, stage, binding);
        }
    }
    return 0;
}

/* The stage's own limit, or the operation's rule over its inputs' rooms. */
static enum kerr choose_room(const struct plan *plan, struct plan_stage *stage, uint64_t out_limit)
{
    uint64_t room = out_limit;

    if (stage->op == NULL) {
        return KERR_OK; /* a loop's output is its body's */
    }
    const struct op_output_rule *rule = &stage->op->output;
    if (!rule->present) {
        stage->out_room = 0;
        return out_limit == 0 ? KERR_OK : KERR_BAD_WORKFLOW;
    }
    if (room == 0 && rule->by_limit) {
        return KERR_BAD_WORKFLOW;
    }
    if (room == 0) {
        room = rule->base_bytes;
        if (rule->of != 0xffff) {
            uint64_t input = input_room(plan, stage, rule->of);
            if (input > MAX_ROOM) {
                return KERR_OVER_LIMITS;
            }
            room += (input * rule->numerator + rule->denominator - 1) / rule->denominator;
        }
    }
    if (room == 0 || room > MAX_ROOM) {
        return KERR_OVER_LIMITS;
    }
    stage->out_room = (uint32_t)room;
    return KERR_OK;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static bool deck_is_used(const struct plan *plan, uint8_t prefix)
{
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        if (plan_stage_in(plan, i, prefix) != NULL) {
            return true;
        }
    }
    return false;
}

static enum kerr lay_out(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                         unsigned instances)
{
    uint64_t deck_bytes[MAX_DECKS];

    layout_begin(plan);
    live_lay_out(plan, deck_bytes);
    for (uint32_t i = 0; i < spec_count; i++) {
        if (deck_is_used(plan, specs[i].prefix)) {
            enum kerr added =
                layout_add_deck(plan, &specs[i], instances, deck_bytes[specs[i].prefix]);
            if (added != KERR_OK) {
                return added;
            }
        }
    }
    plan->slots = plan->header->slots;
    layout_size(plan);
    return KERR_OK;
}

static enum kerr choose_rooms(struct plan *plan, bool is_large, struct plan_error *error)
{
    const struct kwe_stage *wire = check_stages(plan);

    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const bool is_more = is_large && wire[i].out_most != 0;
        enum kerr chosen =
            choose_room(plan, &plan->stages[i], is_more ? wire[i].out_most : wire[i].out_limit);
        if (chosen != KERR_OK) {
            error->stage = (uint16_t)i;
            return chosen;
        }
    }
    return KERR_OK;
}

static void keep_as_large(struct plan_stage *stages, const struct plan_place *usual, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct plan_stage *stage = &stages[i];
        stage->large = (struct plan_place){ stage->out_room, stage->out_offset, stage->out_stride };
        stage->out_room = usual[i].room;
        stage->out_offset = usual[i].offset;
        stage->out_stride = usual[i].stride;
    }
}

static void keep_usual(const struct plan_stage *stages, struct plan_place *usual, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct plan_stage *stage = &stages[i];
        usual[i] = (struct plan_place){ stage->out_room, stage->out_offset, stage->out_stride };
    }
}

/* Large slots are laid out by the same rules with other rooms: for a moment these are the stages' own. */
static enum kerr lay_out_large(struct plan *plan, struct plan_error *error)
{
    uint64_t deck_bytes[MAX_DECKS];
    struct plan_place usual[KWE_MAX_STAGES], usual_others[VARIANTS_MAX_OTHERS];
    const uint64_t outputs_bytes = plan->outputs_bytes, shared_bytes = plan->shared_bytes;

    keep_usual(plan->stages, usual, plan->stage_count);
    keep_usual(plan->others, usual_others, plan->other_count);
    enum kerr chosen = choose_rooms(plan, true, error);
    if (chosen != KERR_OK) {
        return chosen;
    }
    live_lay_out(plan, deck_bytes);
    keep_as_large(plan->stages, usual, plan->stage_count);
    keep_as_large(plan->others, usual_others, plan->other_count);
    plan->outputs_bytes = outputs_bytes;
    plan->shared_bytes = shared_bytes;
    plan->large_slots = plan->header->large_slots;
    layout_large(plan, deck_bytes);
    layout_size(plan);
    return KERR_OK;
}

/* ---- public ------------------------------------------------------------------------------------------------------ */

uint64_t plan_size_bytes(const struct plan *plan, const struct plan_stage *stage)
{
    return stage->input_count == 0 ? stage->out_room : input_room(plan, stage, 0);
}

enum kerr plan_validate(const struct plan_stage *stage, const void *params, uint32_t *bad_offset)
{
    struct kwe_parts parts;

    if (stage->op != NULL) {
        return stage->op->validate == NULL ? KERR_OK : stage->op->validate(params, bad_offset);
    }
    if (stage->kind == KWE_STAGE_UNTIL) {
        return KERR_OK;
    }
    memcpy(&parts, params, sizeof(parts));
    *bad_offset = offsetof(struct kwe_parts, part_bytes);
    return parts.part_bytes == 0 || parts.total_bytes > UINT64_MAX - parts.part_bytes
               ? KERR_BAD_PARAMETER
               : KERR_OK;
}

static uint64_t total_bytes(const struct plan *plan)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        total += plan->segment[i].bytes;
    }
    return total;
}

enum kerr plan_fit(struct plan *plan, uint64_t most_bytes)
{
    const uint64_t least = plan->segment[PLAN_SEGMENT_NUCLEUS].bytes +
                           plan->segment[PLAN_SEGMENT_PROGRAM].bytes +
                           (uint64_t)plan->segment_count * PAGE_SIZE;
    if (total_bytes(plan) <= most_bytes) {
        return KERR_OK;
    }
    while (plan->large_slots > 1 &&
           least + layout_large_bytes(plan) + plan->slot_bytes > most_bytes) {
        plan->large_slots--;
    }
    const uint64_t fixed = least + layout_large_bytes(plan);
    if (fixed >= most_bytes || plan->slot_bytes == 0 ||
        (most_bytes - fixed) / plan->slot_bytes == 0) {
        return KERR_NO_MEMORY;
    }
    uint64_t slots = (most_bytes - fixed) / plan->slot_bytes;
    plan->slots = slots < plan->slots ? (uint32_t)slots : plan->slots;
    layout_size(plan);
    return KERR_OK;
}

void plan_destroy(struct plan *plan)
{
    struct guide_memory memory = plan->memory;

    if (plan->stages != NULL) {
        memory.free(memory.context, plan->stages, plan->stage_count * sizeof(*plan->stages));
    }
    if (plan->others != NULL) {
        memory.free(memory.context, plan->others, plan->other_room * sizeof(*plan->others));
    }
    if (plan->successors != NULL) {
        memory.free(memory.context, plan->successors,
                    (plan->header->dependency_count + 1u) * sizeof(*plan->successors));
    }
    if (plan->blob != NULL) {
        memory.free(memory.context, plan->blob, plan->blob_bytes);
    }
    memory.free(memory.context, plan, sizeof(*plan));
}

int plan_segment_of(const struct plan *plan, uint8_t deck, uint32_t ordinal)
{
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct plan_segment *segment = &plan->segment[i];
        if (segment->is_instance && segment->deck == deck && segment->ordinal == ordinal) {
            return (int)i;
        }
    }
    return -1;
}

static enum kerr build(struct plan *plan, const struct deck_spec *specs, uint32_t spec_count,
                       unsigned instances, struct plan_error *error)
{
    enum kerr checked = check_blob(plan, specs, spec_count, error);

    if (checked != KERR_OK) {
        return checked;
    }
    dead_drop(plan);
    enum kerr laid_out = choose_rooms(plan, false, error);
    if (laid_out != KERR_OK) {
        return laid_out;
    }
    order_stages(plan);
    laid_out = variants_find(plan, specs, spec_count);
    if (laid_out != KERR_OK) {
        return laid_out;
    }
    laid_out = lay_out(plan, specs, spec_count, instances);
    return laid_out == KERR_OK && plan->header->large_slots != 0 ? lay_out_large(plan, error)
                                                                 : laid_out;
}

enum kerr plan_create(const struct guide_memory *memory, const struct deck_spec *specs,
                      uint32_t spec_count, unsigned instances, const void *blob, size_t bytes,
                      struct plan **out, struct plan_error *error)
{
    *out = NULL;
    *error = (struct plan_error){ .stage = KWE_NO_STAGE };
    if (bytes < sizeof(struct kwe_workflow) || bytes > KWE_MAX_BLOB_BYTES) {
        return KERR_BAD_WORKFLOW;
    }
    struct plan *plan = memory->alloc_zeroed(memory->context, sizeof(*plan));
    if (plan == NULL) {
        return KERR_NO_MEMORY;
    }
    plan->memory = *memory;
    plan->blob_bytes = (uint32_t)bytes;
    plan->blob = memory->alloc_zeroed(memory->context, bytes);
    enum kerr built = KERR_NO_MEMORY;
    if (plan->blob != NULL) {
        memcpy(plan->blob, blob, bytes);
        plan->header = (const struct kwe_workflow *)(const void *)plan->blob;
        built = build(plan, specs, spec_count, instances, error);
    }
    if (built != KERR_OK) {
        plan_destroy(plan);
        return built;
    }
    *out = plan;
    return KERR_OK;
}
