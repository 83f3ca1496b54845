/*
 * chaos.c - everything at once, by a seed: workflows come and go, are cancelled, rings are destroyed with events in flight, decks are killed. Each
 * event of a ring that stays has its one result, and at the end memory is what it was.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_faulty.h"
#include "userland/libkwe/kwe_operations.h"

#define STEPS      3000u
#define WORKFLOWS  5u
#define RINGS      3u
#define RING_SLOTS 32u
#define BYTES      4096u
#define MOST_KILLS 7u /* of one deck that is restarted 8 times in 10 s */

static struct {
    struct kwe_workflow_info info;
    bool there;
} workflows[WORKFLOWS];

static struct {
    struct kwe_rings rings;
    bool there;
    uint64_t submitted, taken;
} rings[RINGS];

static uint32_t kills;
static uint64_t random_state;

static uint64_t next_random(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* echo -> sha256 -> echo, sha256 beside it; or parts of that. */
static void come(uint32_t index)
{
    struct kwe_builder *builder = kwe_builder_create("chaos");
    kwe_stage_t last = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);

    kwe_input_event(builder, last, 0);
    for (uint64_t more = next_random(4); more > 0; more--) {
        last = next_random(2) == 0 ? kwe_faulty_echo(builder, "echo", last)
                                   : kwe_operations_sha256(builder, "again", last);
    }
    if (next_random(2) == 0) {
        kwe_stage_t beside = kwe_faulty_echo(builder, "beside", KWE_STAGE_NONE);
        kwe_input_event(builder, beside, 0);
        kwe_after(builder, beside, last);
    }
    kwe_result(builder, last);
    kwe_slots(builder, 1 + (uint32_t)next_random(20));
    check_register(builder, &workflows[index].info);
    workflows[index].there = true;
}

static void go(uint32_t index)
{
    CHECK(kwe_unregister(&workflows[index].info) == 0, "unregister");
    workflows[index].there = false;
}

static void take(uint32_t index)
{
    struct kwe_result result;

    while (kwe_result_next(&rings[index].rings, &result)) {
        bool known = result.status == KERR_OK || result.status == KERR_DECK_FAULT ||
                     result.status == KERR_CANCELLED || result.status == KERR_BAD_EVENT;
        CHECK(known, "%s", kerr_name((enum kerr)result.status));
        CHECK(result.cookie >> 32 == index, "a result of another ring");
        rings[index].taken++;
    }
}

static void submit(uint32_t index)
{
    struct kwe_event events[RING_SLOTS];
    uint32_t count = 1 + (uint32_t)next_random(RING_SLOTS);

    for (uint32_t i = 0; i < count; i++) {
        /* Also of those that have gone. */
        events[i] = (struct kwe_event){ .cookie = (uint64_t)index << 32 | i,
                                        .workflow = workflows[next_random(WORKFLOWS)].info.workflow,
                                        .input_length = 1 + next_random(BYTES) };
    }
    int answer = kwe_submit(&rings[index].rings, events, count);
    CHECK(answer >= 0, "submit: %d", answer);
    rings[index].submitted += (uint64_t)answer;
}

static void step(void)
{
    uint32_t workflow = (uint32_t)next_random(WORKFLOWS);
    uint32_t ring = (uint32_t)next_random(RINGS);

    switch (next_random(20)) {
    case 0:
    case 1:
        if (workflows[workflow].there) {
            go(workflow);
        }
        break;
    case 2:
        if (workflows[workflow].there) {
            CHECK(kwe_call_workflow_cancel(workflows[workflow].info.workflow) == 0, "cancel");
        }
        break;
    case 3:
        CHECK(kwe_rings_destroy(&rings[ring].rings) == 0, "destroy");
        rings[ring].there = false;
        break;
    case 4:
        CHECK(kwe_wait(&rings[ring].rings, 1 + (uint32_t)next_random(8), 2000000) >= 0, "wait");
        break;
    case 5:
        if (next_random(12) == 0) {
            CHECK(kwe_call_inject(FAULTY_PREFIX, 0, (uint32_t)next_random(2)) == 0, "inject");
        } else if (next_random(40) == 0 && kills < MOST_KILLS) {
            kills++;
            CHECK(kwe_call_inject(OPERATIONS_PREFIX, 0, (uint32_t)next_random(2)) == 0, "inject");
        }
        break;
    case 6:
    case 7:
    case 8:
    case 9:
        take(ring);
        break;
    default:
        submit(ring);
        break;
    }
    if (!workflows[workflow].there) {
        come(workflow);
    }
    if (!rings[ring].there) {
        check_rings(&rings[ring].rings, RING_SLOTS);
        rings[ring].there = true;
        rings[ring].submitted = 0;
        rings[ring].taken = 0;
    }
}

/* All that is in flight comes to its end. In turns: a result that lies in one ring holds the slot that another's event waits for. */
static void drain(void)
{
    uint64_t until_ns = kwe_now_ns() + 20000000000u;

    for (uint32_t done = 0; done < RINGS;) {
        done = 0;
        for (uint32_t i = 0; i < RINGS; i++) {
            kwe_wait(&rings[i].rings, 1, rings[i].taken < rings[i].submitted ? 1000000 : 0);
            take(i);
            done += rings[i].taken == rings[i].submitted;
            CHECK(rings[i].taken <= rings[i].submitted && kwe_now_ns() < until_ns,
                  "ring %u: %llu of %llu results", i, (unsigned long long)rings[i].taken,
                  (unsigned long long)rings[i].submitted);
        }
    }
}

static void all(bool there)
{
    for (uint32_t i = 0; i < WORKFLOWS; i++) {
        if (there) {
            come(i);
        } else {
            go(i);
        }
    }
    for (uint32_t i = 0; i < RINGS; i++) {
        if (there) {
            check_rings(&rings[i].rings, RING_SLOTS);
        } else {
            CHECK(kwe_rings_destroy(&rings[i].rings) == 0, "destroy");
        }
        rings[i].there = there;
        rings[i].submitted = 0;
        rings[i].taken = 0;
    }
}

int main(void)
{
    struct kwe_rings own;
    char seed[24];

    random_state = strtoull(check_option("seed", seed, sizeof(seed)), NULL, 10) * 2654435761u | 1;
    check_rings(&own, 8);
    all(true);
    for (uint32_t i = 0; i < STEPS / 10; i++) {
        step();
    }
    drain();
    all(false);
    uint64_t before = check_free_frames(&own);
    all(true);
    for (uint32_t i = 0; i < STEPS; i++) {
        step();
    }
    drain();
    all(false);
    uint64_t after = check_free_frames(&own);
    kwe_log("%llu frames free before, %llu after", (unsigned long long)before,
            (unsigned long long)after);
    CHECK(after + 64 > before, "memory is not what it was");
    return 0;
}
