/*
 * rooms.c - a program whose outputs may become larger than the room that is kept for each event: they begin again where there is more, and
 * are OUTPUT_TOO_LARGE where there is not. The disk has files /small, /large and /over of these sizes, and an empty /copy; byte i of each is
 * i * 31 % 251.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define SMALL_BYTES 1000u
#define LARGE_BYTES 50000u
#define USUAL       4096u  /* above SMALL_BYTES */
#define MOST        65536u /* above LARGE_BYTES */
#define SLOTS       4u
#define EVENTS      40u
#define TEXT_BYTES  60u
#define TINY        8u
#define WAIT_NS     20000000000u

static struct kwe_rings rings;

/* Each event's block: which file it reads. */
static const char *const names[] = { "/small", "/large", "/over" };
enum which { SMALL, LARGE, OVER, FILES };

static kwe_stage_t load(struct kwe_builder *builder)
{
    struct storage_read_params params = storage_read_defaults();
    kwe_stage_t stage = kwe_storage_read(builder, "load", &params);

    kwe_param_block(builder, stage, offsetof(struct storage_read_params, path),
                    sizeof(struct kwe_path), 0);
    kwe_out_limit(builder, stage, USUAL);
    kwe_out_most(builder, stage, MOST);
    kwe_block_bytes(builder, sizeof(struct kwe_path));
    kwe_program_bytes(builder, FILES * sizeof(struct kwe_path));
    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ | KWE_MANIFEST_WRITE);
    kwe_slots(builder, SLOTS);
    return stage;
}

static void add(struct kwe_builder *builder, struct kwe_workflow_info *info)
{
    check_register(builder, info);
    for (unsigned i = 0; i < FILES; i++) {
        struct kwe_path *paths = kwe_program_memory(info);
        CHECK(kwe_path(&paths[i], names[i]), "path");
    }
}

static struct kwe_event event_of(const struct kwe_workflow_info *info, uint64_t cookie,
                                 enum which which)
{
    return (struct kwe_event){ .cookie = cookie,
                               .workflow = info->workflow,
                               .block_offset = (uint32_t)(which * sizeof(struct kwe_path)),
                               .block_length = sizeof(struct kwe_path) };
}

static bool is_the_file(const struct kwe_workflow_info *info, const struct kwe_result *result)
{
    const uint8_t *bytes = kwe_result_bytes(info, result);

    for (uint32_t i = 0; i < result->length; i++) {
        if (bytes[i] != i * 31 % 251) {
            return false;
        }
    }
    return true;
}

/* What the result of an event over this file must be. */
static void check_file(const struct kwe_workflow_info *info, const struct kwe_result *result,
                       enum which which)
{
    static const uint32_t length[FILES] = { SMALL_BYTES, LARGE_BYTES, 0 };
    const enum kerr status = which == OVER ? KERR_OUTPUT_TOO_LARGE : KERR_OK;

    CHECK(result->status == status && result->stage == (which == OVER ? 0 : KWE_NO_STAGE),
          "%s: %s at stage %u", names[which], kerr_name((enum kerr)result->status), result->stage);
    CHECK(result->length == length[which] && is_the_file(info, result), "%s: %u bytes",
          names[which], result->length);
}

