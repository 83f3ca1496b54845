/*
 * jobs.c - whole jobs in one submission: many reads joined into one digest, a file digested in order while its parts are packed side by side,
 * many writes and one close behind them, as many stages and edges as there may be, I/O that is cancelled in flight.
 *
 * The disk has a file /whole of WHOLE_BYTES, and empty /packed and /written.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define SMALL_BYTES  64u
#define SMALL_READS  1000u
#define WHOLE_BYTES  (SMALL_READS * SMALL_BYTES)
#define PART_BYTES   4096u
#define PACKED_BYTES 8192u /* a packed part's place in its file */
#define WRITES       8u
#define STAGES       64u
#define EDGES        512u
#define READS        16u
#define FAR_NS       30000000000u

static struct kwe_rings rings;

static struct kwe_builder *begin(const char *name)
{
    struct kwe_builder *builder = kwe_builder_create(name);

    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ | KWE_MANIFEST_WRITE);
    return builder;
}

/* Run one event of what was built; its result's bytes, at most `room`. */
static struct kwe_result finish(struct kwe_builder *builder, const char *what, void *bytes,
                                size_t room)
{
    struct kwe_workflow_info info;
    struct kwe_result result;

    check_register(builder, &info);
    struct kwe_event event = { .workflow = info.workflow };
    check_run(&rings, &event, &result);
    CHECK(result.status == KERR_OK && result.length <= room, "%s: %s, stage %u", what,
          kerr_name((enum kerr)result.status), result.stage);
    if (result.length != 0) {
        memcpy(bytes, kwe_result_bytes(&info, &result), result.length);
    }
    CHECK(kwe_unregister(&info) == 0, "%s: unregister", what);
    return result;
}

static kwe_stage_t read_part(struct kwe_builder *builder, uint32_t part_bytes)
{
    struct storage_read_params from = storage_read_defaults();

    kwe_path(&from.path, "/whole");
    kwe_stage_t load = kwe_storage_read(builder, "load", &from);
    kwe_out_limit(builder, load, part_bytes);
    kwe_param_part(builder, load, offsetof(struct storage_read_params, offset), 8, KWE_PART_OFFSET);
    kwe_param_part(builder, load, offsetof(struct storage_read_params, length), 8, KWE_PART_LENGTH);
    return load;
}

/* Each part's state goes on from the one before. */
static kwe_stage_t digest_part(struct kwe_builder *builder, kwe_stage_t load)
{
    kwe_stage_t update = kwe_operations_sha256_update(builder, "update", load, KWE_STAGE_NONE);

    kwe_input_previous(builder, update, 1, update);
    return update;
}

static void digest_of_the_whole(uint8_t digest[32])
{
    struct kwe_builder *builder = begin("whole");
    struct storage_read_params from = storage_read_defaults();

    kwe_path(&from.path, "/whole");
    kwe_stage_t load = kwe_storage_read(builder, "load", &from);
    kwe_out_limit(builder, load, WHOLE_BYTES);
    kwe_result(builder, kwe_operations_sha256(builder, "digest", load));
    finish(builder, "whole", digest, 32);
}

static void a_thousand_reads_make_one_digest(const uint8_t whole[32])
{
    struct kwe_builder *builder = begin("reads");
    uint8_t digest[32];

    kwe_stage_t parts = kwe_for_each(builder, "parts", WHOLE_BYTES, SMALL_BYTES, 16);
    kwe_stage_t update = digest_part(builder, read_part(builder, SMALL_BYTES));
    kwe_end(builder, parts);
    kwe_stage_t digest_stage = kwe_operations_sha256_final(builder, "digest", update);
    kwe_result(builder, digest_stage);
    struct kwe_result result = finish(builder, "reads", digest, sizeof(digest));
    CHECK(result.value == WHOLE_BYTES, "%llu bytes seen", (unsigned long long)result.value);
    CHECK(memcmp(digest, whole, 32) == 0, "another digest");
}

static void parts_are_packed_while_the_whole_is_digested(const uint8_t whole[32])
{
    struct kwe_builder *builder = begin("pack");
    struct storage_write_at_params to = storage_write_at_defaults();
    uint8_t digest[32];

    kwe_path(&to.path, "/packed");
    kwe_stage_t parts = kwe_for_each(builder, "parts", WHOLE_BYTES, PART_BYTES, 4);
    kwe_stage_t load = read_part(builder, PART_BYTES);
    kwe_stage_t update = digest_part(builder, load);
    kwe_stage_t pack = kwe_operations_lz4_compress(builder, "pack", load);
    kwe_stage_t save = kwe_storage_write_at(builder, "save", pack, &to);
    kwe_param_part(builder, save, offsetof(struct storage_write_at_params, offset), 8,
                   KWE_PART_OFFSET);
    kwe_end(builder, parts);
    kwe_result(builder, kwe_operations_sha256_final(builder, "digest", update));
    struct kwe_result result = finish(builder, "pack", digest, sizeof(digest));
    CHECK(result.value == WHOLE_BYTES && memcmp(digest, whole, 32) == 0, "another digest");
}

