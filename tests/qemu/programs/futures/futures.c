/*
 * futures.c - results without asking for them: rings that the kernel polls, upcalls that complete futures.
 */
#include <errno.h>
#include <math.h>
#include <time.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_faulty.h"
#include "userland/libkwe/kwe_operations.h"

#define BATCH   8u
#define BATCHES 2000u
#define FUTURES 32u
#define TEXT    64u
#define FAR_NS  20000000000u

static struct kwe_rings rings;

static void make_digest(struct kwe_workflow_info *info)
{
    struct kwe_builder *builder = kwe_builder_create("digest");
    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);

    kwe_input_event(builder, stage, 0);
    kwe_program_bytes(builder, FUTURES * TEXT);
    kwe_slots(builder, FUTURES);
    kwe_result(builder, stage);
    check_register(builder, info);
    for (unsigned i = 0; i < FUTURES; i++) {
        memset((uint8_t *)kwe_program_memory(info) + i * TEXT, (int)i, TEXT);
    }
}

static struct kwe_event event_of(const struct kwe_workflow_info *info, uint32_t which)
{
    return (struct kwe_event){ .cookie = which,
                               .workflow = info->workflow,
                               .input_offset = which * TEXT,
                               .input_length = TEXT };
}

/* ---- polled rings ------------------------------------------------------------------------------------------------------- */

static uint64_t notify_calls(void)
{
    struct kwe_statistics statistics;

    CHECK(kwe_statistics(&statistics) >= 0, "statistics");
    return statistics.notify_calls;
}

static void run_batch(const struct kwe_workflow_info *info, uint8_t *digests)
{
    struct kwe_event events[BATCH];
    const uint64_t until_ns = kwe_now_ns() + FAR_NS;
    struct kwe_result result;
    uint32_t got = 0;

    for (uint32_t i = 0; i < BATCH; i++) {
        events[i] = event_of(info, i);
    }
    CHECK(kwe_submit(&rings, events, BATCH) == BATCH, "submit");
    while (got < BATCH) {
        if (!kwe_result_next(&rings, &result)) {
            CHECK(kwe_now_ns() < until_ns, "%u of %u results", got, BATCH);
            continue;
        }
        CHECK(result.status == KERR_OK && result.length == 32, "event %llu: %s",
              (unsigned long long)result.cookie, kerr_name((enum kerr)result.status));
        memcpy(digests + result.cookie * 32, kwe_result_bytes(info, &result), 32);
        got++;
    }
}

static void no_call_while_the_kernel_is_awake(void)
{
    struct kwe_workflow_info info;
    uint8_t first[BATCH * 32], again[BATCH * 32];

    CHECK(kwe_rings_create_polled(&rings, 64) >= 0, "polled rings");
    make_digest(&info);
    run_batch(&info, first);
    uint64_t before = notify_calls();
    for (unsigned i = 0; i < BATCHES; i++) {
        memset(again, 0, sizeof(again));
        run_batch(&info, again);
        CHECK(memcmp(first, again, sizeof(first)) == 0, "batch %u has other digests", i);
    }
    uint64_t calls = notify_calls() - before;
    kwe_log("%llu calls for %u batches", (unsigned long long)calls, BATCHES);
    CHECK(kwe_unregister(&info) == 0, "unregister");
    CHECK(kwe_rings_destroy(&rings) == 0, "destroy");
}

/* ---- futures ------------------------------------------------------------------------------------------------------------ */

static struct kwe_future futures[FUTURES];

static void submit_all(const struct kwe_workflow_info *info)
{
    struct kwe_event events[FUTURES];

    for (uint32_t i = 0; i < FUTURES; i++) {
        events[i] = event_of(info, i);
    }
    CHECK(kwe_submit_futures(&rings, events, futures, FUTURES) == (int)FUTURES, "submit");
}

static unsigned count_done(void)
{
    unsigned done = 0;

    for (uint32_t i = 0; i < FUTURES; i++) {
        done += kwe_future_done(&futures[i]) ? 1 : 0;
    }
    return done;
}

static void check_and_release(const struct kwe_workflow_info *info)
{
    const uint8_t *first = kwe_result_bytes(info, &futures[0].result);

    for (uint32_t i = 0; i < FUTURES; i++) {
        const struct kwe_result *result = &futures[i].result;
        CHECK(result->status == KERR_OK && result->length == 32, "future %u", i);
        CHECK(i == 0 || memcmp(kwe_result_bytes(info, result), first, 32) != 0,
              "future %u has the first one's digest", i);
    }
    for (uint32_t i = FUTURES; i-- > 0;) { /* not in the order of the ring */
        kwe_future_release(&rings, &futures[i]);
    }
}

