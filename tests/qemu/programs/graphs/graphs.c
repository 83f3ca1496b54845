/*
 * graphs.c - what a graph can say beyond a chain, on real decks: each event is one submission and has one verdict. The disk has a file
 * /whole, and an empty /copy.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_faulty.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define PART_BYTES 65536u
#define TEXT_BYTES 64u

static struct kwe_rings rings;

static struct kwe_result run(const struct kwe_workflow_info *info)
{
    static uint64_t cookie;
    struct kwe_event event = { .cookie = ++cookie,
                               .workflow = info->workflow,
                               .input_length = TEXT_BYTES };
    struct kwe_result result;

    memset(kwe_program_memory(info), 't', TEXT_BYTES);
    check_run(&rings, &event, &result);
    return result;
}

/* One event; its status and the stage that decided it. */
static void expect(struct kwe_builder *builder, const char *what, enum kerr status, uint16_t stage,
                   uint64_t value)
{
    struct kwe_workflow_info info;

    check_register(builder, &info);
    struct kwe_result result = run(&info);
    CHECK(result.status == status && result.stage == stage && result.value == value,
          "%s: %s, stage %u, value %llu", what, kerr_name((enum kerr)result.status), result.stage,
          (unsigned long long)result.value);
    CHECK(kwe_unregister(&info) == 0, "%s: unregister", what);
}

