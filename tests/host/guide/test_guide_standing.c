/*
 * Standing events: an echo server's workflow (wait and send in one deck, work in another) armed by a program, in random orders of requests, failures,
 * deaths, cancels and time. Held to: one result each, when it ends, which says CANCELLED or DECK_DOWN; a run begins where the last one
 * ended and nowhere else; whatever happened, as many wait again as were armed; no memory is left. An argument runs that seed alone.
 */
// uses: kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/relax_fake.c
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/guide/intake.h"
#include "tests/host/guide/visit.h"

#define SEEDS      500u
#define STEPS      600u
#define RING_SLOTS 32u
#define DEPTH      16u
#define MOST_ARMED 8u /* half of that */
#define INSTANCES  3u /* net.0, work.0, watch.0 */
#define NET        0u
#define TIMEOUT_NS 5000000u
#define SECOND_NS  1000000000u

enum stage { WAIT, WORK, SEND, STAGES };

static const struct op_spec ops[] = {
    { .name = "nop" },
    { .name = "step",
      .inputs_max = 1,
      .output = { .present = true, .base_bytes = 64, .of = 0xffff, .denominator = 1 },
      .traits = OP_TRAIT_EFFECT,
      .cost_fixed_ns = 1000 },
    { .name = "await",
      .output = { .present = true, .base_bytes = 64, .of = 0xffff, .denominator = 1 },
      .traits = OP_TRAIT_EFFECT | OP_TRAIT_TRIGGER,
      .cost_fixed_ns = 1000 },
};
static const struct deck_spec specs[] = {
    { .name = "net", .prefix = 4, .depth = DEPTH, .op_count = 3, .ops = ops },
    { .name = "work", .prefix = 1, .depth = DEPTH, .op_count = 3, .ops = ops },
    { .name = "watch", .prefix = 0, .observes = true, .depth = 8, .op_count = 3, .ops = ops },
};

/* What is noted of work in hand, in its `attempt`. */
enum { RECALLED = 1, ARMED };

static struct {
    uint64_t random, now_ns;
    long blocks;
    struct guide *guide;
    struct program_ring ring;
    struct ring_producer submit;
    struct ring_consumer read;
    struct ring *events, *results;
    bool drained, gone;
    uint32_t workflow;
    uint64_t armed;  /* submitted, and not ended */
    uint64_t cookie; /* the next */
    bool ended[1024];
    uint64_t event_at[1024]; /* by cookie: the newest run */
    bool has_trigger;
    uint64_t runs, sent, failed;
    struct kwe_work hand[INSTANCES][DEPTH];
    uint32_t in_hand[INSTANCES];
    struct kwe_work_frame frames[INSTANCES][KWE_MAX_DEPTH];
} world;

static uint64_t draw(uint64_t below)
{
    world.random ^= world.random << 13;
    world.random ^= world.random >> 7;
    world.random ^= world.random << 17;
    return world.random % below;
}

static void *take_memory(void *context, size_t bytes)
{
    (void)context;
    world.blocks++;
    return calloc(1, bytes);
}

static void give_memory(void *context, void *block, size_t bytes)
{
    (void)context;
    (void)bytes;
    world.blocks--;
    free(block);
}

static const struct guide_memory memory = { .alloc_zeroed = take_memory, .free = give_memory };

/* ---- what the Guide tells ---------------------------------------------------------------------------------------------- */

static void on_deck_ready(void *context, uint8_t prefix)
{
    (void)context;
    (void)prefix;
}

static void on_result(void *context, struct program_ring *ring)
{
    (void)context;
    (void)ring;
}

static void on_drained(void *context, struct program_ring *ring)
{
    (void)context;
    world.drained = true;
    ring_close(world.guide, ring);
}

static void on_gone(void *context, uint32_t workflow)
{
    (void)context;
    assert(workflow == world.workflow);
    world.gone = true;
}

/* A waiting operation answers when it is asked back. */
static void on_recall(void *context, uint32_t instance, uint32_t ticket)
{
    (void)context;
    for (uint32_t i = 0; i < world.in_hand[instance]; i++) {
        if (world.hand[instance][i].ticket == ticket) {
            world.hand[instance][i].attempt = RECALLED;
        }
    }
}

