/*
 * ivshmem_link.h - the deck's end of the accelerator's protocol (kernel/abi/accel.h): sessions, the two rings, is the worker alive?
 *
 * Pure logic on shared memory: no registers, no clock of its own, no memory to allocate. Single-threaded.
 *
 *            link_greet()                 worker answers                  epoch changes, heart stops,
 *   DOWN ------------------> GREETING ---------------------> UP --------- worker breaks a ring -----> DOWN
 *                               ^                                                                     |
 *                               +----------------------------- link_greet() --------------------------+
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/accel.h"
#include "kernel/lib/ring.h"

/* A worker whose heartbeat stays the same for so long is gone. Many beats, since hosts are busy. */
#define LINK_HEART_STOPPED_NS 1500000000ull

enum link_state {
    LINK_DOWN,
    LINK_GREETING,
    LINK_UP,
};

enum link_news {
    LINK_NO_NEWS,
    LINK_CAME_UP, /* requests can be posted */
    LINK_LOST, /* nothing that was in flight will be answered; its memory stays the worker's until the link is up again */
};

struct link {
    struct kwe_accel_control *control;
    struct ring_producer requests;
    struct ring_consumer responses;
    uint64_t window_bytes;
    enum link_state state;
    uint32_t session;
    uint32_t guest_peer;
    uint32_t epoch;             /* of the worker that answered */
    uint64_t heartbeat;         /* as last seen, ... */
    uint64_t heartbeat_seen_ns; /* ... and when it last changed, or was last asked for */
};

/* False: the shared memory does not hold this protocol. `guest_peer`: the device's own number, which the worker rings. */
bool link_init(struct link *link, void *memory, uint64_t memory_bytes, uint32_t guest_peer);

/* Ask for a new session; ring the doorbell afterwards. Only while nothing is in flight as far as the caller is concerned. */
void link_greet(struct link *link);

/* Whom the doorbell names now. */
uint32_t link_worker_peer(const struct link *link);

/* Look at what the worker says. On an interrupt, and now and then while something is in flight. */
enum link_news link_poll(struct link *link, uint64_t now_ns);

/* The clock was not watched for a while (nothing was in flight): the heart's time counts from now on. */
void link_watch(struct link *link, uint64_t now_ns);

/* Publish one request; ring the doorbell afterwards. False: the ring is full, or the link is not up. */
bool link_post(struct link *link, const struct kwe_accel_request *request);

/* Take one response. False: none is there. A worker that breaks the ring takes the link down: link_poll() says LINK_LOST then. */
bool link_take(struct link *link, struct kwe_accel_response *response);
