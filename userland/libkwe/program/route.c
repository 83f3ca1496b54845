/* route.c - events that bring their own graph. */
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/program/builder_internal.h"

int kwe_arena_create(struct kwe_builder *builder, uint32_t decks, uint64_t room_bytes,
                     struct kwe_workflow_info *info)
{
    const size_t manifest = builder->manifest_count * sizeof(builder->manifest[0]);
    struct kwe_arena *arena = calloc(1, sizeof(*arena) + manifest);

    if (builder->error != KERR_OK || arena == NULL) {
        free(arena);
        return builder->error != KERR_OK ? -(int)builder->error : -KERR_NO_MEMORY;
    }
    *arena = (struct kwe_arena){
        .magic = KWE_ARENA_MAGIC,
        .decks = decks,
        .slots = builder->slots,
        .max_waiting = builder->max_waiting,
        .program_bytes = builder->program_bytes,
        .room_bytes = room_bytes,
        .manifest_count = builder->manifest_count,
    };
    memcpy(arena + 1, builder->manifest, manifest);
    int64_t answer = kwe_call_arena_create(arena, sizeof(*arena) + manifest, info);
    free(arena);
    return answer < 0 ? (int)answer : 0;
}

int kwe_route(struct kwe_builder *builder, const struct kwe_workflow_info *arena, uint32_t offset,
              struct kwe_event *event)
{
    const uint32_t slots = builder->slots, large_slots = builder->large_slots;
    size_t bytes;

    builder->slots = 1; /* the arena's are meant */
    builder->large_slots = 0;
    void *blob = builder_blob(builder, &bytes);
    builder->slots = slots;
    builder->large_slots = large_slots;
    if (blob == NULL) {
        return -(int)builder->error;
    }
    if (offset % 8 != 0 || offset > arena->program_bytes || bytes > KWE_MAX_ROUTE_BYTES ||
        bytes > arena->program_bytes - offset) {
        builder_fail(builder, KERR_OVER_LIMITS, KWE_NO_STAGE,
                     "a graph of %zu bytes at %u of the program's %llu", bytes, offset,
                     (unsigned long long)arena->program_bytes);
        free(blob);
        return -KERR_OVER_LIMITS;
    }
    memcpy((uint8_t *)kwe_program_memory(arena) + offset, blob, bytes);
    free(blob);
    event->workflow = arena->workflow;
    event->flags = KWE_EVENT_ROUTE;
    event->block_offset = offset;
    event->block_length = (uint32_t)bytes;
    return (int)bytes;
}
