/*
 * The Guide against a simple model of what it must do, in random orders of everything that can happen: submissions good and bad, vectors,
 * answers in any order, failures, outputs that need more room, stages that another deck can run, deaths, decks given up and brought back, cancels,
 * workflows that go, programs that go. Each seed is one run; an argument runs that seed alone.
 */
// uses: kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/relax_fake.c
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/guide/intake.h"
#include "tests/host/guide/visit.h"

#define SEEDS       4000u
#define STEPS       700u
#define RINGS       2u
#define RING_SLOTS  8u
#define WORKFLOWS   3u
#define MOST_STAGES 8u
#define MOST_EVENTS 4096u
#define INSTANCES   4u /* compute.0, compute.1, disk.0, watch.0 */
#define SEGMENT_GAP (1ull << 32)
#define OUT_ROOM    100u
#define MOST_ROOM   5000u /* in a large place */
#define OUR_FAILURE KERR_IO_ERROR

/* ---- three decks ------------------------------------------------------------------------------------------------------ */

enum op {
    NOP,
    WORK,
    EITHER,
    OPS
}; /* the last one: compute and disk have it; only the disk can lack a device */

#define WORKS(op_name, ...)                                                                        \
    { .name = (op_name),                                                                           \
      .inputs_max = 3,                                                                             \
      .value_count = 1,                                                                            \
      .output = { .present = true, .base_bytes = OUT_ROOM, .of = 0xffff, .denominator = 1 },       \
      .cost_fixed_ns = 30000,                                                                      \
      __VA_ARGS__ }

static const struct op_variant on_disk[] = { { 3, EITHER } }, on_compute[] = { { 1, EITHER } };
static const uint16_t disk_errors[] = { KERR_NO_DEVICE };
static const struct op_spec compute_ops[] = {
    { .name = "nop" },
    WORKS("work", ),
    WORKS("either", .variant_count = 1, .variants = on_disk),
};
static const struct op_spec disk_ops[] = {
    { .name = "nop" },
    WORKS("work", ),
    WORKS("either", .variant_count = 1, .variants = on_compute, .own_error_count = 1,
          .own_errors = disk_errors),
};
static const struct deck_spec specs[] = {
    { .name = "compute",
      .prefix = 1,
      .per_cpu = true,
      .depth = 5,
      .op_count = OPS,
      .ops = compute_ops },
    { .name = "disk",
      .prefix = 3,
      .device_class = true,
      .depth = 4,
      .op_count = OPS,
      .ops = disk_ops },
    { .name = "watch",
      .prefix = 0,
      .observes = true,
      .depth = 8,
      .op_count = 2,
      .ops = compute_ops },
};
static const uint8_t prefix_of[INSTANCES] = { 1, 1, 3, 0 };
static const uint32_t depth_of[INSTANCES] = { 5, 5, 4, 8 };

/* ---- the model -------------------------------------------------------------------------------------------------------- */

enum stage_state { WAITING, HANDED, ENDED, SKIPPED };

struct model_stage {
    enum stage_state state;
    uint32_t instance, ticket, length;
    uint64_t out_offset;
    uint8_t tried; /* the deck that it cannot go to again; 0: none */
};

struct model_event {
    bool admitted, answered;
    uint32_t workflow; /* index */
    uint32_t ring;
    uint16_t verdict; /* KERR_OK: none but the good one so far; NEED_ROOM: it is to begin again */
    uint16_t verdict_stage;
    uint32_t step;    /* stages ended when the verdict fell */
    bool may_be_down; /* DECK_DOWN is a possible verdict too */
    bool is_large, is_in_line;
    uint64_t turn; /* in line: those with lower ones go first */
    struct model_stage stage[MOST_STAGES];
};

struct model_workflow {
    uint32_t id; /* 0: gone */
    uint32_t stage_count;
    uint16_t result_stage;
    uint64_t waits[MOST_STAGES]; /* bit set of stages */
    uint8_t deck[MOST_STAGES];
    uint8_t op[MOST_STAGES];
    bool is_open[MOST_STAGES];
    uint32_t large_slots;
    uint64_t segment_offset[PLAN_MAX_SEGMENTS];
};

struct model_ring {
    struct program_ring ring;
    struct ring *events, *results;
    struct ring_producer submit;
    struct ring_consumer read;
    uint64_t queue[RING_SLOTS]; /* cookies in the EventRing, oldest first */
    uint32_t queued;
    bool open, drained;
};

