/* workflow_world.c - see workflow_world.h. */
#include "tests/host/workflow/workflow_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/guide/intake.h"
#include "kernel/nucleus/workflow/layout.h"
#include "tests/host/guide/visit.h"

#define RING_SLOTS   16u
#define EVENTS       5u
#define MOST_SLOTS   3u /* so that some events wait; the wire's number would only cost memory */
#define MOST_LARGE   2u
#define FREE_STEPS   400u
#define DRAIN_STEPS  20000u
#define INSTANCES    7u
#define DEPTH        16u /* the most of a deck's */
#define SEGMENT_GAP  (1ull << 50)
#define PARAMS_BYTES 32u
#define OUT_ROOM     100u

/* ---- decks ------------------------------------------------------------------------------------------------------------- */

static enum kerr validate_small(const void *params, uint32_t *bad_offset)
{
    uint64_t first;

    memcpy(&first, params, sizeof(first));
    *bad_offset = 0;
    return first < 100 ? KERR_OK : KERR_BAD_PARAMETER;
}

#define FIXED(bytes) { .present = true, .base_bytes = (bytes), .of = 0xffff, .denominator = 1 }

/* Numbers 1 and 2 as the random graphs of tests/host/guide/graphs.py know them; the others have what those two have not. */
static const struct op_spec ops[] = {
    { .name = "nop" },
    { .name = "work",
      .params_bytes = PARAMS_BYTES,
      .inputs_max = 4,
      .value_count = 2,
      .output = FIXED(OUT_ROOM),
      .cost_fixed_ns = 30000 },
    { .name = "pure",
      .params_bytes = PARAMS_BYTES,
      .inputs_max = 4,
      .value_count = 2,
      .traits = OP_TRAIT_PURE,
      .output = FIXED(OUT_ROOM),
      .cost_fixed_ns = 30000 },
    { .name = "limited",
      .params_bytes = PARAMS_BYTES,
      .inputs_max = 8,
      .value_count = 4,
      .traits = OP_TRAIT_EFFECT,
      .output = { .present = true, .by_limit = true },
      .cost_ns_per_kib = 5000 },
    { .name = "grow",
      .params_bytes = PARAMS_BYTES,
      .inputs_min = 1,
      .inputs_max = 2,
      .traits = OP_TRAIT_PURE,
      .output = { .present = true, .base_bytes = 1, .numerator = 3, .denominator = 2 },
      .cost_ns_per_kib = 1000 },
    { .name = "checked",
      .params_bytes = PARAMS_BYTES,
      .validate = validate_small,
      .inputs_max = 1,
      .value_count = 1,
      .traits = OP_TRAIT_IDEMPOTENT },
    { .name = NULL },
};
#define OPS (sizeof(ops) / sizeof(ops[0]))

const struct deck_spec world_specs[WORLD_SPECS] = {
    { .name = "watch", .prefix = 0, .observes = true, .depth = 8, .op_count = OPS, .ops = ops },
    { .name = "compute", .prefix = 1, .per_cpu = true, .depth = 5, .op_count = OPS, .ops = ops },
    { .name = "one", .prefix = 2, .depth = 1, .op_count = OPS, .ops = ops },
    { .name = "disk", .prefix = 3, .depth = 8, .op_count = OPS, .ops = ops },
    { .name = "far", .prefix = 7, .per_cpu = true, .depth = DEPTH, .op_count = OPS, .ops = ops },
};
static const uint8_t prefix_of[INSTANCES] = { 0, 1, 1, 2, 3, 7, 7 };
static const uint8_t ordinal_of[INSTANCES] = { 0, 0, 1, 0, 0, 0, 1 };

/* ---- the world --------------------------------------------------------------------------------------------------------- */

struct held {
    struct kwe_work work;
    struct kwe_work_frame frame;
    bool in_use, recalled, has_failed_before;
};

/* Tickets recalled while they are being handed over. */
struct early_recalls {
    uint32_t ticket[DEPTH];
    uint32_t count;
    bool is_taking;
    uint32_t instance;
};