/* The thread makes no call: it computes, with vector registers and all, and finds its futures done. */
static void futures_are_done_while_the_program_computes(const struct kwe_workflow_info *info)
{
    for (unsigned round = 0; round < 20; round++) {
        const uint64_t until_ns = kwe_now_ns() + FAR_NS;
        double sum = 0.0;
        uint64_t steps = 0;
        submit_all(info);
        while (count_done() < FUTURES && kwe_now_ns() < until_ns) {
            sum += 1.0 / 1024.0;
            steps++;
        }
        CHECK(count_done() == FUTURES, "round %u: %u done", round, count_done());
        CHECK(fabs(sum * 1024.0 - (double)steps) < 0.5, "an upcall has spoilt a register");
        check_and_release(info);
    }
}

/* An answer that comes when the program is asleep for certain: a stage whose time is up. */
static void an_upcall_ends_a_sleep(void)
{
    const struct timespec far = { 20, 0 };
    struct kwe_builder *builder = kwe_builder_create("slow");
    struct kwe_workflow_info info;

    kwe_timeout(builder, kwe_faulty_hold(builder, "hold"), 500000000u);
    check_register(builder, &info);
    struct kwe_event event = { .workflow = info.workflow };
    CHECK(kwe_submit_futures(&rings, &event, futures, 1) == 1, "submit");
    CHECK(nanosleep(&far, NULL) == -1 && errno == EINTR, "it slept on");
    CHECK(kwe_future_done(&futures[0]) && futures[0].result.status == KERR_TIMED_OUT, "%s",
          kerr_name((enum kerr)futures[0].result.status));
    kwe_future_release(&rings, &futures[0]);
    CHECK(kwe_unregister(&info) == 0, "unregister");
}

static void a_future_can_be_awaited(const struct kwe_workflow_info *info)
{
    submit_all(info);
    for (uint32_t i = FUTURES; i-- > 0;) {
        CHECK(kwe_future_wait(&rings, &futures[i], FAR_NS), "future %u", i);
    }
    check_and_release(info);
    CHECK(!kwe_future_wait(&rings, &(struct kwe_future){ .place = 0 }, 1000000), "it is nobody's");
}

static _Noreturn void return_at_once(uint64_t ring)
{
    (void)ring;
    kwe_call_upcall_return();
    abort();
}

/* Several results that come in one go raise one upcall, and end a wait for all of them. */
static void a_wait_for_several_ends_where_there_are_upcalls(const struct kwe_workflow_info *info)
{
    struct kwe_event events[BATCH];
    struct kwe_result result;

    CHECK(kwe_call_upcall_set(rings.id, (uint64_t)(uintptr_t)return_at_once, 0) == 0, "upcall");
    for (uint32_t i = 0; i < BATCH; i++) {
        events[i] = event_of(info, i);
    }
    for (unsigned round = 0; round < 20; round++) {
        CHECK(kwe_submit(&rings, events, BATCH) == BATCH, "submit");
        CHECK(kwe_wait(&rings, BATCH, FAR_NS) == BATCH, "round %u: it slept on", round);
        for (uint32_t got = 0; got < BATCH; got++) {
            CHECK(kwe_result_next(&rings, &result) && result.status == KERR_OK, "result %u", got);
        }
    }
    CHECK(kwe_wait(&rings, 0, 0) == 0, "none is left");
    CHECK(kwe_call_upcall_set(rings.id, 0, 0) == 0, "no more upcalls");
}

static void what_no_upcall_can_be_is_refused(void)
{
    CHECK(kwe_call_upcall_return() == -KERR_BAD_CALL, "outside of one");
    CHECK(kwe_call_upcall_set(rings.id, 1ull << 63, 0) == -KERR_BAD_ADDRESS, "the kernel's half");
    CHECK(kwe_call_upcall_set(rings.id, 4096, 1ull << 47) == -KERR_BAD_ADDRESS, "a hole's stack");
    CHECK(kwe_call_upcall_set(rings.id + 0x100, 4096, 0) == -KERR_BAD_HANDLE, "nobody's ring");
}

int main(void)
{
    struct kwe_workflow_info info;

    no_call_while_the_kernel_is_awake();
    check_rings(&rings, 64);
    make_digest(&info);
    what_no_upcall_can_be_is_refused();
    a_wait_for_several_ends_where_there_are_upcalls(&info);
    CHECK(kwe_futures_begin(&rings) >= 0, "futures");
    futures_are_done_while_the_program_computes(&info);
    an_upcall_ends_a_sleep();
    a_future_can_be_awaited(&info);
    kwe_futures_end(&rings);
    CHECK(kwe_unregister(&info) == 0, "unregister");
    return 0;
}
