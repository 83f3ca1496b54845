/* mourner.c - beside dier.c: when that one has died and its events have drained, its memory is back, and the decks go on. */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_witness.h"

#define HELD 10u

static uint64_t ask(struct kwe_rings *rings, const struct kwe_workflow_info *question)
{
    struct kwe_event event = { .workflow = question->workflow };
    struct kwe_result result;

    check_run(rings, &event, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    return result.value;
}

int main(void)
{
    struct kwe_workflow_info held, release, digest;
    struct kwe_statistics statistics;
    struct kwe_rings rings;
    uint64_t until_ns = kwe_now_ns() + 20000000000u;

    struct kwe_builder *builder = kwe_builder_create("held");
    kwe_result(builder, kwe_witness_held(builder, "held"));
    check_register(builder, &held);
    builder = kwe_builder_create("release");
    kwe_result(builder, kwe_witness_release(builder, "release"));
    check_register(builder, &release);
    builder = kwe_builder_create("digest");
    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    check_register(builder, &digest);
    check_rings(&rings, 8);
    while (ask(&rings, &held) < HELD) {
        CHECK(kwe_now_ns() < until_ns, "the other one's events never came");
    }
    /* It dies now. Its memory stays until the deck has let go of its events; so the count stops falling, and then rises. */
    uint64_t last = 0, now = 1;
    while (now != last) {
        last = now;
        check_sleep(&rings, 300000000);
        now = check_free_frames(&rings);
    }
    uint64_t before = now;
    CHECK(ask(&rings, &held) == HELD, "the deck has let go of the dead one's events by itself");
    CHECK(ask(&rings, &release) == HELD, "release");
    uint64_t after = before;
    while (after < before + 2) {
        CHECK(kwe_now_ns() < until_ns, "%llu frames free before the deck let go, %llu after",
              (unsigned long long)before, (unsigned long long)after);
        check_sleep(&rings, 10000000);
        after = check_free_frames(&rings);
    }
    check_statistics(&statistics);
    for (uint32_t i = 0; i < KWE_MAX_DECKS_REPORTED; i++) {
        CHECK(statistics.deck[i].restarts == 0 &&
                  statistics.deck[i].events == statistics.deck[i].completions,
              "deck %u: %llu restarts, %llu stages handed over, %llu answered", i,
              (unsigned long long)statistics.deck[i].restarts,
              (unsigned long long)statistics.deck[i].events,
              (unsigned long long)statistics.deck[i].completions);
    }
    kwe_log("%llu of %llu frames free at the end", (unsigned long long)after,
            (unsigned long long)statistics.frames_total);
    struct kwe_event event = { .workflow = digest.workflow, .input_length = 16 };
    struct kwe_result result;
    check_run(&rings, &event, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    return 0;
}
