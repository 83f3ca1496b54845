/*
 * ring_liar.c - lies in the words that it shares with the nucleus. How, says its name, as with probe.c: liar_KIND. The first table's end by a
 * fault, the second's are their own loss only.
 */
#include <time.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"

#define SLOTS     16u
#define GIVEN_WAY 3

static struct kwe_workflow_info workflow;
static struct kwe_rings rings;

static void submit(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct kwe_event event = { .cookie = i, .workflow = workflow.workflow, .input_length = 64 };
        CHECK(kwe_submit(&rings, &event, 1) == 1, "submit");
    }
}

static void take(uint32_t count)
{
    struct kwe_result result;
    for (uint32_t i = 0; i < count; i++) {
        check_result(&rings, &result, 5000000000u);
        CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    }
}

static void notify(void)
{
    kwe_call_kernel_notify(rings.id, KWE_NOTIFY_SUBMIT, 0, 0);
}

static void set(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* ---- what cannot be ---- */

static void tail_far(void)
{
    set(&rings.events.shared->tail, 0x80000000u);
    notify();
}

static void tail_one_too_far(void)
{
    set(&rings.events.shared->tail, SLOTS + 1);
    notify();
}

static void tail_back(void)
{
    submit(4);
    take(4);
    set(&rings.events.shared->tail, 3);
    notify();
}

static void head_far(void)
{
    set(&rings.results.shared->head, 1);
    notify();
}

static void head_back(void)
{
    submit(8);
    take(8);
    kwe_wait(&rings, 0, 0);
    notify();
    set(&rings.results.shared->head, 2);
    notify();
}

/* While results are on their way. */
static void scribble(void)
{
    submit(SLOTS);
    memset(rings.events.shared, 0xff, ring_bytes(SLOTS));
    memset(rings.results.shared, 0xff, ring_bytes(SLOTS));
    for (int i = 0; i < 1000; i++) {
        set(&rings.results.shared->head, (uint32_t)i * 0x1234567u);
        set(&rings.events.shared->tail, (uint32_t)i * 0x7654321u + 99);
        notify();
    }
}

static void wait_after_lie(void)
{
    submit(4);
    set(&rings.results.shared->head, 0x40000000u);
    kwe_call_kernel_notify(rings.id, KWE_NOTIFY_WAIT, 16, 1000000000u);
    notify();
}

/* Found out by the nucleus on its way from the call in which it falls asleep. */
static void polled_asleep(void)
{
    const struct timespec nap = { 0, 200000000 };
    struct kwe_ring_info info;

    CHECK(kwe_call_ring_create(SLOTS, &info, KWE_RING_POLLED) >= 0, "ring");
    set(&((struct ring *)(uintptr_t)info.event_ring)->tail, SLOTS + 1);
    nanosleep(&nap, NULL);
}

static const struct {
    const char *kind;
    void (*run)(void);
} lies[] = {
    { "tail_far", tail_far },   { "tail_one", tail_one_too_far }, { "tail_back", tail_back },
    { "head_far", head_far },   { "head_back", head_back },       { "scribble", scribble },
    { "wait", wait_after_lie }, { "asleep", polled_asleep },
};

/* ---- its own loss ---- */

/* Garbage in the slots: events that are none, each with its one result. */
static void garbage_slots(void)
{
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < SLOTS; i++) {
            struct kwe_event event;
            memset(&event, (int)(round * 16 + i + 1), sizeof(event));
            CHECK(ring_push(&rings.events, &event) == RING_OK, "push");
        }
        notify();
        for (uint32_t i = 0; i < SLOTS; i++) {
            struct kwe_result result;
            check_result(&rings, &result, 5000000000u);
            CHECK(result.status == KERR_BAD_EVENT && result.stage == KWE_NO_STAGE, "%s",
                  kerr_name((enum kerr)result.status));
        }
    }
}

/* Results given back unread, their buffers with them. */
static void unread(void)
{
    for (uint32_t round = 0; round < 50; round++) {
        submit(SLOTS);
        while (kwe_call_kernel_notify(rings.id, KWE_NOTIFY_WAIT, SLOTS, 5000000000u) <
               (int64_t)SLOTS) {
        }
        ring_take(&rings.results, SLOTS);
    }
}

/* The nucleus's own words of both rings: it does not read them back. */
static void own_words(void)
{
    for (uint32_t round = 0; round < 50; round++) {
        submit(4);
        set(&rings.events.shared->head, 0x77777777u * round);
        set(&rings.results.shared->tail, 0x33333333u * round);
        set(&rings.events.shared->waiting, round);
        int64_t answer = 0;
        while (answer < 4) {
            answer = kwe_call_kernel_notify(rings.id, KWE_NOTIFY_WAIT, 4, 5000000000u);
            CHECK(answer >= 0, "wait: %lld", (long long)answer);
        }
        ring_take(&rings.results, 4);
        set(&rings.events.shared->head, rings.events.tail);
    }
}

/* And then it is gone, with events in flight. */
static void exit_in_flight(void)
{
    submit(SLOTS);
    memset(rings.events.shared, 0xff, ring_bytes(SLOTS));
    memset(rings.results.shared, 0xff, ring_bytes(SLOTS));
}

static const struct {
    const char *kind;
    void (*run)(void);
} losses[] = {
    { "garbage", garbage_slots },
    { "unread", unread },
    { "own_words", own_words },
    { "in_flight", exit_in_flight },
};

int main(int count, char **arguments)
{
    const char *kind = count > 0 ? strstr(arguments[0], "liar_") : NULL;

    CHECK(kind != NULL, "called %s", count > 0 ? arguments[0] : "nothing");
    kind += strlen("liar_");
    struct kwe_builder *builder = kwe_builder_create("digest");
    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_result(builder, stage);
    check_register(builder, &workflow);
    check_rings(&rings, SLOTS);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        if (strcmp(lies[i].kind, kind) == 0) {
            lies[i].run();
            kwe_log("was believed");
            return GIVEN_WAY;
        }
    }
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        if (strcmp(losses[i].kind, kind) == 0) {
            losses[i].run();
            return 0;
        }
    }
    return 1;
}
