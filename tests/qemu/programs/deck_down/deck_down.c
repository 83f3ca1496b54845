/* deck_down.c - a deck that dies too often is given up: what waits for it ends with DECK_DOWN, what comes later too, others go on. */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_witness.h"

#define LIMIT   2u /* of the witness deck's deck.yaml */
#define DEPTH   16u
#define WAITING 4u
#define DOWN    3u /* kwe_deck_statistics.state */

static void submit(struct kwe_rings *rings, const struct kwe_workflow_info *info, uint32_t count,
                   uint32_t input_length)
{
    for (uint32_t i = 0; i < count; i++) {
        struct kwe_event event = { .cookie = i,
                                   .workflow = info->workflow,
                                   .input_length = input_length };
        CHECK(kwe_submit(rings, &event, 1) == 1, "submit");
    }
}

static void wait_handed_over(struct kwe_rings *other, uint64_t events)
{
    struct kwe_statistics statistics;
    uint64_t until_ns = kwe_now_ns() + 10000000000u;
    do {
        check_sleep(other, 1000000);
        check_statistics(&statistics);
        CHECK(kwe_now_ns() < until_ns, "%llu handed over",
              (unsigned long long)statistics.deck[WITNESS_PREFIX].events);
    } while (statistics.deck[WITNESS_PREFIX].events < events);
}

/* `faults` results with DECK_FAULT, `downs` with DECK_DOWN, and no more. */
static void expect(struct kwe_rings *rings, uint32_t faults, uint32_t downs)
{
    uint32_t count[2] = { 0, 0 };
    struct kwe_result result;

    for (uint32_t i = 0; i < faults + downs; i++) {
        check_result(rings, &result, 5000000000u);
        CHECK(result.status == KERR_DECK_FAULT || result.status == KERR_DECK_DOWN, "%s",
              kerr_name((enum kerr)result.status));
        CHECK(result.deck == WITNESS_PREFIX && result.stage == 0, "deck %u, stage %u", result.deck,
              result.stage);
        count[result.status == KERR_DECK_DOWN]++;
    }
    CHECK(count[0] == faults && count[1] == downs, "%u DECK_FAULT, %u DECK_DOWN", count[0],
          count[1]);
    CHECK(!kwe_result_next(rings, &result), "one too many");
}

int main(void)
{
    struct kwe_workflow_info hold, digest;
    struct kwe_statistics statistics;
    struct kwe_rings rings, other;
    struct kwe_result result;
    uint64_t handed_over = 0;

    check_rings(&rings, 64);
    check_rings(&other, 8);
    struct kwe_builder *builder = kwe_builder_create("hold");
    kwe_witness_hold(builder, "hold");
    check_register(builder, &hold);
    builder = kwe_builder_create("digest");
    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_result(builder, stage);
    check_register(builder, &digest);

    for (uint32_t death = 1; death <= LIMIT + 1; death++) {
        submit(&rings, &hold, DEPTH + WAITING, 0);
        handed_over += DEPTH;
        wait_handed_over(&other, handed_over);
        CHECK(kwe_call_inject(WITNESS_PREFIX, 0, 0) == 0, "inject");
        if (death <= LIMIT) {
            /* Those that waited at its door go to its successor. */
            expect(&rings, DEPTH, 0);
            handed_over += WAITING;
            wait_handed_over(&other, handed_over);
            CHECK(kwe_call_workflow_cancel(hold.workflow) == 0, "cancel");
            submit(&rings, &hold, 0, 0);
            struct kwe_workflow_info release;
            builder = kwe_builder_create("release");
            kwe_witness_release(builder, "release");
            check_register(builder, &release);
            struct kwe_event event = { .workflow = release.workflow };
            check_run(&other, &event, &result);
            handed_over++;
            CHECK(kwe_unregister(&release) >= 0, "unregister");
            for (uint32_t i = 0; i < WAITING; i++) {
                check_result(&rings, &result, 5000000000u);
                CHECK(result.status == KERR_CANCELLED, "%s", kerr_name((enum kerr)result.status));
            }
        } else {
            expect(&rings, DEPTH, WAITING);
        }
    }
    submit(&rings, &hold, 3, 0);
    expect(&rings, 0, 3);
    check_statistics(&statistics);
    CHECK(statistics.deck[WITNESS_PREFIX].state == DOWN &&
              statistics.deck[WITNESS_PREFIX].restarts == LIMIT,
          "state %u, %llu restarts", statistics.deck[WITNESS_PREFIX].state,
          (unsigned long long)statistics.deck[WITNESS_PREFIX].restarts);
    struct kwe_event event = { .workflow = digest.workflow, .input_length = 16 };
    check_run(&other, &event, &result);
    CHECK(result.status == KERR_OK, "another deck: %s", kerr_name((enum kerr)result.status));
    return 0;
}
