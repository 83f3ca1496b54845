/* storage_handles.c - see storage_handles.h. */
#include "kernel/decks/storage/storage_handles.h"

/* Room for as many handles of one index in one life. */
#define LIFE_SHIFT 20

void storage_handles_init(struct storage_handles *handles, uint32_t life)
{
    for (size_t i = 0; i < STORAGE_HANDLES; i++) {
        handles->slot[i] = (struct storage_handle){ .generation = life << LIFE_SHIFT };
    }
}

static bool is_longer_unused(const struct storage_handle *slot, const struct storage_handle *other)
{
    return other == NULL || slot->used_ns < other->used_ns;
}

/* A place for one more handle of the workflow: a free one, or one that is likely to be forgotten. */
static struct storage_handle *find_place(struct storage_handles *handles, uint32_t workflow,
                                         uint64_t now_ns)
{
    struct storage_handle *free = NULL;
    struct storage_handle *own = NULL; /* those unused for the longest */
    struct storage_handle *any = NULL;
    uint32_t own_count = 0;

    for (size_t i = 0; i < STORAGE_HANDLES; i++) {
        struct storage_handle *slot = &handles->slot[i];
        if (!slot->is_open) {
            free = free == NULL ? slot : free;
            continue;
        }
        any = is_longer_unused(slot, any) ? slot : any;
        if (slot->workflow == workflow) {
            own = is_longer_unused(slot, own) ? slot : own;
            own_count++;
        }
    }
    struct storage_handle *old = own_count >= STORAGE_HANDLES_EACH ? own : any;
    if (own_count < STORAGE_HANDLES_EACH && free != NULL) {
        return free;
    }
    return now_ns - old->used_ns >= STORAGE_HANDLE_IDLE_NS ? old : NULL;
}

enum kerr storage_handle_open(struct storage_handles *handles, uint32_t workflow,
                              const struct kwe_path *path, uint32_t inode, uint64_t now_ns,
                              uint64_t *handle)
{
    struct storage_handle *slot = find_place(handles, workflow, now_ns);

    if (slot == NULL) {
        return KERR_TOO_MANY;
    }
    slot->is_open = true;
    slot->generation = slot->generation == UINT32_MAX ? 1 : slot->generation + 1;
    slot->workflow = workflow;
    slot->inode = inode;
    slot->used_ns = now_ns;
    slot->path = *path;
    *handle = (uint64_t)(slot - handles->slot) | (uint64_t)slot->generation << 32;
    return KERR_OK;
}

enum kerr storage_handle_find(struct storage_handles *handles, uint32_t workflow, uint64_t handle,
                              uint64_t now_ns, struct storage_handle **found)
{
    const uint32_t index = (uint32_t)handle;

    if (index >= STORAGE_HANDLES) {
        return KERR_BAD_HANDLE;
    }
    struct storage_handle *slot = &handles->slot[index];
    if (!slot->is_open || slot->generation != handle >> 32 || slot->workflow != workflow) {
        return KERR_BAD_HANDLE;
    }
    slot->used_ns = now_ns;
    *found = slot;
    return KERR_OK;
}

enum kerr storage_handle_close(struct storage_handles *handles, uint32_t workflow, uint64_t handle)
{
    struct storage_handle *slot;
    enum kerr error = storage_handle_find(handles, workflow, handle, 0, &slot);

    if (error == KERR_OK) {
        slot->is_open = false;
    }
    return error;
}
