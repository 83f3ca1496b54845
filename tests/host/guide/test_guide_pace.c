/*
 * How long vectors of reads get: a read's room is large, so by its hints alone each would be a vector of its own. Each test says what the answers
 * took, and looks how many go together then; with a trace, which has all go the long way, and without.
 */
// uses: kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/relax_fake.c
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/nucleus/guide/intake.h"
#include "tests/host/guide/visit.h"

#define RING_SLOTS  64u
#define BATCH       16u
#define DISK        3u
#define SEGMENT_GAP (1ull << 32)
#define HINT_NS     100000u
#define ROOM        (512u << 10)

static const struct op_spec ops[] = {
    { .name = "nop" },
    { .name = "read",
      .output = { .present = true, .base_bytes = ROOM, .of = 0xffff, .denominator = 1 },
      .cost_fixed_ns = HINT_NS,
      .cost_ns_per_kib = 1024 },
    { .name = "hear",
      .traits = OP_TRAIT_TRIGGER,
      .output = { .present = true, .base_bytes = ROOM, .of = 0xffff, .denominator = 1 },
      .cost_fixed_ns = HINT_NS / 4,
      .cost_ns_per_kib = 1024 },
};
static const struct deck_spec specs[] = {
    { .name = "disk", .prefix = DISK, .depth = 64, .op_count = 3, .ops = ops },
};

static struct world {
    struct guide *guide;
    struct ring *events, *results;
    struct program_ring ring;
    struct ring_producer submit;
    struct ring_consumer read;
    uint32_t workflow;
    uint64_t now_ns;
    enum kerr says;
} world;

static void *take_memory(void *context, size_t bytes)
{
    (void)context;
    return calloc(1, bytes);
}

static void give_memory(void *context, void *block, size_t bytes)
{
    (void)context, (void)bytes;
    free(block);
}

static const struct guide_memory memory = { .alloc_zeroed = take_memory, .free = give_memory };

static void on_deck_ready(void *context, uint8_t prefix)
{
    (void)context, (void)prefix;
}

static void on_ring(void *context, struct program_ring *ring)
{
    (void)context, (void)ring;
}

static void on_workflow_gone(void *context, uint32_t workflow)
{
    (void)context, (void)workflow;
}

static void on_trace(void *context, const struct kwe_trace_record *record)
{
    (void)context, (void)record;
}

static struct plan *make_plan(uint16_t op)
{
    static struct {
        struct kwe_workflow header;
        struct kwe_stage stage;
        char names[8];
    } blob;
    struct plan_error error;
    struct plan *plan;

    blob.header = (struct kwe_workflow){ .magic = KWE_WORKFLOW_MAGIC,
                                         .version = KWE_WORKFLOW_VERSION,
                                         .total_bytes = sizeof(blob),
                                         .stage_count = 1,
                                         .names_bytes = 8,
                                         .slots = 2 * BATCH,
                                         .program_bytes = 4096 };
    blob.stage = (struct kwe_stage){
        .deck = DISK, .op = op, .fallback = KWE_NO_STAGE, .compensation = KWE_NO_STAGE
    };
    assert(plan_create(&memory, specs, 1, 1, &blob, sizeof(blob), &plan, &error) == KERR_OK);
    return plan;
}

static void begin(uint16_t op, bool traced, bool deterministic)
{
    const struct guide_config config = { .specs = specs,
                                         .spec_count = 1,
                                         .per_cpu_instances = 1,
                                         .first_instance_only = deterministic,
                                         .memory = memory,
                                         .port = { .deck_ready = on_deck_ready,
                                                   .result_published = on_ring,
                                                   .ring_drained = on_ring,
                                                   .workflow_gone = on_workflow_gone,
                                                   .trace = traced ? on_trace : NULL } };
    uint64_t offsets[PLAN_MAX_SEGMENTS];

    world = (struct world){ .guide = guide_create(&config),
                            .events = aligned_alloc(64, ring_bytes(RING_SLOTS)),
                            .results = aligned_alloc(64, ring_bytes(RING_SLOTS)),
                            .ring = { .owner = 1 },
                            .now_ns = 1 };
    for (uint32_t i = 0; i < PLAN_MAX_SEGMENTS; i++) {
        offsets[i] = (i + 1) * SEGMENT_GAP;
    }
    ring_init(world.events, 0);
    ring_init(world.results, 0);
    ring_producer_init(&world.submit, world.events, RING_SLOTS, 0);
    ring_consumer_init(&world.ring.events, world.events, RING_SLOTS, 0);
    ring_producer_init(&world.ring.results, world.results, RING_SLOTS, 0);
    ring_consumer_init(&world.read, world.results, RING_SLOTS, 0);
    assert(ring_open(world.guide, &world.ring, 1));
    assert(guide_register(world.guide, make_plan(op), 1, 0, offsets, &world.workflow) == KERR_OK);
}

