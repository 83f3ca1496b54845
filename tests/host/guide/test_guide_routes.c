/*
 * Events that bring their own graphs, good ones and broken ones: each has its one result, no slot and no memory is lost, and whatever the
 * checker lets through runs to its end. Each seed is one run; an argument runs that seed alone.
 */
// uses: kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/relax_fake.c
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/guide/intake.h"
#include "tests/host/guide/visit.h"

#define SEEDS       300u
#define EVENTS      60u
#define RING_SLOTS  16u
#define SLOTS       4u
#define INSTANCES   3u /* compute.0, compute.1, disk.0 */
#define SEGMENT     65536u
#define ROOM        4096u
#define OUT_ROOM    100u
#define MOST_STAGES 20u /* more than an event may have */

static const struct op_spec ops[] = {
    { .name = "nop" },
    { .name = "work",
      .inputs_max = 3,
      .value_count = 1,
      .traits = OP_TRAIT_PURE,
      .output = { .present = true, .base_bytes = OUT_ROOM, .of = 0xffff, .denominator = 1 },
      .cost_fixed_ns = 30000 },
    { .name = "effect", .inputs_max = 1, .traits = OP_TRAIT_EFFECT, .cost_fixed_ns = 1000 },
};
static const struct deck_spec specs[] = {
    { .name = "compute", .prefix = 1, .per_cpu = true, .depth = 5, .op_count = 3, .ops = ops },
    { .name = "disk", .prefix = 3, .depth = 4, .op_count = 3, .ops = ops },
    { .name = "other", .prefix = 4, .depth = 4, .op_count = 3, .ops = ops },
};

static struct {
    uint64_t random;
    struct guide *guide;
    long blocks;
    uint8_t segment[SEGMENT]; /* the program's */
    uint32_t arena;
    struct program_ring ring;
    struct ring *events, *results;
    struct ring_producer submit;
    struct ring_consumer read;
    struct kwe_work_frame frames[INSTANCES][KWE_MAX_DEPTH];
    bool answered[EVENTS];
    uint32_t count, good;
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

static void on_deck_ready(void *context, uint8_t prefix)
{
    (void)context;
    assert(prefix == 1 || prefix == 3);
}

static void on_ring(void *context, struct program_ring *ring)
{
    (void)context;
    (void)ring;
}

static void on_workflow_gone(void *context, uint32_t workflow)
{
    (void)context;
    assert(workflow == world.arena);
}

static void on_instance(void *context, uint32_t instance, uint32_t ticket)
{
    (void)context;
    (void)ticket;
    assert(instance < INSTANCES);
}

static void on_stuck(void *context, uint32_t instance)
{
    (void)context;
    (void)instance;
    assert(!"time passes slowly here");
}

static bool read_segment(void *context, uint32_t workflow, uint32_t segment, uint64_t offset,
                         void *to, size_t bytes)
{
    (void)context;
    (void)workflow;
    (void)segment;
    if (offset > SEGMENT || bytes > SEGMENT - offset) {
        return false;
    }
    memcpy(to, world.segment + offset, bytes);
    return true;
}

/* ---- graphs ---------------------------------------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *at, const void *data, size_t bytes)
{
    memcpy(at, data, bytes);
    return at + ((bytes + 7) & ~(size_t)7);
}

/* A random DAG; now and then with a byte that is not as it was. Returns its length. */
static uint32_t make_graph(uint8_t *blob)
{
    struct kwe_stage stages[MOST_STAGES];
    struct kwe_dependency dependencies[MOST_STAGES * 3];
    struct kwe_binding bindings[MOST_STAGES * 3];
    struct kwe_workflow header = { .magic = KWE_WORKFLOW_MAGIC,
                                   .version = KWE_WORKFLOW_VERSION,
                                   .slots = 1,
                                   .names_bytes = 8,
                                   .program_bytes = 64 };
    memset(stages, 0, sizeof(stages));
    header.stage_count = (uint16_t)(1 + draw(draw(4) == 0 ? MOST_STAGES : 6));
    header.result_stage = (uint16_t)(draw(3) == 0 ? KWE_NO_STAGE : draw(header.stage_count));
    for (uint16_t i = 0; i < header.stage_count; i++) {
        stages[i].deck = draw(40) == 0 ? 4 : draw(3) == 0 ? 3 : 1;
        stages[i].op = (uint16_t)(draw(5) == 0 ? draw(3) : 1);
        stages[i].fallback = stages[i].compensation = KWE_NO_STAGE;
        stages[i].dependency_first = header.dependency_count;
        stages[i].binding_first = header.binding_count;
        for (uint16_t j = 0; j < i && stages[i].dependency_count < 3; j++) {
            if (draw(2) == 0) {
                continue;
            }
            dependencies[header.dependency_count++] = (struct kwe_dependency){ .stage = j };
            stages[i].dependency_count++;
            if (stages[i].op == 1 && stages[j].op == 1) {
                bindings[header.binding_count++] = (struct kwe_binding){
                    .kind = KWE_BIND_INPUT_STAGE, .stage = j, .target = stages[i].binding_count++
                };
            }
        }
    }
    uint8_t *at = blob + sizeof(header);
    at = put(at, stages, header.stage_count * sizeof(stages[0]));
    at = put(at, dependencies, header.dependency_count * sizeof(dependencies[0]));
    at = put(at, bindings, header.binding_count * sizeof(bindings[0]));
    at = put(at, "\0\0\0\0\0\0\0", 8);
    header.total_bytes = (uint32_t)(at - blob);
    memcpy(blob, &header, sizeof(header));
    for (uint64_t flips = draw(3) == 0 ? 1 + draw(3) : 0; flips > 0; flips--) {
        blob[draw(header.total_bytes)] = (uint8_t)draw(256);
    }
    return header.total_bytes;
}

/* ---- what happens ------------------------------------------------------------------------------------------------------------ */

static void begin(uint64_t seed)
{
    const struct guide_config config = {
        .specs = specs,
        .spec_count = 3,
        .per_cpu_instances = 2,
        .memory = memory,
        .port = { .deck_ready = on_deck_ready,
                  .result_published = on_ring,
                  .ring_drained = on_ring,
                  .workflow_gone = on_workflow_gone,
                  .recall = on_instance,
                  .instance_stuck = on_stuck,
                  .read_segment = read_segment },
    };
    const struct kwe_arena arena = { .magic = KWE_ARENA_MAGIC,
                                     .decks = 1u << 1 | 1u << 3,
                                     .slots = SLOTS,
                                     .program_bytes = SEGMENT,
                                     .room_bytes = ROOM };
    uint64_t offsets[PLAN_MAX_SEGMENTS];
    struct plan *plan;

    memset(&world, 0, sizeof(world));
    world.random = seed * 0x9e3779b97f4a7c15ull | 1;
    world.guide = guide_create(&config);
    world.events = aligned_alloc(64, ring_bytes(RING_SLOTS));
    world.results = aligned_alloc(64, ring_bytes(RING_SLOTS));
    ring_init(world.events, 0);
    ring_init(world.results, 0);
    ring_producer_init(&world.submit, world.events, RING_SLOTS, 0);
    ring_consumer_init(&world.ring.events, world.events, RING_SLOTS, 0);
    ring_producer_init(&world.ring.results, world.results, RING_SLOTS, 0);
    ring_consumer_init(&world.read, world.results, RING_SLOTS, 0);
    assert(ring_open(world.guide, &world.ring, 1));
    enum kerr made = plan_create_arena(&memory, specs, 3, 2, &arena, sizeof(arena), &plan);
    assert(made == KERR_OK && plan->segment_count == 2 + INSTANCES);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        offsets[i] = (i + 1) * (1ull << 32);
    }
    enum kerr done = guide_register(world.guide, plan, 1, 1ull << 44, offsets, &world.arena);
    assert(done == KERR_OK);
}

