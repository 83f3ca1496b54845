/*
 * nop_bench.c - what an event costs when its stages do nothing: routes of 1, 2 and 4 stages through one deck, in batches of 1, 32, 64 and 256.
 * `kwe bench` runs it. "bench begin" before each timed part, "bench {JSON}" after it; the marks round it are for the instruction-counting plugin.
 */
#include <stdio.h>

#include "userland/libkwe/kwe_operations.h"

#define EVENTS     8192u
#define MOST_BATCH 256u

static int complain(const char *what, int answer)
{
    kwe_log("%s: %s", what, kerr_sentence((enum kerr) - answer));
    return 1;
}

static kwe_stage_t add_chain(struct kwe_builder *builder, unsigned stages)
{
    kwe_stage_t last = KWE_STAGE_NONE;

    for (unsigned i = 0; i < stages; i++) {
        char name[16];
        snprintf(name, sizeof(name), "nop%u", i);
        kwe_stage_t stage = kwe_stage(builder, name, OPERATIONS_PREFIX, OPERATIONS_OP_NOP, NULL, 0);
        if (i > 0) {
            kwe_after(builder, stage, last);
        }
        last = stage;
    }
    return last;
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
                   unsigned stages, uint32_t batch)
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
    kwe_log(
        "bench "
        "{\"bench\":\"nop\",\"variant\":\"kwe\",\"stages\":%u,\"batch\":%u,\"ops\":%u,\"ns\":%llu}",
        stages, batch, rounds * batch, (unsigned long long)(end_ns - begin_ns));
    return answer;
}

int main(void)
{
    static const unsigned stages[] = { 1, 2, 4 };
    static const uint32_t batches[] = { 1, 32, 64, MOST_BATCH };
    struct kwe_workflow_info workflow;
    struct kwe_rings rings;

    int answer = kwe_rings_create(&rings, MOST_BATCH);
    if (answer < 0) {
        return complain("making rings", answer);
    }
    for (unsigned i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        struct kwe_builder *builder = kwe_builder_create("nop");
        add_chain(builder, stages[i]);
        kwe_slots(builder, MOST_BATCH);
        if (kwe_register(builder, &workflow) < 0) {
            kwe_log("registering: %s", kwe_builder_error(builder));
            return 1;
        }
        kwe_builder_destroy(builder);
        for (unsigned k = 0; k < sizeof(batches) / sizeof(batches[0]); k++) {
            answer = measure(&rings, &workflow, stages[i], batches[k]);
            if (answer < 0) {
                return complain("measuring", answer);
            }
        }
        kwe_unregister(&workflow);
    }
    return 0;
}