struct held_work {
    struct kwe_work work;
    uint64_t cookie;
    uint16_t before; /* it comes after this stage, in the same hands; KWE_NO_STAGE: none */
};

struct world {
    uint64_t random;
    struct guide *guide;
    uint64_t now_ns;
    long blocks; /* of memory that the Guide holds */
    struct model_ring ring[RINGS];
    struct model_workflow workflow[WORKFLOWS];
    struct model_event event[MOST_EVENTS]; /* by cookie */
    uint64_t cookies;
    uint64_t cookie_of[MOST_EVENTS + 1]; /* by the Guide's event number */
    uint64_t numbers;
    struct held_work hand[INSTANCES][KWE_MAX_DEPTH];
    uint32_t in_hand[INSTANCES];
    bool down[INSTANCES];
    struct kwe_work_frame frames[INSTANCES][KWE_MAX_DEPTH];
    uint64_t answers;
    uint64_t fused; /* work that came after other work */
    uint64_t turns, grown, moved;
};

static struct world world;

static uint64_t draw(uint64_t below)
{
    world.random ^= world.random << 13;
    world.random ^= world.random >> 7;
    world.random ^= world.random << 17;
    return world.random % below;
}

static void *take_memory(void *context, size_t bytes)
{
    world.blocks++;
    (void)context;
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

/* ---- what the Guide tells ------------------------------------------------------------------------------------------------ */

static void on_deck_ready(void *context, uint8_t prefix)
{
    (void)context;
    (void)prefix; /* instances come at random anyway */
}

static void on_result(void *context, struct program_ring *ring)
{
    (void)context;
    assert(!ring->abandoned);
}

static void on_drained(void *context, struct program_ring *ring)
{
    (void)context;
    for (unsigned i = 0; i < RINGS; i++) {
        if (&world.ring[i].ring == ring) {
            assert(!world.ring[i].drained);
            world.ring[i].drained = true;
            ring_close(world.guide, ring);
        }
    }
}

static void on_workflow_gone(void *context, uint32_t workflow)
{
    (void)context;
    for (unsigned i = 0; i < MOST_EVENTS; i++) {
        const struct model_event *event = &world.event[i];
        bool is_its = event->admitted && world.workflow[event->workflow].id == workflow;
        assert(!is_its || event->answered || !world.ring[event->ring].open);
    }
}

static void on_recall(void *context, uint32_t instance, uint32_t ticket)
{
    (void)context;
    for (uint32_t i = 0; i < world.in_hand[instance]; i++) {
        if (world.hand[instance][i].work.ticket == ticket) {
            return;
        }
    }
    assert(!"recalled what is in nobody's hands");
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
    (void)offset;
    memset(to, 0, bytes);
    return true;
}

/* ---- workflows ------------------------------------------------------------------------------------------------------------ */

static size_t pad8(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

/* A random DAG; an edge is an input, up to three of them, else only a dependency. */
static size_t make_blob(uint8_t *blob, struct model_workflow *model, uint32_t slots)
{
    struct kwe_dependency dependencies[MOST_STAGES * MOST_STAGES];
    struct kwe_binding bindings[MOST_STAGES * 3];
    struct kwe_stage stages[MOST_STAGES];
    struct kwe_workflow header = { .magic = KWE_WORKFLOW_MAGIC, .version = KWE_WORKFLOW_VERSION };

    memset(stages, 0, sizeof(stages));
    model->stage_count = 1 + (uint32_t)draw(MOST_STAGES);
    model->large_slots = (uint32_t)draw(3);
    uint64_t density = 1 + draw(4);
    for (uint16_t i = 0; i < model->stage_count; i++) {
        struct kwe_stage *stage = &stages[i];
        model->waits[i] = 0;
        model->deck[i] = draw(3) == 0 ? 3 : 1;
        stage->deck = model->deck[i];
        model->op[i] = (uint8_t)(draw(8) == 0 ? NOP : draw(3) == 0 ? EITHER : WORK);
        model->is_open[i] = model->op[i] == EITHER && draw(4) != 0;
        stage->op = model->op[i];
        stage->flags = model->is_open[i] ? KWE_STAGE_ANY_VARIANT : 0;
        stage->out_most = model->large_slots != 0 && stage->op != NOP ? MOST_ROOM : 0;
        stage->fallback = stage->compensation = KWE_NO_STAGE;
        stage->dependency_first = header.dependency_count;
        stage->binding_first = header.binding_count;
        for (uint16_t j = 0; j < i; j++) {
            if (draw(density) != 0) {
                continue;
            }
            model->waits[i] |= 1ull << j;
            dependencies[header.dependency_count++] = (struct kwe_dependency){ .stage = j };
            if (stage->op != NOP && stages[j].op != NOP && stage->binding_count < 3) {
                bindings[header.binding_count++] = (struct kwe_binding){
                    .kind = KWE_BIND_INPUT_STAGE, .stage = j, .target = stage->binding_count++
                };
            }
        }
        stage->dependency_count = (uint16_t)(header.dependency_count - stage->dependency_first);
    }
    model->result_stage = (uint16_t)(draw(3) == 0 ? KWE_NO_STAGE : draw(model->stage_count));
    if (model->result_stage != KWE_NO_STAGE && stages[model->result_stage].op == NOP) {
        model->result_stage = KWE_NO_STAGE;
    }
    header.stage_count = (uint16_t)model->stage_count;
    header.result_stage = model->result_stage;
    header.slots = slots;
    header.large_slots = model->large_slots;
    header.names_bytes = 8;
    header.program_bytes = 4096;
    size_t at = sizeof(header);
    memset(blob, 0, 1 << 16);
    memcpy(blob + at, stages, model->stage_count * sizeof(stages[0]));
    at = pad8(at + model->stage_count * sizeof(stages[0]));
    memcpy(blob + at, dependencies, header.dependency_count * sizeof(dependencies[0]));
    at = pad8(at + header.dependency_count * sizeof(dependencies[0]));
    memcpy(blob + at, bindings, header.binding_count * sizeof(bindings[0]));
    at = pad8(at + header.binding_count * sizeof(bindings[0])) + header.names_bytes;
    header.total_bytes = (uint32_t)at;
    memcpy(blob, &header, sizeof(header));
    return at;
}

static void register_workflow(uint32_t index)
{
    static uint8_t blob[1 << 16];
    struct model_workflow *model = &world.workflow[index];
    struct plan_error error;
    struct plan *plan;

    size_t bytes = make_blob(blob, model, 1 + (uint32_t)draw(6));
    enum kerr made = plan_create(&memory, specs, 3, 2, blob, bytes, &plan, &error);
    assert(made == KERR_OK);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        model->segment_offset[i] = (i + 1) * SEGMENT_GAP;
    }
    enum kerr done =
        guide_register(world.guide, plan, 1, 1ull << 44, model->segment_offset, &model->id);
    assert(done == KERR_OK);
}

/* ---- the model's rules ------------------------------------------------------------------------------------------------------ */

static bool is_live(const struct model_event *event)
{
    return event->admitted && !event->answered;
}

static uint32_t count_stages(const struct model_event *event, enum stage_state state)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world.workflow[event->workflow].stage_count; i++) {
        count += event->stage[i].state == state ? 1 : 0;
    }
    return count;
}

