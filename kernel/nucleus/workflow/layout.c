/* layout.c - see layout.h. */
#include "kernel/nucleus/workflow/layout.h"

#define OUTPUT_ALIGN 64u

static uint64_t odd_pages(uint64_t bytes)
{
    uint64_t pages = round_up_u64(bytes, PAGE_SIZE) / PAGE_SIZE;
    return (pages | 1) * PAGE_SIZE; /* slots a power of two apart would share QEMU's TLB entries */
}

void layout_begin(struct plan *plan)
{
    const struct kwe_workflow *header = plan->header;
    uint64_t manifest_bytes = (uint64_t)header->manifest_count * sizeof(struct kwe_manifest_entry);

    plan->manifest_offset = 0;
    plan->constant_offset = (uint32_t)round_up_u64(manifest_bytes, OUTPUT_ALIGN);
    plan->segment[PLAN_SEGMENT_NUCLEUS].bytes =
        round_up_u64(plan->constant_offset + (uint64_t)header->constant_bytes + 1, PAGE_SIZE);
    plan->segment[PLAN_SEGMENT_PROGRAM].bytes = round_up_u64(header->program_bytes + 1, PAGE_SIZE);
    plan->segment_count = 2;
}

enum kerr layout_add_deck(struct plan *plan, const struct deck_spec *spec, unsigned instances,
                          uint64_t bytes)
{
    for (unsigned ordinal = 0; ordinal < (spec->per_cpu ? instances : 1); ordinal++) {
        if (plan->segment_count == PLAN_MAX_SEGMENTS) {
            return KERR_OVER_LIMITS;
        }
        plan->segment[plan->segment_count++] = (struct plan_segment){
            .deck = spec->prefix,
            .is_instance = true,
            .ordinal = ordinal,
            .stride = bytes == 0 ? 0 : odd_pages(bytes),
        };
    }
    return KERR_OK;
}

void layout_large(struct plan *plan, const uint64_t deck_bytes[MAX_DECKS])
{
    for (uint32_t i = PLAN_SEGMENT_PROGRAM + 1; i < plan->segment_count; i++) {
        struct plan_segment *segment = &plan->segment[i];
        const uint64_t bytes = deck_bytes[segment->deck];
        segment->large_stride = bytes == 0 ? 0 : odd_pages(bytes);
    }
}

uint64_t layout_large_bytes(const struct plan *plan)
{
    uint64_t bytes = 0;

    for (uint32_t i = PLAN_SEGMENT_PROGRAM + 1; i < plan->segment_count; i++) {
        bytes += plan->segment[i].large_stride * plan->large_slots;
    }
    return bytes;
}

void layout_size(struct plan *plan)
{
    plan->slot_bytes = 0;
    for (uint32_t i = PLAN_SEGMENT_PROGRAM + 1; i < plan->segment_count; i++) {
        struct plan_segment *segment = &plan->segment[i];
        segment->bytes = segment->stride == 0 ? PAGE_SIZE
                                              : layout_large_at(plan, segment) +
                                                    segment->large_stride * plan->large_slots;
        plan->slot_bytes += segment->stride;
    }
}
