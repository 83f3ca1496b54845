/* arena_plan.c - arenas for events that bring their own graphs: a plan with segments and no stages, and what may run in it. */
#include "kernel/lib/string.h"
#include "kernel/nucleus/workflow/check.h"
#include "kernel/nucleus/workflow/layout.h"

static enum kerr check_arena(const struct kwe_arena *arena, size_t bytes)
{
    const uint64_t manifest = (uint64_t)arena->manifest_count * sizeof(struct kwe_manifest_entry);

    if (arena->magic != KWE_ARENA_MAGIC || arena->reserved != 0 || arena->slots == 0 ||
        arena->decks == 0 || arena->room_bytes == 0 || bytes != sizeof(*arena) + manifest) {
        return KERR_BAD_WORKFLOW;
    }
    return arena->manifest_count > KWE_MAX_MANIFEST || arena->slots > KWE_MAX_SLOTS ||
                   arena->program_bytes > 1ull << 40 || arena->room_bytes > 1ull << 31
               ? KERR_OVER_LIMITS
               : KERR_OK;
}

/* A workflow's header and manifest, as if it had been registered without stages. */
static bool make_blob(struct plan *plan, const struct kwe_arena *arena)
{
    const size_t manifest = arena->manifest_count * sizeof(struct kwe_manifest_entry);

    plan->blob_bytes = (uint32_t)(sizeof(struct kwe_workflow) + manifest);
    plan->blob = plan->memory.alloc_zeroed(plan->memory.context, plan->blob_bytes);
    if (plan->blob == NULL) {
        return false;
    }
    const struct kwe_workflow header = {
        .magic = KWE_WORKFLOW_MAGIC,
        .version = KWE_WORKFLOW_VERSION,
        .total_bytes = plan->blob_bytes,
        .result_stage = KWE_NO_STAGE,
        .manifest_count = (uint16_t)arena->manifest_count,
        .slots = arena->slots,
        .max_waiting = arena->max_waiting,
        .program_bytes = arena->program_bytes,
    };
    memcpy(plan->blob, &header, sizeof(header));
    memcpy(plan->blob + sizeof(header), arena + 1, manifest);
    plan->header = (const struct kwe_workflow *)(const void *)plan->blob;
    plan->manifest = (const struct kwe_manifest_entry *)(const void *)(plan->blob + sizeof(header));
    plan->constants = plan->blob;
    return true;
}

static enum kerr add_decks(struct plan *plan, const struct kwe_arena *arena,
                           const struct deck_spec *specs, uint32_t spec_count, unsigned instances)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < spec_count; i++) {
        if (specs[i].prefix >= 32 || (arena->decks >> specs[i].prefix & 1) == 0) {
            continue;
        }
        found |= 1u << specs[i].prefix;
        enum kerr added = layout_add_deck(plan, &specs[i], instances, arena->room_bytes);
        if (added != KERR_OK) {
            return added;
        }
    }
    return found == arena->decks ? KERR_OK : KERR_UNKNOWN_DECK;
}

enum kerr plan_create_arena(const struct guide_memory *memory, const struct deck_spec *specs,
                            uint32_t spec_count, unsigned instances, const void *bytes_of_arena,
                            size_t bytes, struct plan **out)
{
    const struct kwe_arena *arena = bytes_of_arena;

    *out = NULL;
    enum kerr checked = bytes < sizeof(*arena) ? KERR_BAD_WORKFLOW : check_arena(arena, bytes);
    if (checked != KERR_OK) {
        return checked;
    }
    struct plan *plan = memory->alloc_zeroed(memory->context, sizeof(*plan));
    if (plan == NULL) {
        return KERR_NO_MEMORY;
    }
    plan->memory = *memory;
    plan->is_arena = true;
    enum kerr made = KERR_NO_MEMORY;
    if (make_blob(plan, arena)) {
        layout_begin(plan);
        made = add_decks(plan, arena, specs, spec_count, instances);
    }
    if (made != KERR_OK) {
        plan_destroy(plan);
        return made;
    }
    plan->slots = arena->slots;
    layout_size(plan);
    *out = plan;
    return KERR_OK;
}

bool plan_fits_arena(const struct plan *plan, const struct plan *arena, uint64_t input_bytes)
{
    const struct kwe_workflow *header = plan->header;

    if (plan->stage_count > KWE_MAX_ROUTE_STAGES || plan->loop_count != 0 ||
        header->manifest_count != 0 || header->constant_bytes != 0 || header->block_bytes != 0 ||
        header->slots != 1 || header->large_slots != 0 || input_bytes > header->program_bytes) {
        return false;
    }
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct plan_segment *mine = &plan->segment[i];
        const int there = plan_segment_of(arena, mine->deck, mine->ordinal);
        if (mine->is_instance && (there < 0 || mine->stride > arena->segment[there].stride)) {
            return false;
        }
    }
    return true;
}
