/*
 * crowds.c - many events: a million through a small ring, ten times more than there is room for, one that is in a hurry behind a greedy crowd,
 * one job over ten thousand small files.
 *
 * The disk has the files /small/DD/FF, DIRECTORIES of them with FILES_EACH files; each holds its own name.
 */
#include <stdio.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define MILLION     1000000u
#define SMALL_RING  8u
#define WAITING     16u
#define CROWD       200u
#define CROWD_BYTES 65536u
#define DIRECTORIES 100u
#define FILES_EACH  100u
#define FILES       (DIRECTORIES * FILES_EACH)
#define BATCH       64u
#define FAR_NS      60000000000u

static void register_nop(struct kwe_workflow_info *info, uint32_t slots, uint32_t waiting)
{
    struct kwe_builder *builder = kwe_builder_create("nop");

    (void)kwe_stage(builder, "nop", 1, 0, NULL, 0);
    kwe_slots(builder, slots);
    kwe_max_waiting(builder, waiting);
    check_register(builder, info);
}

/* ---- a small ring --------------------------------------------------------------------------------------------------------- */

static void a_million_events_go_through_a_small_ring(void)
{
    struct kwe_workflow_info info;
    struct kwe_rings rings;
    struct kwe_result result;
    uint32_t submitted = 0, answered = 0;
    uint64_t sum = 0;

    check_rings(&rings, SMALL_RING);
    register_nop(&info, 4, 0);
    while (answered < MILLION) {
        struct kwe_event events[SMALL_RING];
        uint32_t count = 0;
        for (; count < SMALL_RING && submitted + count < MILLION; count++) {
            events[count] =
                (struct kwe_event){ .cookie = submitted + count, .workflow = info.workflow };
        }
        if (count > 0) {
            int pushed = kwe_submit(&rings, events, count);
            CHECK(pushed >= 0, "submit: %d", pushed);
            submitted += (uint32_t)pushed;
        }
        CHECK(kwe_wait(&rings, 1, FAR_NS) > 0, "%u of %u answered", answered, submitted);
        for (; kwe_result_next(&rings, &result); answered++) {
            CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
            sum += result.cookie;
        }
    }
    CHECK(sum == (uint64_t)MILLION * (MILLION - 1) / 2, "some came twice, others not");
    CHECK(kwe_unregister(&info) == 0 && kwe_rings_destroy(&rings) == 0, "end");
}

/* ---- overload ------------------------------------------------------------------------------------------------------------- */

static void what_is_too_much_is_refused_at_the_door(void)
{
    struct kwe_event events[10 * WAITING];
    struct kwe_workflow_info info;
    struct kwe_rings rings;
    struct kwe_result result;
    uint32_t done = 0, refused = 0;

    check_rings(&rings, 256);
    register_nop(&info, 4, WAITING);
    for (uint32_t i = 0; i < 10 * WAITING; i++) {
        events[i] = (struct kwe_event){ .cookie = i, .workflow = info.workflow };
    }
    for (unsigned round = 0; round < 50; round++) {
        CHECK(kwe_submit(&rings, events, 10 * WAITING) == (int)(10 * WAITING), "submit");
        for (uint32_t i = 0; i < 10 * WAITING; i++) {
            check_result(&rings, &result, FAR_NS);
            done += result.status == KERR_OK ? 1 : 0;
            refused += result.status == KERR_OVERLOADED ? 1 : 0;
        }
    }
    CHECK(done + refused == 50 * 10 * WAITING, "%u done, %u refused", done, refused);
    CHECK(done >= 50 * WAITING && refused > done, "%u done, %u refused", done, refused);
    CHECK(kwe_unregister(&info) == 0 && kwe_rings_destroy(&rings) == 0, "end");
}

/* ---- a crowd, and one in a hurry ------------------------------------------------------------------------------------------- */

static void register_digest(struct kwe_workflow_info *info, uint64_t bytes, uint32_t slots)
{
    struct kwe_builder *builder = kwe_builder_create("digest");
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);

    kwe_input_event(builder, digest, 0);
    kwe_program_bytes(builder, bytes);
    kwe_slots(builder, slots);
    check_register(builder, info);
}

