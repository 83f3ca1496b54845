/*
 * check.h - what the test programs share: a check that ends the program by name, and what most of them do with rings and workflows.
 *
 * A program is told what to do by the fw_cfg file opt/kwe/NAME that its test gives; it ends with 0 when all was as it should be.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/program/kwe.h"

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            kwe_log("check failed, %s:%d: %s", __FILE__, __LINE__, #condition);                    \
            kwe_log(__VA_ARGS__);                                                                  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* The text of a boot file, cut at room - 1 bytes; "" when there is none. */
static inline const char *check_option(const char *name, char *text, size_t room)
{
    int64_t bytes = kwe_call_boot_file(name, 0, text, room - 1);
    text[bytes > 0 ? bytes : 0] = '\0';
    return text;
}

static inline void check_register(struct kwe_builder *builder, struct kwe_workflow_info *info)
{
    int answer = kwe_register(builder, info);
    CHECK(answer >= 0, "%s", kwe_builder_error(builder));
    kwe_builder_destroy(builder);
}

static inline void check_rings(struct kwe_rings *rings, uint32_t slots)
{
    int answer = kwe_rings_create(rings, slots);
    CHECK(answer >= 0, "%s", kerr_sentence((enum kerr) - answer));
}

/* The next result, waited for at most `timeout_ns`. */
static inline void check_result(struct kwe_rings *rings, struct kwe_result *result,
                                uint64_t timeout_ns)
{
    uint64_t until_ns = kwe_now_ns() + timeout_ns;
    while (!kwe_result_next(rings, result)) {
        int answer = kwe_wait(rings, 1, timeout_ns);
        CHECK(answer > 0 || kwe_now_ns() < until_ns, "no result: wait answered %d", answer);
        CHECK(answer >= 0, "wait: %s", kerr_sentence((enum kerr) - answer));
    }
}

/* One event, and its result. */
static inline void check_run(struct kwe_rings *rings, const struct kwe_event *event,
                             struct kwe_result *result)
{
    int answer = kwe_submit(rings, event, 1);
    CHECK(answer == 1, "submitted %d", answer);
    check_result(rings, result, 20000000000u);
    CHECK(result->cookie == event->cookie, "result of %llu, not of %llu",
          (unsigned long long)result->cookie, (unsigned long long)event->cookie);
}

static inline void check_statistics(struct kwe_statistics *statistics)
{
    int answer = kwe_statistics(statistics);
    CHECK(answer >= 0, "statistics: %d", answer);
}

/* Sleep: a wait for results that do not come. */
static inline void check_sleep(struct kwe_rings *rings, uint64_t ns)
{
    int answer = kwe_wait(rings, 1, ns);
    CHECK(answer == 0, "asleep, and %d results came", answer);
}

/* Free and quarantined frames, once nothing is in quarantine any more. */
static inline uint64_t check_free_frames(struct kwe_rings *rings)
{
    struct kwe_statistics statistics;
    for (int i = 0; i < 200; i++) {
        check_statistics(&statistics);
        if (statistics.frames_quarantined == 0) {
            return statistics.frames_free;
        }
        check_sleep(rings, 5000000);
    }
    CHECK(false, "%llu frames stay in quarantine",
          (unsigned long long)statistics.frames_quarantined);
    return 0;
}