static struct {
    uint64_t random;
    uint64_t now_ns;
    struct guide *guide;
    const struct plan *plan; /* whose segments the work lies in */
    uint32_t workflow;
    struct program_ring ring;
    struct ring *events, *results;
    struct ring_producer submit;
    struct ring_consumer read;
    const uint8_t *segment; /* the program's, as far as it is not zero */
    size_t segment_bytes;
    struct held hand[INSTANCES][DEPTH];
    struct kwe_work_frame frames[INSTANCES][DEPTH];
    bool down[INSTANCES];
    bool must_die[INSTANCES];
    struct early_recalls early;
    bool answered[EVENTS];
    uint32_t answers;
    bool is_gone;
    bool may_be_overloaded;
} world;

static uint64_t draw(uint64_t below)
{
    world.random ^= world.random << 13;
    world.random ^= world.random >> 7;
    world.random ^= world.random << 17;
    return world.random % below;
}

static long blocks;

static void *take_memory(void *context, size_t bytes)
{
    (void)context;
    blocks++;
    return calloc(1, bytes);
}

static void give_memory(void *context, void *block, size_t bytes)
{
    (void)context;
    (void)bytes;
    blocks -= block != NULL ? 1 : 0;
    free(block);
}

const struct guide_memory world_memory = { .alloc_zeroed = take_memory, .free = give_memory };

long world_blocks(void)
{
    return blocks;
}

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
    assert(workflow == world.workflow && !world.is_gone);
    world.is_gone = true;
}

static void mark_recalled(uint32_t instance, uint32_t ticket)
{
    struct held *held = &world.hand[instance][KWE_TICKET_INDEX(ticket)];

    assert(held->in_use && held->work.ticket == ticket && !held->recalled);
    held->recalled = true;
}

/*
 * Work may be recalled before guide_take() has returned it: of two stages of one event that are both ready, the binding of the second fails,
 * which ends the event and asks for the first back. The nucleus keeps what is recalled until the next visit (hand_recalls() in deck.c), so
 * that a deck never hears of it before the work itself; and so does this.
 */
static void on_recall(void *context, uint32_t instance, uint32_t ticket)
{
    struct early_recalls *early = &world.early;

    (void)context;
    if (early->is_taking && early->instance == instance &&
        !world.hand[instance][KWE_TICKET_INDEX(ticket)].in_use) {
        assert(early->count < DEPTH);
        early->ticket[early->count++] = ticket;
    } else {
        mark_recalled(instance, ticket);
    }
}

/* It is ended from outside, as the nucleus does it: not in the middle of what the Guide is at. */
static void on_stuck(void *context, uint32_t instance)
{
    (void)context;
    world.must_die[instance] = true;
}

static bool read_segment(void *context, uint32_t workflow, uint32_t segment, uint64_t offset,
                         void *to, size_t bytes)
{
    (void)context;
    (void)workflow;
    memset(to, 0, bytes);
    if (segment == PLAN_SEGMENT_PROGRAM && offset < world.segment_bytes) {
        const size_t there = world.segment_bytes - offset;
        memcpy(to, world.segment + offset, bytes < there ? bytes : there);
    }
    return true;
}

/* ---- what must hold of work that begins ---------------------------------------------------------------------------------- */

static uint64_t segment_at(uint32_t segment)
{
    return (segment + 1) * SEGMENT_GAP;
}

static bool lies_in(uint64_t offset, uint64_t bytes, uint32_t segment)
{
    const uint64_t begin = segment_at(segment), room = world.plan->segment[segment].bytes;
    return offset >= begin && offset - begin <= room && bytes <= room - (offset - begin);
}

/* Do the bytes lie where the work writes? */
static bool is_written(uint64_t offset, uint64_t bytes, const struct kwe_work *work)
{
    return bytes != 0 && offset < work->out_offset + work->out_capacity &&
           work->out_offset < offset + bytes;
}

/* A recalled one reads and writes for nobody, and only in places that are its own until it is answered. */
static bool is_running(const struct held *held)
{
    return held->in_use && held->work.after == 0 && !held->has_failed_before;
}