static void on_stuck(void *context, uint32_t instance)
{
    (void)context;
    (void)instance;
    assert(!"everything that is recalled is answered");
}

static bool read_segment(void *context, uint32_t workflow, uint32_t segment, uint64_t offset,
                         void *to, size_t bytes)
{
    (void)segment;
    (void)context;
    (void)workflow;
    (void)offset;
    memset(to, 0, bytes);
    return true;
}

/* ---- the server ---------------------------------------------------------------------------------------------------------- */

/* Without a trigger its first stage is taken for one. */
static void register_server(bool has_trigger)
{
    static _Alignas(8) struct {
        struct kwe_workflow header;
        struct kwe_stage stages[STAGES];
        struct kwe_dependency dependencies[STAGES];
        struct kwe_binding bindings[STAGES];
        char names[8];
    } blob;
    struct plan_error error;
    struct plan *plan;
    uint64_t offsets[PLAN_MAX_SEGMENTS];

    memset(&blob, 0, sizeof(blob));
    blob.header = (struct kwe_workflow){ .magic = KWE_WORKFLOW_MAGIC,
                                         .version = KWE_WORKFLOW_VERSION,
                                         .stage_count = STAGES,
                                         .result_stage = SEND,
                                         .slots = RING_SLOTS,
                                         .names_bytes = 8,
                                         .program_bytes = 4096,
                                         .timeout_ns = TIMEOUT_NS };
    for (uint16_t i = 0; i < STAGES; i++) {
        blob.stages[i] = (struct kwe_stage){ .deck = i == WORK ? 1 : 4,
                                             .op = i == WAIT && has_trigger ? 2 : 1,
                                             .fallback = KWE_NO_STAGE,
                                             .compensation = KWE_NO_STAGE,
                                             .dependency_first = (uint16_t)(i == 0 ? 0 : i - 1),
                                             .dependency_count = i == 0 ? 0 : 1,
                                             .binding_first = (uint16_t)(i == 0 ? 0 : i - 1),
                                             .binding_count = i == 0 ? 0 : 1 };
        if (i > 0) {
            blob.dependencies[i - 1].stage = i - 1;
            blob.bindings[i - 1] =
                (struct kwe_binding){ .kind = KWE_BIND_INPUT_STAGE, .stage = i - 1 };
        }
    }
    blob.header.dependency_count = STAGES - 1;
    blob.header.binding_count = STAGES - 1;
    /* Each table is padded to 8 bytes, and so are the last of these. */
    size_t bytes = offsetof(typeof(blob), dependencies);
    uint8_t *at = (uint8_t *)&blob + bytes;
    size_t dependencies_bytes = ((STAGES - 1) * sizeof(blob.dependencies[0]) + 7) & ~(size_t)7;
    memmove(at + dependencies_bytes, blob.bindings, (STAGES - 1) * sizeof(blob.bindings[0]));
    bytes += dependencies_bytes + (((STAGES - 1) * sizeof(blob.bindings[0]) + 7) & ~(size_t)7);
    memset((uint8_t *)&blob + bytes, 0, 8);
    bytes += 8;
    blob.header.total_bytes = (uint32_t)bytes;
    enum kerr made = plan_create(&memory, specs, 3, 1, &blob, bytes, &plan, &error);
    assert(made == KERR_OK);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        offsets[i] = (i + 1ull) << 32;
    }
    made = guide_register(world.guide, plan, 1, 1ull << 44, offsets, &world.workflow);
    assert(made == KERR_OK);
}