static void fail(struct model_event *event, uint16_t stage, uint16_t verdict)
{
    if (event->verdict == KERR_OK) {
        event->verdict = verdict;
        event->verdict_stage = stage;
        event->step = count_stages(event, ENDED);
    }
}

/* All of it has come back: it gives its place to others. Those that come back by one death do so in any order. */
static void settle_line(struct model_event *event)
{
    if (event->verdict == KERR_NEED_ROOM && !event->is_in_line &&
        count_stages(event, HANDED) == 0) {
        event->is_in_line = true;
        event->turn = world.turns;
    }
}

/* It is handed over again: in a large place, and nobody who has waited longer may be without one. */
static void begin_again(struct model_event *event)
{
    const struct model_workflow *workflow = &world.workflow[event->workflow];
    uint32_t before = 0;

    assert(event->is_in_line);
    for (uint64_t cookie = 0; cookie < world.cookies; cookie++) {
        const struct model_event *other = &world.event[cookie];
        /* One that may have met a deck that was down may have ended. */
        if (is_live(other) && other->workflow == event->workflow && !other->may_be_down &&
            ((other->is_large && other->verdict == KERR_OK &&
              count_stages(other, ENDED) < workflow->stage_count) ||
             (other->is_in_line && other->turn < event->turn))) {
            before++;
        }
    }
    assert(before < workflow->large_slots);
    memset(event->stage, 0, sizeof(event->stage));
    event->verdict = KERR_OK;
    event->verdict_stage = KWE_NO_STAGE;
    event->is_in_line = false;
    event->is_large = true;
    world.grown++;
}

