/*
 * The short way of plain workflows (vector.c) against the long one: two Guides are told the same, in random orders and batches, one of them with a
 * trace, which has it go the long way only. What they hand over, publish, show and count is the same, word for word. Each seed is one run; an
 * argument runs that seed alone.
 */
// uses: kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/relax_fake.c
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/guide/intake.h"
#include "tests/host/guide/shape.h"
#include "tests/host/guide/visit.h"

#define SEEDS      3000u
#define STEPS      600u
#define SLOTS      16u
#define INSTANCES  3u /* compute.0, compute.1, disk.0 */
#define WORKFLOWS  5u
#define SIDES      2u
#define OUT_ROOM   96u
#define SEEN_SLOTS 8u /* so that it is full at times */

static const struct op_spec ops[] = {
    { .name = "nop" },
    { .name = "work",
      .inputs_max = 2,
      .value_count = 2,
      .output = { .present = true, .base_bytes = OUT_ROOM, .of = 0xffff, .denominator = 1 },
      .cost_fixed_ns = 40000,
      .cost_ns_per_kib = 9000 },
};
static const struct deck_spec specs[] = {
    { .name = "compute", .prefix = 1, .per_cpu = true, .depth = 6, .op_count = 2, .ops = ops },
    { .name = "disk", .prefix = 3, .depth = 9, .op_count = 2, .ops = ops },
    { .name = "watch", .prefix = 0, .observes = true, .depth = 4, .op_count = 1, .ops = ops },
};

static const struct shape shapes[WORKFLOWS] = {
    { 1, { { 1, 0, KWE_NO_STAGE } } },
    { 4, { { 3, 1, KWE_NO_STAGE }, { 1, 1, 0 }, { 1, 1, 1 }, { 3, 1, 2 } } },
    { 3, { { 3, 1, KWE_NO_STAGE }, { 1, 1, 0 }, { 1, 0, 0 } } },
    { 3, { { 3, 0, KWE_NO_STAGE }, { 1, 0, 0 }, { 3, 0, 1 } } },
    { 2, { { 3, 1, KWE_NO_STAGE }, { 3, 1, 0 } } },
};

union memory {
    struct ring ring;
    uint8_t bytes[sizeof(struct ring) + SLOTS * RING_SLOT_BYTES];
};

struct side {
    struct guide *guide;
    struct program_ring ring;
    union memory event_memory, result_memory, seen_memory;
    struct ring_producer submit, seen;
    struct ring_consumer results, observed;
    uint32_t workflow[WORKFLOWS];
    struct kwe_work hand[INSTANCES][KWE_MAX_DEPTH];
    uint32_t in_hand[INSTANCES];
    struct kwe_work_frame frames[INSTANCES][KWE_MAX_DEPTH];
    unsigned told, recalls;
};

static struct side sides[SIDES];
static uint64_t random_state, now_ns, cookies, plainly, lies_told;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* ---- what a Guide is given ---------------------------------------------------------------------------------------------- */

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

static void on_results(void *context, struct program_ring *ring)
{
    struct side *side = context;

    side->told++;
    ring->tell_after = 3;
}

static void on_ring(void *context, struct program_ring *ring)
{
    (void)context, (void)ring;
}

static void on_workflow(void *context, uint32_t workflow)
{
    (void)context, (void)workflow;
}

static void on_recall(void *context, uint32_t instance, uint32_t ticket)
{
    struct side *side = context;

    (void)instance, (void)ticket;
    side->recalls++;
}

static void on_stuck(void *context, uint32_t instance)
{
    (void)context, (void)instance;
}

static void on_trace(void *context, const struct kwe_trace_record *record)
{
    (void)context, (void)record;
}

static void register_all(struct side *side)
{
    for (uint32_t i = 0; i < WORKFLOWS; i++) {
        uint64_t offsets[PLAN_MAX_SEGMENTS];
        uint8_t blob[4096] = { 0 };
        struct plan_error error;
        struct plan *plan;
        enum kerr made =
            plan_create(&memory, specs, 3, 2, blob, shape_blob(blob, &shapes[i]), &plan, &error);
        assert(made == KERR_OK && plan->is_plain);
        for (uint32_t k = 0; k < plan->segment_count; k++) {
            offsets[k] = (k + 1ull) << 32;
        }
        made = guide_register(side->guide, plan, 1, 1ull << 44, offsets, &side->workflow[i]);
        assert(made == KERR_OK);
    }
}

