/* history.c - what Execution remembers: every result, good or bad, in its history and counters. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_execution.h"
#include "userland/libkwe/kwe_operations.h"

#define EVENTS 200u
#define BAD    3u
#define COOKIE 770000u

struct questions {
    struct kwe_workflow_info history, counters, failed;
};

static void register_questions(struct questions *questions)
{
    struct execution_history_params params = execution_history_defaults();
    struct kwe_builder *builder = kwe_builder_create("history");

    params.count = 4096;
    kwe_result(builder, kwe_execution_history(builder, "history", &params));
    kwe_slots(builder, 1);
    check_register(builder, &questions->history);
    builder = kwe_builder_create("counters");
    kwe_result(builder, kwe_execution_counters(builder, "counters"));
    check_register(builder, &questions->counters);
}

static void ask(struct kwe_rings *rings, const struct kwe_workflow_info *info,
                struct kwe_result *result)
{
    struct kwe_event event = { .cookie = 1, .workflow = info->workflow };
    check_run(rings, &event, result);
    CHECK(result->status == KERR_OK, "%s", kerr_name((enum kerr)result->status));
}

/* Looks at the lines; returns how many of ours there are. */
static uint32_t read_lines(const char *text, size_t length, const struct kwe_workflow_info *good,
                           uint8_t *seen)
{
    uint32_t ours = 0;
    const char *end = text + length;

    while (text < end) {
        const char *next = memchr(text, '\n', (size_t)(end - text));
        CHECK(next != NULL, "a line without an end");
        uint64_t cookie, submitted_ns, finished_ns;
        uint32_t workflow, deck;
        char line[160] = "", status[32], stage[8];
        memcpy(line, text,
               (size_t)(next - text) < sizeof(line) ? (size_t)(next - text) : sizeof(line) - 1);
        int fields =
            sscanf(line, "%" SCNu64 " %" SCNu32 " %31s %7s %" SCNu32 " %" SCNu64 " %" SCNu64,
                   &cookie, &workflow, status, stage, &deck, &submitted_ns, &finished_ns);
        CHECK(fields == 7, "%d fields: %s", fields, line);
        if (cookie >= COOKIE && cookie < COOKIE + EVENTS) {
            bool bad = cookie < COOKIE + BAD;
            CHECK(strcmp(status, bad ? "NOT_A_JPEG" : "OK") == 0, "%s", line);
            CHECK(bad ? deck == OPERATIONS_PREFIX && strcmp(stage, "0") == 0
                      : deck == 0 && strcmp(stage, "-") == 0,
                  "%s", line);
            CHECK(bad || workflow == good->workflow, "%s", line);
            CHECK(submitted_ns > 0 && finished_ns >= submitted_ns, "%s", line);
            seen[cookie - COOKIE]++;
            ours++;
        }
        text = next + 1;
    }
    return ours;
}

int main(void)
{
    struct kwe_workflow_info good, bad;
    struct questions questions;
    struct kwe_rings rings;
    struct kwe_result result;
    uint8_t seen[EVENTS] = { 0 };

    struct kwe_builder *builder = kwe_builder_create("good");
    kwe_stage(builder, "nop", OPERATIONS_PREFIX, OPERATIONS_OP_NOP, NULL, 0);
    check_register(builder, &good);
    builder = kwe_builder_create("bad");
    kwe_stage_t decode = kwe_operations_jpeg_decode(builder, "decode", KWE_STAGE_NONE);
    kwe_input_event(builder, decode, 0);
    kwe_out_limit(builder, decode, 4096);
    check_register(builder, &bad);
    register_questions(&questions);
    check_rings(&rings, 8);
    for (uint64_t i = 0; i < EVENTS; i++) {
        struct kwe_event event = { .cookie = COOKIE + i,
                                   .workflow = i < BAD ? bad.workflow : good.workflow,
                                   .input_length = i < BAD ? 100 : 0 };
        check_run(&rings, &event, &result);
        CHECK(result.status == (i < BAD ? KERR_NOT_A_JPEG : KERR_OK), "%s",
              kerr_name((enum kerr)result.status));
    }
    /* It takes what it is told in vectors: some questions later all has arrived. */
    uint32_t ours = 0;
    for (int i = 0; i < 10 && ours < EVENTS; i++) {
        memset(seen, 0, sizeof(seen));
        ask(&rings, &questions.history, &result);
        ours =
            read_lines(kwe_result_bytes(&questions.history, &result), result.length, &good, seen);
    }
    for (uint32_t i = 0; i < EVENTS; i++) {
        CHECK(seen[i] == 1, "event %u is in the history %u times", i, seen[i]);
    }
    ask(&rings, &questions.counters, &result);
    CHECK(result.value >= EVENTS, "%llu results seen", (unsigned long long)result.value);
    struct kwe_statistics statistics;
    check_statistics(&statistics);
    CHECK(statistics.observe_dropped == 0, "%llu dropped",
          (unsigned long long)statistics.observe_dropped);
    return 0;
}