static void one_close_waits_for_many_writes(void)
{
    static const uint8_t text[PART_BYTES] = { 'w' };
    struct kwe_builder *builder = begin("writes");
    struct storage_open_params open = { 0 };
    struct storage_stat_params stat = { 0 };
    struct storage_close_params close = { 0 };

    kwe_path(&open.path, "/written");
    kwe_path(&stat.path, "/written");
    kwe_stage_t file = kwe_storage_open(builder, "open", &open);
    kwe_stage_t write[WRITES];
    for (uint32_t i = 0; i < WRITES; i++) {
        struct storage_write_at_params to = storage_write_at_defaults();
        kwe_path(&to.path, "/written");
        to.offset = (uint64_t)(WRITES - 1 - i) * PART_BYTES;
        write[i] = kwe_storage_write_at(builder, "write", KWE_STAGE_NONE, &to);
        kwe_input_constant(builder, write[i], 0, text, sizeof(text));
        kwe_after(builder, write[i], file);
    }
    kwe_stage_t last = kwe_storage_close(builder, "close", &close);
    kwe_param_from(builder, last, offsetof(struct storage_close_params, handle), 8, file, "handle");
    for (uint32_t i = 0; i < WRITES; i++) {
        kwe_after(builder, last, write[i]);
    }
    kwe_stage_t size = kwe_storage_stat(builder, "size", &stat);
    kwe_after(builder, size, last);
    kwe_result(builder, size);
    struct kwe_result result = finish(builder, "writes", NULL, 0);
    CHECK(result.value == WRITES * PART_BYTES, "%llu bytes", (unsigned long long)result.value);
}

/* The densest graph there may be; every stage does its work once an event. */
static void as_many_stages_and_edges_as_there_may_be(void)
{
    struct kwe_builder *builder = begin("dense");
    struct kwe_workflow_info info;
    kwe_stage_t stage[STAGES];
    uint32_t edges = 0;

    for (uint32_t i = 0; i < STAGES; i++) {
        stage[i] = kwe_stage(builder, "stage", i % 3 == 0 ? 3 : 1, 0, NULL, 0);
        for (uint32_t back = 1; back <= i && back <= 9 && edges < EDGES; back++) {
            kwe_after(builder, stage[i], stage[i - back]);
            edges++;
        }
    }
    CHECK(edges == EDGES, "%u edges", edges);
    kwe_slots(builder, 4);
    check_register(builder, &info);
    for (uint32_t i = 0; i < 20; i++) {
        struct kwe_event event = { .cookie = i, .workflow = info.workflow };
        CHECK(kwe_submit(&rings, &event, 1) == 1, "submit");
    }
    for (uint32_t i = 0; i < 20; i++) {
        struct kwe_result result;
        check_result(&rings, &result, FAR_NS);
        CHECK(result.status == KERR_OK && result.step == STAGES, "%s after %u stages",
              kerr_name((enum kerr)result.status), result.step);
    }
    struct kwe_workflow_status status;
    struct kwe_stage_status counted[STAGES];
    CHECK(kwe_workflow_status(&info, &status, counted, STAGES) >= 0, "status");
    for (uint32_t i = 0; i < STAGES; i++) {
        CHECK(counted[i].events == 20 && counted[i].failed == 0, "stage %u: %llu", i,
              (unsigned long long)counted[i].events);
    }
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

/* Reads that are on their way to the disk when they are not wanted any more. */
static void io_is_cancelled_in_flight(void)
{
    struct kwe_builder *builder = begin("reads");
    struct storage_read_params from = storage_read_defaults();
    struct kwe_workflow_info info;
    struct kwe_result result;

    kwe_path(&from.path, "/whole");
    kwe_stage_t load = kwe_storage_read(builder, "load", &from);
    kwe_out_limit(builder, load, WHOLE_BYTES);
    kwe_result(builder, load);
    kwe_slots(builder, READS / 2);
    check_register(builder, &info);
    for (unsigned round = 0; round < 10; round++) {
        uint32_t cancelled = 0, good = 0;
        for (uint32_t i = 0; i < READS; i++) {
            struct kwe_event event = { .cookie = i, .workflow = info.workflow };
            CHECK(kwe_submit(&rings, &event, 1) == 1, "submit");
        }
        for (uint32_t i = 0; i < READS; i += 2) {
            CHECK(kwe_cancel(&rings, i) >= 0, "cancel");
        }
        for (uint32_t i = 0; i < READS; i++) {
            check_result(&rings, &result, FAR_NS);
            good += result.status == KERR_OK ? 1 : 0;
            cancelled += result.status == KERR_CANCELLED ? 1 : 0;
            CHECK(result.status != KERR_OK || result.length == WHOLE_BYTES, "%u bytes",
                  result.length);
            CHECK(result.status != KERR_CANCELLED || result.cookie % 2 == 0, "event %llu",
                  (unsigned long long)result.cookie);
        }
        CHECK(good + cancelled == READS && good >= READS / 2, "%u good, %u cancelled", good,
              cancelled);
    }
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

int main(void)
{
    uint8_t whole[32];

    check_rings(&rings, 64);
    digest_of_the_whole(whole);
    a_thousand_reads_make_one_digest(whole);
    parts_are_packed_while_the_whole_is_digested(whole);
    one_close_waits_for_many_writes();
    as_many_stages_and_edges_as_there_may_be();
    io_is_cancelled_in_flight();
    return 0;
}