static void open_side(struct side *side, bool traced)
{
    const uint32_t start = 0xfffffff3u;
    struct guide_config config = {
        .specs = specs,
        .spec_count = 3,
        .per_cpu_instances = 2,
        .memory = memory,
        .port = { .deck_ready = on_deck_ready,
                  .result_published = on_results,
                  .ring_drained = on_ring,
                  .workflow_gone = on_workflow,
                  .recall = on_recall,
                  .instance_stuck = on_stuck,
                  .trace = traced ? on_trace : NULL,
                  .context = side },
    };

    memset(side, 0, sizeof(*side));
    side->guide = guide_create(&config);
    ring_init(&side->event_memory.ring, start);
    ring_init(&side->result_memory.ring, 0);
    ring_init(&side->seen_memory.ring, start);
    ring_producer_init(&side->submit, &side->event_memory.ring, SLOTS, start);
    ring_consumer_init(&side->ring.events, &side->event_memory.ring, SLOTS, start);
    ring_producer_init(&side->ring.results, &side->result_memory.ring, SLOTS, 0);
    ring_consumer_init(&side->results, &side->result_memory.ring, SLOTS, 0);
    ring_producer_init(&side->seen, &side->seen_memory.ring, SEEN_SLOTS, start);
    ring_consumer_init(&side->observed, &side->seen_memory.ring, SEEN_SLOTS, start);
    assert(ring_open(side->guide, &side->ring, 1));
    side->ring.tell_after = 3;
    guide_observe_into(side->guide, &side->seen);
    register_all(side);
}

static void close_side(struct side *side)
{
    guide_program_gone(side->guide, 1, now_ns);
    ring_abandon(side->guide, &side->ring);
    for (uint32_t i = 0; i < INSTANCES; i++) {
        guide_instance_lost(side->guide, i, now_ns);
    }
    ring_close(side->guide, &side->ring);
    guide_destroy(side->guide);
}

/* ---- what happens to both ------------------------------------------------------------------------------------------------ */

static void submit(void)
{
    struct kwe_event event = { .cookie = ++cookies };
    const uint32_t workflow = (uint32_t)draw(WORKFLOWS), what = (uint32_t)draw(30);

    event.input_length = draw(3000);
    event.input_offset = draw(1000);
    event.deadline_ns = what == 0 ? now_ns + 100000 : 0;
    event.flags = what == 1 ? 64 : what == 5 ? KWE_EVENT_STANDING : 0;
    event.block_length = what == 2 ? 8 : 0;
    event.input_offset = what == 3 ? SHAPE_PROGRAM_BYTES : event.input_offset;
    event.reserved[1] = what == 4 ? 1 : 0;
    for (uint32_t i = 0; i < SIDES; i++) {
        event.workflow = sides[i].workflow[workflow];
        (void)ring_push(&sides[i].submit, &event);
    }
}

static void serve(void)
{
    for (uint32_t i = 0; i < SIDES; i++) {
        assert(ring_intake(sides[i].guide, &sides[i].ring, now_ns) == KERR_OK);
    }
}

static void take(uint32_t instance)
{
    const uint32_t room = (uint32_t)draw(9);
    struct guide_vector vector[SIDES];
    uint32_t count[SIDES];

    for (uint32_t i = 0; i < SIDES; i++) {
        struct side *side = &sides[i];
        struct kwe_work *into = &side->hand[instance][side->in_hand[instance]];
        count[i] = visit_take(side->guide, instance, now_ns, into, side->frames[instance], room,
                              &vector[i]);
        side->in_hand[instance] += count[i];
    }
    assert(count[0] == count[1] && vector[0].cost_ns == vector[1].cost_ns);
    assert(memcmp(sides[0].hand[instance], sides[1].hand[instance],
                  sides[0].in_hand[instance] * sizeof(struct kwe_work)) == 0);
    for (uint32_t i = 0; i < sides[0].in_hand[instance]; i++) {
        const struct kwe_work *work = &sides[0].hand[instance][i];
        const uint32_t index = KWE_TICKET_INDEX(work->ticket);
        assert(memcmp(sides[0].frames[instance][index].input,
                      sides[1].frames[instance][index].input,
                      work->input_count * sizeof(struct kwe_buffer)) == 0);
    }
}