/* Something still needs the output. */
static bool is_needed(const struct model_event *event, uint16_t stage)
{
    const struct model_workflow *workflow = &world.workflow[event->workflow];
    if (workflow->result_stage == stage) {
        return true;
    }
    for (uint16_t i = 0; i < workflow->stage_count; i++) {
        if ((workflow->waits[i] >> stage & 1) != 0 && event->stage[i].state != ENDED) {
            return true;
        }
    }
    return false;
}

/* Which stage the Guide names does not matter here, only that it is one that the death took along. */
static void model_death(uint32_t instance)
{
    for (uint64_t cookie = 0; cookie < world.cookies; cookie++) {
        struct model_event *event = &world.event[cookie];
        uint32_t stage_count = world.workflow[event->workflow].stage_count;
        if (!is_live(event) || count_stages(event, ENDED) == stage_count) {
            continue; /* done: only its result waits to be read */
        }
        for (uint16_t i = 0; i < stage_count; i++) {
            struct model_stage *stage = &event->stage[i];
            if (stage->instance != instance) {
                continue;
            }
            if (stage->state == HANDED) {
                fail(event, KWE_NO_STAGE, KERR_DECK_FAULT);
                stage->state = SKIPPED;
            } else if (stage->state == ENDED && stage->length > 0 && is_needed(event, i)) {
                fail(event, KWE_NO_STAGE, KERR_DECK_FAULT);
            }
        }
        settle_line(event);
    }
    world.turns++;
    world.in_hand[instance] = 0;
}

/* ---- what happens ------------------------------------------------------------------------------------------------------------- */

static bool is_a_deck_down(void)
{
    return (world.down[0] && world.down[1]) || world.down[2];
}

/* The Guide took `taken` events from the ring: each was refused or has got the next number. */
static void model_intake(struct model_ring *ring, uint32_t taken)
{
    for (uint32_t i = 0; i < taken; i++) {
        struct model_event *event = &world.event[ring->queue[i]];
        if (event->verdict == KERR_BAD_EVENT || world.workflow[event->workflow].id == 0) {
            event->verdict = KERR_BAD_EVENT;
        } else {
            world.cookie_of[++world.numbers] = ring->queue[i];
            event->may_be_down = is_a_deck_down();
        }
        event->admitted = true;
    }
    ring->queued -= taken;
    memmove(ring->queue, ring->queue + taken, ring->queued * sizeof(ring->queue[0]));
}

static void serve(struct model_ring *ring)
{
    uint32_t before = ring->ring.events.head;
    enum kerr served = ring_intake(world.guide, &ring->ring, world.now_ns);
    assert(served == KERR_OK);
    model_intake(ring, ring->ring.events.head - before);
}

static void submit(uint32_t index)
{
    struct model_ring *ring = &world.ring[index];
    if (!ring->open || world.cookies == MOST_EVENTS || ring->queued == RING_SLOTS) {
        return;
    }
    struct model_event *event = &world.event[world.cookies];
    event->workflow = (uint32_t)draw(WORKFLOWS);
    event->ring = index;
    event->verdict_stage = KWE_NO_STAGE;
    struct kwe_event wire = { .cookie = world.cookies,
                              .workflow = world.workflow[event->workflow].id };
    switch (draw(24)) {
    case 0:
        wire.workflow ^= 0x100; /* another generation */
        event->verdict = KERR_BAD_EVENT;
        break;
    case 1:
        wire.input_offset = UINT64_MAX;
        wire.input_length = 2;
        event->verdict = KERR_BAD_EVENT;
        break;
    case 2:
        wire.reserved[draw(2)] = 1;
        event->verdict = KERR_BAD_EVENT;
        break;
    default:
        break;
    }
    assert(ring_push(&ring->submit, &wire) == RING_OK);
    ring->queue[ring->queued++] = world.cookies++;
}

/* Its place in the arena is its own: it has not ended, or its result, which nobody has read yet, names bytes there. */
static bool holds_slot(const struct model_event *event)
{
    const struct model_workflow *workflow = &world.workflow[event->workflow];

    if (!is_live(event) || event->verdict == KERR_BAD_EVENT) {
        return false;
    }
    if (count_stages(event, HANDED) > 0) {
        return true;
    }
    if (event->verdict != KERR_OK) {
        return false;
    }
    if (count_stages(event, ENDED) < workflow->stage_count) {
        return !event->may_be_down;
    }
    return world.ring[event->ring].open && workflow->result_stage != KWE_NO_STAGE &&
           event->stage[workflow->result_stage].length > 0;
}