/* Many at once, more of them large than there are large places: the rooms of later stages have grown with the first's. */
static void each_finds_its_room(uint32_t large_slots)
{
    struct kwe_builder *builder = kwe_builder_create("rooms");
    struct kwe_workflow_info info;
    uint32_t submitted = 0, answered = 0;

    kwe_stage_t pack = kwe_operations_lz4_compress(builder, "pack", load(builder));
    kwe_stage_t unpack = kwe_operations_lz4_decompress(builder, "unpack", pack);
    kwe_out_limit(builder, unpack, USUAL);
    kwe_out_most(builder, unpack, MOST);
    kwe_result(builder, unpack);
    if (large_slots != 0) {
        kwe_large_slots(builder, large_slots);
    }
    add(builder, &info);
    while (answered < EVENTS) {
        struct kwe_result result;
        for (; submitted < EVENTS; submitted++) {
            const struct kwe_event event = event_of(&info, submitted, submitted % FILES);
            if (kwe_submit(&rings, &event, 1) != 1) {
                break;
            }
        }
        check_result(&rings, &result, WAIT_NS);
        check_file(&info, &result, result.cookie % FILES);
        answered++;
    }
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

/* One that has written before it asks does not write twice. */
static void after_an_effect_it_does_not_begin_again(void)
{
    struct kwe_builder *builder = kwe_builder_create("effect");
    struct storage_append_params to = storage_append_defaults();
    struct kwe_workflow_info info;
    struct kwe_result result;

    CHECK(kwe_path(&to.path, "/copy"), "path");
    kwe_stage_t mark = kwe_storage_append(builder, "mark", KWE_STAGE_NONE, &to);
    kwe_input_constant(builder, mark, 0, "once", 4);
    kwe_stage_t stage = load(builder);
    kwe_after(builder, stage, mark);
    kwe_result(builder, stage);
    add(builder, &info);

    const struct kwe_event event = event_of(&info, 1, LARGE);
    check_run(&rings, &event, &result);

    CHECK(result.status == KERR_OUTPUT_TOO_LARGE && result.stage == stage.index, "%s, stage %u",
          kerr_name((enum kerr)result.status), result.stage);
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

/* One event of one stage; its status. */
static enum kerr run_stage(struct kwe_builder *builder, kwe_stage_t stage)
{
    struct kwe_workflow_info info;
    struct kwe_result result;

    kwe_result(builder, stage);
    check_register(builder, &info);
    memset(kwe_program_memory(&info), 't', TEXT_BYTES);
    const struct kwe_event event = { .workflow = info.workflow, .input_length = TEXT_BYTES };
    check_run(&rings, &event, &result);
    CHECK(kwe_unregister(&info) == 0, "unregister");
    return (enum kerr)result.status;
}

/* Whatever the operation: its output does not fit TINY bytes. Those that know what it takes get it where the workflow has it. */
static void what_does_not_fit_has_one_code(void)
{
    static const struct operations_zstd_compress_params zstd = { .level = 3 };
    static const struct operations_statistics_params numbers = { .format = 0 };
    static const struct operations_histogram_params bins = { .high = 1, .bins = 8 };
    static const struct operations_spectrum_params lines = { .format = 0 };
    static const struct operations_merge_params parts = { .header = 0 };
    static const struct operations_format_params text = { .a = 0 };
    static const struct {
        uint16_t op;
        const void *params;
        size_t params_bytes;
        bool knows;
    } kinds[] = {
        { OPERATIONS_OP_SHA256, NULL, 0, true },
        { OPERATIONS_OP_LZ4_COMPRESS, NULL, 0, false },
        { OPERATIONS_OP_ZSTD_COMPRESS, &zstd, sizeof(zstd), false },
        { OPERATIONS_OP_STATISTICS, &numbers, sizeof(numbers), true },
        { OPERATIONS_OP_HISTOGRAM, &bins, sizeof(bins), true },
        { OPERATIONS_OP_SPECTRUM, &lines, sizeof(lines), true },
        { OPERATIONS_OP_MERGE, &parts, sizeof(parts), true },
        { OPERATIONS_OP_FORMAT, &text, sizeof(text), false },
    };

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (unsigned more = 0; more < 2; more++) {
            struct kwe_builder *builder = kwe_builder_create("tiny");
            kwe_stage_t stage = kwe_stage(builder, "tiny", OPERATIONS_PREFIX, kinds[i].op,
                                          kinds[i].params, kinds[i].params_bytes);
            kwe_input_event(builder, stage, 0);
            kwe_out_limit(builder, stage, TINY);
            if (more != 0) {
                kwe_out_most(builder, stage, USUAL);
            }
            const enum kerr status = run_stage(builder, stage);
            const bool fits = more != 0 && kinds[i].knows;
            CHECK(status == (fits ? KERR_OK : KERR_OUTPUT_TOO_LARGE), "operation %u: %s",
                  kinds[i].op, kerr_name(status));
        }
    }
}

/* The directory's list is longer than the room. */
static void a_list_asks_too(void)
{
    for (unsigned more = 0; more < 2; more++) {
        struct kwe_builder *builder = kwe_builder_create("list");
        struct storage_list_params params = storage_list_defaults();

        CHECK(kwe_path(&params.path, "/"), "path");
        kwe_stage_t list = kwe_storage_list(builder, "list", &params);
        kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ);
        kwe_out_limit(builder, list, TINY);
        if (more != 0) {
            kwe_out_most(builder, list, USUAL);
        }
        const enum kerr status = run_stage(builder, list);
        CHECK(status == (more != 0 ? KERR_OK : KERR_OUTPUT_TOO_LARGE), "list: %s",
              kerr_name(status));
    }
}

static void a_most_below_the_limit_is_refused_by_its_stage(void)
{
    struct kwe_builder *builder = kwe_builder_create("less");
    struct kwe_workflow_info info;

    kwe_out_most(builder, load(builder), USUAL - 1);

    CHECK(kwe_register(builder, &info) == -KERR_BAD_WORKFLOW, "%s", kwe_builder_error(builder));
    CHECK(strstr(kwe_builder_error(builder), "load") != NULL, "%s", kwe_builder_error(builder));
    kwe_builder_destroy(builder);
}

int main(void)
{
    check_rings(&rings, 32);
    each_finds_its_room(0);
    each_finds_its_room(1);
    after_an_effect_it_does_not_begin_again();
    what_does_not_fit_has_one_code();
    a_list_asks_too();
    a_most_below_the_limit_is_refused_by_its_stage();
    return 0;
}
