/* network_metrics_core.c - see network_metrics_core.h. */
#include "kernel/decks/network/network_metrics_core.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "drivers/virtio_net/virtio_net.h"

#define NS_PER_S 1e9

/* A bound in ns, and as the text says it in seconds. */
static const struct {
    uint64_t ns;
    const char *seconds;
} bounds[METRICS_BOUNDS] = {
    { 100000, "0.0001" },  { 200000, "0.0002" }, { 500000, "0.0005" }, { 1000000, "0.001" },
    { 2000000, "0.002" },  { 5000000, "0.005" }, { 10000000, "0.01" }, { 20000000, "0.02" },
    { 50000000, "0.05" },  { 100000000, "0.1" }, { 200000000, "0.2" }, { 500000000, "0.5" },
    { 1000000000, "1.0" },
};

void network_metrics_record(struct network_metrics *times, uint32_t status, uint64_t ns)
{
    uint32_t index = 0;

    while (index < METRICS_BOUNDS && ns > bounds[index].ns) {
        index++;
    }
    times->count[index]++;
    times->total++;
    times->by_class[status / 100 < METRICS_CLASSES ? status / 100 : 0]++;
    times->sum_ns += ns;
}

/* ---- text ----------------------------------------------------------------------------------------------------------------------- */

struct writer {
    char *text;
    size_t room, length;
    bool is_full;
};

static void say(struct writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct writer *writer, const char *format, ...)
{
    const size_t left = writer->room - writer->length;
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(writer->text + writer->length, left, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= left) {
        writer->is_full = true;
        return;
    }
    writer->length += (size_t)length;
}

static void say_family(struct writer *writer, const char *name, const char *type, const char *help)
{
    say(writer, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

static void say_gauge(struct writer *writer, const char *name, const char *help, uint64_t value)
{
    say_family(writer, name, "gauge", help);
    say(writer, "%s %llu\n", name, (unsigned long long)value);
}

static void say_counter(struct writer *writer, const char *name, const char *help, uint64_t value)
{
    say_family(writer, name, "counter", help);
    say(writer, "%s_total %llu\n", name, (unsigned long long)value);
}

/* ---- decks ---------------------------------------------------------------------------------------------------------------------- */

/* A counter that each deck has: where it stands in the statistics. */
static const struct {
    const char *name, *help;
    size_t offset;
} deck_counters[] = {
    { "kwe_deck_visits", "Entries that handed work over.",
      offsetof(struct kwe_deck_statistics, visits) },
    { "kwe_deck_stages", "Stages handed over.", offsetof(struct kwe_deck_statistics, events) },
    { "kwe_deck_answers", "Stages answered.", offsetof(struct kwe_deck_statistics, completions) },
    { "kwe_deck_interrupt_entries", "Entries for interrupts alone.",
      offsetof(struct kwe_deck_statistics, interrupt_entries) },
    { "kwe_deck_restarts", "Instances that were started again.",
      offsetof(struct kwe_deck_statistics, restarts) },
    { "kwe_deck_copied_cache_bytes", "Bytes copied inside the deck.",
      offsetof(struct kwe_deck_statistics, copied_cache) },
    { "kwe_deck_copied_device_bytes", "Bytes copied to and from a device's window.",
      offsetof(struct kwe_deck_statistics, copied_device) },
};

static uint64_t counter_at(const struct kwe_deck_statistics *deck, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)deck + offset);
}

static void say_decks(struct writer *writer, const struct kwe_statistics *statistics)
{
    const struct kwe_deck_statistics *deck = statistics->deck;

    for (size_t i = 0; i < sizeof(deck_counters) / sizeof(deck_counters[0]); i++) {
        say_family(writer, deck_counters[i].name, "counter", deck_counters[i].help);
        for (uint32_t prefix = 0; prefix < KWE_MAX_DECKS_REPORTED; prefix++) {
            if (deck[prefix].state != 0) {
                say(writer, "%s_total{deck=\"%u\"} %llu\n", deck_counters[i].name, prefix,
                    (unsigned long long)counter_at(&deck[prefix], deck_counters[i].offset));
            }
        }
    }
    say_family(writer, "kwe_deck_waiting", "gauge", "Stages in the deck's hands.");
    for (uint32_t prefix = 0; prefix < KWE_MAX_DECKS_REPORTED; prefix++) {
        if (deck[prefix].state != 0) {
            say(writer, "kwe_deck_waiting{deck=\"%u\"} %llu\n", prefix,
                (unsigned long long)(deck[prefix].events - deck[prefix].completions));
        }
    }
    say_family(writer, "kwe_deck_up", "gauge", "1: it takes work.");
    for (uint32_t prefix = 0; prefix < KWE_MAX_DECKS_REPORTED; prefix++) {
        if (deck[prefix].state != 0) {
            say(writer, "kwe_deck_up{deck=\"%u\"} %u\n", prefix, deck[prefix].state == 1 ? 1u : 0u);
        }
    }
}

/* ---- all of it -------------------------------------------------------------------------------------------------------------------- */

static void say_requests(struct writer *writer, const struct network_metrics *times)
{
    say_family(writer, "kwe_http_requests", "counter", "Requests answered.");
    for (uint32_t i = 1; i < METRICS_CLASSES; i++) {
        say(writer, "kwe_http_requests_total{code=\"%uxx\"} %llu\n", i,
            (unsigned long long)times->by_class[i]);
    }
}

