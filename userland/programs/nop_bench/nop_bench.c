/*
 * nop_bench.c - what an event costs when its stages do nothing: routes of 1, 2 and 4 stages through one deck, in batches of 1, 32, 64 and 256;
 * and what it costs to have the largest graph there may be checked, planned and laid out.
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

/* Submit one batch and wait for all of it, in one call; negative: a code. */
static int submit(struct kwe_rings *rings, uint32_t workflow, uint32_t batch)
{
    for (uint32_t i = 0; i < batch; i++) {
        struct kwe_event *event = kwe_event_place(rings, i);
        if (event == NULL) {
            return -KERR_OVERLOADED;
        }
        *event = (struct kwe_event){ .cookie = i, .workflow = workflow };
    }
    return kwe_event_give_wait(rings, batch, batch, UINT64_MAX);
}

/* Submit `rounds` batches, each after the results of the last; negative: a code. */
static int run(struct kwe_rings *rings, uint32_t workflow, uint32_t batch, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        int answer = submit(rings, workflow, batch);
        if (answer < 0) {
            return answer;
        }
        for (uint32_t got = 0; got < batch; got++) {
            const struct kwe_result *result = kwe_result_look(rings);
            if (result == NULL || result->status != KERR_OK) {
                return result == NULL ? -KERR_OVERLOADED : -(int)result->status;
            }
        }
    }
    return 0;
}

static int measure(struct kwe_rings *rings, const struct kwe_workflow_info *workflow,
                   unsigned stages, uint32_t batch)
{
    uint32_t rounds = EVENTS / batch;

    /* So that all is translated and warm. */
    int answer = run(rings, workflow->workflow, batch, rounds / 8 + 1);
    if (answer < 0) {
        return answer;
    }
    kwe_log("bench begin");
    uint64_t begin_ns = kwe_now_ns();
    kwe_mark_begin();
    answer = run(rings, workflow->workflow, batch, rounds);
    kwe_mark_end();
    uint64_t end_ns = kwe_now_ns();
    kwe_log(
        "bench "
        "{\"bench\":\"nop\",\"variant\":\"kwe\",\"stages\":%u,\"batch\":%u,\"ops\":%u,\"ns\":%llu}",
        stages, batch, rounds * batch, (unsigned long long)(end_ns - begin_ns));
    return answer;
}

/* ---- planning ---- */

#define PLANS 20u

/* As many stages and edges as a workflow may have. */
static struct kwe_builder *largest_graph(void)
{
    struct kwe_builder *builder = kwe_builder_create("largest");
    kwe_stage_t stage[KWE_MAX_STAGES];
    uint32_t edges = 0;

    for (uint32_t i = 0; i < KWE_MAX_STAGES; i++) {
        stage[i] = kwe_stage(builder, "nop", OPERATIONS_PREFIX, OPERATIONS_OP_NOP, NULL, 0);
        for (uint32_t back = 1; back <= i && back <= 9 && edges < KWE_MAX_DEPENDENCIES; back++) {
            kwe_after(builder, stage[i], stage[i - back]);
            edges++;
        }
    }
    kwe_slots(builder, 1);
    return builder;
}

/* Registered and given back, again and again; negative: a code. */
static int plan(struct kwe_builder *builder, uint32_t times)
{
    struct kwe_workflow_info workflow;

    for (uint32_t i = 0; i < times; i++) {
        int answer = kwe_register(builder, &workflow);
        if (answer < 0 || (answer = kwe_unregister(&workflow)) < 0) {
            return answer;
        }
    }
    return 0;
}

static int measure_planning(void)
{
    struct kwe_builder *builder = largest_graph();

    int answer = plan(builder, 2);
    if (answer < 0) {
        return answer;
    }
    kwe_log("bench begin");
    uint64_t begin_ns = kwe_now_ns();
    kwe_mark_begin();
    answer = plan(builder, PLANS);
    kwe_mark_end();
    uint64_t end_ns = kwe_now_ns();
    kwe_log("bench {\"bench\":\"plan\",\"variant\":\"kwe\",\"stages\":%u,\"ops\":%u,\"ns\":%llu}",
            KWE_MAX_STAGES, PLANS, (unsigned long long)(end_ns - begin_ns));
    kwe_builder_destroy(builder);
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
    answer = measure_planning();
    return answer < 0 ? complain("planning", answer) : 0;
}
