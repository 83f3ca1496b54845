/* handles.c - see handles.h. */
#include "userland/libkwe/deck/handles.h"

/* Room for as many handles of one index in one life. */
#define LIFE_SHIFT 20

void deck_handles_init(struct deck_handles *handles, struct deck_handle *slot, uint32_t count,
                       uint32_t each, uint64_t idle_ns, uint32_t life)
{
    *handles = (struct deck_handles){ slot, count, each, idle_ns };
    for (uint32_t i = 0; i < count; i++) {
        slot[i] = (struct deck_handle){ .generation = life << LIFE_SHIFT };
    }
}

/* The one of two that was not used for longer, if nobody is at work on it. */
static struct deck_handle *older(struct deck_handle *slot, struct deck_handle *other)
{
    if (slot->users != 0) {
        return other;
    }
    return other == NULL || slot->used_ns < other->used_ns ? slot : other;
}

/* A place for one more handle of the workflow: a free one, or one that is likely to be forgotten. */
static struct deck_handle *find_place(struct deck_handles *handles, uint32_t workflow,
                                      uint64_t now_ns)
{
    struct deck_handle *free = NULL;
    struct deck_handle *own = NULL; /* those unused for the longest */
    struct deck_handle *any = NULL;
    uint32_t own_count = 0;

    for (uint32_t i = 0; i < handles->count; i++) {
        struct deck_handle *slot = &handles->slot[i];
        if (!slot->is_open) {
            free = free == NULL ? slot : free;
            continue;
        }
        any = older(slot, any);
        if (slot->workflow == workflow) {
            own = older(slot, own);
            own_count++;
        }
    }
    struct deck_handle *old = own_count >= handles->each ? own : any;
    if (own_count < handles->each && free != NULL) {
        return free;
    }
    return old != NULL && now_ns - old->used_ns >= handles->idle_ns ? old : NULL;
}

enum kerr deck_handle_open(struct deck_handles *handles, uint32_t workflow, uint64_t now_ns,
                           uint64_t *handle, uint32_t *index, bool *taken_back)
{
    struct deck_handle *slot = find_place(handles, workflow, now_ns);

    if (slot == NULL) {
        return KERR_TOO_MANY;
    }
    *taken_back = slot->is_open;
    slot->is_open = true;
    slot->generation = slot->generation == UINT32_MAX ? 1 : slot->generation + 1;
    slot->workflow = workflow;
    slot->used_ns = now_ns;
    *index = (uint32_t)(slot - handles->slot);
    *handle = *index | (uint64_t)slot->generation << 32;
    return KERR_OK;
}

enum kerr deck_handle_find(struct deck_handles *handles, uint32_t workflow, uint64_t handle,
                           uint64_t now_ns, uint32_t *index)
{
    const uint32_t named = (uint32_t)handle;

    if (named >= handles->count) {
        return KERR_BAD_HANDLE;
    }
    struct deck_handle *slot = &handles->slot[named];
    if (!slot->is_open || slot->generation != handle >> 32 || slot->workflow != workflow) {
        return KERR_BAD_HANDLE;
    }
    slot->used_ns = now_ns;
    *index = named;
    return KERR_OK;
}

enum kerr deck_handle_close(struct deck_handles *handles, uint32_t workflow, uint64_t handle,
                            uint32_t *index)
{
    enum kerr error = deck_handle_find(handles, workflow, handle, 0, index);

    if (error == KERR_OK) {
        handles->slot[*index].is_open = false;
    }
    return error;
}
