/*
 * Several programs and several decks' instances, each on a thread of its own, at the Guides at once, under the thread sanitizer. Who waits does it by
 * the nucleus's own protocol: what a Guide tells is noted, then done with one lock, and whoever has looked for nothing sleeps only if nobody has
 * called meanwhile. Instances die with their hands full, workflows are cancelled and registered anew. Each event has one result, whatever happens.
 */
// uses: kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/relax_fake.c
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/nucleus/guide/guides.h"

#define PROGRAMS    3u
#define CPUS        2u
#define EVENTS      20000u /* a program's */
#define RING_SLOTS  64u
#define DEPTH       32u
#define DECK_SLOTS  (2 * DEPTH)
#define OBSERVED    128u
#define DEADLINE_S  120
#define DEATH_PARTS 40u /* one visit of so many ends in a death */

static const struct op_spec line_ops[] = { { .name = "nop" }, { .name = "add", .value_count = 1 } };
static const struct op_spec disk_ops[] = { { .name = "nop" } };
static const struct op_spec observer_ops[] = { { .name = "nop" } };
static const struct deck_spec specs[] = {
    { .name = "line",
      .prefix = 1,
      .per_cpu = true,
      .depth = DEPTH,
      .op_count = 2,
      .ops = line_ops },
    { .name = "disk", .prefix = 2, .depth = DEPTH, .op_count = 1, .ops = disk_ops },
    { .name = "observer",
      .prefix = 3,
      .depth = DEPTH,
      .observes = true,
      .op_count = 1,
      .ops = observer_ops },
};
#define INSTANCES (CPUS + 2)

union memory {
    struct ring ring;
    uint8_t bytes[sizeof(struct ring) + OBSERVED * RING_SLOT_BYTES];
};

struct instance {
    uint32_t index;
    uint64_t random;
    union memory work_memory, done_memory;
    struct ring_producer work, answers; /* the nucleus's end of one, the deck's of the other */
    struct ring_consumer done, asked;
    struct kwe_work_frame frames[DEPTH];
    bool woken; /* world.lock */
    uint64_t taken, deaths;
};

struct program {
    uint32_t owner;
    uint64_t random;
    union memory event_memory, result_memory;
    struct program_ring ring;
    struct ring_producer submit;
    struct ring_consumer read;
    bool woken, drained, gone; /* world.lock */
    uint64_t good, failed;
};

/* What a Guide has told this thread and it has not done yet. */
struct noted {
    bool anything;
    uint32_t decks;
    bool published[PROGRAMS], drained[PROGRAMS];
};
static _Thread_local struct noted noted;

static struct {
    pthread_mutex_t lock; /* as nucleus->lock */
    pthread_cond_t news;
    struct guides *guides;
    struct instance instance[INSTANCES];
    struct program program[PROGRAMS];
    union memory observed_memory[MAX_PROGRAMS];
    struct ring_producer observed[MAX_PROGRAMS];
    struct ring_consumer observer[MAX_PROGRAMS];
    unsigned programs_left; /* lock */
    uint64_t blocks;        /* atomic: of memory */
    uint64_t seen;          /* the observer's */
} world = { .lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER };

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- the Guides' port ------------------------------------------------------------------------------------------------------ */

static void *take_memory(void *context, size_t bytes)
{
    (void)context;
    __atomic_add_fetch(&world.blocks, 1, __ATOMIC_RELAXED);
    return calloc(1, bytes);
}

static void give_memory(void *context, void *block, size_t bytes)
{
    (void)context;
    (void)bytes;
    __atomic_sub_fetch(&world.blocks, 1, __ATOMIC_RELAXED);
    free(block);
}

static uint32_t owner_of(const struct program_ring *ring)
{
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        if (ring == &world.program[i].ring) {
            return i;
        }
    }
    abort();
}

static void on_deck_ready(void *context, uint8_t prefix)
{
    (void)context;
    noted.anything = true;
    noted.decks |= 1u << prefix;
}

static void on_published(void *context, struct program_ring *ring)
{
    (void)context;
    noted.anything = true;
    noted.published[owner_of(ring)] = true;
}

static void on_drained(void *context, struct program_ring *ring)
{
    (void)context;
    noted.anything = true;
    noted.drained[owner_of(ring)] = true;
}

static void on_broken(void *context, struct program_ring *ring)
{
    (void)context;
    (void)ring;
    abort(); /* nobody lies here */
}

static void on_workflow_gone(void *context, uint32_t workflow)
{
    (void)context;
    (void)workflow;
}

