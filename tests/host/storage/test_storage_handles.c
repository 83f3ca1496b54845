/*
 * test_storage_handles.c - handles of open files: who may use which, and how many there are.
 *
 * uses: kernel/decks/storage/storage_handles.c userland/libkwe/deck/handles.c
 */
#include "kernel/decks/storage/storage_handles.h"

#include <assert.h>
#include <string.h>

#define OWNER 7u
#define OTHER 8u

static struct storage_handles handles;
static const struct kwe_path path = { .length = 2, .bytes = "/a" };

static uint64_t open_one(uint32_t workflow, uint64_t now_ns)
{
    uint64_t handle = 0;

    assert(storage_handle_open(&handles, workflow, &path, 12, now_ns, &handle) == KERR_OK);
    return handle;
}

static enum kerr find(uint32_t workflow, uint64_t handle)
{
    struct storage_handle *slot = NULL;

    return storage_handle_find(&handles, workflow, handle, 1, &slot);
}

static void test_a_handle_finds_what_was_opened(void)
{
    struct storage_handle *slot = NULL;
    storage_handles_init(&handles, 1);
    uint64_t handle = open_one(OWNER, 0);

    assert(storage_handle_find(&handles, OWNER, handle, 5, &slot) == KERR_OK);

    assert(slot->inode == 12 && handles.place[(uint32_t)handle].used_ns == 5 &&
           slot->path.length == 2 && memcmp(slot->path.bytes, "/a", 2) == 0);
}

static void test_forged_foreign_and_closed_handles_are_bad(void)
{
    storage_handles_init(&handles, 1);
    uint64_t handle = open_one(OWNER, 0);

    assert(find(OTHER, handle) == KERR_BAD_HANDLE);
    assert(storage_handle_close(&handles, OTHER, handle) == KERR_BAD_HANDLE);
    for (unsigned bit = 0; bit < 64; bit++) {
        assert(find(OWNER, handle ^ (1ull << bit)) == KERR_BAD_HANDLE);
    }
    assert(find(OWNER, 0) == KERR_BAD_HANDLE && find(OWNER, UINT64_MAX) == KERR_BAD_HANDLE);
    assert(find(OWNER, STORAGE_HANDLES | (handle & ~0xffffffffull)) == KERR_BAD_HANDLE);
    assert(find(OWNER, handle) == KERR_OK);
    assert(storage_handle_close(&handles, OWNER, handle) == KERR_OK);
    assert(find(OWNER, handle) == KERR_BAD_HANDLE);
    assert(storage_handle_close(&handles, OWNER, handle) == KERR_BAD_HANDLE);
}

static void test_a_place_used_again_has_another_handle(void)
{
    storage_handles_init(&handles, 1);
    uint64_t first = open_one(OWNER, 0);
    assert(storage_handle_close(&handles, OWNER, first) == KERR_OK);

    uint64_t second = open_one(OWNER, 0);

    assert((uint32_t)first == (uint32_t)second && first != second);
    assert(find(OWNER, first) == KERR_BAD_HANDLE && find(OWNER, second) == KERR_OK);
}

static void test_a_handle_of_an_earlier_life_is_bad(void)
{
    storage_handles_init(&handles, 1);
    uint64_t before = open_one(OWNER, 0);

    storage_handles_init(&handles, 2);

    uint64_t now = open_one(OWNER, 0);
    assert((uint32_t)before == (uint32_t)now && find(OWNER, before) == KERR_BAD_HANDLE);
}

static void test_a_handle_at_work_is_not_taken_back(void)
{
    uint64_t handle;
    storage_handles_init(&handles, 1);
    for (uint32_t i = 0; i < STORAGE_HANDLES; i++) {
        open_one(i / STORAGE_HANDLES_EACH, 1);
        handles.place[i].users = i == 7 ? 0 : 1;
    }

    assert(storage_handle_open(&handles, 99, &path, 12, 2 + STORAGE_HANDLE_IDLE_NS, &handle) ==
           KERR_OK);
    assert((uint32_t)handle == 7);
    handles.place[7].users = 1;
    assert(storage_handle_open(&handles, 99, &path, 12, 2 + 3 * STORAGE_HANDLE_IDLE_NS, &handle) ==
           KERR_TOO_MANY);
}

static void test_a_generation_that_wraps_is_never_0(void)
{
    storage_handles_init(&handles, 1);
    handles.place[0].generation = UINT32_MAX;

    assert(open_one(OWNER, 0) >> 32 == 1);
}

static void test_a_workflow_has_its_limit_and_leaves_room_for_others(void)
{
    uint64_t handle;
    storage_handles_init(&handles, 1);
    for (uint32_t i = 0; i < STORAGE_HANDLES_EACH; i++) {
        open_one(OWNER, 1);
    }

    assert(storage_handle_open(&handles, OWNER, &path, 12, 2, &handle) == KERR_TOO_MANY);

    open_one(OTHER, 2);
}

static void test_all_together_have_a_limit(void)
{
    uint64_t handle;
    storage_handles_init(&handles, 1);
    for (uint32_t i = 0; i < STORAGE_HANDLES; i++) {
        open_one(i / STORAGE_HANDLES_EACH, 1);
    }

    assert(storage_handle_open(&handles, 99, &path, 12, 2, &handle) == KERR_TOO_MANY);
}

static void test_at_the_limit_only_what_lay_idle_longest_is_taken_back(void)
{
    struct storage_handle *slot;
    uint64_t handle, own[STORAGE_HANDLES_EACH];
    storage_handles_init(&handles, 1);
    uint64_t foreign = open_one(OTHER, 0); /* older than all, and nobody else's to take */
    for (uint32_t i = 0; i < STORAGE_HANDLES_EACH; i++) {
        own[i] = open_one(OWNER, 10 + i);
    }
    assert(storage_handle_find(&handles, OWNER, own[0], 1000, &slot) == KERR_OK);

    const uint64_t idle_ns = 11 + STORAGE_HANDLE_IDLE_NS;
    assert(storage_handle_open(&handles, OWNER, &path, 12, idle_ns - 1, &handle) == KERR_TOO_MANY);
    assert(storage_handle_open(&handles, OWNER, &path, 12, idle_ns, &handle) == KERR_OK);

    assert(find(OWNER, own[0]) == KERR_OK && find(OWNER, own[1]) == KERR_BAD_HANDLE &&
           find(OWNER, own[2]) == KERR_OK && find(OTHER, foreign) == KERR_OK);
}

int main(void)
{
    test_a_handle_finds_what_was_opened();
    test_forged_foreign_and_closed_handles_are_bad();
    test_a_place_used_again_has_another_handle();
    test_a_handle_of_an_earlier_life_is_bad();
    test_a_handle_at_work_is_not_taken_back();
    test_a_generation_that_wraps_is_never_0();
    test_a_workflow_has_its_limit_and_leaves_room_for_others();
    test_all_together_have_a_limit();
    test_at_the_limit_only_what_lay_idle_longest_is_taken_back();
    return 0;
}
