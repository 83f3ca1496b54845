/* dier.c - dies, by the fault that the boot file `dier` asks for or by its end, with events in every place where one can be. */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_witness.h"

#define HELD   10u /* in a deck's hands: mourner.c counts them */
#define FLYING 64u
#define BYTES  (1u << 20)

static volatile uintptr_t bad_address = 8;

int main(void)
{
    struct kwe_workflow_info hold, digest;
    struct kwe_rings rings, small;
    char how[16];

    struct kwe_builder *builder = kwe_builder_create("hold");
    kwe_witness_hold(builder, "hold");
    check_register(builder, &hold);
    builder = kwe_builder_create("digest");
    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_stage_t packed = kwe_operations_zstd_compress(
        builder, "packed", KWE_STAGE_NONE, &(struct operations_zstd_compress_params){ .level = 3 });
    kwe_input_event(builder, packed, 0);
    kwe_result(builder, packed);
    kwe_program_bytes(builder, BYTES);
    kwe_slots(builder, 8);
    check_register(builder, &digest);
    check_rings(&rings, 128);
    check_rings(&small, 8);
    for (uint32_t i = 0; i < HELD; i++) {
        struct kwe_event event = { .workflow = hold.workflow };
        CHECK(kwe_submit(&rings, &event, 1) == 1, "submit");
    }
    for (uint32_t i = 0; i < FLYING; i++) {
        struct kwe_event event = { .workflow = digest.workflow, .input_length = BYTES };
        CHECK(kwe_submit(i % 2 == 0 ? &rings : &small, &event, 1) >= 0, "submit");
    }
    /* Some results lie there, unread, and hold their slots. */
    CHECK(kwe_wait(&rings, 2, 5000000000u) >= 2, "results");
    if (strcmp(check_option("dier", how, sizeof(how)), "fault") == 0) {
        *(volatile int *)bad_address = 1;
    }
    return 0;
}