/* Work with the ticket's index, in the instance's hands. */
static const struct held_work *in_hand_at(uint32_t instance, uint32_t index)
{
    for (uint32_t i = 0; i < world.in_hand[instance]; i++) {
        if (KWE_TICKET_INDEX(world.hand[instance][i].work.ticket) == index) {
            return &world.hand[instance][i];
        }
    }
    assert(!"it comes after what is not there");
}

static uint16_t stage_before(uint32_t instance, const struct kwe_work *work)
{
    if (work->after == 0) {
        return KWE_NO_STAGE;
    }
    const struct held_work *before = in_hand_at(instance, work->after - 1u);
    assert(before->work.event == work->event);
    return before->work.stage;
}

static void check_handed(uint32_t instance, const struct kwe_work *work)
{
    const uint16_t before = stage_before(instance, work);
    uint64_t cookie = world.cookie_of[work->event];
    struct model_event *event = &world.event[cookie];
    const struct model_workflow *workflow = &world.workflow[event->workflow];
    struct model_stage *stage = &event->stage[work->stage];

    if (event->verdict == KERR_NEED_ROOM) {
        begin_again(event);
    }
    assert(is_live(event) && event->verdict == KERR_OK && stage->state == WAITING);
    assert(workflow->is_open[work->stage] ? stage->tried != prefix_of[instance]
                                          : workflow->deck[work->stage] == prefix_of[instance]);
    assert(work->out_capacity == (workflow->op[work->stage] == NOP ? 0
                                  : event->is_large                ? MOST_ROOM
                                                                   : OUT_ROOM));
    uint32_t input = 0;
    for (uint16_t i = 0; i < workflow->stage_count; i++) {
        if ((workflow->waits[work->stage] >> i & 1) != 0) {
            assert(event->stage[i].state == (i == before ? HANDED : ENDED));
        }
    }
    const struct kwe_work_frame *frame = &world.frames[instance][KWE_TICKET_INDEX(work->ticket)];
    for (; input < work->input_count; input++) {
        bool found = false;
        for (uint16_t i = 0; i < work->stage; i++) {
            const uint32_t length = i == before ? KWE_LENGTH_OF_BEFORE : event->stage[i].length;
            found |= (event->stage[i].state == ENDED || i == before) &&
                     event->stage[i].out_offset == frame->input[input].offset &&
                     length == frame->input[input].length;
        }
        assert(found);
    }
    if (work->out_capacity > 0) {
        /* Nobody else has this place, and it lies in this instance's segment. */
        for (uint64_t other = 0; other < world.cookies; other++) {
            const struct model_event *live = &world.event[other];
            for (uint16_t i = 0; other != cookie && holds_slot(live) &&
                                 live->workflow == event->workflow && i < MOST_STAGES;
                 i++) {
                assert(live->stage[i].state == WAITING ||
                       live->stage[i].out_offset != work->out_offset);
            }
        }
    }
    *stage = (struct model_stage){ .state = HANDED,
                                   .instance = instance,
                                   .ticket = work->ticket,
                                   .out_offset = work->out_offset,
                                   .tried = stage->tried };
}

static void take(uint32_t instance)
{
    struct kwe_work work[KWE_MAX_DEPTH];
    struct guide_vector vector;
    uint32_t room = (uint32_t)draw(6);

    if (world.down[instance]) {
        return;
    }
    uint32_t count = visit_take(world.guide, instance, world.now_ns, work, world.frames[instance],
                                room, &vector);
    assert(count <= room);
    for (uint32_t i = 0; i < count; i++) {
        assert(world.in_hand[instance] < depth_of[instance]);
        check_handed(instance, &work[i]);
        world.fused += work[i].after == 0 ? 0 : 1;
        struct held_work held = { work[i], world.cookie_of[work[i].event],
                                  stage_before(instance, &work[i]) };
        world.hand[instance][world.in_hand[instance]++] = held;
    }
}

/* Any work that is not behind other work. */
static uint32_t choose_work(uint32_t instance)
{
    uint32_t place = (uint32_t)draw(world.in_hand[instance]);

    for (;;) {
        const struct held_work *held = &world.hand[instance][place];
        if (held->before == KWE_NO_STAGE ||
            world.event[held->cookie].stage[held->before].state != HANDED) {
            return place;
        }
        place = (uint32_t)(in_hand_at(instance, held->work.after - 1u) - world.hand[instance]);
    }
}

