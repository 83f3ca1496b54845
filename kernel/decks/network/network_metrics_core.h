/* network_metrics_core.h - what the system has counted, as OpenMetrics text (1.0), and how long requests took. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/statistics.h"

#define METRICS_BOUNDS 13u

#define METRICS_CLASSES 6u

/* Requests, and times from a whole request to its answer. Zero-initialised is empty. */
struct network_metrics {
    uint64_t count[METRICS_BOUNDS +
                   1]; /* at most the bound of that index; the last: more than all of them */
    uint64_t total;
    uint64_t sum_ns;
    uint64_t by_class[METRICS_CLASSES]; /* of the status: 2 for 200 to 299 */
};

/* What the card can do, and what has passed it so far. */
struct network_traffic {
    uint64_t features; /* agreed on with the card: drivers/virtio_net/virtio_net.h has the bits */
    uint32_t queue_pairs;  /* that it serves */
    uint64_t packets_sent; /* lwIP's; those that follow each other go out as one frame */
    uint64_t frames_sent, merged_sent;         /* all, and those made of several packets */
    uint64_t frames_received, merged_received; /* all, and those longer than a packet may be */
    uint64_t frames_dropped; /* of those that came in: no memory, or longer than lwIP can count */
};

/* What the deck holds now. When nobody is connected it is as before, once closed connections have had their time. */
struct network_held {
    uint32_t http_connections; /* with clients */
    uint32_t sockets;          /* that workflows have open */
    uint32_t connections; /* lwIP's, those that are closed and have their time still among them */
    uint32_t segments;    /* of bytes on their way */
    uint32_t references;  /* to bytes that are sent from where they lie */
    uint32_t heap_bytes;  /* of headers and bytes that were copied */
    uint32_t buffers;     /* of the card's, with frames that came in and are not read */
    uint32_t frames;      /* that go out, with the card or behind its queue */
    uint64_t refused;     /* so often a pool or the heap had no more */
    struct network_traffic traffic;
};

void network_metrics_record(struct network_metrics *times, uint32_t status, uint64_t ns);
/* Returns the length; 0: the room is too small. */
size_t network_metrics_print(const struct kwe_statistics *statistics,
                             const struct network_metrics *times, const struct network_held *held,
                             char *text, size_t room);
