/*
 * file_handles.c - handles of open files flow between the stages of an event, and are refused wherever they do not belong. The disk has the
 * file /text of TEXT.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_storage.h"

#define TEXT    "the quick brown fox jumps over the lazy dog"
#define ROOM    64u
#define HANDLES 128u /* STORAGE_HANDLES_EACH */

static kwe_stage_t add_open(struct kwe_builder *builder)
{
    struct storage_open_params params = storage_open_defaults();

    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ | KWE_MANIFEST_WRITE);
    kwe_path(&params.path, "/text");
    return kwe_storage_open(builder, "open", &params);
}

static kwe_stage_t add_read(struct kwe_builder *builder, kwe_stage_t open)
{
    struct storage_read_at_params params = storage_read_at_defaults();

    params.offset = 4;
    params.length = 11;
    kwe_stage_t read = kwe_storage_read_at(builder, "read", &params);
    kwe_param_value(builder, read, offsetof(struct storage_read_at_params, handle), 8, open,
                    STORAGE_OPEN_VALUE_HANDLE);
    kwe_out_limit(builder, read, ROOM);
    kwe_result(builder, read);
    return read;
}

static kwe_stage_t add_close(struct kwe_builder *builder, kwe_stage_t open)
{
    struct storage_close_params params = storage_close_defaults();
    kwe_stage_t close = kwe_storage_close(builder, "close", &params);

    kwe_param_value(builder, close, offsetof(struct storage_close_params, handle), 8, open,
                    STORAGE_OPEN_VALUE_HANDLE);
    return close;
}

static void run(struct kwe_rings *rings, struct kwe_builder *builder,
                struct kwe_workflow_info *info, struct kwe_result *result)
{
    check_register(builder, info);
    struct kwe_event event = { .cookie = 1, .workflow = info->workflow };
    check_run(rings, &event, result);
}

static void check_a_handle_reads_a_part(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("part");
    struct kwe_workflow_info info;
    struct kwe_result result;

    kwe_stage_t open = add_open(builder);
    kwe_stage_t read = add_read(builder, open);
    kwe_after(builder, add_close(builder, open), read);
    run(rings, builder, &info, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    CHECK(result.length == 11 && memcmp(kwe_result_bytes(&info, &result), TEXT + 4, 11) == 0,
          "%u bytes", result.length);
    CHECK(result.value == strlen(TEXT), "size %llu", (unsigned long long)result.value);
    /* Closed at each event's end: more events than there may be handles. */
    for (uint32_t i = 0; i < 2 * HANDLES; i++) {
        struct kwe_event event = { .cookie = i, .workflow = info.workflow };
        check_run(rings, &event, &result);
        CHECK(result.status == KERR_OK, "event %u: %s", i, kerr_name((enum kerr)result.status));
    }
}

static void check_a_closed_handle_is_bad(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("closed");
    struct kwe_workflow_info info;
    struct kwe_result result;

    kwe_stage_t open = add_open(builder);
    kwe_stage_t close = add_close(builder, open);
    kwe_after(builder, add_read(builder, open), close);
    run(rings, builder, &info, &result);
    CHECK(result.status == KERR_BAD_HANDLE, "%s", kerr_name((enum kerr)result.status));
}

static void check_a_handle_is_void_when_its_name_is_another_files(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("replaced");
    struct storage_write_params params = storage_write_defaults();
    struct kwe_workflow_info info;
    struct kwe_result result;

    kwe_path(&params.path, "/text");
    kwe_stage_t open = add_open(builder);
    kwe_stage_t write = kwe_storage_write(builder, "write", KWE_STAGE_NONE, &params);
    kwe_input_constant(builder, write, STORAGE_WRITE_INPUT_DATA, TEXT, strlen(TEXT));
    kwe_after(builder, write, open);
    kwe_after(builder, add_read(builder, open), write);
    run(rings, builder, &info, &result);
    CHECK(result.status == KERR_BAD_HANDLE, "%s", kerr_name((enum kerr)result.status));
}

/* Events that leave their handle open; returns the last one that they were given. */
static uint64_t check_a_workflow_has_its_limit(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("leaver");
    struct kwe_workflow_info info;
    struct kwe_result result;
    uint64_t handle = 0;

    kwe_result(builder, add_open(builder));
    check_register(builder, &info);
    for (uint32_t i = 0; i <= HANDLES; i++) {
        struct kwe_event event = { .cookie = i, .workflow = info.workflow };
        check_run(rings, &event, &result);
        CHECK(result.status == (i < HANDLES ? KERR_OK : KERR_TOO_MANY), "event %u: %s", i,
              kerr_name((enum kerr)result.status));
        handle = i < HANDLES ? result.value : handle;
    }
    return handle;
}

static void check_another_workflows_handle_is_bad(struct kwe_rings *rings, uint64_t handle)
{
    struct kwe_builder *builder = kwe_builder_create("thief");
    struct storage_close_params close = storage_close_defaults();
    struct storage_read_at_params read = storage_read_at_defaults();
    struct kwe_workflow_info info;
    struct kwe_result result;

    read.handle = handle;
    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ);
    kwe_stage_t stage = kwe_storage_read_at(builder, "read", &read);
    kwe_out_limit(builder, stage, ROOM);
    kwe_result(builder, stage);
    run(rings, builder, &info, &result);
    CHECK(result.status == KERR_BAD_HANDLE, "%s", kerr_name((enum kerr)result.status));
    builder = kwe_builder_create("closer");
    close.handle = handle;
    kwe_storage_close(builder, "close", &close);
    run(rings, builder, &info, &result);
    CHECK(result.status == KERR_BAD_HANDLE, "%s", kerr_name((enum kerr)result.status));
}

int main(void)
{
    struct kwe_rings rings;

    check_rings(&rings, 64);
    check_a_handle_reads_a_part(&rings);
    check_a_closed_handle_is_bad(&rings);
    check_a_handle_is_void_when_its_name_is_another_files(&rings);
    check_another_workflows_handle_is_bad(&rings, check_a_workflow_has_its_limit(&rings));
    kwe_log("file handles: all as it should be");
    return 0;
}
