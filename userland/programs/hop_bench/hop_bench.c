/*
 * hop_bench.c - what it costs an event to go on into another address space: a route whose stages do nothing and lie in turn in two isolated decks,
 * so that each stage is one hop, and the way back to the program the last. In batches of 1 and 64.
 * `kwe bench` runs it, with a disk: the storage deck is one of the two. "bench begin" before each timed part, "bench {JSON}" after it; `ops` are hops.
 */
#include <stdio.h>

#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define STAGES     8u
#define EVENTS     2048u
#define MOST_BATCH 64u

static int complain(const char *what, int answer)
{
    kwe_log("%s: %s", what, kerr_sentence((enum kerr) - answer));
    return 1;
}

static int register_route(struct kwe_workflow_info *workflow)
{
    struct kwe_builder *builder = kwe_builder_create("hop");
    kwe_stage_t last = KWE_STAGE_NONE;

    for (unsigned i = 0; i < STAGES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "hop%u", i);
        kwe_stage_t stage =
            i % 2 == 0 ? kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_NOP, NULL, 0)
                       : kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_NOP, NULL, 0);
        if (i > 0) {
            kwe_after(builder, stage, last);
        }
        last = stage;
    }
    kwe_slots(builder, MOST_BATCH);
    int answer = kwe_register(builder, workflow);
    if (answer < 0) {
        kwe_log("registering: %s", kwe_builder_error(builder));
    }
    kwe_builder_destroy(builder);
    return answer;
}

/* Submit `rounds` batches, each after the results of the last; negative: a code. */
static int run(struct kwe_rings *rings, const struct kwe_event *events, uint32_t batch,
               uint32_t rounds)
{
    struct kwe_result result;

    for (uint32_t i = 0; i < rounds; i++) {
        int answer = kwe_submit(rings, events, batch);
        if (answer != (int)batch || (answer = kwe_wait(rings, batch, UINT64_MAX)) < 0) {
            return answer < 0 ? answer : -KERR_OVERLOADED;
        }
        for (uint32_t got = 0; got < batch; got++) {
            if (!kwe_result_next(rings, &result) || result.status != KERR_OK) {
                return -(int)result.status;
            }
        }
    }
    return 0;
}

static int measure(struct kwe_rings *rings, const struct kwe_workflow_info *workflow,
                   uint32_t batch)
{
    static struct kwe_event events[MOST_BATCH];
    uint32_t rounds = EVENTS / batch;

    for (uint32_t i = 0; i < batch; i++) {
        events[i] = (struct kwe_event){ .cookie = i, .workflow = workflow->workflow };
    }
    int answer = run(rings, events, batch, rounds / 8 + 1); /* so that all is translated and warm */
    if (answer < 0) {
        return answer;
    }
    kwe_log("bench begin");
    uint64_t begin_ns = kwe_now_ns();
    kwe_mark_begin();
    answer = run(rings, events, batch, rounds);
    kwe_mark_end();
    uint64_t end_ns = kwe_now_ns();
    kwe_log("bench "
            "{\"bench\":\"hop\",\"variant\":\"kwe\",\"batch\":%u,\"ops\":%u,\"ns\":%llu}",
            batch, rounds * batch * (STAGES + 1), (unsigned long long)(end_ns - begin_ns));
    return answer;
}

int main(void)
{
    static const uint32_t batches[] = { 1, MOST_BATCH };
    struct kwe_workflow_info workflow;
    struct kwe_rings rings;

    int answer = kwe_rings_create(&rings, MOST_BATCH);
    if (answer < 0) {
        return complain("making rings", answer);
    }
    if (register_route(&workflow) < 0) {
        return 1;
    }
    for (unsigned i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        answer = measure(&rings, &workflow, batches[i]);
        if (answer < 0) {
            return complain("measuring", answer);
        }
    }
    return 0;
}
