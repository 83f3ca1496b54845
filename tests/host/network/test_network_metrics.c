/*
 * test_network_metrics.c - counters as text, and no text where there is no room for all of it.
 *
 * uses: kernel/decks/network/network_metrics_core.c
 */
#include <assert.h>
#include <string.h>

#include "drivers/virtio_net/virtio_net.h"
#include "kernel/decks/network/network_metrics_core.h"

static void test_times_fall_into_their_buckets(void)
{
    static char text[16384];
    struct kwe_statistics statistics = { .now_ns = 1500000000, .cpus = 2 };
    struct network_metrics times = { .total = 0 };
    const struct network_held held = { .sockets = 3,
                                       .heap_bytes = 4096,
                                       .refused = 7,
                                       .traffic = { .features = VIRTIO_NET_CSUM | VIRTIO_NET_MQ,
                                                    .queue_pairs = 2,
                                                    .packets_sent = 45,
                                                    .frames_sent = 3,
                                                    .merged_sent = 1 } };

    statistics.deck[4].state = 1;
    statistics.deck[4].events = 7;
    statistics.deck[4].completions = 5;
    network_metrics_record(&times, 200, 100000);
    network_metrics_record(&times, 206, 100001);
    network_metrics_record(&times, 504, 5000000000);
    const size_t length = network_metrics_print(&statistics, &times, &held, text, sizeof(text));
    assert(length == strlen(text) && strcmp(text + length - 6, "# EOF\n") == 0);
    assert(strstr(text, "kwe_uptime_seconds 1.500\n") != NULL);
    assert(strstr(text, "kwe_http_request_seconds_bucket{le=\"0.0001\"} 1\n") != NULL);
    assert(strstr(text, "kwe_http_request_seconds_bucket{le=\"0.0002\"} 2\n") != NULL);
    assert(strstr(text, "kwe_http_request_seconds_bucket{le=\"1.0\"} 2\n") != NULL);
    assert(strstr(text, "kwe_http_request_seconds_bucket{le=\"+Inf\"} 3\n") != NULL);
    assert(strstr(text, "kwe_http_request_seconds_sum 5.000200001\n") != NULL);
    assert(strstr(text, "kwe_http_requests_total{code=\"5xx\"} 1\n") != NULL);
    assert(strstr(text, "kwe_deck_stages_total{deck=\"4\"} 7\n") != NULL);
    assert(strstr(text, "kwe_deck_waiting{deck=\"4\"} 2\n") != NULL);
    assert(strstr(text, "kwe_network_sockets 3\n") != NULL);
    assert(strstr(text, "kwe_network_heap_bytes 4096\n") != NULL);
    assert(strstr(text, "kwe_network_refused_total 7\n") != NULL);
    assert(strstr(text, "kwe_card_feature{name=\"csum\"} 1\n") != NULL);
    assert(strstr(text, "kwe_card_feature{name=\"host_tso4\"} 0\n") != NULL);
    assert(strstr(text, "kwe_card_feature{name=\"mq\"} 1\n") != NULL);
    assert(strstr(text, "kwe_card_queue_pairs 2\n") != NULL);
    assert(strstr(text, "kwe_card_packets_sent_total 45\n") != NULL);
    assert(strstr(text, "kwe_card_frames_sent_total 3\n") != NULL);
    assert(strstr(text, "kwe_card_merged_sent_total 1\n") != NULL);
    assert(strstr(text, "deck=\"3\"") == NULL);
}

static void test_all_of_it_or_nothing(void)
{
    static char text[16384];
    struct kwe_statistics statistics = { .now_ns = 1 };
    const struct network_metrics times = { .total = 0 };
    const struct network_held held = { .refused = UINT64_MAX };
    const size_t length = network_metrics_print(&statistics, &times, &held, text, sizeof(text));

    assert(network_metrics_print(&statistics, &times, &held, text, length) == 0);
    assert(network_metrics_print(&statistics, &times, &held, text, length + 1) == length);
    for (uint32_t prefix = 0; prefix < KWE_MAX_DECKS_REPORTED;
         prefix++) { /* the most there is to say */
        memset(&statistics.deck[prefix], 0xff, sizeof(statistics.deck[prefix]));
    }
    assert(network_metrics_print(&statistics, &times, &held, text, sizeof(text)) != 0);
}

int main(void)
{
    test_times_fall_into_their_buckets();
    test_all_of_it_or_nothing();
    return 0;
}
