/*
 * makespan.c - random graphs of hashes of random sizes, one event at a time on all CPUs: how long each takes, and how long it would have to
 * take: as long as its longest way, and as its work divided by the CPUs. What stages take is what they took, on average.
 */
#include <string.h>

#include "userland/libkwe/kwe_operations.h"
#include "userland/programs/load_bench/load_bench.h"

#define GRAPHS     12u
#define STAGES     24u
#define MOST_BACK  3u
#define RUNS       8u
#define LEAST_DATA 4096u
#define MOST_DATA  61440u

_Static_assert(STAGES *MOST_DATA < 2 * KWE_MAX_BLOB_BYTES, "on average, data fit a blob");

struct graph {
    uint16_t back[STAGES][MOST_BACK]; /* stages that it waits for; itself: none */
    struct kwe_workflow_info workflow;
};

static uint64_t random_state;

static uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % below);
}

/* It runs when that one has gone well: a condition, since a hash that only came after it could begin before it is over. */
static void wait_for(struct kwe_builder *builder, kwe_stage_t stage, kwe_stage_t before)
{
    kwe_if(builder, stage, before, KWE_IF_STATUS, 0, KWE_EQUAL, KERR_OK);
}

static int make_graph(struct graph *graph)
{
    static uint8_t data[MOST_DATA];
    kwe_stage_t stage[STAGES];
    struct kwe_builder *builder = kwe_builder_create("makespan");
    uint32_t room = STAGES * (LEAST_DATA + MOST_DATA) / 2;

    memset(graph, 0, sizeof(*graph));
    for (uint16_t i = 0; i < STAGES; i++) {
        uint32_t bytes = LEAST_DATA + random_below(MOST_DATA - LEAST_DATA);
        bytes = bytes < room - (STAGES - 1 - i) * LEAST_DATA ? bytes : LEAST_DATA;
        room -= bytes;
        stage[i] = kwe_operations_sha256(builder, "hash", KWE_STAGE_NONE);
        kwe_input_constant(builder, stage[i], 0, data, bytes);
        for (unsigned k = 0; k < MOST_BACK; k++) {
            const uint16_t back = (uint16_t)(i - random_below(i < 8 ? i + 1u : 8u));
            graph->back[i][k] = back;
            if (back != i && (k == 0 || back != graph->back[i][k - 1]) &&
                (k < 2 || back != graph->back[i][0])) {
                wait_for(builder, stage[i], stage[back]);
            }
        }
    }
    kwe_slots(builder, 1);
    int answer = kwe_register(builder, &graph->workflow);
    if (answer < 0) {
        kwe_log("registering: %s", kwe_builder_error(builder));
    }
    kwe_builder_destroy(builder);
    return answer;
}

/* One event after the other; answers the sum of their times, or a code (< 0). */
static int64_t run(struct kwe_rings *rings, const struct graph *graph, uint32_t runs)
{
    const struct kwe_event event = { .workflow = graph->workflow.workflow };
    struct kwe_result result;
    int64_t sum_ns = 0;

    for (uint32_t i = 0; i < runs; i++) {
        int answer = kwe_submit(rings, &event, 1);
        if (answer != 1 || (answer = kwe_wait(rings, 1, UINT64_MAX)) < 0 ||
            !kwe_result_next(rings, &result) || result.status != KERR_OK) {
            return answer < 0 ? answer : -(int64_t)result.status;
        }
        sum_ns += (int64_t)(result.finished_ns - result.submitted_ns);
    }
    return sum_ns;
}

/* What one event cannot be quicker than, times RUNS, by what its stages took since `before`. */
static uint64_t bound_ns(const struct graph *graph, const struct kwe_stage_status *before,
                         const struct kwe_stage_status *after, uint32_t cpus)
{
    uint64_t ends_ns[STAGES], work_ns = 0, longest_ns = 0;

    for (uint16_t i = 0; i < STAGES; i++) {
        const uint64_t took_ns = after[i].busy_ns - before[i].busy_ns;
        uint64_t from_ns = 0;
        for (unsigned k = 0; k < MOST_BACK; k++) {
            const uint16_t back = graph->back[i][k];
            from_ns = back != i && ends_ns[back] > from_ns ? ends_ns[back] : from_ns;
        }
        ends_ns[i] = from_ns + took_ns;
        work_ns += took_ns;
        longest_ns = ends_ns[i] > longest_ns ? ends_ns[i] : longest_ns;
    }
    return longest_ns > work_ns / cpus ? longest_ns : work_ns / cpus;
}

static void tell(const char *variant, uint64_t ns)
{
    kwe_log("bench begin");
    kwe_mark_begin();
    kwe_mark_end();
    kwe_log("bench {\"bench\":\"makespan\",\"variant\":\"%s\",\"stages\":%u,\"batch\":1,"
            "\"ops\":%u,\"ns\":%llu}",
            variant, STAGES, GRAPHS * RUNS, (unsigned long long)ns);
}

int measure_makespan(void)
{
    static struct graph graph;
    static struct kwe_stage_status before[STAGES], after[STAGES];
    struct kwe_workflow_status status;
    struct kwe_statistics statistics;
    struct kwe_rings rings;
    uint64_t taken_ns = 0, least_ns = 0;

    int answer = kwe_rings_create(&rings, 8);
    if (answer < 0 || (answer = kwe_statistics(&statistics)) < 0) {
        return answer;
    }
    for (uint32_t i = 0; i < GRAPHS; i++) {
        random_state = 0x9e3779b97f4a7c15u + i;
        answer = make_graph(&graph);
        int64_t ran_ns = answer < 0 ? answer : run(&rings, &graph, 1);
        if (ran_ns < 0) {
            return (int)ran_ns;
        }
        kwe_workflow_status(&graph.workflow, &status, before, STAGES);
        ran_ns = run(&rings, &graph, RUNS);
        kwe_workflow_status(&graph.workflow, &status, after, STAGES);
        if (ran_ns < 0 || (answer = kwe_unregister(&graph.workflow)) < 0) {
            return ran_ns < 0 ? (int)ran_ns : answer;
        }
        taken_ns += (uint64_t)ran_ns;
        least_ns += bound_ns(&graph, before, after, statistics.cpus);
    }
    tell("kwe", taken_ns);
    tell("bound", least_ns);
    return 0;
}