/* The oldest of what is in hand, in order but for now and then one. What comes after another is answered as that one was. */
static void answer(uint32_t instance)
{
    struct kwe_completion answers[KWE_MAX_DEPTH];
    struct side *first = &sides[0];
    const uint32_t held = first->in_hand[instance];
    const uint32_t count = held == 0 ? 0 : 1 + (uint32_t)draw(held);
    uint16_t status_of[256] = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        const struct kwe_work *work = &first->hand[instance][i];
        uint16_t status = (uint16_t)(draw(25) == 0 ? KERR_IO_ERROR : KERR_OK);
        if (work->after != 0 && status_of[work->after - 1] != KERR_OK) {
            status = KERR_CANCELLED;
        }
        status_of[KWE_TICKET_INDEX(work->ticket)] = status;
        answers[i] = (struct kwe_completion){
            .ticket = work->ticket,
            .status = status,
            .out_length = status == KERR_OK ? (uint32_t)draw(work->out_capacity + 1ull) : 0,
            .copied_cache = (uint32_t)draw(10),
            .copied_device = (uint32_t)draw(10),
            .elapsed_ns = draw(5000),
            .value = { draw(100), draw(100) },
        };
    }
    if (count > 1 &&
        draw(10) ==
            0) { /* a deck may answer in any order: even what was fused before what it came after */
        struct kwe_completion other = answers[0];
        answers[0] = answers[count - 1];
        answers[count - 1] = other;
    }
    plainly += count;
    for (uint32_t i = 0; i < SIDES; i++) {
        struct side *side = &sides[i];
        assert(visit_answer(side->guide, instance, answers, count, now_ns) == KERR_OK);
        side->in_hand[instance] -= count;
        memmove(side->hand[instance], side->hand[instance] + count,
                side->in_hand[instance] * sizeof(struct kwe_work));
    }
}

static void compare_counters(void)
{
    struct kwe_deck_statistics decks[SIDES];
    struct kwe_workflow_status status[SIDES];
    struct kwe_stage_status stages[SIDES][4];
    uint64_t first_ns[SIDES];

    for (uint8_t prefix = 1; prefix <= 3; prefix += 2) {
        for (uint32_t i = 0; i < SIDES; i++) {
            memset(&decks[i], 0, sizeof(decks[i]));
            guide_deck_statistics(sides[i].guide, prefix, &decks[i]);
        }
        assert(memcmp(&decks[0], &decks[1], sizeof(decks[0])) == 0);
    }
    for (uint32_t workflow = 0; workflow < WORKFLOWS; workflow++) {
        for (uint32_t i = 0; i < SIDES; i++) {
            assert(
                guide_status(sides[i].guide, sides[i].workflow[workflow], &status[i], stages[i]));
        }
        assert(memcmp(&status[0], &status[1], sizeof(status[0])) == 0);
        assert(memcmp(stages[0], stages[1], shapes[workflow].count * sizeof(stages[0][0])) == 0);
    }
    assert(guide_results(sides[0].guide, &first_ns[0]) ==
           guide_results(sides[1].guide, &first_ns[1]));
    assert(first_ns[0] == first_ns[1] && sides[0].recalls == sides[1].recalls);
    assert(guide_observe_dropped(sides[0].guide) == guide_observe_dropped(sides[1].guide));
    assert(guide_next_deadline_ns(sides[0].guide) == guide_next_deadline_ns(sides[1].guide));
}

static void lose(uint32_t instance)
{
    for (uint32_t i = 0; i < SIDES; i++) {
        guide_instance_lost(sides[i].guide, instance, now_ns);
        sides[i].in_hand[instance] = 0;
    }
}

