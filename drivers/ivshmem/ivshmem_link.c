/*
 * ivshmem_link.c - sessions with the accelerator's worker, see kernel/abi/accel.h.
 *
 * Who writes what: guest_session, guest_peer here; epoch, worker_peer, worker_session, heartbeat_ns there. Our session number is
 * written after everything it stands for (release), and the rings are touched only after the worker's answer was seen (acquire).
 */
#include "drivers/ivshmem/ivshmem_link.h"

static uint32_t read_u32(const uint32_t *word)
{
    /* Acquire: what the worker wrote before this word is visible. Its stores are ordered by x86; it has no fence to name. */
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static struct ring *ring_at(const struct link *link, uint32_t offset)
{
    return (struct ring *)((uint8_t *)link->control + offset);
}

bool link_init(struct link *link, void *memory, uint64_t memory_bytes, uint32_t guest_peer)
{
    struct kwe_accel_control *control = memory;
    uint64_t window_bytes = control->window_bytes;

    *link =
        (struct link){ .control = control, .window_bytes = window_bytes, .guest_peer = guest_peer };
    /* Sessions go on from the last guest's: the worker must see a change. */
    link->session = read_u32(&control->guest_session);
    return control->magic == KWE_ACCEL_MAGIC && control->version == KWE_ACCEL_VERSION &&
           control->slots == KWE_ACCEL_SLOTS && window_bytes > KWE_ACCEL_DATA &&
           window_bytes <= memory_bytes;
}

void link_greet(struct link *link)
{
    link->session++;
    if (link->session == 0) {
        link->session = 1; /* 0 says "none" */
    }
    link->state = LINK_GREETING;
    __atomic_store_n(&link->control->guest_peer, link->guest_peer, __ATOMIC_RELAXED);
    /* Release: the peer number before the session that it belongs to. The worker reads the session first. */
    __atomic_store_n(&link->control->guest_session, link->session, __ATOMIC_RELEASE);
}

uint32_t link_worker_peer(const struct link *link)
{
    return read_u32(&link->control->worker_peer);
}

void link_watch(struct link *link, uint64_t now_ns)
{
    link->heartbeat = __atomic_load_n(&link->control->heartbeat_ns, __ATOMIC_RELAXED);
    link->heartbeat_seen_ns = now_ns;
}

static enum link_news lose(struct link *link)
{
    link->state = LINK_DOWN;
    return LINK_LOST;
}

enum link_news link_poll(struct link *link, uint64_t now_ns)
{
    if (link->state == LINK_GREETING) {
        if (read_u32(&link->control->worker_session) != link->session) {
            return LINK_NO_NEWS;
        }
        /* The worker has emptied both rings. Its epoch is read after its answer: a later epoch would have taken the answer back. */
        link->epoch = read_u32(&link->control->epoch);
        ring_producer_init(&link->requests, ring_at(link, KWE_ACCEL_REQUESTS), KWE_ACCEL_SLOTS, 0);
        ring_consumer_init(&link->responses, ring_at(link, KWE_ACCEL_RESPONSES), KWE_ACCEL_SLOTS,
                           0);
        link_watch(link, now_ns);
        link->state = LINK_UP;
        return LINK_CAME_UP;
    }
    if (link->state != LINK_UP) {
        return LINK_NO_NEWS;
    }
    uint32_t count;
    if (read_u32(&link->control->epoch) != link->epoch ||
        read_u32(&link->control->worker_session) != link->session ||
        ring_used(&link->responses, &count) != RING_OK ||
        ring_room(&link->requests, &count) != RING_OK) {
        return lose(link);
    }
    uint64_t heartbeat = __atomic_load_n(&link->control->heartbeat_ns, __ATOMIC_RELAXED);
    if (heartbeat != link->heartbeat) {
        link->heartbeat = heartbeat;
        link->heartbeat_seen_ns = now_ns;
    } else if (now_ns - link->heartbeat_seen_ns > LINK_HEART_STOPPED_NS) {
        return lose(link);
    }
    return LINK_NO_NEWS;
}

bool link_post(struct link *link, const struct kwe_accel_request *request)
{
    return link->state == LINK_UP && ring_push(&link->requests, request) == RING_OK;
}

bool link_take(struct link *link, struct kwe_accel_response *response)
{
    return link->state == LINK_UP && ring_pop(&link->responses, response) == RING_OK;
}