static kwe_stage_t digest(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_operations_sha256(builder, name, KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    return stage;
}

/* No JPEG: it fails. */
static kwe_stage_t decode(struct kwe_builder *builder)
{
    kwe_stage_t stage = kwe_operations_jpeg_decode(builder, "decode", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_out_limit(builder, stage, 4096);
    return stage;
}

static void copy_in_parallel_parts(void)
{
    struct kwe_builder *builder = kwe_builder_create("copy");
    struct storage_stat_params whole = { 0 };
    struct storage_read_params from = storage_read_defaults();
    struct storage_write_at_params to = storage_write_at_defaults();

    CHECK(kwe_path(&whole.path, "/whole") && kwe_path(&from.path, "/whole") &&
              kwe_path(&to.path, "/copy"),
          "paths");
    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ | KWE_MANIFEST_WRITE);
    kwe_stage_t size = kwe_storage_stat(builder, "size", &whole);
    kwe_stage_t parts = kwe_for_each(builder, "parts", 0, PART_BYTES, 4);
    kwe_param_from(builder, parts, offsetof(struct kwe_parts, total_bytes), 8, size, "size");
    kwe_stage_t load = kwe_storage_read(builder, "load", &from);
    kwe_out_limit(builder, load, PART_BYTES);
    kwe_param_part(builder, load, offsetof(struct storage_read_params, offset), 8, KWE_PART_OFFSET);
    kwe_param_part(builder, load, offsetof(struct storage_read_params, length), 8, KWE_PART_LENGTH);
    kwe_stage_t save = kwe_storage_write_at(builder, "save", load, &to);
    kwe_param_part(builder, save, offsetof(struct storage_write_at_params, offset), 8,
                   KWE_PART_OFFSET);
    kwe_end(builder, parts);
    kwe_stage_t sync = kwe_storage_sync(builder, "sync");
    kwe_after(builder, sync, parts);
    kwe_result(builder, parts);
    expect(builder, "copy", KERR_OK, KWE_NO_STAGE, 5);
}

static void a_failure_names_its_stage_and_ends_the_rest(void)
{
    struct kwe_builder *builder = kwe_builder_create("fails");
    struct kwe_workflow_info info;
    struct kwe_workflow_status status;
    struct kwe_stage_status stage[3];

    kwe_stage_t first = digest(builder, "first");
    kwe_stage_t second = kwe_operations_jpeg_decode(builder, "second", first);
    kwe_out_limit(builder, second, 4096);
    kwe_result(builder, kwe_operations_sha256(builder, "third", second));
    check_register(builder, &info);
    struct kwe_result result = run(&info);
    CHECK(result.status == KERR_NOT_A_JPEG && result.stage == 1 && result.step == 1,
          "%s, stage %u, step %u", kerr_name((enum kerr)result.status), result.stage, result.step);
    CHECK(kwe_workflow_status(&info, &status, stage, 3) >= 0, "status");
    CHECK(stage[2].events == 0 && stage[2].failed == 0 && status.in_flight == 0,
          "the third ran: %llu", (unsigned long long)stage[2].events);
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

static void a_tolerated_failure_goes_another_way(void)
{
    struct kwe_builder *builder = kwe_builder_create("tolerates");
    kwe_stage_t picture = decode(builder);
    kwe_stage_t other = digest(builder, "other");
    kwe_tolerate(builder, other, picture);
    kwe_if(builder, other, picture, KWE_IF_STATUS, 0, KWE_EQUAL, KERR_NOT_A_JPEG);
    struct faulty_count_params params = { .from = 0 };
    kwe_stage_t code = kwe_faulty_count(builder, "code", &params);
    kwe_tolerate(builder, code, picture);
    kwe_param_status(builder, code, offsetof(struct faulty_count_params, from), 8, picture);
    kwe_after(builder, code, other);
    kwe_result(builder, code);
    expect(builder, "tolerates", KERR_OK, KWE_NO_STAGE, KERR_NOT_A_JPEG + 1);
}

static void what_its_condition_forbids_is_skipped(void)
{
    struct kwe_builder *builder = kwe_builder_create("if");
    struct faulty_count_params params = { .from = 41 };
    kwe_stage_t count = kwe_faulty_count(builder, "count", &params);
    kwe_stage_t picture = decode(builder); /* would fail */
    kwe_if(builder, picture, count, KWE_IF_VALUE, 0, KWE_ABOVE, 42);
    kwe_result(builder, count);
    expect(builder, "if", KERR_OK, KWE_NO_STAGE, 42);
}

static void the_first_of_two_wins_and_the_other_comes_back(void)
{
    struct kwe_builder *builder = kwe_builder_create("first");
    kwe_stage_t never = kwe_faulty_hold(builder, "never");
    kwe_stage_t quick = digest(builder, "quick");
    kwe_stage_t winner =
        kwe_stage(builder, "winner", OPERATIONS_PREFIX, OPERATIONS_OP_SHA256, NULL, 0);
    kwe_after(builder, winner, never);
    kwe_after(builder, winner, quick);
    kwe_first(builder, winner);
    kwe_result(builder, winner);
    /* Its input is the winner's; a hold has no output, so the digest's is named. */
    kwe_input_event(builder, winner, 0);
    expect(builder, "first", KERR_OK, KWE_NO_STAGE, 0);
}

static void a_stage_and_an_event_have_their_time(void)
{
    struct kwe_builder *builder = kwe_builder_create("timeout");
    (void)digest(builder, "digest");
    kwe_stage_t hold = kwe_faulty_hold(builder, "hold");
    kwe_timeout(builder, hold, 20000000);
    expect(builder, "timeout", KERR_TIMED_OUT, hold.index, 0);

    builder = kwe_builder_create("deadline");
    (void)kwe_faulty_hold(builder, "hold");
    kwe_event_timeout(builder, 20000000);
    expect(builder, "deadline", KERR_DEADLINE_PASSED, KWE_NO_STAGE, 0);
}

static void a_loop_goes_on_until_a_value(void)
{
    for (unsigned bound = 4; bound <= 7; bound += 3) {
        struct kwe_builder *builder = kwe_builder_create("until");
        struct faulty_count_params params = { .from = 10 };
        kwe_stage_t loop = kwe_until(builder, "loop", bound);
        kwe_stage_t count = kwe_faulty_count(builder, "count", &params);
        kwe_param_previous(builder, count, offsetof(struct faulty_count_params, from), 8, count, 0);
        kwe_end(builder, loop);
        kwe_if(builder, loop, count, KWE_IF_VALUE, 0, KWE_AT_LEAST, 16);
        struct faulty_count_params after = { .from = 0 };
        kwe_stage_t last = kwe_faulty_count(builder, "last", &after);
        kwe_param_value(builder, last, offsetof(struct faulty_count_params, from), 8, count, 0);
        kwe_result(builder, last);
        expect(builder, "until", bound == 4 ? KERR_BOUND_REACHED : KERR_OK,
               bound == 4 ? loop.index : KWE_NO_STAGE, bound == 4 ? 0 : 17);
    }
}

/* Far more rounds than the kernel would go by itself. */
static void a_loop_in_which_something_is_done_goes_on(void)
{
    const uint32_t rounds = 70000;
    struct kwe_builder *builder = kwe_builder_create("long");
    struct faulty_count_params params = { .from = 0 };
    kwe_stage_t loop = kwe_until(builder, "loop", KWE_MAX_ROUNDS);
    kwe_stage_t count = kwe_faulty_count(builder, "count", &params);
    kwe_param_previous(builder, count, offsetof(struct faulty_count_params, from), 8, count, 0);
    kwe_end(builder, loop);
    kwe_if(builder, loop, count, KWE_IF_VALUE, 0, KWE_AT_LEAST, rounds);
    struct faulty_count_params after = { .from = 0 };
    kwe_stage_t last = kwe_faulty_count(builder, "last", &after);
    kwe_param_value(builder, last, offsetof(struct faulty_count_params, from), 8, loop, 0);
    kwe_result(builder, last);
    expect(builder, "long", KERR_OK, KWE_NO_STAGE, rounds + 1);
}

static void a_loop_in_which_nothing_is_done_ends(void)
{
    struct kwe_builder *builder = kwe_builder_create("idle");
    struct faulty_count_params params = { .from = 41 };
    kwe_stage_t count = kwe_faulty_count(builder, "count", &params);
    kwe_stage_t loop = kwe_until(builder, "loop", KWE_MAX_ROUNDS);
    kwe_stage_t never = kwe_faulty_count(builder, "never", &params);
    kwe_if(builder, never, count, KWE_IF_VALUE, 0, KWE_ABOVE, 42);
    kwe_end(builder, loop);
    kwe_if(builder, loop, never, KWE_IF_VALUE, 0, KWE_AT_LEAST, 1);
    kwe_result(builder, count);
    expect(builder, "idle", KERR_BOUND_REACHED, loop.index, 0);
}

static void a_cancelled_event_gives_its_slot_back(void)
{
    struct kwe_builder *builder = kwe_builder_create("cancel");
    struct kwe_workflow_info info;
    struct kwe_result result;

    kwe_slots(builder, 1);
    (void)kwe_faulty_hold(builder, "hold");
    check_register(builder, &info);
    for (uint64_t i = 0; i < 100; i++) {
        const struct kwe_event event = { .cookie = i, .workflow = info.workflow };
        CHECK(kwe_submit(&rings, &event, 1) == 1, "submit");
        if (i % 2 == 0) { /* else it has not been handed over yet */
            check_sleep(&rings, 1000000);
        }
        int cancelled = kwe_cancel(&rings, i);
        CHECK(cancelled == 1, "event %llu: %d", (unsigned long long)i, cancelled);
        check_result(&rings, &result, 20000000000u);
        CHECK(result.cookie == i && result.status == KERR_CANCELLED, "%s",
              kerr_name((enum kerr)result.status));
        CHECK(kwe_cancel(&rings, i) == 0, "cancelled twice");
    }
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

static void what_cannot_be_is_refused_by_stage(void)
{
    struct kwe_builder *builder = kwe_builder_create("open");
    struct kwe_workflow_info info;

    kwe_stage_t loop = kwe_until(builder, "loop", 2);
    (void)digest(builder, "digest");
    CHECK(kwe_register(builder, &info) == -KERR_BAD_WORKFLOW, "%s", kwe_builder_error(builder));
    CHECK(strcmp(kwe_builder_error(builder), "stage 'loop': its body has no kwe_end()") == 0, "%s",
          kwe_builder_error(builder));
    kwe_builder_destroy(builder);

    builder = kwe_builder_create("endless");
    loop = kwe_until(builder, "loop", 2);
    (void)digest(builder, "digest");
    kwe_end(builder, loop);
    CHECK(kwe_register(builder, &info) == -KERR_BAD_WORKFLOW && info.stage == loop.index, "%s",
          kwe_builder_error(builder));
    kwe_builder_destroy(builder);
}

int main(void)
{
    check_rings(&rings, 64);
    copy_in_parallel_parts();
    a_failure_names_its_stage_and_ends_the_rest();
    a_tolerated_failure_goes_another_way();
    what_its_condition_forbids_is_skipped();
    the_first_of_two_wins_and_the_other_comes_back();
    a_stage_and_an_event_have_their_time();
    a_loop_goes_on_until_a_value();
    a_loop_in_which_something_is_done_goes_on();
    a_loop_in_which_nothing_is_done_ends();
    a_cancelled_event_gives_its_slot_back();
    what_cannot_be_is_refused_by_stage();
    return 0;
}
