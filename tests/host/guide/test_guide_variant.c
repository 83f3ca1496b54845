/*
 * Which deck runs a stage that two have: one that computes on two CPUs and one with a device. Time is simulated by counting; each test says what
 * an answer took, and looks where the next events go.
 */
// uses: kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/relax_fake.c
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/guide/intake.h"
#include "tests/host/guide/visit.h"

#define RING_SLOTS  64u
#define SLOTS       32u
#define COMPUTE     1u
#define DEVICE      2u
#define ON_DEVICE   2u /* its instance; 0 and 1 compute */
#define INSTANCES   3u
#define OUT_ROOM    64u
#define SEGMENT_GAP (1ull << 32)
#define HINT_NS     1000000u

static const struct op_variant of_compute[] = { { DEVICE, 2 } }, of_device[] = { { COMPUTE, 1 } };
static const uint16_t own_errors[] = { KERR_NO_DEVICE, KERR_DEVICE_GONE };
#define OUTPUT { .present = true, .base_bytes = OUT_ROOM, .of = 0xffff, .denominator = 1 }
static const struct op_spec compute_ops[] = {
    { .name = "nop" },
    { .name = "filter",
      .traits = OP_TRAIT_PURE,
      .output = OUTPUT,
      .cost_fixed_ns = HINT_NS,
      .variant_count = 1,
      .variants = of_compute },
};
/* The number differs, so that one cannot be taken for the other. */
static const struct op_spec device_ops[] = {
    { .name = "nop" },
    { .name = "tick" },
    { .name = "filter",
      .traits = OP_TRAIT_PURE,
      .output = OUTPUT,
      .cost_fixed_ns = HINT_NS,
      .variant_count = 1,
      .variants = of_device,
      .own_error_count = 2,
      .own_errors = own_errors },
};
static const struct deck_spec specs[] = {
    { .name = "compute",
      .prefix = COMPUTE,
      .per_cpu = true,
      .depth = 16,
      .op_count = 2,
      .ops = compute_ops },
    { .name = "device",
      .prefix = DEVICE,
      .device_class = true,
      .depth = 16,
      .op_count = 3,
      .ops = device_ops },
};

static struct world {
    struct guide *guide;
    struct ring *events, *results;
    struct program_ring ring;
    struct ring_producer submit;
    struct ring_consumer read;
    uint32_t workflow;
    uint64_t now_ns;
    uint64_t took_ns[INSTANCES]; /* what its next answers say */
    enum kerr says[INSTANCES];
    uint32_t ran[INSTANCES];
} world;

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

static void on_deck_ready(void *context, uint8_t prefix)
{
    (void)context;
    (void)prefix;
}

static void on_ring(void *context, struct program_ring *ring)
{
    (void)context;
    (void)ring;
}

static void on_workflow_gone(void *context, uint32_t workflow)
{
    (void)context;
    (void)workflow;
}

static struct plan *make_plan(uint8_t flags)
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
                                         .slots = SLOTS,
                                         .program_bytes = 4096 };
    blob.stage = (struct kwe_stage){ .deck = COMPUTE,
                                     .op = 1,
                                     .flags = flags,
                                     .fallback = KWE_NO_STAGE,
                                     .compensation = KWE_NO_STAGE };
    enum kerr made = plan_create(&memory, specs, 2, 2, &blob, sizeof(blob), &plan, &error);
    assert(made == KERR_OK);
    return plan;
}

