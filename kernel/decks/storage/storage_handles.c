/* storage_handles.c - see storage_handles.h. */
#include "kernel/decks/storage/storage_handles.h"

void storage_handles_init(struct storage_handles *handles, uint32_t life)
{
    deck_handles_init(&handles->table, handles->place, STORAGE_HANDLES, STORAGE_HANDLES_EACH,
                      STORAGE_HANDLE_IDLE_NS, life);
}

enum kerr storage_handle_open(struct storage_handles *handles, uint32_t workflow,
                              const struct kwe_path *path, uint32_t inode, uint64_t now_ns,
                              uint64_t *handle)
{
    uint32_t index = 0;
    bool taken_back = false; /* an open file holds nothing: there is nothing to end */
    enum kerr error =
        deck_handle_open(&handles->table, workflow, now_ns, handle, &index, &taken_back);

    if (error == KERR_OK) {
        handles->slot[index] = (struct storage_handle){ .inode = inode, .path = *path };
    }
    return error;
}

enum kerr storage_handle_find(struct storage_handles *handles, uint32_t workflow, uint64_t handle,
                              uint64_t now_ns, struct storage_handle **found)
{
    uint32_t index = 0;
    enum kerr error = deck_handle_find(&handles->table, workflow, handle, now_ns, &index);

    if (error == KERR_OK) {
        *found = &handles->slot[index];
    }
    return error;
}

enum kerr storage_handle_close(struct storage_handles *handles, uint32_t workflow, uint64_t handle)
{
    uint32_t index = 0;

    return deck_handle_close(&handles->table, workflow, handle, &index);
}