static void say_times(struct writer *writer, const struct network_metrics *times)
{
    uint64_t so_far = 0;

    say_family(writer, "kwe_http_request_seconds", "histogram",
               "From a whole request to its answer.");
    for (uint32_t i = 0; i < METRICS_BOUNDS; i++) {
        so_far += times->count[i];
        say(writer, "kwe_http_request_seconds_bucket{le=\"%s\"} %llu\n", bounds[i].seconds,
            (unsigned long long)so_far);
    }
    say(writer, "kwe_http_request_seconds_bucket{le=\"+Inf\"} %llu\n",
        (unsigned long long)times->total);
    say(writer, "kwe_http_request_seconds_count %llu\n", (unsigned long long)times->total);
    say(writer, "kwe_http_request_seconds_sum %.9f\n", (double)times->sum_ns / NS_PER_S);
}

static void say_held(struct writer *writer, const struct network_held *held)
{
    say_gauge(writer, "kwe_http_connections", "With clients.", held->http_connections);
    say_gauge(writer, "kwe_network_sockets", "That workflows have open.", held->sockets);
    say_gauge(writer, "kwe_network_connections", "Of TCP, closed ones that linger among them.",
              held->connections);
    say_gauge(writer, "kwe_network_segments", "Of bytes on their way.", held->segments);
    say_gauge(writer, "kwe_network_references", "To bytes that are sent from where they lie.",
              held->references);
    say_gauge(writer, "kwe_network_heap_bytes", "Of headers and copied bytes.", held->heap_bytes);
    say_gauge(writer, "kwe_network_buffers", "With frames that came and are not read.",
              held->buffers);
    say_gauge(writer, "kwe_network_frames", "On their way to the card.", held->frames);
    say_counter(writer, "kwe_network_refused", "So often a pool or the heap had no more.",
                held->refused);
}

/* The card's features that have a say in how frames go. */
static const struct {
    const char *name;
    uint64_t bit;
} card_features[] = {
    { "csum", VIRTIO_NET_CSUM },
    { "guest_csum", VIRTIO_NET_GUEST_CSUM },
    { "host_tso4", VIRTIO_NET_HOST_TSO4 },
    { "host_tso6", VIRTIO_NET_HOST_TSO6 },
    { "guest_tso4", VIRTIO_NET_GUEST_TSO4 },
    { "guest_tso6", VIRTIO_NET_GUEST_TSO6 },
    { "mrg_rxbuf", VIRTIO_NET_MRG_RXBUF },
    { "event_idx", VIRTIO_F_EVENT_IDX },
    { "mq", VIRTIO_NET_MQ },
};

static void say_traffic(struct writer *writer, const struct network_traffic *traffic)
{
    say_family(writer, "kwe_card_feature", "gauge", "1: agreed on with the network card.");
    for (size_t i = 0; i < sizeof(card_features) / sizeof(card_features[0]); i++) {
        say(writer, "kwe_card_feature{name=\"%s\"} %u\n", card_features[i].name,
            (traffic->features & card_features[i].bit) != 0 ? 1u : 0u);
    }
    say_gauge(writer, "kwe_card_queue_pairs", "That the card serves.", traffic->queue_pairs);
    say_counter(writer, "kwe_card_packets_sent", "Before they were merged.", traffic->packets_sent);
    say_counter(writer, "kwe_card_frames_sent", "That the card was given.", traffic->frames_sent);
    say_counter(writer, "kwe_card_merged_sent", "Frames made of several packets.",
                traffic->merged_sent);
    say_counter(writer, "kwe_card_frames_received", "That the card has brought.",
                traffic->frames_received);
    say_counter(writer, "kwe_card_merged_received", "Of them, longer than a packet may be.",
                traffic->merged_received);
    say_counter(writer, "kwe_card_frames_dropped", "Of them, for want of room.",
                traffic->frames_dropped);
}

size_t network_metrics_print(const struct kwe_statistics *statistics,
                             const struct network_metrics *times, const struct network_held *held,
                             char *text, size_t room)
{
    struct writer writer = { .text = text, .room = room };

    say_family(&writer, "kwe_uptime_seconds", "gauge", "Since boot.");
    say(&writer, "kwe_uptime_seconds %.3f\n", (double)statistics->now_ns / NS_PER_S);
    say_family(&writer, "kwe_idle_seconds", "counter", "Of all CPUs together.");
    say(&writer, "kwe_idle_seconds_total %.3f\n", (double)statistics->idle_ns / NS_PER_S);
    say_gauge(&writer, "kwe_cpus", "CPUs.", statistics->cpus);
    say_gauge(&writer, "kwe_memory_frames", "Frames of memory.", statistics->frames_total);
    say_gauge(&writer, "kwe_memory_frames_free", "Free ones.", statistics->frames_free);
    say_counter(&writer, "kwe_program_calls", "Calls of all programs.",
                statistics->program_syscalls);
    say_held(&writer, held);
    say_traffic(&writer, &held->traffic);
    say_requests(&writer, times);
    say_decks(&writer, statistics);
    say_times(&writer, times);
    say(&writer, "# EOF\n");
    return writer.is_full ? 0 : writer.length;
}