static void begin(uint8_t flags, bool deterministic)
{
    const struct guide_config config = { .specs = specs,
                                         .spec_count = 2,
                                         .per_cpu_instances = 2,
                                         .first_instance_only = deterministic,
                                         .memory = memory,
                                         .port = { .deck_ready = on_deck_ready,
                                                   .result_published = on_ring,
                                                   .ring_drained = on_ring,
                                                   .workflow_gone = on_workflow_gone } };
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
    enum kerr done = guide_register(world.guide, make_plan(flags), 1, 0, offsets, &world.workflow);
    assert(done == KERR_OK);
    for (uint32_t i = 0; i < INSTANCES; i++) {
        world.took_ns[i] = HINT_NS;
    }
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

/* One visit of each instance; returns how much work there was. */
static uint32_t visit_all(uint32_t room)
{
    static struct kwe_work_frame frames[INSTANCES][KWE_MAX_DEPTH];
    struct kwe_work work[INSTANCES][KWE_MAX_DEPTH];
    uint32_t count[INSTANCES], sum = 0;
    struct guide_vector vector;

    for (uint32_t i = 0; i < INSTANCES; i++) {
        count[i] = visit_take(world.guide, i, world.now_ns, work[i], frames[i], room, &vector);
        sum += count[i];
    }
    world.now_ns += HINT_NS;
    for (uint32_t i = 0; i < INSTANCES; i++) {
        for (uint32_t k = 0; k < count[i]; k++) {
            const struct kwe_completion answer = { .ticket = work[i][k].ticket,
                                                   .status = (uint16_t)world.says[i],
                                                   .elapsed_ns = world.took_ns[i] };
            assert(work[i][k].op == (i == ON_DEVICE ? 2 : 1));
            /* The output lies in that instance's own segment: 0 the nucleus's, 1 the program's. */
            assert(work[i][k].out_offset / SEGMENT_GAP == i + 3);
            assert(visit_answer(world.guide, i, &answer, 1, world.now_ns) == KERR_OK);
            world.ran[i]++;
        }
    }
    return sum;
}

/* All of them end, with that. */
static void run(uint32_t events, enum kerr status)
{
    struct kwe_result result;
    uint32_t ended = 0;

    for (uint32_t i = 0; i < events; i++) {
        struct kwe_event event = { .workflow = world.workflow, .cookie = i };
        assert(ring_push(&world.submit, &event) == RING_OK);
    }
    assert(ring_intake(world.guide, &world.ring, world.now_ns) == KERR_OK);
    while (visit_all(4) > 0) {
    }
    while (ring_pop(&world.read, &result) == RING_OK) {
        assert(result.status == status);
        ended++;
    }
    assert(ended == events);
    assert(ring_intake(world.guide, &world.ring, world.now_ns) == KERR_OK);
}

static void run_one_by_one(uint32_t events)
{
    memset(world.ran, 0, sizeof(world.ran));
    for (uint32_t i = 0; i < events; i++) {
        run(1, KERR_OK);
    }
}

static uint32_t computed(void)
{
    return world.ran[0] + world.ran[1];
}

static void test_the_faster_one_is_learned(void)
{
    begin(KWE_STAGE_ANY_VARIANT, false);
    world.took_ns[ON_DEVICE] = HINT_NS / 10;
    run_one_by_one(20); /* each is looked at, and then the device is known to be faster */
    run_one_by_one(1000);
    assert(world.ran[ON_DEVICE] > 990);
    assert(computed() >
           0); /* and the other is looked at now and then: a tenfold cost, for 3 % of the time */
    assert(computed() <= 1000 / (32 * 9) + 1);
    /* What became fast is found again. */
    world.took_ns[0] = world.took_ns[1] = HINT_NS / 100;
    run_one_by_one(3000);
    run_one_by_one(1000);
    assert(computed() > 900);
    end();
}

static void test_many_at_once_are_spread(void)
{
    begin(KWE_STAGE_ANY_VARIANT, false);
    run_one_by_one(20);
    memset(world.ran, 0, sizeof(world.ran));
    run(30, KERR_OK);
    /* Two CPUs and a device, all as fast: none has to do it alone. */
    assert(computed() >= 15 && world.ran[ON_DEVICE] >= 5);
    end();
}

static void test_a_device_that_is_not_there(void)
{
    begin(KWE_STAGE_ANY_VARIANT, false);
    world.took_ns[ON_DEVICE] = 1;
    world.says[ON_DEVICE] = KERR_NO_DEVICE;
    run(30, KERR_OK);
    run_one_by_one(2000);
    assert(computed() == 2000);
    assert(world.ran[ON_DEVICE] <= 9); /* asked again after 8, 16, .. 1024 choices */
    world.says[ON_DEVICE] = KERR_OK;
    run_one_by_one(1100);
    run_one_by_one(100);
    assert(world.ran[ON_DEVICE] > 90); /* it is back */
    end();
}

static void test_what_both_can_answer_is_the_events_failure(void)
{
    begin(KWE_STAGE_ANY_VARIANT, false);
    for (uint32_t i = 0; i < INSTANCES; i++) {
        world.says[i] = KERR_BAD_PICTURE;
    }
    run(10, KERR_BAD_PICTURE);
    assert(computed() + world.ran[ON_DEVICE] == 10);
    end();
}

static void set_down(uint32_t instance, bool is_down)
{
    guide_instance_state(world.guide, instance, is_down ? GUIDE_INSTANCE_DOWN : GUIDE_INSTANCE_UP,
                         world.now_ns);
}

static void test_a_deck_that_is_down(void)
{
    begin(KWE_STAGE_ANY_VARIANT, false);
    struct kwe_event event = { .workflow = world.workflow };
    for (uint32_t i = 0; i < 8; i++) {
        assert(ring_push(&world.submit, &event) == RING_OK);
    }
    assert(ring_intake(world.guide, &world.ring, world.now_ns) == KERR_OK);
    /* Those that stand before it go to the other. */
    set_down(0, true);
    set_down(1, true);
    while (visit_all(4) > 0) {
    }
    assert(computed() == 0 && world.ran[ON_DEVICE] == 8);
    struct kwe_result result;
    for (uint32_t i = 0; i < 8; i++) {
        assert(ring_pop(&world.read, &result) == RING_OK && result.status == KERR_OK);
    }
    end();
}

static void test_all_are_down(void)
{
    begin(KWE_STAGE_ANY_VARIANT, false);
    for (uint32_t i = 0; i < INSTANCES; i++) {
        set_down(i, true);
    }
    run(3, KERR_DECK_DOWN);
    end();
}

static void test_deterministic_and_named(void)
{
    for (unsigned named = 0; named < 2; named++) {
        begin((uint8_t)(named ? 0 : KWE_STAGE_ANY_VARIANT), !named);
        world.took_ns[0] = world.took_ns[1] = 100ull * HINT_NS;
        run_one_by_one(200);
        assert(computed() == 200 && world.ran[ON_DEVICE] == 0);
        end();
    }
}

int main(void)
{
    test_the_faster_one_is_learned();
    test_many_at_once_are_spread();
    test_a_device_that_is_not_there();
    test_what_both_can_answer_is_the_events_failure();
    test_a_deck_that_is_down();
    test_all_are_down();
    test_deterministic_and_named();
    printf("variants: good\n");
    return 0;
}
