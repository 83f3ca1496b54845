/*
 * long_chain.c - chains as long as a program may make them, in which everything happens at once: each stage fails as soon as the one before it
 * has, or is skipped. What the nucleus does for that must not grow its stack. There is no disk, so Storage is down.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

static void expect(struct kwe_rings *rings, struct kwe_builder *builder, enum kerr status,
                   uint16_t stage)
{
    struct kwe_workflow_info info;
    struct kwe_result result;

    kwe_slots(builder, 1);
    check_register(builder, &info);
    const struct kwe_event event = { .workflow = info.workflow };
    check_run(rings, &event, &result);
    CHECK(result.status == status && result.stage == stage, "%s, stage %u",
          kerr_name((enum kerr)result.status), result.stage);
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

static void each_tolerates_the_one_before(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("tolerant");
    kwe_stage_t before = KWE_STAGE_NONE;

    for (uint16_t i = 0; i < KWE_MAX_STAGES; i++) {
        kwe_stage_t stage = kwe_storage_sync(builder, "sync");
        if (i > 0) {
            kwe_tolerate(builder, stage, before);
        }
        before = stage;
    }
    expect(rings, builder, KERR_DECK_DOWN, KWE_MAX_STAGES - 1);
}

static void each_is_skipped_with_the_one_before(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("skipped");
    kwe_stage_t first = kwe_operations_sha256(builder, "first", KWE_STAGE_NONE);
    kwe_input_event(builder, first, 0);
    kwe_stage_t before = first;

    for (uint16_t i = 1; i < KWE_MAX_STAGES; i++) {
        kwe_stage_t stage = kwe_operations_sha256(builder, "next", before);
        if (i == 1) {
            kwe_if(builder, stage, first, KWE_IF_LENGTH, 0, KWE_EQUAL, 0);
        }
        before = stage;
    }
    kwe_result(builder, before);
    expect(rings, builder, KERR_OK, KWE_NO_STAGE);
}

int main(void)
{
    struct kwe_rings rings;

    check_rings(&rings, 8);
    each_tolerates_the_one_before(&rings);
    each_is_skipped_with_the_one_before(&rings);
    return 0;
}