/* Decks here answer all that they take before they come back: what is asked back comes by itself. */
static void on_recall(void *context, uint32_t instance, uint32_t ticket)
{
    (void)context;
    (void)instance;
    (void)ticket;
}

static void on_stuck(void *context, uint32_t instance)
{
    (void)context;
    (void)instance;
    abort();
}

/* With the lock. */
static void do_noted(void)
{
    for (uint32_t i = 0; i < INSTANCES; i++) {
        const uint8_t prefix = i < CPUS ? 1 : i == CPUS ? 2 : 3;
        world.instance[i].woken |= (noted.decks >> prefix & 1) != 0;
    }
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        world.program[i].woken |= noted.published[i] || noted.drained[i];
        world.program[i].drained |= noted.drained[i];
    }
    if (noted.anything) {
        pthread_cond_broadcast(&world.news);
    }
    noted = (struct noted){ .anything = false };
}

/* What was told is done; then sleep until somebody has called since `woken` was cleared. */
static void sleep_until(const bool *woken)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&world.lock);
    do_noted();
    while (!*woken && world.programs_left != 0) {
        const int waited = pthread_cond_timedwait(&world.news, &world.lock, &deadline);
        assert(waited == 0); /* else a wake-up was lost */
    }
    pthread_mutex_unlock(&world.lock);
}

static void forget(bool *woken)
{
    pthread_mutex_lock(&world.lock);
    do_noted();
    *woken = false;
    pthread_mutex_unlock(&world.lock);
}

/* ---- decks ----------------------------------------------------------------------------------------------------------------- */

static void start_rings(struct instance *instance)
{
    ring_init(&instance->work_memory.ring, 0);
    ring_init(&instance->done_memory.ring, 0);
    ring_producer_init(&instance->work, &instance->work_memory.ring, DECK_SLOTS, 0);
    ring_consumer_init(&instance->asked, &instance->work_memory.ring, DECK_SLOTS, 0);
    ring_producer_init(&instance->answers, &instance->done_memory.ring, DECK_SLOTS, 0);
    ring_consumer_init(&instance->done, &instance->done_memory.ring, DECK_SLOTS, 0);
}

/* Some of what it has is answered, then it dies; true: it did. */
static bool work(struct instance *instance)
{
    const bool dies = draw(&instance->random, DEATH_PARTS) == 0;
    struct kwe_work asked;

    while (ring_pop(&instance->asked, &asked) == RING_OK) {
        struct kwe_completion answer = { .ticket = asked.ticket, .value = { asked.event } };
        if (dies && draw(&instance->random, 2) == 0) {
            break;
        }
        assert(ring_push(&instance->answers, &answer) == RING_OK);
        instance->taken++;
    }
    return dies;
}

static void observe(void)
{
    for (uint32_t i = 0; i < MAX_PROGRAMS; i++) {
        struct kwe_result result;
        while (ring_pop(&world.observer[i], &result) == RING_OK) {
            assert(result.finished_ns >= result.submitted_ns);
            world.seen++;
        }
    }
}

/* With the lock, as the nucleus buries an instance. What it answered and nobody has taken is void. */
static void bury(struct instance *instance)
{
    pthread_mutex_lock(&world.lock);
    guides_instance_lost(world.guides, instance->index, now_ns());
    start_rings(instance);
    guides_instance_state(world.guides, instance->index, GUIDE_INSTANCE_UP, now_ns());
    instance->deaths++;
    do_noted();
    pthread_mutex_unlock(&world.lock);
}

static bool is_over(void)
{
    pthread_mutex_lock(&world.lock);
    const bool over = world.programs_left == 0;
    pthread_mutex_unlock(&world.lock);
    return over;
}

static void *run_instance(void *argument)
{
    struct instance *instance = argument;
    uint32_t count;

    while (!is_over()) {
        struct guide_vector vector;
        forget(&instance->woken);
        assert(ring_used(&instance->done, &count) == RING_OK);
        enum kerr harvested =
            guides_harvest(world.guides, instance->index, &instance->done, count, now_ns());
        assert(harvested == KERR_OK);
        count = guides_take(world.guides, instance->index, now_ns(), &instance->work,
                            instance->frames, DEPTH, &vector);
        ring_give(&instance->work, count);
        if (vector.has_observations) {
            observe();
        }
        if (count == 0) {
            sleep_until(&instance->woken);
        } else if (work(instance)) {
            bury(instance);
        }
    }
    return NULL;
}

/* ---- programs -------------------------------------------------------------------------------------------------------------- */