/* It asks for room: the event begins again, once, where that is enough. */
static void ask_for_room(struct model_event *event, uint16_t stage,
                         struct kwe_completion *completion)
{
    static const uint32_t sizes[] = { 0, OUT_ROOM, OUT_ROOM + 1, MOST_ROOM, MOST_ROOM + 1 };
    const struct model_workflow *workflow = &world.workflow[event->workflow];
    const uint32_t bytes = sizes[draw(sizeof(sizes) / sizeof(sizes[0]))];
    const bool may_grow = workflow->large_slots != 0 && workflow->op[stage] != NOP &&
                          !event->is_large && bytes > OUT_ROOM && bytes <= MOST_ROOM;

    completion->status = KERR_NEED_ROOM;
    completion->value[0] = bytes;
    event->stage[stage].state = SKIPPED;
    fail(event, stage, may_grow ? KERR_NEED_ROOM : KERR_OUTPUT_TOO_LARGE);
}

/* It says something of its deck alone: where another can, that one goes on with the stage. */
static void lack_the_device(struct model_event *event, const struct held_work *held,
                            uint32_t instance, struct kwe_completion *completion)
{
    const uint16_t index = held->work.stage;
    struct model_stage *stage = &event->stage[index];

    completion->status = KERR_NO_DEVICE;
    if (event->verdict != KERR_OK || !world.workflow[event->workflow].is_open[index]) {
        stage->state = SKIPPED;
        fail(event, index, KERR_NO_DEVICE);
        return;
    }
    for (uint32_t i = 0; i < world.in_hand[instance]; i++) {
        const struct held_work *other = &world.hand[instance][i];
        assert(other->cookie != held->cookie || other->before != index);
    }
    *stage = (struct model_stage){ .state = WAITING, .tried = prefix_of[instance] };
    world.moved++;
}

static void complete(uint32_t instance)
{
    if (world.in_hand[instance] == 0) {
        return;
    }
    const uint32_t place = choose_work(instance);
    struct held_work held = world.hand[instance][place];
    struct model_event *event = &world.event[held.cookie];
    struct model_stage *stage = &event->stage[held.work.stage];
    struct kwe_completion completion = { .ticket = held.work.ticket };

    world.hand[instance][place] = world.hand[instance][--world.in_hand[instance]];
    if (held.before != KWE_NO_STAGE && event->stage[held.before].state == SKIPPED) {
        completion.status = KERR_CANCELLED;
        stage->state = SKIPPED;
    } else if (draw(16) == 0) {
        completion.status = OUR_FAILURE;
        stage->state = SKIPPED;
        fail(event, held.work.stage, OUR_FAILURE);
    } else if (draw(16) == 0) {
        ask_for_room(event, held.work.stage, &completion);
    } else if (prefix_of[instance] == 3 && !event->may_be_down && draw(6) == 0) {
        /* With decks down it depends on when which of them was tried. */
        lack_the_device(event, &held, instance, &completion);
    } else {
        completion.out_length = (uint32_t)draw(held.work.out_capacity + 1ull);
        completion.value[0] = held.cookie;
        stage->state = ENDED;
        stage->length = completion.out_length;
    }
    completion.elapsed_ns = draw(100000);
    settle_line(event);
    world.turns++;
    assert(visit_answer(world.guide, instance, &completion, 1, world.now_ns) == KERR_OK);
}

/* Answers that no instance may give: each is found out, and nothing has changed. */
static void lie(uint32_t instance)
{
    struct kwe_completion completion = { .ticket = (uint32_t)draw(UINT32_MAX) };
    if (world.in_hand[instance] > 0) {
        const struct held_work *held = &world.hand[instance][0];
        completion.ticket = held->work.ticket;
        switch (draw(3)) {
        case 0:
            completion.ticket += 0x100;
            break;
        case 1:
            completion.status = KERR_COUNT;
            break;
        default:
            completion.out_length = held->work.out_capacity + 1;
            break;
        }
    }
    for (uint32_t i = 0; i < world.in_hand[instance]; i++) {
        if (world.hand[instance][i].work.ticket == completion.ticket && completion.status == 0 &&
            completion.out_length == 0) {
            return; /* by chance it is none */
        }
    }
    assert(visit_answer(world.guide, instance, &completion, 1, world.now_ns) ==
           KERR_DECK_BROKE_RULES);
}

static void die(uint32_t instance)
{
    model_death(instance);
    guide_instance_lost(world.guide, instance, world.now_ns);
    if (draw(4) == 0) {
        world.down[instance] = true;
        for (uint64_t cookie = 0; is_a_deck_down() && cookie < world.cookies; cookie++) {
            world.event[cookie].may_be_down = true;
        }
        guide_instance_state(world.guide, instance, GUIDE_INSTANCE_DOWN, world.now_ns);
    }
}