static void begin(uint64_t seed, bool has_trigger)
{
    memset(&world, 0, sizeof(world));
    world.random = seed * 0x9e3779b97f4a7c15u + 1;
    world.now_ns = 1;
    struct guide_config config = {
        .specs = specs,
        .spec_count = 3,
        .per_cpu_instances = 1,
        .memory = memory,
        .port = { .deck_ready = on_deck_ready,
                  .result_published = on_result,
                  .ring_drained = on_drained,
                  .workflow_gone = on_gone,
                  .recall = on_recall,
                  .instance_stuck = on_stuck,
                  .read_segment = read_segment },
    };
    world.guide = guide_create(&config);
    world.events = aligned_alloc(64, ring_bytes(RING_SLOTS));
    world.results = aligned_alloc(64, ring_bytes(RING_SLOTS));
    ring_init(world.events, 0);
    ring_init(world.results, 0);
    ring_producer_init(&world.submit, world.events, RING_SLOTS, 0);
    ring_consumer_init(&world.ring.events, world.events, RING_SLOTS, 0);
    ring_producer_init(&world.ring.results, world.results, RING_SLOTS, 0);
    ring_consumer_init(&world.read, world.results, RING_SLOTS, 0);
    bool opened = ring_open(world.guide, &world.ring, 1);
    assert(opened);
    world.has_trigger = has_trigger;
    register_server(has_trigger);
}

static void serve(void)
{
    enum kerr served = ring_intake(world.guide, &world.ring, world.now_ns);
    assert(served == KERR_OK);
}

static void read_results(void)
{
    struct kwe_result result;

    while (ring_pop(&world.read, &result) == RING_OK) {
        assert(result.cookie < world.cookie && !world.ended[result.cookie]);
        world.ended[result.cookie] = true;
        if (result.status == KERR_TOO_MANY) {
            assert(world.armed >= MOST_ARMED);
        } else {
            assert(result.status == KERR_CANCELLED || result.status == KERR_DECK_DOWN);
            assert(result.length == 0);
        }
    }
}

static void arm(void)
{
    struct kwe_event wire = { .cookie = world.cookie,
                              .workflow = world.workflow,
                              .flags = KWE_EVENT_STANDING };

    if (world.cookie < 1024 && ring_push(&world.submit, &wire) == RING_OK) {
        world.cookie++;
        serve();
        world.armed += world.armed < MOST_ARMED ? 1 : 0;
    }
}

static void take(uint32_t instance)
{
    struct kwe_work work[KWE_MAX_DEPTH];
    struct guide_vector vector;

    uint32_t count = visit_take(world.guide, instance, world.now_ns, work, world.frames[instance],
                                DEPTH, &vector);
    for (uint32_t i = 0; i < count; i++) {
        assert(world.in_hand[instance] < DEPTH);
        world.hand[instance][world.in_hand[instance]++] = work[i];
        assert((work[i].stage == WAIT) == (work[i].deadline_ns == 0));
        world.runs += work[i].stage == WAIT ? 1 : 0;
    }
}

static uint32_t waiting(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < world.in_hand[NET]; i++) {
        count += world.hand[NET][i].stage == WAIT ? 1 : 0;
    }
    return count;
}

static void answer(uint32_t instance, enum kerr status)
{
    if (world.in_hand[instance] == 0) {
        return;
    }
    const uint32_t place = (uint32_t)draw(world.in_hand[instance]);
    const struct kwe_work work = world.hand[instance][place];
    struct kwe_completion completion = { .ticket = work.ticket, .status = (uint16_t)status };

    if (work.attempt == RECALLED) {
        completion.status = KERR_CANCELLED;
    } else if (status == KERR_OK) {
        completion.out_length = 1;
        world.sent += work.stage == SEND ? 1 : 0;
    }
    world.hand[instance][place] = world.hand[instance][--world.in_hand[instance]];
    enum kerr completed = visit_answer(world.guide, instance, &completion, 1, world.now_ns);
    assert(completed == KERR_OK);
}

/* A trigger has got ready: it says so before it waits. */
static void get_ready(void)
{
    for (uint32_t i = 0; i < world.in_hand[NET]; i++) {
        struct kwe_work *work = &world.hand[NET][i];
        struct kwe_completion said = { .ticket = work->ticket, .status = KWE_STATUS_ARMED };
        if (world.has_trigger && work->attempt == 0 && draw(2) == 0) {
            work->attempt = ARMED;
            enum kerr completed = visit_answer(world.guide, NET, &said, 1, world.now_ns);
            assert(completed == KERR_OK);
        }
    }
}

