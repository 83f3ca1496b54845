/*
 * test_metrics_core.c - counters as text, and no text where there is no room for all of it.
 *
 * uses: kernel/decks/execution/metrics_core.c
 */
#include <assert.h>
#include <string.h>

#include "kernel/abi/errors.h"
#include "kernel/decks/execution/metrics_core.h"

static void record(struct metrics_times *times, uint64_t ns, enum kerr status)
{
    const struct kwe_observation result = { .submitted_ns = 1000,
                                            .finished_ns = 1000 + ns,
                                            .status = (uint16_t)status };
    metrics_record(times, &result);
}

static void test_times_fall_into_their_buckets(void)
{
    static char text[16384];
    struct kwe_statistics statistics = { .now_ns = 1500000000, .cpus = 2 };
    struct metrics_times times = { .total = 0 };

    statistics.deck[4].state = 1;
    statistics.deck[4].events = 7;
    statistics.deck[4].completions = 5;
    record(&times, 100000, KERR_OK);
    record(&times, 100001, KERR_OK);
    record(&times, 5000000000, KERR_TIMED_OUT);
    const size_t length = metrics_print(&statistics, &times, text, sizeof(text));
    assert(length == strlen(text) && strcmp(text + length - 6, "# EOF\n") == 0);
    assert(strstr(text, "kwe_uptime_seconds 1.500\n") != NULL);
    assert(strstr(text, "kwe_event_seconds_bucket{le=\"0.0001\"} 1\n") != NULL);
    assert(strstr(text, "kwe_event_seconds_bucket{le=\"0.0002\"} 2\n") != NULL);
    assert(strstr(text, "kwe_event_seconds_bucket{le=\"1.0\"} 2\n") != NULL);
    assert(strstr(text, "kwe_event_seconds_bucket{le=\"+Inf\"} 3\n") != NULL);
    assert(strstr(text, "kwe_event_seconds_sum 5.000200001\n") != NULL);
    assert(strstr(text, "kwe_events_failed_total 1\n") != NULL);
    assert(strstr(text, "kwe_deck_stages_total{deck=\"4\"} 7\n") != NULL);
    assert(strstr(text, "kwe_deck_waiting{deck=\"4\"} 2\n") != NULL);
    assert(strstr(text, "deck=\"3\"") == NULL);
}

static void test_all_of_it_or_nothing(void)
{
    static char text[16384];
    struct kwe_statistics statistics = { .now_ns = 1 };
    const struct metrics_times times = { .total = 0 };
    const size_t length = metrics_print(&statistics, &times, text, sizeof(text));

    assert(metrics_print(&statistics, &times, text, length) == 0);
    assert(metrics_print(&statistics, &times, text, length + 1) == length);
    for (uint32_t prefix = 0; prefix < KWE_MAX_DECKS_REPORTED; prefix++) { /* the most there is to say */
        memset(&statistics.deck[prefix], 0xff, sizeof(statistics.deck[prefix]));
    }
    assert(metrics_print(&statistics, &times, text, sizeof(text)) != 0);
}

int main(void)
{
    test_times_fall_into_their_buckets();
    test_all_of_it_or_nothing();
    return 0;
}
