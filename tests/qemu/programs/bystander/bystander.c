/* bystander.c - an honest program beside others that are not: its events all come back right. */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"

#define EVENTS 400u
#define BATCH  8u
#define BYTES  512u

int main(void)
{
    struct kwe_workflow_info info;
    struct kwe_rings rings;
    uint8_t digest[32];

    struct kwe_builder *builder = kwe_builder_create("digest");
    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_result(builder, stage);
    check_register(builder, &info);
    check_rings(&rings, 16);
    memset(kwe_program_memory(&info), 'h', BYTES);
    for (uint32_t done = 0; done < EVENTS; done += BATCH) {
        struct kwe_event events[BATCH];
        for (uint32_t i = 0; i < BATCH; i++) {
            events[i] = (struct kwe_event){ .cookie = done + i,
                                            .workflow = info.workflow,
                                            .input_length = BYTES };
        }
        CHECK(kwe_submit(&rings, events, BATCH) == (int)BATCH, "submit");
        for (uint32_t i = 0; i < BATCH; i++) {
            struct kwe_result result;
            check_result(&rings, &result, 10000000000u);
            CHECK(result.status == KERR_OK && result.length == sizeof(digest), "%s",
                  kerr_name((enum kerr)result.status));
            if (done + i == 0) {
                memcpy(digest, kwe_result_bytes(&info, &result), sizeof(digest));
            }
            CHECK(memcmp(kwe_result_bytes(&info, &result), digest, sizeof(digest)) == 0,
                  "another digest");
        }
        check_sleep(&rings, 500000);
    }
    return 0;
}