/* With a deadline or without: it does not wait for all that came before it. */
static void one_does_not_wait_for_a_crowd(uint64_t deadline_ns)
{
    struct kwe_workflow_info crowd, hurry;
    struct kwe_rings rings, own;
    struct kwe_result result;

    check_rings(&rings, 256);
    check_rings(&own, 8);
    register_digest(&crowd, CROWD_BYTES, CROWD);
    register_digest(&hurry, CROWD_BYTES, 4);
    for (uint32_t i = 0; i < CROWD; i++) {
        struct kwe_event event = { .cookie = i,
                                   .workflow = crowd.workflow,
                                   .input_length = CROWD_BYTES };
        CHECK(kwe_submit(&rings, &event, 1) == 1, "submit");
    }
    for (uint32_t i = 0; i < 4; i++) {
        struct kwe_event event = { .cookie = i,
                                   .workflow = hurry.workflow,
                                   .input_length = CROWD_BYTES,
                                   .deadline_ns = deadline_ns };
        check_run(&own, &event, &result);
        CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    }
    int before = kwe_wait(&rings, 0, 0);
    CHECK(before >= 0 && before < (int)CROWD / 2, "%d of the crowd went first", before);
    for (uint32_t i = 0; i < CROWD; i++) {
        check_result(&rings, &result, FAR_NS);
        CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    }
    CHECK(kwe_unregister(&crowd) == 0 && kwe_unregister(&hurry) == 0, "unregister");
    CHECK(kwe_rings_destroy(&rings) == 0 && kwe_rings_destroy(&own) == 0, "rings");
}

/* ---- small files ----------------------------------------------------------------------------------------------------------- */

static void name_of(char *text, size_t room, uint32_t file)
{
    snprintf(text, room, "/small/%02u/%02u", file / FILES_EACH, file % FILES_EACH);
}

static void ten_thousand_small_files(void)
{
    struct kwe_builder *builder = kwe_builder_create("files");
    struct storage_read_params from = storage_read_defaults();
    struct kwe_workflow_info info;
    struct kwe_rings rings;
    struct kwe_result result;
    uint32_t submitted = 0, answered = 0;
    char name[32];

    check_rings(&rings, 2 * BATCH);
    kwe_path(&from.path, "/small");
    kwe_manifest_subtree(builder, "/small", KWE_MANIFEST_READ);
    kwe_stage_t load = kwe_storage_read(builder, "load", &from);
    kwe_out_limit(builder, load, 64);
    kwe_result(builder, load);
    kwe_block_bytes(builder, sizeof(struct kwe_path));
    kwe_param_block(builder, load, offsetof(struct storage_read_params, path),
                    sizeof(struct kwe_path), 0);
    kwe_program_bytes(builder, 2 * BATCH * sizeof(struct kwe_path));
    kwe_slots(builder, BATCH);
    check_register(builder, &info);
    struct kwe_path *paths = kwe_program_memory(&info);
    while (answered < FILES) {
        struct kwe_event events[BATCH];
        uint32_t count = 0;
        for (;
             count < BATCH && submitted + count < FILES && submitted + count - answered < 2 * BATCH;
             count++) {
            const uint32_t file = submitted + count;
            name_of(name, sizeof(name), file);
            kwe_path(&paths[file % (2 * BATCH)], name);
            events[count] = (struct kwe_event){
                .cookie = file,
                .workflow = info.workflow,
                .block_offset = file % (2 * BATCH) * (uint32_t)sizeof(struct kwe_path),
                .block_length = sizeof(struct kwe_path),
            };
        }
        if (count > 0) {
            CHECK(kwe_submit(&rings, events, count) == (int)count, "submit");
            submitted += count;
        }
        CHECK(kwe_wait(&rings, 1, FAR_NS) > 0, "%u of %u answered", answered, submitted);
        for (; kwe_result_next(&rings, &result); answered++) {
            name_of(name, sizeof(name), (uint32_t)result.cookie);
            CHECK(result.status == KERR_OK && result.length == strlen(name) &&
                      memcmp(kwe_result_bytes(&info, &result), name, result.length) == 0,
                  "%s: %s", name, kerr_name((enum kerr)result.status));
        }
    }
    CHECK(kwe_unregister(&info) == 0 && kwe_rings_destroy(&rings) == 0, "end");
}

int main(void)
{
    a_million_events_go_through_a_small_ring();
    what_is_too_much_is_refused_at_the_door();
    one_does_not_wait_for_a_crowd(0);
    one_does_not_wait_for_a_crowd(kwe_now_ns() + FAR_NS);
    ten_thousand_small_files();
    return 0;
}