static void bring_up(uint32_t instance)
{
    if (world.down[instance]) {
        world.down[instance] = false;
        guide_instance_state(world.guide, instance, GUIDE_INSTANCE_UP, world.now_ns);
    }
}

static void check_result(const struct kwe_result *result, uint32_t ring)
{
    assert(result->cookie < world.cookies);
    struct model_event *event = &world.event[result->cookie];
    const struct model_workflow *workflow = &world.workflow[event->workflow];

    assert(event->admitted && !event->answered && event->ring == ring);
    event->answered = true;
    world.answers++;
    if (event->verdict == KERR_BAD_EVENT) {
        assert(result->status == KERR_BAD_EVENT && result->stage == KWE_NO_STAGE);
        return;
    }
    assert(count_stages(event, HANDED) == 0);
    if (result->status == KERR_DECK_DOWN) {
        assert(event->may_be_down && result->step <= count_stages(event, ENDED));
        return;
    }
    assert(result->status == KERR_OK || result->step == event->step);
    assert(result->status == event->verdict);
    if (result->status == OUR_FAILURE || result->status == KERR_NO_DEVICE ||
        result->status == KERR_OUTPUT_TOO_LARGE) {
        assert(result->stage == event->verdict_stage &&
               (workflow->is_open[result->stage] || result->deck == workflow->deck[result->stage]));
    } else if (result->status == KERR_OK) {
        assert(result->step == workflow->stage_count && result->stage == KWE_NO_STAGE);
        if (workflow->result_stage != KWE_NO_STAGE) {
            const struct model_stage *stage = &event->stage[workflow->result_stage];
            assert(result->length == stage->length && result->value == result->cookie);
            assert(stage->length == 0 || result->offset == stage->out_offset);
        }
    }
}

static void read_results(uint32_t index, uint32_t most)
{
    struct model_ring *ring = &world.ring[index];
    struct kwe_result result;

    for (uint32_t i = 0; ring->open && i < most && ring_pop(&ring->read, &result) == RING_OK; i++) {
        check_result(&result, index);
    }
}

/* One that was to begin again is as one that has only just begun. */
static void give_up_growing(struct model_event *event)
{
    const uint32_t step = event->step;

    if (event->verdict == KERR_NEED_ROOM) {
        event->verdict = KERR_OK;
        fail(event, KWE_NO_STAGE, KERR_CANCELLED);
        event->step = event->is_in_line ? 0 : step;
        event->is_in_line = false;
    }
}

static void cancel(uint32_t index)
{
    uint32_t id = world.workflow[index].id;
    for (uint64_t cookie = 0; id != 0 && cookie < world.cookies; cookie++) {
        struct model_event *event = &world.event[cookie];
        /* One that has ended already, its result not yet read, keeps its verdict. */
        bool has_ended = count_stages(event, HANDED) == 0 && event->verdict != KERR_OK &&
                         event->verdict != KERR_NEED_ROOM;
        bool is_done = count_stages(event, ENDED) == world.workflow[index].stage_count;
        if (is_live(event) && event->workflow == index && !has_ended && !is_done) {
            give_up_growing(event);
            fail(event, KWE_NO_STAGE, KERR_CANCELLED);
        }
    }
    guide_cancel(world.guide, id, world.now_ns);
}

static void unregister(uint32_t index)
{
    uint32_t id = world.workflow[index].id;
    if (id == 0) {
        return;
    }
    cancel(index);
    guide_unregister(world.guide, id, world.now_ns);
    assert(guide_check_owner(world.guide, 1, id) == KERR_BAD_HANDLE);
}

static void abandon(uint32_t index)
{
    struct model_ring *ring = &world.ring[index];
    if (ring->open) {
        ring->open = false;
        ring_abandon(world.guide, &ring->ring);
    }
}

/* ---- a run -------------------------------------------------------------------------------------------------------------------- */

