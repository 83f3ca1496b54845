/*
 * deck_suspects.c - which events end with a deck that dies: those in its hands and those whose live output lies in its segment, no others.
 *
 * The witness deck holds events that came through the faulty deck; then that one dies with some more in its hands.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_faulty.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_witness.h"

#define DATA_BYTES 64u
#define IN_HANDS   5u

enum kind {
    LIVE,      /* echo -> witness reads it: its output is live while it is held */
    NOTHING,   /* touch, without an output -> witness */
    SPENT,     /* echo -> sha256 -> witness holds it without reading the echo */
    ELSEWHERE, /* sha256 -> witness reads the digest */
    HELD,      /* in the hands of the one that dies */
    TWO_HELD,  /* with two stages in its hands */
    KINDS,
};

static struct kwe_workflow_info workflow[KINDS];

static struct kwe_builder *begin(const char *name)
{
    return kwe_builder_create(name);
}

static kwe_stage_t echo(struct kwe_builder *builder)
{
    kwe_stage_t stage = kwe_faulty_echo(builder, "echo", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    return stage;
}

static void end(struct kwe_builder *builder, enum kind kind)
{
    check_register(builder, &workflow[kind]);
    memset(kwe_program_memory(&workflow[kind]), 'x', DATA_BYTES);
}

static void register_all(void)
{
    struct kwe_builder *builder = begin("live");
    kwe_witness_hold_data(builder, "hold", echo(builder));
    end(builder, LIVE);

    builder = begin("nothing");
    kwe_stage_t first = kwe_faulty_touch(builder, "touch");
    kwe_after(builder, kwe_witness_hold(builder, "hold"), first);
    end(builder, NOTHING);

    builder = begin("spent");
    first = kwe_operations_sha256(builder, "digest", echo(builder));
    kwe_after(builder, kwe_witness_hold(builder, "hold"), first);
    kwe_result(builder, first);
    end(builder, SPENT);

    builder = begin("elsewhere");
    first = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, first, 0);
    kwe_witness_hold_data(builder, "hold", first);
    end(builder, ELSEWHERE);

    builder = begin("held");
    kwe_faulty_hold(builder, "hold");
    end(builder, HELD);

    builder = begin("two_held");
    kwe_faulty_hold(builder, "left");
    kwe_faulty_hold(builder, "right");
    end(builder, TWO_HELD);
}

/* Ask one of the test decks for its count. */
static uint64_t ask(struct kwe_rings *rings, const struct kwe_workflow_info *question)
{
    struct kwe_event event = { .cookie = 99, .workflow = question->workflow };
    struct kwe_result result;

    check_run(rings, &event, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_sentence((enum kerr)result.status));
    return result.value;
}

static void register_question(struct kwe_workflow_info *info, uint8_t deck, uint16_t op)
{
    struct kwe_builder *builder = kwe_builder_create("question");
    kwe_result(builder, kwe_stage(builder, "question", deck, op, NULL, 0));
    check_register(builder, info);
}

static void wait_until(struct kwe_rings *rings, const struct kwe_workflow_info *question,
                       uint64_t count)
{
    uint64_t until_ns = kwe_now_ns() + 10000000000u;
    while (ask(rings, question) != count) {
        CHECK(kwe_now_ns() < until_ns, "never %llu held", (unsigned long long)count);
    }
}

int main(void)
{
    struct kwe_rings work, questions;
    struct kwe_workflow_info witness_held, faulty_held, release, crash;
    struct kwe_result result;

    check_rings(&work, 64);
    check_rings(&questions, 8);
    register_all();
    register_question(&witness_held, WITNESS_PREFIX, WITNESS_OP_HELD);
    register_question(&release, WITNESS_PREFIX, WITNESS_OP_RELEASE);
    register_question(&faulty_held, FAULTY_PREFIX, FAULTY_OP_HELD);
    struct kwe_builder *builder = kwe_builder_create("crash");
    kwe_faulty_crash(builder, "crash", &(struct faulty_crash_params){ .how = 0 });
    check_register(builder, &crash);

    /* Cookies are kinds. HELD takes all of the faulty deck's hands but three: two for TWO_HELD, one for the questions. */
    for (uint64_t kind = 0; kind < KINDS; kind++) {
        uint32_t count = kind == HELD ? IN_HANDS : 1;
        for (uint32_t i = 0; i < count; i++) {
            bool no_input = kind == NOTHING || kind == HELD || kind == TWO_HELD;
            struct kwe_event event = { .cookie = kind,
                                       .workflow = workflow[kind].workflow,
                                       .input_length = no_input ? 0 : DATA_BYTES };
            CHECK(kwe_submit(&work, &event, 1) == 1, "kind %llu", (unsigned long long)kind);
        }
    }
    wait_until(&questions, &witness_held, 4);
    wait_until(&questions, &faulty_held, IN_HANDS + 2);
    CHECK(!kwe_result_next(&work, &result), "event %llu ended before its time",
          (unsigned long long)result.cookie);

    struct kwe_event event = { .cookie = 50, .workflow = crash.workflow };
    check_run(&questions, &event, &result);
    CHECK(result.status == KERR_DECK_FAULT, "%s", kerr_name((enum kerr)result.status));

    /* Those in its hands end at once; LIVE when the witness lets go of it. */
    for (uint32_t i = 0; i < IN_HANDS + 1; i++) {
        check_result(&work, &result, 5000000000u);
        CHECK(result.cookie == HELD || result.cookie == TWO_HELD, "event %llu ended",
              (unsigned long long)result.cookie);
        CHECK(result.status == KERR_DECK_FAULT && result.deck == FAULTY_PREFIX, "%s",
              kerr_name((enum kerr)result.status));
    }
    check_sleep(&work, 20000000);
    wait_until(&questions, &faulty_held, 0); /* it is back, and has forgotten all */
    wait_until(&questions, &witness_held, 4);
    CHECK(ask(&questions, &release) == 4, "four were held");
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 4; i++) {
        check_result(&work, &result, 5000000000u);
        seen |= 1u << result.cookie;
        if (result.cookie == LIVE) {
            CHECK(result.status == KERR_DECK_FAULT && result.deck == FAULTY_PREFIX &&
                      result.stage == 0,
                  "%s, stage %u", kerr_name((enum kerr)result.status), result.stage);
        } else {
            CHECK(result.status == KERR_OK, "event %llu: %s", (unsigned long long)result.cookie,
                  kerr_name((enum kerr)result.status));
        }
    }
    CHECK(seen == 0xf, "results 0x%x", seen);
    check_sleep(&work, 20000000);
    return 0;
}