static void end(void)
{
    guide_unregister(world.guide, world.workflow, world.now_ns);
    guide_collect(world.guide);
    ring_abandon(world.guide, &world.ring);
    ring_close(world.guide, &world.ring);
    guide_destroy(world.guide);
    free(world.events);
    free(world.results);
}

/* Have so many events run that are ready at once, each for so long. Returns how many went in the first visit. */
static uint32_t run(uint32_t events, uint64_t took_ns)
{
    static struct kwe_work_frame frames[KWE_MAX_DEPTH];
    struct kwe_work work[KWE_MAX_DEPTH];
    struct guide_vector vector;
    struct kwe_result result;
    uint32_t first = 0, ended = 0;

    for (uint32_t i = 0; i < events; i++) {
        assert(ring_push(&world.submit, &(struct kwe_event){ .workflow = world.workflow }) ==
               RING_OK);
    }
    assert(ring_intake(world.guide, &world.ring, world.now_ns) == KERR_OK);
    while (ended < events) {
        const uint32_t count = visit_take(world.guide, 0, world.now_ns, work, frames, 64, &vector);
        assert(count != 0);
        first = first == 0 ? count : first;
        world.now_ns += HINT_NS;
        for (uint32_t i = 0; i < count; i++) {
            const struct kwe_completion answer = { .ticket = work[i].ticket,
                                                   .status = (uint16_t)world.says,
                                                   .out_length = world.says == KERR_OK ? 1000 : 0,
                                                   .elapsed_ns = took_ns };
            assert(visit_answer(world.guide, 0, &answer, 1, world.now_ns) == KERR_OK);
        }
        while (ring_pop(&world.read, &result) == RING_OK) {
            assert(result.status == world.says);
            ended++;
        }
        assert(ring_intake(world.guide, &world.ring, world.now_ns) == KERR_OK);
    }
    return first;
}

static void test_reads_that_are_short_go_together(bool traced)
{
    begin(1, traced, false);
    assert(run(BATCH, 5000) == 1);
    assert(run(BATCH, 5000) == BATCH);
    assert(run(BATCH, 50000) == BATCH); /* not known yet */
    assert(run(BATCH, 50000) == 4);     /* 200 us of work */
    assert(run(BATCH, 5000) == 4);
    assert(run(BATCH, 5000) == BATCH);
    end();
}

static void test_reads_that_wait_are_worth_their_hints_at_most(bool traced)
{
    begin(1, traced, false);
    assert(run(BATCH, 1000000000) == 1);
    assert(run(BATCH, 1000000000) == 1);
    end();
}

static void test_a_few_say_nothing(bool traced)
{
    begin(1, traced, false);
    assert(run(BATCH - 1, 5000) == 1);
    assert(run(2, 5000) == 1);
    assert(run(2, 5000) == 2);
    end();
}

/* A file that is not there is looked for, too. */
static void test_those_that_fail_count(bool traced)
{
    begin(1, traced, false);
    world.says = KERR_NO_SUCH_FILE;
    assert(run(BATCH, 5000) == 1);
    assert(run(BATCH, 5000) == BATCH);
    end();
}

static void test_deterministic_goes_by_hints(bool traced)
{
    begin(1, traced, true);
    assert(run(BATCH, 5000) == 1);
    assert(run(BATCH, 5000) == 1);
    end();
}

/* Their rooms say nothing: what they wait for has not come. */
static void test_those_that_wait_go_together(bool traced)
{
    begin(2, traced, false);
    assert(run(BATCH, 1000000000) == 8);
    assert(run(BATCH, 1000000000) == 8);
    end();
}

int main(void)
{
    for (unsigned traced = 0; traced < 2; traced++) {
        test_reads_that_are_short_go_together(traced);
        test_reads_that_wait_are_worth_their_hints_at_most(traced);
        test_a_few_say_nothing(traced);
        test_those_that_fail_count(traced);
        test_deterministic_goes_by_hints(traced);
        test_those_that_wait_go_together(traced);
    }
    printf("pace: good\n");
    return 0;
}