static void check_output(uint32_t instance, const struct held *held)
{
    const struct kwe_work *work = &held->work;
    const int segment = plan_segment_of(world.plan, prefix_of[instance], ordinal_of[instance]);

    assert(segment >= 0);
    assert(work->out_capacity == 0 ||
           lies_in(work->out_offset, work->out_capacity, (uint32_t)segment));
    for (uint32_t i = 0; i < DEPTH; i++) {
        const struct held *other = &world.hand[instance][i];
        assert(other == held || !is_running(other) ||
               !is_written(work->out_offset, work->out_capacity, &other->work));
    }
}

/* Where it reads, nobody writes. */
static void check_input(const struct kwe_buffer *input)
{
    if (input->length == 0) {
        return;
    }
    assert(input->segment < world.plan->segment_count &&
           lies_in(input->offset, input->length, input->segment));
    for (uint32_t k = 0; k < INSTANCES; k++) {
        for (uint32_t i = 0; i < DEPTH; i++) {
            const struct held *other = &world.hand[k][i];
            assert(!is_running(other) || !is_written(input->offset, input->length, &other->work));
        }
    }
}

/* Where others read, or will when what they come after is done, it does not write. What nobody waits for may read anything. */
static void check_readers(const struct held *held)
{
    for (uint32_t k = 0; k < INSTANCES; k++) {
        for (uint32_t i = 0; i < DEPTH; i++) {
            const struct held *other = &world.hand[k][i];
            const bool is_read = other->in_use && !other->recalled && !other->has_failed_before;
            for (uint32_t n = 0; is_read && n < other->work.input_count; n++) {
                const struct kwe_buffer *input = &other->frame.input[n];
                assert(input->length == KWE_LENGTH_OF_BEFORE ||
                       !is_written(input->offset, input->length, &held->work));
            }
        }
    }
}

/* `length`: of the output of what it came after. */
static void begin_work(uint32_t instance, struct held *held, uint32_t length)
{
    check_output(instance, held);
    for (uint32_t n = 0; n < held->work.input_count; n++) {
        struct kwe_buffer *input = &held->frame.input[n];
        input->length = input->length == KWE_LENGTH_OF_BEFORE ? length : input->length;
        check_input(input);
    }
    check_readers(held);
}

static void hold(uint32_t instance, const struct kwe_work *work)
{
    const uint32_t index = KWE_TICKET_INDEX(work->ticket);
    struct held *held = &world.hand[instance][index];

    assert(index < DEPTH && !held->in_use && work->op < OPS && ops[work->op].name != NULL);
    assert(work->params_bytes == ops[work->op].params_bytes &&
           work->input_count <= ops[work->op].inputs_max);
    assert(work->after == 0 || world.hand[instance][work->after - 1].in_use);
    *held = (struct held){ *work, world.frames[instance][index], true, false, false };
    for (uint32_t i = 0; i < work->input_count; i++) {
        assert(held->frame.input[i].length != KWE_LENGTH_OF_BEFORE || work->after != 0);
    }
    if (work->after == 0) {
        begin_work(instance, held, 0);
    }
}

/* ---- what happens ------------------------------------------------------------------------------------------------------- */

static void take(uint32_t instance)
{
    struct kwe_work work[DEPTH];
    struct guide_vector vector;

    if (world.down[instance]) {
        return;
    }
    const uint32_t room = (uint32_t)draw(9);
    world.early = (struct early_recalls){ .is_taking = true, .instance = instance };
    const uint32_t count = visit_take(world.guide, instance, world.now_ns, work,
                                      world.frames[instance], room, &vector);
    assert(count <= room);
    for (uint32_t i = 0; i < count; i++) {
        hold(instance, &work[i]);
    }
    world.early.is_taking = false;
    for (uint32_t i = 0; i < world.early.count; i++) {
        mark_recalled(instance, world.early.ticket[i]);
    }
}