static void die(uint32_t instance)
{
    world.in_hand[instance] = 0;
    guide_instance_lost(world.guide, instance, world.now_ns);
}

static void check_status(void)
{
    struct kwe_workflow_status status;
    struct kwe_stage_status stages[STAGES];
    uint32_t armed = 0;

    for (uint32_t i = 0; i < world.in_hand[NET]; i++) {
        armed += world.hand[NET][i].stage == WAIT &&
                         world.hand[NET][i].attempt == (world.has_trigger ? ARMED : 0)
                     ? 1
                     : 0;
    }
    bool known = guide_status(world.guide, world.workflow, &status, stages);
    assert(known && status.completed == world.sent && status.armed == armed);
}

static void step(void)
{
    world.now_ns += 1 + draw(1000000);
    guide_expire(world.guide, world.now_ns);
    switch (draw(20)) {
    case 0:
        arm();
        break;
    case 1:
        answer((uint32_t)draw(2), KERR_IO_ERROR);
        break;
    case 2:
        die((uint32_t)draw(3));
        break;
    default:
        take((uint32_t)draw(3));
        get_ready();
        answer((uint32_t)draw(2), KERR_OK);
        break;
    }
    read_results();
    assert(waiting() <= MOST_ARMED);
    check_status();
    guide_collect(world.guide);
}

/* Nothing more happens: as many wait again as were armed. */
static void settle(void)
{
    for (unsigned i = 0; i < 200; i++) {
        world.now_ns += SECOND_NS / 10;
        guide_expire(world.guide, world.now_ns);
        take(0);
        take(1);
        for (uint32_t k = 0; k < world.in_hand[NET]; k++) {
            if (world.hand[NET][k].stage == SEND || world.hand[NET][k].attempt == RECALLED) {
                const struct kwe_work work = world.hand[NET][k];
                world.hand[NET][k] = world.hand[NET][--world.in_hand[NET]];
                struct kwe_completion completion = { .ticket = work.ticket,
                                                     .status = work.attempt == RECALLED
                                                                   ? KERR_CANCELLED
                                                                   : KERR_OK };
                world.sent += work.attempt == RECALLED ? 0 : 1;
                enum kerr done = visit_answer(world.guide, NET, &completion, 1, world.now_ns);
                assert(done == KERR_OK);
                k--;
            }
        }
        while (world.in_hand[1] > 0) {
            answer(1, KERR_OK);
        }
    }
    read_results();
    assert(waiting() == world.armed && world.in_hand[NET] == world.armed);
}

/* Recalled waits answer; every submission has had its one result. */
static void expect_all_ended(void)
{
    for (unsigned i = 0; i < 2 * DEPTH; i++) {
        answer(0, KERR_OK);
        answer(1, KERR_OK);
    }
    read_results();
    for (uint64_t cookie = 0; cookie < world.cookie; cookie++) {
        assert(world.ended[cookie]);
    }
    world.armed = 0;
}

static void end(uint64_t seed)
{
    struct kwe_workflow_status status;
    struct kwe_stage_status stages[STAGES];

    bool known = guide_status(world.guide, world.workflow, &status, stages);
    assert(known && status.completed == world.sent && status.in_flight == world.armed);
    switch (seed % 4) {
    case 0:
        guide_cancel(world.guide, world.workflow, world.now_ns);
        expect_all_ended();
        arm(); /* the workflow is still there */
        settle();
        guide_cancel_event(world.guide, &world.ring, world.cookie - 1, world.now_ns);
        expect_all_ended();
        guide_unregister(world.guide, world.workflow, world.now_ns);
        break;
    case 1:
        guide_unregister(world.guide, world.workflow, world.now_ns);
        expect_all_ended();
        break;
    case 2:
        die(NET);
        guide_instance_state(world.guide, NET, GUIDE_INSTANCE_DOWN, world.now_ns);
        world.now_ns += SECOND_NS;
        guide_expire(world.guide, world.now_ns);
        expect_all_ended();
        guide_unregister(world.guide, world.workflow, world.now_ns);
        break;
    default:
        guide_cancel_standing(world.guide, &world.ring, world.now_ns);
        ring_abandon(world.guide, &world.ring);
        for (unsigned i = 0; i < 2 * DEPTH; i++) {
            answer(0, KERR_OK);
        }
        guide_unregister(world.guide, world.workflow, world.now_ns);
        break;
    }
    guide_collect(world.guide);
    assert(world.gone);
    if (!world.drained) {
        ring_abandon(world.guide, &world.ring);
    }
    assert(world.drained);
    free(world.events);
    free(world.results);
    guide_destroy(world.guide);
    assert(world.blocks == 0);
}