/* A chain through these decks. */
static uint32_t make_workflow(uint32_t owner, const uint8_t *decks, uint16_t count)
{
    static const uint64_t offsets[PLAN_MAX_SEGMENTS];
    _Alignas(64) uint8_t blob[4096] = { 0 };
    struct kwe_stage *stages = (struct kwe_stage *)(void *)(blob + sizeof(struct kwe_workflow));
    struct kwe_dependency *dependencies = (struct kwe_dependency *)(void *)(stages + count);
    struct kwe_workflow header = { .magic = KWE_WORKFLOW_MAGIC,
                                   .version = KWE_WORKFLOW_VERSION,
                                   .stage_count = count,
                                   .dependency_count = (uint16_t)(count - 1),
                                   .result_stage = KWE_NO_STAGE,
                                   .names_bytes = 8,
                                   .slots = 16,
                                   .program_bytes = 4096 };
    const struct guide_memory memory = { .alloc_zeroed = take_memory, .free = give_memory };
    struct plan_error error;
    struct plan *plan;
    uint32_t id;

    for (uint16_t i = 0; i < count; i++) {
        stages[i] = (struct kwe_stage){ .deck = decks[i],
                                        .op = decks[i] == 1 ? 1 : 0,
                                        .fallback = KWE_NO_STAGE,
                                        .compensation = KWE_NO_STAGE,
                                        .dependency_first = (uint16_t)(i == 0 ? 0 : i - 1),
                                        .dependency_count = i == 0 ? 0 : 1 };
        if (i > 0) {
            dependencies[i - 1] = (struct kwe_dependency){ .stage = (uint16_t)(i - 1) };
        }
    }
    size_t bytes = (size_t)((uint8_t *)(dependencies + count - 1) - blob);
    header.total_bytes = (uint32_t)(((bytes + 7) & ~(size_t)7) + header.names_bytes);
    memcpy(blob, &header, sizeof(header));
    pthread_mutex_lock(&world.lock);
    enum kerr made = plan_create(&memory, specs, 3, CPUS, blob, header.total_bytes, &plan, &error);
    assert(made == KERR_OK);
    made = guides_register(world.guides, plan, owner, 0, offsets, &id);
    assert(made == KERR_OK);
    pthread_mutex_unlock(&world.lock);
    return id;
}

static void drop_workflow(uint32_t owner, uint32_t id)
{
    pthread_mutex_lock(&world.lock);
    guides_unregister(world.guides, owner, id, now_ns());
    do_noted();
    pthread_mutex_unlock(&world.lock);
}

static void collect(void)
{
    pthread_mutex_lock(&world.lock);
    guides_collect(world.guides);
    do_noted();
    pthread_mutex_unlock(&world.lock);
}

/* Submit, read, wait for a part; each cookie comes back once. */
static void submit_and_read(struct program *program, const uint32_t *workflows, uint8_t *came)
{
    uint64_t submitted = 0, read = 0;
    struct kwe_result result;

    while (read < EVENTS) {
        uint32_t there;
        for (uint64_t burst = 1 + draw(&program->random, RING_SLOTS);
             burst > 0 && submitted < EVENTS; burst--) {
            const struct kwe_event event = { .cookie = submitted,
                                             .workflow = workflows[draw(&program->random, 2)] };
            if (ring_push(&program->submit, &event) != RING_OK) {
                break;
            }
            submitted++;
        }
        forget(&program->woken);
        enum kerr taken = guides_intake(world.guides, &program->ring, now_ns());
        assert(taken == KERR_OK);
        if (draw(&program->random, 50) == 0) {
            (void)guides_cancel_event(world.guides, &program->ring,
                                      draw(&program->random, submitted), now_ns());
        }
        const uint32_t least =
            1 + (uint32_t)draw(&program->random, submitted - read < 8 ? submitted - read : 8);
        if (!guides_listen(world.guides, &program->ring, least, false, &there)) {
            sleep_until(&program->woken);
        }
        while (ring_pop(&program->read, &result) == RING_OK) {
            assert(result.cookie < EVENTS && came[result.cookie]++ == 0);
            program->good += result.status == KERR_OK ? 1 : 0;
            program->failed += result.status == KERR_OK ? 0 : 1;
            read++;
        }
    }
}