/* Those that come after it begin now, or are answered in their turn. */
static void release_followers(uint32_t instance, const struct kwe_completion *done)
{
    const uint32_t index = KWE_TICKET_INDEX(done->ticket);

    for (uint32_t i = 0; i < DEPTH; i++) {
        struct held *held = &world.hand[instance][i];
        if (held->in_use && held->work.after == index + 1) {
            held->work.after = 0;
            held->has_failed_before = done->status != KERR_OK || held->recalled;
            if (!held->has_failed_before) {
                begin_work(instance, held, done->out_length);
            }
        }
    }
}

static void answer(uint32_t instance, struct held *held)
{
    static const uint64_t values[] = { 0, 1, 2, 49, 50, 99, 1000, UINT64_MAX };
    struct kwe_completion completion = { .ticket = held->work.ticket };

    if (held->has_failed_before) {
        completion.status = KERR_CANCELLED;
    } else if (held->recalled && draw(2) == 0) {
        completion.status = KERR_CANCELLED;
    } else if (draw(10) == 0) {
        completion.status = KERR_IO_ERROR;
    } else if (draw(10) == 0) {
        completion.status = KERR_NEED_ROOM;
        completion.value[0] = draw(held->work.out_capacity + 3000ull);
    } else {
        completion.out_length = (uint32_t)draw(held->work.out_capacity + 1ull);
        for (uint32_t i = 0; i < KWE_MAX_VALUES; i++) {
            completion.value[i] = values[draw(sizeof(values) / sizeof(values[0]))];
        }
    }
    held->in_use = false;
    release_followers(instance, &completion);
    assert(visit_answer(world.guide, instance, &completion, 1, world.now_ns) == KERR_OK);
}

static void answer_some(uint32_t instance)
{
    const uint32_t first = (uint32_t)draw(DEPTH);

    for (uint32_t i = 0; i < DEPTH; i++) {
        struct held *held = &world.hand[instance][(first + i) % DEPTH];
        if (held->in_use && held->work.after == 0) {
            answer(instance, held);
            return;
        }
    }
}

static void die(uint32_t instance)
{
    memset(world.hand[instance], 0, sizeof(world.hand[instance]));
    guide_instance_lost(world.guide, instance, world.now_ns);
    world.must_die[instance] = false;
}

static void set_down(uint32_t instance, bool down)
{
    if (world.down[instance] != down) {
        world.down[instance] = down;
        guide_instance_state(world.guide, instance, down ? GUIDE_INSTANCE_DOWN : GUIDE_INSTANCE_UP,
                             world.now_ns);
    }
}

static void pass_time(void)
{
    const uint64_t next_ns = guide_next_deadline_ns(world.guide);

    world.now_ns += 1 + draw(100000);
    if (next_ns != UINT64_MAX && next_ns > world.now_ns && draw(4) == 0) {
        world.now_ns = next_ns;
    }
    guide_expire(world.guide, world.now_ns);
}

static void read_results(void)
{
    struct kwe_result result;

    assert(ring_intake(world.guide, &world.ring, world.now_ns) == KERR_OK);
    while (ring_pop(&world.read, &result) == RING_OK) {
        assert(result.cookie < EVENTS && !world.answered[result.cookie]);
        assert(result.status < KERR_COUNT && result.status != KERR_NEED_ROOM);
        world.answered[result.cookie] = true;
        world.answers++;
    }
}

static void bury(void)
{
    for (uint32_t i = 0; i < INSTANCES; i++) {
        if (world.must_die[i]) {
            die(i);
        }
    }
}

static void step(void)
{
    const uint32_t instance = (uint32_t)draw(INSTANCES);

    switch (draw(64)) {
    case 0:
        if (draw(4) == 0) {
            die(instance);
            set_down(instance, draw(3) == 0);
        }
        break;
    case 1:
        set_down(instance, false);
        break;
    case 2:
        if (draw(8) == 0) {
            (void)guide_cancel_event(world.guide, &world.ring, draw(EVENTS), world.now_ns);
        }
        break;
    case 3:
    case 4:
        pass_time();
        break;
    default:
        if (draw(2) == 0) {
            take(instance);
        } else {
            answer_some(instance);
        }
    }
    bury();
    read_results();
}

