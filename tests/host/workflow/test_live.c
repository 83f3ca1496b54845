/*
 * Places of outputs: shared when nobody can need the first any more, and never else. And how a plan is told.
 */
// uses: kernel/nucleus/workflow/*.c
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/workflow/explain.h"

#define ROOM 1024u
#define MOST 8u

static const struct op_spec ops[] = {
    { .name = "nop" },
    { .name = "work",
      .cost_fixed_ns = 1000,
      .inputs_max = 4,
      .output = { .present = true, .by_limit = true } },
};
static const struct deck_spec specs[] = {
    { .name = "one", .prefix = 1, .depth = 8, .op_count = 2, .ops = ops },
};

static void *take_memory(void *context, size_t bytes)
{
    (void)context;
    return calloc(1, bytes);
}

static void give_memory(void *context, void *block, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(block);
}

static const struct guide_memory memory = { .alloc_zeroed = take_memory, .free = give_memory };

/* reads[i]: bit set of the stages whose outputs stage i takes. */
struct graph {
    uint16_t stages, result;
    uint8_t reads[MOST];
    uint8_t first;    /* bit set: these join FIRST */
    uint8_t tolerant; /* bit set: these tolerate what they wait for */
};

static struct plan *plan_of(const struct graph *graph)
{
    struct {
        struct kwe_workflow header;
        struct kwe_stage stage[MOST];
        struct kwe_dependency dependency[MOST * MOST];
        struct kwe_binding binding[MOST * MOST];
        char names[8];
    } parts = { .header = { .magic = KWE_WORKFLOW_MAGIC, .version = KWE_WORKFLOW_VERSION } };
    static uint8_t blob[1 << 16];
    struct kwe_workflow *header = &parts.header;
    struct plan_error error;
    struct plan *plan;

    for (uint16_t i = 0; i < graph->stages; i++) {
        struct kwe_stage *stage = &parts.stage[i];
        *stage = (struct kwe_stage){ .deck = 1,
                                     .op = 1,
                                     .join = (uint8_t)(graph->first >> i & 1),
                                     .fallback = KWE_NO_STAGE,
                                     .compensation = KWE_NO_STAGE,
                                     .dependency_first = header->dependency_count,
                                     .binding_first = header->binding_count,
                                     .out_limit = ROOM };
        for (uint16_t k = 0; k < i; k++) {
            if ((graph->reads[i] >> k & 1) != 0) {
                parts.dependency[header->dependency_count++] =
                    (struct kwe_dependency){ k, graph->tolerant >> i & 1 };
                parts.binding[header->binding_count++] = (struct kwe_binding){
                    .kind = KWE_BIND_INPUT_STAGE, .stage = k, .target = stage->binding_count++
                };
                stage->dependency_count++;
            }
        }
    }
    header->stage_count = graph->stages;
    header->result_stage = graph->result;
    header->names_bytes = 8;
    header->slots = 1;
    size_t at = sizeof(*header);
    memcpy(blob + at, parts.stage, graph->stages * sizeof(parts.stage[0]));
    at += graph->stages * sizeof(parts.stage[0]);
    memset(blob + at, 0, sizeof(blob) - at);
    memcpy(blob + at, parts.dependency, header->dependency_count * sizeof(parts.dependency[0]));
    at = (at + header->dependency_count * sizeof(parts.dependency[0]) + 7) & ~(size_t)7;
    memcpy(blob + at, parts.binding, header->binding_count * sizeof(parts.binding[0]));
    at += header->binding_count * sizeof(parts.binding[0]) + 8;
    header->total_bytes = (uint32_t)at;
    memcpy(blob, header, sizeof(*header));
    assert(plan_create(&memory, specs, 1, 1, blob, at, &plan, &error) == KERR_OK);
    return plan;
}

/* How many places of ROOM bytes the outputs take. */
static uint64_t places(const struct graph *graph)
{
    struct plan *plan = plan_of(graph);
    uint64_t end = 0;

    assert(plan->outputs_bytes == (uint64_t)ROOM * graph->stages);
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const uint64_t one = plan->stages[i].out_offset + ROOM;
        end = one > end ? one : end;
    }
    plan_destroy(plan);
    return end / ROOM;
}

/* The longest way, and which stages lie on it. */
static void check_ways(const struct graph *graph, uint64_t critical_ns, uint8_t on_it)
{
    struct plan *plan = plan_of(graph);
    struct kwe_plan told;
    struct kwe_plan_stage stages[MOST];

    plan_explain(plan, &told, stages);
    assert(told.total_ns == 1000u * graph->stages && told.critical_ns == critical_ns);
    for (uint32_t i = 0; i < told.stage_count; i++) {
        assert(((stages[i].flags & KWE_PLAN_CRITICAL) != 0) == (on_it >> i & 1));
    }
    plan_destroy(plan);
}

int main(void)
{
    const struct graph chain = { 8, 7, { 0, 1, 2, 4, 8, 16, 32, 64 }, 0, 0 };
    assert(places(&chain) == 2);

    const struct graph kept = { 8, 0, { 0, 1, 2, 4, 8, 16, 32, 64 }, 0, 0 }; /* the result stays */
    assert(places(&kept) == 3);

    const struct graph late = {
        8, 7, { 0, 1, 2, 4, 8, 16, 32, 64 + 1 }, 0, 0
    }; /* read at the end */
    assert(places(&late) == 3);

    const struct graph wide = { 5, 4, { 0, 1, 1, 1, 2 + 4 + 8 }, 0, 0 }; /* three side by side */
    assert(places(&wide) == 4);

    /* When the fifth starts, only one of the two before it is over: the other may still read the first. */
    const struct graph first = { 5, 4, { 0, 1, 1, 2 + 4, 8 }, 8, 0 };
    assert(places(&first) == 5);

    /* A stage that tolerates may run although what came before its source was skipped, or still runs. */
    const struct graph tolerant = { 4, 3, { 0, 1, 2, 4 }, 0, 8 };
    assert(places(&tolerant) == 3);

    check_ways(&chain, 8000, 0xff);
    const struct graph short_cut = {
        5, 4, { 0, 1, 2, 1, 4 + 8 }, 0, 0
    }; /* 3 lies beside 1 and 2 */
    check_ways(&short_cut, 4000, 1 + 2 + 4 + 16);
    return 0;
}
