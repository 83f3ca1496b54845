/*
 * overload.c - what an event costs with as many under way as there are slots, and with ten times as many submitted: those beyond wait in their
 * ring. Results are taken, and others submitted for them, by the same number in both.
 */
#include "userland/libkwe/kwe_operations.h"
#include "userland/programs/load_bench/load_bench.h"

#define SLOTS    32u
#define TIMES    10u
#define EXCHANGE 16u
#define EVENTS   8192u
#define RING     512u

_Static_assert(SLOTS *TIMES <= RING, "the whole load lies in the ring");

/* `rounds` exchanges; what is under way stays under way. Negative: a code. */
static int exchange(struct kwe_rings *rings, const struct kwe_event *events, uint32_t rounds)
{
    struct kwe_result result;

    for (uint32_t i = 0; i < rounds; i++) {
        int answer = kwe_wait(rings, EXCHANGE, UINT64_MAX);
        for (uint32_t got = 0; answer >= 0 && got < EXCHANGE; got++) {
            if (!kwe_result_next(rings, &result) || result.status != KERR_OK) {
                return -(int)result.status;
            }
        }
        if (answer >= 0) {
            answer = kwe_submit(rings, events, EXCHANGE);
        }
        if (answer != (int)EXCHANGE) {
            return answer < 0 ? answer : -KERR_OVERLOADED;
        }
    }
    return 0;
}

static int drain(struct kwe_rings *rings, uint32_t count)
{
    struct kwe_result result;

    while (count > 0) {
        int answer = kwe_wait(rings, 1, UINT64_MAX);
        if (answer < 0) {
            return answer;
        }
        while (kwe_result_next(rings, &result)) {
            count--;
        }
    }
    return 0;
}

static int measure(struct kwe_rings *rings, const struct kwe_event *events, uint32_t load)
{
    int answer = kwe_submit(rings, events, load);

    if (answer == (int)load) {
        answer = exchange(rings, events, EVENTS / EXCHANGE / 8); /* translated and warm */
    }
    if (answer < 0) {
        return answer;
    }
    kwe_log("bench begin");
    uint64_t begin_ns = kwe_now_ns();
    kwe_mark_begin();
    answer = exchange(rings, events, EVENTS / EXCHANGE);
    kwe_mark_end();
    uint64_t end_ns = kwe_now_ns();
    kwe_log("bench {\"bench\":\"overload\",\"variant\":\"%s\",\"stages\":1,\"batch\":%u,\"ops\":%u,"
            "\"ns\":%llu}",
            load == SLOTS ? "kwe-peak" : "kwe", load, EVENTS,
            (unsigned long long)(end_ns - begin_ns));
    return answer < 0 ? answer : drain(rings, load);
}

int measure_overload(void)
{
    static struct kwe_event events[SLOTS * TIMES];
    struct kwe_workflow_info workflow;
    struct kwe_rings rings;
    struct kwe_builder *builder = kwe_builder_create("overload");

    kwe_stage(builder, "nop", OPERATIONS_PREFIX, OPERATIONS_OP_NOP, NULL, 0);
    kwe_slots(builder, SLOTS);
    int answer = kwe_rings_create(&rings, RING);
    if (answer >= 0) {
        answer = kwe_register(builder, &workflow);
    }
    kwe_builder_destroy(builder);
    if (answer < 0) {
        return answer;
    }
    for (uint32_t i = 0; i < SLOTS * TIMES; i++) {
        events[i] = (struct kwe_event){ .cookie = i, .workflow = workflow.workflow };
    }
    answer = measure(&rings, events, SLOTS);
    return answer < 0 ? answer : measure(&rings, events, SLOTS * TIMES);
}
