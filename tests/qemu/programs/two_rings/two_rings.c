/* two_rings.c - a slot that a result of one ring holds is free for an event of another as soon as the result has been read. */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"

#define DATA_BYTES 64u

int main(void)
{
    struct kwe_rings first, second;
    struct kwe_workflow_info workflow;
    struct kwe_result result;
    struct kwe_builder *builder = kwe_builder_create("two_rings");
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);

    check_rings(&first, 8);
    check_rings(&second, 8);
    kwe_input_event(builder, digest, 0);
    kwe_result(builder, digest);
    kwe_slots(builder, 1);
    check_register(builder, &workflow);
    struct kwe_event event = { .workflow = workflow.workflow, .input_length = DATA_BYTES };

    for (uint64_t i = 0; i < 10; i++) {
        struct kwe_rings *rings = i % 2 == 0 ? &first : &second;
        event.cookie = i;
        CHECK(kwe_submit(rings, &event, 1) == 1, "event %llu", (unsigned long long)i);
        check_result(rings, &result, 5000000000u);
        CHECK(result.cookie == i && result.status == KERR_OK && result.length == 32, "event %llu",
              (unsigned long long)i);
        CHECK(!kwe_result_next(rings, &result), "one result an event");
    }
    return 0;
}