static void *run_program(void *argument)
{
    static const uint8_t chain[] = { 1, 2, 1 }, hop[] = { 2 };
    struct program *program = argument;
    uint8_t *came = calloc(EVENTS, 1);

    uint32_t workflows[2] = { make_workflow(program->owner, chain, 3),
                              make_workflow(program->owner, hop, 1) };
    submit_and_read(program, workflows, came);
    /* Once more, and go in the middle of it. */
    for (uint32_t i = 0; i < 8; i++) {
        const struct kwe_event event = { .workflow = workflows[i % 2] };
        assert(ring_push(&program->submit, &event) == RING_OK);
    }
    assert(guides_intake(world.guides, &program->ring, now_ns()) == KERR_OK);
    drop_workflow(program->owner, workflows[0]);
    collect();
    pthread_mutex_lock(&world.lock);
    program->woken = false;
    guides_ring_abandon(world.guides, &program->ring, now_ns());
    guides_program_gone(world.guides, program->owner, now_ns());
    do_noted();
    pthread_mutex_unlock(&world.lock);
    for (bool drained = false; !drained;) {
        sleep_until(&program->woken);
        pthread_mutex_lock(&world.lock);
        drained = program->drained;
        program->woken = false;
        pthread_mutex_unlock(&world.lock);
    }
    guides_ring_close(world.guides, &program->ring);
    collect();
    free(came);
    pthread_mutex_lock(&world.lock);
    world.programs_left--;
    pthread_cond_broadcast(&world.news);
    pthread_mutex_unlock(&world.lock);
    return NULL;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------- */

static void open_program(struct program *program, uint32_t owner)
{
    program->owner = owner;
    program->random = (owner + 1) * 0x9e3779b97f4a7c15ull;
    ring_init(&program->event_memory.ring, 0);
    ring_init(&program->result_memory.ring, 0);
    ring_producer_init(&program->submit, &program->event_memory.ring, RING_SLOTS, 0);
    ring_consumer_init(&program->ring.events, &program->event_memory.ring, RING_SLOTS, 0);
    ring_producer_init(&program->ring.results, &program->result_memory.ring, RING_SLOTS, 0);
    ring_consumer_init(&program->read, &program->result_memory.ring, RING_SLOTS, 0);
    assert(guides_open(world.guides, owner));
    assert(guides_ring_open(world.guides, &program->ring, owner));
}

int main(void)
{
    const struct guide_config config = {
        .specs = specs,
        .spec_count = 3,
        .per_cpu_instances = CPUS,
        .memory = { .alloc_zeroed = take_memory, .free = give_memory },
        .port = { .deck_ready = on_deck_ready,
                  .result_published = on_published,
                  .ring_drained = on_drained,
                  .ring_broken = on_broken,
                  .workflow_gone = on_workflow_gone,
                  .recall = on_recall,
                  .instance_stuck = on_stuck },
    };
    pthread_t threads[INSTANCES + PROGRAMS];
    uint64_t good = 0, failed = 0, taken = 0, deaths = 0, first_ns;

    world.guides = guides_create(&config);
    for (uint32_t i = 0; i < MAX_PROGRAMS; i++) {
        ring_init(&world.observed_memory[i].ring, 0);
        ring_producer_init(&world.observed[i], &world.observed_memory[i].ring, OBSERVED, 0);
        ring_consumer_init(&world.observer[i], &world.observed_memory[i].ring, OBSERVED, 0);
    }
    guides_observe_into(world.guides, world.observed);
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        open_program(&world.program[i], i);
    }
    world.programs_left = PROGRAMS;
    for (uint32_t i = 0; i < INSTANCES; i++) {
        world.instance[i].index = i;
        world.instance[i].random = (i + 77) * 0x9e3779b97f4a7c15ull;
        start_rings(&world.instance[i]);
        assert(pthread_create(&threads[i], NULL, run_instance, &world.instance[i]) == 0);
    }
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        assert(pthread_create(&threads[INSTANCES + i], NULL, run_program, &world.program[i]) == 0);
    }
    for (uint32_t i = 0; i < INSTANCES + PROGRAMS; i++) {
        assert(pthread_join(threads[i], NULL) == 0);
    }
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        good += world.program[i].good;
        failed += world.program[i].failed;
    }
    for (uint32_t i = 0; i < INSTANCES; i++) {
        taken += world.instance[i].taken;
        deaths += world.instance[i].deaths;
    }
    observe();
    fprintf(
        stderr,
        "%llu good, %llu failed, %llu stages answered, %llu deaths, %llu observed and %llu not\n",
        (unsigned long long)good, (unsigned long long)failed, (unsigned long long)taken,
        (unsigned long long)deaths, (unsigned long long)world.seen,
        (unsigned long long)guides_observe_dropped(world.guides));
    assert(good + failed == PROGRAMS * EVENTS && good > failed && deaths > 0);
    /* And what came while the programs were on their way out. */
    assert(guides_results(world.guides, &first_ns) >= PROGRAMS * EVENTS);
    guides_destroy(world.guides);
    assert(world.blocks == 0);
    return 0;
}