/* Good answers, with one among them that may not be given. The instance is found out, and lost. */
static void lie(uint32_t instance)
{
    struct kwe_completion answers[KWE_MAX_DEPTH + 1] = { 0 };
    const struct side *first = &sides[0];
    const uint32_t count = first->in_hand[instance];

    if (count == 0) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        answers[i].ticket = first->hand[instance][i].ticket;
    }
    const uint32_t place = (uint32_t)draw(count), ticket = answers[place].ticket;
    struct kwe_completion *lies = &answers[place];
    switch (draw(5)) {
    case 0:
        lies->out_length = first->hand[instance][place].out_capacity + 1;
        break;
    case 1: /* twice */
        answers[count] = answers[place];
        break;
    case 2: /* not yet, or no more */
        lies->ticket = ticket ^ 1u << (7 + draw(25));
        break;
    case 3: /* of no place */
        lies->ticket = (ticket & ~0xffu) | (0x80u + (uint32_t)draw(0x80));
        break;
    default:
        lies->status = (uint16_t)(KERR_COUNT + draw(1000));
        break;
    }
    for (uint32_t i = 0; i < SIDES; i++) {
        assert(visit_answer(sides[i].guide, instance, answers,
                            count + (answers[count].ticket != 0 ? 1 : 0),
                            now_ns) == KERR_DECK_BROKE_RULES);
    }
    compare_counters();
    lies_told++;
    lose(instance);
}

static void cancel(void)
{
    const uint64_t cookie = cookies < 12 ? cookies : cookies - draw(12);
    const uint32_t whole = (uint32_t)draw(WORKFLOWS), what = (uint32_t)draw(4);

    for (uint32_t i = 0; i < SIDES; i++) {
        if (what == 0) {
            guide_cancel(sides[i].guide, sides[i].workflow[whole], now_ns);
        } else {
            (void)guide_cancel_event(sides[i].guide, &sides[i].ring, cookie, now_ns);
        }
    }
}

static void pass_time(void)
{
    now_ns += draw(30000);
    for (uint32_t i = 0; i < SIDES; i++) {
        guide_expire(sides[i].guide, now_ns);
    }
}

/* What has been published, to the program and to who observes. */
static void read_some(void)
{
    uint32_t most = (uint32_t)draw(SLOTS + 1);
    struct kwe_result result[SIDES];

    while (most-- > 0 && ring_pop(&sides[0].results, &result[0]) == RING_OK) {
        assert(ring_pop(&sides[1].results, &result[1]) == RING_OK);
        assert(memcmp(&result[0], &result[1], sizeof(result[0])) == 0);
    }
    while (draw(8) != 0 && ring_pop(&sides[0].observed, &result[0]) == RING_OK) {
        assert(ring_pop(&sides[1].observed, &result[1]) == RING_OK);
        assert(memcmp(&result[0], &result[1], sizeof(result[0])) == 0);
    }
}

static void step(void)
{
    const uint64_t what = draw(100);

    if (what < 30) {
        submit();
    } else if (what < 45) {
        serve();
    } else if (what < 62) {
        take((uint32_t)draw(INSTANCES));
    } else if (what < 82) {
        answer((uint32_t)draw(INSTANCES));
    } else if (what < 94) {
        read_some();
    } else if (what < 97) {
        pass_time();
    } else if (what < 99) {
        cancel();
    } else if (draw(4) == 0) {
        lose((uint32_t)draw(INSTANCES));
    } else if (draw(4) == 0) {
        lie((uint32_t)draw(INSTANCES));
    }
}

static void run(uint64_t seed)
{
    random_state = seed * 0x9e3779b97f4a7c15u + 1;
    now_ns = 1000;
    cookies = 0;
    open_side(&sides[0], false);
    open_side(&sides[1], true);
    for (unsigned i = 0; i < STEPS; i++) {
        step();
        compare_counters();
    }
    close_side(&sides[0]);
    close_side(&sides[1]);
}

int main(int argument_count, char **arguments)
{
    if (argument_count > 1) {
        run(strtoull(arguments[1], NULL, 0));
        return 0;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(seed);
    }
    run(55340); /* a result that went the long way took the place of one that had been written the short way */
    assert(plainly > SEEDS * 20 && lies_told > SEEDS / 4);
    return 0;
}
