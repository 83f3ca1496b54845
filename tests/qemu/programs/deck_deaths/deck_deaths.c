/* deck_deaths.c - a hundred deaths of one deck under load: no event is lost or doubled, and memory is what it was. */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_faulty.h"

#define DEATHS     100u
#define DATA_BYTES 256u
#define SLOTS      32u
#define BATCH      20u /* more than the deck's hands hold: some wait at its door */

static void register_both(struct kwe_workflow_info *echo, struct kwe_workflow_info *crash)
{
    struct kwe_builder *builder = kwe_builder_create("echo");
    kwe_stage_t stage = kwe_faulty_echo(builder, "echo", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_stage_t again = kwe_faulty_echo(builder, "again", stage);
    kwe_slots(builder, SLOTS);
    kwe_result(builder, again);
    check_register(builder, echo);

    builder = kwe_builder_create("crash");
    kwe_faulty_crash(builder, "crash", &(struct faulty_crash_params){ .how = 0 });
    check_register(builder, crash);
}

/* A batch with one crash in it. Returns how many others ended with it. */
static uint32_t one_death(struct kwe_rings *rings, const struct kwe_workflow_info *echo,
                          const struct kwe_workflow_info *crash, uint32_t round)
{
    struct kwe_event events[BATCH];
    uint8_t seen[BATCH] = { 0 };
    uint32_t ended = 0;
    uint64_t first = (uint64_t)round * BATCH;

    for (uint32_t i = 0; i < BATCH; i++) {
        bool crashes = i == round % BATCH;
        events[i] = (struct kwe_event){ .cookie = first + i,
                                        .workflow = crashes ? crash->workflow : echo->workflow,
                                        .input_length = crashes ? 0 : DATA_BYTES };
    }
    CHECK(kwe_submit(rings, events, BATCH) == (int)BATCH, "submit");
    for (uint32_t i = 0; i < BATCH; i++) {
        struct kwe_result result;
        check_result(rings, &result, 20000000000u);
        CHECK(result.cookie - first < BATCH, "round %u: a result of %llu", round,
              (unsigned long long)result.cookie);
        uint64_t index = result.cookie - first;
        seen[index]++;
        if (result.status == KERR_OK) {
            CHECK(index != round % BATCH && result.length == DATA_BYTES &&
                      memcmp(kwe_result_bytes(echo, &result), kwe_program_memory(echo),
                             DATA_BYTES) == 0,
                  "round %u: a wrong result", round);
        } else {
            CHECK(result.status == KERR_DECK_FAULT, "%s", kerr_name((enum kerr)result.status));
            ended++;
        }
    }
    for (uint32_t i = 0; i < BATCH; i++) {
        CHECK(seen[i] == 1, "round %u: event %u has %u results", round, i, seen[i]);
    }
    return ended;
}

/* One more, which the deck answers: it is up again. */
static uint64_t free_frames_when_up(struct kwe_rings *rings, const struct kwe_workflow_info *echo)
{
    struct kwe_event event = { .cookie = 1,
                               .workflow = echo->workflow,
                               .input_length = DATA_BYTES };
    struct kwe_result result;

    check_run(rings, &event, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    return check_free_frames(rings);
}

int main(void)
{
    struct kwe_workflow_info echo, crash;
    struct kwe_statistics statistics;
    struct kwe_rings rings;
    uint32_t ended = 0;
    uint64_t before = 0;

    check_rings(&rings, 64);
    register_both(&echo, &crash);
    for (uint32_t i = 0; i < DATA_BYTES; i++) {
        ((uint8_t *)kwe_program_memory(&echo))[i] = (uint8_t)i;
    }
    for (uint32_t round = 0; round < DEATHS + 2; round++) {
        if (round == 2) {
            before = free_frames_when_up(&rings, &echo); /* the first deaths fill caches */
        }
        ended += one_death(&rings, &echo, &crash, round);
    }
    uint64_t after = free_frames_when_up(&rings, &echo);
    check_statistics(&statistics);
    kwe_log("%u deaths, %u events ended with them, %llu frames free before, %llu after", DEATHS + 2,
            ended, (unsigned long long)before, (unsigned long long)after);
    CHECK(statistics.deck[FAULTY_PREFIX].restarts == DEATHS + 2, "%llu restarts",
          (unsigned long long)statistics.deck[FAULTY_PREFIX].restarts);
    /* Images lie at random places, so the number of page tables differs by a few from one life to the next. */
    CHECK(after + 8 > before && before + 8 > after, "memory is not what it was");
    return 0;
}