static void begin(uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    world.random = seed * 0x9e3779b97f4a7c15u + 1;
    struct guide_config config = {
        .specs = specs,
        .spec_count = 3,
        .per_cpu_instances = 2,
        .memory = memory,
        .port = { .deck_ready = on_deck_ready,
                  .result_published = on_result,
                  .ring_drained = on_drained,
                  .workflow_gone = on_workflow_gone,
                  .recall = on_recall,
                  .instance_stuck = on_stuck,
                  .read_segment = read_segment },
    };
    world.guide = guide_create(&config);
    for (unsigned i = 0; i < RINGS; i++) {
        struct model_ring *ring = &world.ring[i];
        ring->events = aligned_alloc(64, ring_bytes(RING_SLOTS));
        ring->results = aligned_alloc(64, ring_bytes(RING_SLOTS));
        uint32_t start = UINT32_MAX - (uint32_t)draw(100);
        ring_init(ring->events, start);
        ring_init(ring->results, 0);
        ring_producer_init(&ring->submit, ring->events, RING_SLOTS, start);
        ring_consumer_init(&ring->ring.events, ring->events, RING_SLOTS, start);
        ring_producer_init(&ring->ring.results, ring->results, RING_SLOTS, 0);
        ring_consumer_init(&ring->read, ring->results, RING_SLOTS, 0);
        ring->open = ring_open(world.guide, &ring->ring, 1);
    }
    for (uint32_t i = 0; i < WORKFLOWS; i++) {
        register_workflow(i);
    }
}

static void step(void)
{
    uint32_t instance = (uint32_t)draw(INSTANCES);
    uint32_t ring = (uint32_t)draw(RINGS);

    world.now_ns += 1 + draw(1000);
    switch (draw(100)) {
    case 0:
        die(instance);
        break;
    case 1:
    case 2:
        bring_up(instance);
        break;
    case 3:
        lie(instance);
        break;
    case 4:
        if (draw(10) == 0) {
            cancel((uint32_t)draw(WORKFLOWS));
        }
        break;
    case 5:
        if (draw(40) == 0) {
            abandon(ring);
        }
        break;
    default:
        switch (draw(5)) {
        case 0:
            submit(ring);
            submit(ring);
            break;
        case 1:
            if (world.ring[ring].open) {
                serve(&world.ring[ring]);
            }
            break;
        case 2:
            take(instance);
            break;
        case 3:
            complete(instance);
            complete(instance);
            break;
        default:
            read_results(ring, 3);
            break;
        }
        break;
    }
    guide_collect(world.guide);
}

static bool is_busy(void)
{
    for (unsigned i = 0; i < RINGS; i++) {
        if (world.ring[i].open && world.ring[i].queued > 0) {
            return true;
        }
    }
    for (uint64_t cookie = 0; cookie < world.cookies; cookie++) {
        const struct model_event *event = &world.event[cookie];
        if (is_live(event) && world.ring[event->ring].open) {
            return true;
        }
    }
    return world.in_hand[0] + world.in_hand[1] + world.in_hand[2] > 0;
}

/* Everything that was begun comes to its end, in a bounded number of rounds. */
static void drain(void)
{
    for (uint32_t i = 0; i < INSTANCES; i++) {
        bring_up(i);
    }
    for (unsigned round = 0; is_busy(); round++) {
        assert(round < 20000);
        for (uint32_t i = 0; i < INSTANCES; i++) {
            take(i);
            complete(i);
        }
        for (uint32_t i = 0; i < RINGS; i++) {
            read_results(i, RING_SLOTS);
            if (world.ring[i].open) {
                serve(&world.ring[i]);
            }
        }
        guide_collect(world.guide);
    }
}

static void end(void)
{
    for (uint32_t i = 0; i < WORKFLOWS; i++) {
        unregister(i);
    }
    guide_collect(world.guide);
    for (uint32_t i = 0; i < RINGS; i++) {
        abandon(i);
        assert(world.ring[i].drained);
        free(world.ring[i].events);
        free(world.ring[i].results);
    }
    guide_destroy(world.guide);
    assert(world.blocks == 0);
}

int main(int argument_count, char **arguments)
{
    uint64_t first = argument_count > 1 ? strtoull(arguments[1], NULL, 0) : 1;
    uint64_t last = argument_count > 1 ? first : SEEDS;
    uint64_t answers = 0, fused = 0, grown = 0, moved = 0;

    for (uint64_t seed = first; seed <= last; seed++) {
        fprintf(stderr, "\rseed %llu",
                (unsigned long long)seed); /* the last one told is the one that failed */
        begin(seed);
        for (unsigned i = 0; i < STEPS; i++) {
            step();
        }
        drain();
        end();
        answers += world.answers;
        fused += world.fused;
        grown += world.grown;
        moved += world.moved;
    }
    printf("\n%llu events answered once each\n", (unsigned long long)answers);
    assert(answers > (last - first + 1) * 20);
    assert(first == last || (fused > SEEDS && grown > SEEDS && moved > SEEDS));
    return 0;
}