/* ---- from beginning to end ------------------------------------------------------------------------------------------------ */

static void begin(uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    world.random = seed | 1;
    world.now_ns = 1;
    const struct guide_config config = {
        .specs = world_specs,
        .spec_count = WORLD_SPECS,
        .per_cpu_instances = WORLD_INSTANCES,
        .memory = world_memory,
        .port = { .deck_ready = on_deck_ready,
                  .result_published = on_ring,
                  .ring_drained = on_ring,
                  .workflow_gone = on_workflow_gone,
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
    assert(ring_open(world.guide, &world.ring, 1));
}

static void enter(struct plan *plan)
{
    uint64_t offsets[PLAN_MAX_SEGMENTS];

    plan->slots = plan->slots < MOST_SLOTS ? plan->slots : MOST_SLOTS;
    plan->large_slots = plan->large_slots < MOST_LARGE ? plan->large_slots : MOST_LARGE;
    layout_size(plan);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        offsets[i] = segment_at(i);
        assert(plan->segment[i].bytes < SEGMENT_GAP);
    }
    world.plan = plan;
    assert(guide_register(world.guide, plan, 1, 1ull << 60, offsets, &world.workflow) == KERR_OK);
}

/* What is not over by then is cancelled. */
static void drive(void)
{
    for (uint32_t i = 0; i < FREE_STEPS && world.answers < EVENTS; i++) {
        step();
    }
    for (uint32_t i = 0; i < INSTANCES; i++) {
        set_down(i, false);
    }
    for (uint32_t i = 0; world.answers < EVENTS; i++) {
        assert(i < DRAIN_STEPS);
        guide_cancel(world.guide, world.workflow, world.now_ns);
        step();
    }
}

static void end(void)
{
    guide_unregister(world.guide, world.workflow, world.now_ns);
    guide_collect(world.guide);
    assert(world.is_gone);
    ring_abandon(world.guide, &world.ring);
    ring_close(world.guide, &world.ring);
    guide_destroy(world.guide);
    free(world.events);
    free(world.results);
}

static void submit(const struct kwe_event *wire, uint64_t program_bytes)
{
    struct kwe_event event = *wire;
    const uint64_t most = program_bytes < 4096 ? program_bytes : 4096;

    event.workflow = world.workflow;
    for (event.cookie = 0; event.cookie < EVENTS; event.cookie++) {
        event.input_length = draw(3) == 0 ? most : draw(most + 1);
        event.deadline_ns = draw(4) == 0 ? 1 + draw(1000000) : 0;
        assert(ring_push(&world.submit, &event) == RING_OK);
    }
}

void world_run(struct plan *plan, uint64_t seed)
{
    begin(seed);
    enter(plan);
    submit(&(struct kwe_event){ .block_length = plan->header->block_bytes },
           plan->header->program_bytes);
    drive();
    end();
}

void world_run_route(const uint8_t *blob, size_t bytes, enum kerr expected, uint64_t seed)
{
    const struct kwe_arena wire = { .magic = KWE_ARENA_MAGIC,
                                    .decks = 1u << 1 | 1u << 3 | 1u << 7,
                                    .slots = MOST_SLOTS,
                                    .program_bytes = 1u << 20,
                                    .room_bytes = 2048 };
    struct plan *arena;

    begin(seed);
    world.segment = blob;
    world.segment_bytes = bytes;
    assert(plan_create_arena(&world_memory, world_specs, WORLD_SPECS, WORLD_INSTANCES, &wire,
                             sizeof(wire), &arena) == KERR_OK);
    enter(arena);
    submit(&(struct kwe_event){ .flags = KWE_EVENT_ROUTE, .block_length = (uint32_t)bytes }, 4096);
    read_results();
    assert(expected == KERR_OK || world.answers == EVENTS); /* refused, each by itself */
    drive();
    end();
}
