/*
 * hello.c - the smallest program: one stage, one event, one result. `kwe boot` runs it when no other is named.
 *
 * The job is "sha256 over the event's own buffer". The buffer lies in the program's part of the arena, where the Operations deck reads it; the
 * digest lies in that deck's part, where this program reads it. Nothing is copied on the way.
 */
#include <stdio.h>
#include <string.h>

#include "userland/libkwe/kwe_operations.h"

static int complain(const char *what, const char *why)
{
    kwe_log("%s: %s", what, why);
    return 1;
}

int main(void)
{
    static const char text[] = "hello, workflow";
    struct kwe_builder *builder = kwe_builder_create("hello");
    struct kwe_workflow_info workflow;
    struct kwe_rings rings;
    struct kwe_result result;
    char hex[2 * 32 + 1] = "";

    kwe_log("in ring 3");
    /* Declare: mistakes stick in the builder and are told by kwe_register(). */
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, digest, OPERATIONS_SHA256_INPUT_DATA);
    kwe_result(builder, digest);
    if (kwe_register(builder, &workflow) < 0) {
        return complain("registering", kwe_builder_error(builder));
    }
    kwe_builder_destroy(builder);

    /* Submit: one entry into the kernel for the batch, which returns at once. */
    memcpy(kwe_program_memory(&workflow), text, strlen(text));
    struct kwe_event event = { .workflow = workflow.workflow, .input_length = strlen(text) };
    int answer = kwe_rings_create(&rings, 8);
    if (answer < 0 || (answer = kwe_submit(&rings, &event, 1)) != 1) {
        return complain("submitting", kerr_sentence((enum kerr) - answer));
    }

    /* Wait, and look at the one result where it lies. */
    kwe_wait(&rings, 1, UINT64_MAX);
    if (!kwe_result_next(&rings, &result) || result.status != KERR_OK) {
        return complain("sha256", kerr_sentence((enum kerr)result.status));
    }
    const uint8_t *bytes = kwe_result_bytes(&workflow, &result);
    for (uint32_t i = 0; i < result.length; i++) {
        snprintf(hex + 2 * i, sizeof(hex) - 2 * i, "%02x", bytes[i]);
    }
    kwe_log("sha256(\"%s\") = %s, %llu us after it was submitted", text, hex,
            (unsigned long long)(result.finished_ns - result.submitted_ns) / 1000);
    return 0;
}
