/*
 * ring_traffic.c - the rings as a program meets them: around and around, all batch sizes, full rings, waits that time out. Every event has its
 * one result throughout.
 */
#include <stdlib.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"

#define MANY       100000u
#define SMALL_RING 16u
#define MOST_BATCH 256u

static struct kwe_workflow_info nop;

static void register_nop(struct kwe_workflow_info *info, uint32_t slots, uint32_t max_waiting)
{
    struct kwe_builder *builder = kwe_builder_create("nop");
    kwe_stage(builder, "nop", OPERATIONS_PREFIX, OPERATIONS_OP_NOP, NULL, 0);
    kwe_slots(builder, slots);
    kwe_max_waiting(builder, max_waiting);
    check_register(builder, info);
}

static uint32_t submit(struct kwe_rings *rings, uint64_t first, uint32_t count)
{
    static struct kwe_event events[MOST_BATCH];

    for (uint32_t i = 0; i < count; i++) {
        events[i] = (struct kwe_event){ .cookie = first + i, .workflow = nop.workflow };
    }
    int answer = kwe_submit(rings, events, count);
    CHECK(answer >= 0 && answer <= (int)count, "submit: %d", answer);
    return (uint32_t)answer;
}

/* ---- a hundred thousand through a small ring ---- */

static void go_around(void)
{
    struct kwe_rings rings;
    struct kwe_result result;
    uint8_t *seen = calloc(MANY / 8 + 1, 1);
    uint64_t submitted = 0, taken = 0;

    check_rings(&rings, SMALL_RING);
    while (taken < MANY) {
        uint32_t want = 1 + (uint32_t)(submitted * 7 % SMALL_RING);
        want = want < MANY - submitted ? want : (uint32_t)(MANY - submitted);
        submitted += submit(&rings, submitted, want);
        int lying = kwe_wait(&rings, submitted - taken < 5 ? (uint32_t)(submitted - taken) : 5,
                             10000000000u);
        CHECK(lying > 0, "after %llu of %llu: wait answered %d", (unsigned long long)taken,
              (unsigned long long)submitted, lying);
        while (kwe_result_next(&rings, &result)) {
            CHECK(result.status == KERR_OK && result.cookie < submitted, "%s",
                  kerr_name((enum kerr)result.status));
            uint8_t bit = (uint8_t)(1u << result.cookie % 8);
            CHECK((seen[result.cookie / 8] & bit) == 0, "event %llu twice",
                  (unsigned long long)result.cookie);
            seen[result.cookie / 8] |= bit;
            taken++;
        }
    }
    CHECK(submitted == MANY && taken == MANY, "%llu in, %llu out", (unsigned long long)submitted,
          (unsigned long long)taken);
    check_sleep(&rings, 1000000);
    CHECK(kwe_rings_destroy(&rings) == 0, "destroy");
    free(seen);
}

/* ---- every batch size ---- */

static void all_batches(void)
{
    struct kwe_rings rings;
    struct kwe_result result;

    check_rings(&rings, MOST_BATCH);
    for (uint32_t batch = 1; batch <= MOST_BATCH; batch++) {
        uint64_t sum = 0;
        CHECK(submit(&rings, 1000, batch) == batch, "batch of %u", batch);
        CHECK(kwe_wait(&rings, batch, 10000000000u) == (int)batch, "batch of %u", batch);
        for (uint32_t i = 0; i < batch; i++) {
            CHECK(kwe_result_next(&rings, &result) && result.status == KERR_OK,
                  "batch of %u, result %u", batch, i);
            sum += result.cookie - 1000;
        }
        CHECK(sum == (uint64_t)batch * (batch - 1) / 2 && !kwe_result_next(&rings, &result),
              "batch of %u: other results", batch);
    }
    CHECK(kwe_rings_destroy(&rings) == 0, "destroy");
}

/* ---- waiting ---- */