/* What fails at once does not spin: the pauses double. */
static void test_failures_before_the_beginning_are_paused(void)
{
    begin(1, true);
    arm();
    for (unsigned i = 0; i < 1000; i++) {
        world.now_ns += 10 * SECOND_NS / 1000; /* ten seconds */
        guide_expire(world.guide, world.now_ns);
        take(NET);
        answer(NET, KERR_IO_ERROR);
    }
    assert(world.runs > 10 && world.runs < 30);
    settle();
    end(1);
}

/* A client that goes away keeps nobody waiting. */
static void test_failures_after_the_beginning_are_not_paused(void)
{
    begin(1, true);
    arm();
    for (unsigned i = 0; i < 100; i++) {
        world.now_ns += 1000;
        take(NET);
        answer(NET, KERR_OK);
        take(1);
        answer(1, KERR_IO_ERROR);
    }
    assert(world.runs == 100);
    settle();
    end(1);
}

/* Nobody says that the first stage has waited: a later one that fails at once must not spin either. Success ends the doubling. */
static void test_without_a_trigger_every_failure_is_paused(void)
{
    uint64_t runs;

    begin(1, false);
    arm();
    for (unsigned i = 0; i < 1000; i++) {
        world.now_ns += 10 * SECOND_NS / 1000; /* ten seconds */
        guide_expire(world.guide, world.now_ns);
        take(NET);
        answer(NET, KERR_OK);
        take(1);
        answer(1, KERR_IO_ERROR);
    }
    assert(world.runs > 10 && world.runs < 30);
    settle();
    runs = world.runs;
    for (unsigned i = 0; i < 10; i++) {
        take(NET);
        answer(NET, KERR_OK);
        take(1);
        answer(1, KERR_OK);
        take(NET);
        answer(NET, KERR_OK);
    }
    assert(world.runs - runs == 10 - 1); /* one waited already */
    settle();
    end(1);
}

/* The workflow's time counts from when something has come. */
static void test_time_counts_from_the_beginning(void)
{
    struct kwe_workflow_status status;
    struct kwe_stage_status stages[STAGES];

    begin(1, true);
    arm();
    take(NET);
    world.now_ns += 100 * SECOND_NS;
    guide_expire(world.guide, world.now_ns);
    assert(waiting() == 1);
    answer(NET, KERR_OK);
    take(1);
    world.now_ns += 2 * TIMEOUT_NS;
    guide_expire(world.guide, world.now_ns);
    answer(1, KERR_OK);
    assert(guide_status(world.guide, world.workflow, &status, stages));
    assert(status.failed == 1 && status.completed == 0);
    settle();
    end(1);
}

int main(int argument_count, char **arguments)
{
    const uint64_t first = argument_count > 1 ? strtoull(arguments[1], NULL, 0) : 1;
    const uint64_t last = argument_count > 1 ? first : SEEDS;
    uint64_t sent = 0;

    test_failures_before_the_beginning_are_paused();
    test_failures_after_the_beginning_are_not_paused();
    test_without_a_trigger_every_failure_is_paused();
    test_time_counts_from_the_beginning();
    for (uint64_t seed = first; seed <= last; seed++) {
        fprintf(stderr, "\rseed %llu", (unsigned long long)seed);
        begin(seed, seed % 3 != 0);
        for (unsigned i = 0; i < STEPS; i++) {
            step();
        }
        settle();
        sent += world.sent;
        end(seed);
    }
    printf("\n%llu requests answered\n", (unsigned long long)sent);
    assert(sent > (last - first + 1) * 20);
    return 0;
}