static void submit(void)
{
    const uint32_t which = world.count++;
    const uint32_t offset = which % RING_SLOTS * (SEGMENT / RING_SLOTS);
    struct kwe_event event = { .cookie = which,
                               .workflow = world.arena,
                               .flags = draw(30) == 0 ? (uint32_t)draw(4) : KWE_EVENT_ROUTE,
                               .block_offset = draw(30) == 0 ? SEGMENT - 100 : offset,
                               .input_length = draw(20) == 0 ? 65 : 64 };

    event.block_length = make_graph(world.segment + offset);
    event.block_length -= draw(30) == 0 ? (uint32_t)draw(event.block_length) : 0;
    assert(ring_push(&world.submit, &event) == RING_OK);
}

static void read_results(void)
{
    struct kwe_result result;

    while (ring_pop(&world.read, &result) == RING_OK) {
        assert(result.cookie < EVENTS && !world.answered[result.cookie]);
        assert(result.status != KERR_OK || result.length <= ROOM);
        world.answered[result.cookie] = true;
        world.good += result.status == KERR_OK ? 1 : 0;
    }
}

/* Take what there is, and answer it, in the order of the vector: what comes after another is answered as that was. */
static void visit(uint32_t instance)
{
    struct kwe_work work[KWE_MAX_DEPTH];
    enum kerr verdict[KWE_MAX_DEPTH];
    struct guide_vector vector;

    uint32_t count = visit_take(world.guide, instance, 1, work, world.frames[instance],
                                1 + (uint32_t)draw(4), &vector);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t index = KWE_TICKET_INDEX(work[i].ticket);
        verdict[index] = draw(20) == 0 ? KERR_IO_ERROR : KERR_OK;
        if (work[i].after != 0 && verdict[work[i].after - 1] != KERR_OK) {
            verdict[index] = KERR_CANCELLED;
        }
        assert(work[i].out_capacity == 0 || work[i].out_offset >> 32 >= 3);
        struct kwe_completion completion = { .ticket = work[i].ticket,
                                             .status = (uint16_t)verdict[index],
                                             .out_length = work[i].out_capacity };
        assert(visit_answer(world.guide, instance, &completion, 1, 1) == KERR_OK);
    }
}

static uint32_t answers(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < EVENTS; i++) {
        count += world.answered[i] ? 1 : 0;
    }
    return count;
}

static void end(void)
{
    guide_unregister(world.guide, world.arena, 1);
    guide_collect(world.guide);
    ring_abandon(world.guide, &world.ring);
    ring_close(world.guide, &world.ring);
    guide_destroy(world.guide);
    free(world.events);
    free(world.results);
    assert(world.blocks == 0);
}

int main(int argument_count, char **arguments)
{
    uint64_t first = argument_count > 1 ? strtoull(arguments[1], NULL, 0) : 1;
    uint64_t last = argument_count > 1 ? first : SEEDS;
    uint64_t good = 0;

    for (uint64_t seed = first; seed <= last; seed++) {
        begin(seed);
        for (uint32_t step = 0; answers() < EVENTS; step++) {
            assert(step < 100000);
            if (world.count < EVENTS && world.count - answers() < RING_SLOTS && draw(2) == 0) {
                submit();
            }
            assert(ring_intake(world.guide, &world.ring, 1) == KERR_OK);
            visit((uint32_t)draw(INSTANCES));
            read_results();
        }
        end();
        good += world.good;
    }
    printf("%llu of %llu events went well\n", (unsigned long long)good,
           (unsigned long long)((last - first + 1) * EVENTS));
    assert(good > (last - first + 1) * EVENTS / 4);
    return 0;
}