static void waits(void)
{
    struct kwe_rings rings;
    struct kwe_result result;

    check_rings(&rings, 8);
    uint64_t before_ns = kwe_now_ns();
    CHECK(kwe_wait(&rings, 1, 30000000) == 0, "nothing was submitted");
    uint64_t waited_ns = kwe_now_ns() - before_ns;
    CHECK(waited_ns >= 30000000 && waited_ns < 2000000000, "waited %llu ns for 30 ms",
          (unsigned long long)waited_ns);
    before_ns = kwe_now_ns();
    CHECK(kwe_wait(&rings, 1, 0) == 0 && kwe_wait(&rings, 0, UINT64_MAX) == 0, "only looking");
    CHECK(submit(&rings, 0, 3) == 3, "submit");
    CHECK(kwe_wait(&rings, 5, 50000000) == 3, "three come, five are waited for");
    CHECK(kwe_now_ns() - before_ns >= 50000000, "and the time is not over");
    CHECK(kwe_wait(&rings, 3, UINT64_MAX) == 3, "they lie there");
    CHECK(kwe_call_kernel_notify(rings.id, KWE_NOTIFY_WAIT, 3, UINT64_MAX) == 3, "they lie there");
    /* More than the ring holds is as many as it holds. */
    CHECK(submit(&rings, 3, 5) == 5, "submit");
    CHECK(kwe_call_kernel_notify(rings.id, KWE_NOTIFY_WAIT, UINT64_MAX, UINT64_MAX) == 8,
          "all of it");
    for (uint64_t i = 0; i < 8; i++) {
        CHECK(kwe_result_next(&rings, &result), "result %llu", (unsigned long long)i);
    }
    CHECK(kwe_rings_destroy(&rings) == 0, "destroy");
    CHECK(kwe_call_kernel_notify(rings.id, KWE_NOTIFY_WAIT, 1, 1000) == -KERR_BAD_HANDLE,
          "a ring that has gone");
}

/* ---- full rings ---- */

static void full_rings(void)
{
    struct kwe_rings rings;
    struct kwe_result result;

    check_rings(&rings, 8);
    CHECK(submit(&rings, 0, 8) == 8, "submit");
    CHECK(kwe_call_kernel_notify(rings.id, KWE_NOTIFY_WAIT, 8, 10000000000u) == 8, "all done");
    /* The results lie there unread: there is no place for more, so the next events stay where they are. */
    CHECK(submit(&rings, 8, 20) == 8, "the EventRing holds eight");
    CHECK(submit(&rings, 16, 20) == 0, "and is full");
    CHECK(kwe_call_kernel_notify(rings.id, KWE_NOTIFY_SUBMIT, 0, 0) == 8, "no result is lost");
    for (uint64_t i = 0; i < 8; i++) {
        CHECK(kwe_result_next(&rings, &result) && result.cookie < 8 && result.status == KERR_OK,
              "result %llu", (unsigned long long)i);
    }
    CHECK(kwe_wait(&rings, 8, 10000000000u) == 8, "now the kept ones");
    for (uint64_t i = 0; i < 8; i++) {
        CHECK(kwe_result_next(&rings, &result) && result.cookie >= 8 && result.cookie < 16 &&
                  result.status == KERR_OK,
              "result");
    }
    CHECK(!kwe_result_next(&rings, &result), "one too many");
    CHECK(kwe_rings_destroy(&rings) == 0, "destroy");
}

/* Few slots and a limit to how many may wait. */
static void overload(void)
{
    struct kwe_workflow_info narrow;
    struct kwe_rings rings;
    struct kwe_result result;
    uint32_t done = 0, refused = 0;

    register_nop(&narrow, 1, 4);
    check_rings(&rings, 64);
    for (uint32_t i = 0; i < 64; i++) {
        struct kwe_event event = { .cookie = i, .workflow = narrow.workflow };
        CHECK(ring_push(&rings.events, &event) == RING_OK, "push");
    }
    CHECK(kwe_wait(&rings, 64, 10000000000u) == 64, "64 results");
    while (kwe_result_next(&rings, &result)) {
        CHECK(result.status == KERR_OK || result.status == KERR_OVERLOADED, "%s",
              kerr_name((enum kerr)result.status));
        done += result.status == KERR_OK;
        refused += result.status == KERR_OVERLOADED;
    }
    CHECK(done + refused == 64 && done >= 5 && refused >= 1, "%u done, %u refused", done, refused);
    CHECK(kwe_rings_destroy(&rings) == 0 && kwe_unregister(&narrow) == 0, "destroy");
}

/* More rings than there are. */
static void too_many_rings(void)
{
    static struct kwe_rings rings[300];
    uint32_t made = 0;
    int answer;

    while (made < 300 && (answer = kwe_rings_create(&rings[made], 8)) >= 0) {
        made++;
    }
    CHECK(made < 300 && (answer == -KERR_TOO_MANY || answer == -KERR_NO_MEMORY),
          "%u rings, then %d", made, answer);
    while (made > 0) {
        CHECK(kwe_rings_destroy(&rings[--made]) == 0, "destroy");
    }
}

int main(void)
{
    register_nop(&nop, 64, 0);
    waits();
    full_rings();
    overload();
    all_batches();
    go_around();
    too_many_rings();
    return 0;
}
