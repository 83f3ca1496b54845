/*
 * virtqueue_core.c - a split virtqueue (virtio 1.2, 2.7), the driver's side.
 *
 * Barriers: the driver's available.index (release) pairs with the device's read of it, the device's used.index with the acquire in
 * used_index(). Before sleeping or not notifying, each side writes its word, fences, then reads the other's: virtqueue_publish() and
 * virtqueue_arm() are the driver's halves.
 */
#include "drivers/virtio/virtqueue.h"

static size_t available_bytes(uint16_t size)
{
    return sizeof(struct virtqueue_available) + ((size_t)size + 1) * sizeof(uint16_t);
}

static size_t used_offset(uint16_t size)
{
    const size_t end = size * sizeof(struct virtqueue_descriptor) + available_bytes(size);
    return (end + 63) & ~(size_t)63; /* the device's words on cache lines of their own */
}

size_t virtqueue_bytes(uint16_t size)
{
    return used_offset(size) + sizeof(struct virtqueue_used) +
           size * sizeof(struct virtqueue_used_element) + sizeof(uint16_t);
}

static uint16_t *used_event(struct virtqueue *queue)
{
    return &queue->available->ring[queue->size];
}

static uint16_t available_event(const struct virtqueue *queue)
{
    return __atomic_load_n((uint16_t *)&queue->used->ring[queue->size], __ATOMIC_RELAXED);
}

static uint16_t used_index(const struct virtqueue *queue)
{
    /* Acquire: the ring's elements, and what the device wrote into the buffers, before the index. */
    return __atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE);
}

void virtqueue_init(struct virtqueue *queue, uint16_t size, void *memory,
                    struct virtqueue_private *private, bool event_index)
{
    uint8_t *bytes = memory;
    *queue = (struct virtqueue){
        .descriptor = memory,
        .available =
            (struct virtqueue_available *)(bytes + size * sizeof(struct virtqueue_descriptor)),
        .used = (struct virtqueue_used *)(bytes + used_offset(size)),
        .private = private,
        .size = size,
        .free_count = size,
        .event_index = event_index,
    };
    for (uint16_t i = 0; i < size; i++) {
        private[i] = (struct virtqueue_private){ .next = (uint16_t)(i + 1) };
    }
}

enum virtqueue_status virtqueue_add(struct virtqueue *queue, const struct virtqueue_part *part,
                                    uint16_t count, void *cookie)
{
    if (queue->broken) {
        return VIRTQUEUE_BROKEN;
    }
    if (count == 0 || count > queue->free_count) {
        return VIRTQUEUE_FULL;
    }
    const uint16_t head = queue->free_first;
    uint16_t index = head;
    uint32_t writable = 0;
    for (uint16_t i = 0; i < count; i++) {
        const uint16_t next = queue->private[index].next;
        const bool more = i + 1 < count;
        queue->descriptor[index] = (struct virtqueue_descriptor){
            .address = (uint64_t)(uintptr_t)part[i].address,
            .length = part[i].length,
            .flags = (uint16_t)((part[i].device_writes ? VIRTQUEUE_DEVICE_WRITES : 0) |
                                (more ? VIRTQUEUE_NEXT : 0)),
            .next = more ? next : 0,
        };
        writable += part[i].device_writes ? part[i].length : 0;
        queue->free_first = next;
        index = next;
    }
    queue->free_count = (uint16_t)(queue->free_count - count);
    queue->private[head].cookie = cookie;
    queue->private[head].writable = writable;
    queue->private[head].count = count;
    queue->available->ring[queue->available_index & (queue->size - 1)] = head;
    queue->available_index++;
    return VIRTQUEUE_OK;
}

bool virtqueue_publish(struct virtqueue *queue)
{
    const uint16_t before = queue->published_index;
    const uint16_t now = queue->available_index;
    if (before == now) {
        return false;
    }
    /* Release: descriptors and ring before the index. */
    __atomic_store_n(&queue->available->index, now, __ATOMIC_RELEASE);
    queue->published_index = now;
    /* Index before the look at what the device wants: it looks the other way round. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (queue->event_index) {
        /* Notify when the event lies in [before, now), in 16-bit arithmetic (2.7.7.1). */
        const uint16_t event = available_event(queue);
        return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
    }
    return (__atomic_load_n(&queue->used->flags, __ATOMIC_RELAXED) & VIRTQUEUE_USED_NO_NOTIFY) == 0;
}

/* Put a chain's descriptors back on the free list. */
static void free_chain(struct virtqueue *queue, uint16_t head)
{
    const uint16_t count = queue->private[head].count;
    uint16_t last = head;
    for (uint16_t i = 1; i < count; i++) {
        last = queue->private[last].next;
    }
    queue->private[last].next = queue->free_first;
    queue->free_first = head;
    queue->free_count = (uint16_t)(queue->free_count + count);
    queue->private[head].count = 0;
    queue->private[head].cookie = NULL;
}

enum virtqueue_status virtqueue_take(struct virtqueue *queue, void **cookie, uint32_t *written)
{
    if (queue->broken) {
        return VIRTQUEUE_BROKEN;
    }
    const uint16_t ready = (uint16_t)(used_index(queue) - queue->used_index);
    if (ready == 0) {
        return VIRTQUEUE_EMPTY;
    }
    const uint16_t handed_over = (uint16_t)(queue->published_index - queue->used_index);
    const struct virtqueue_used_element *slot =
        &queue->used->ring[queue->used_index & (queue->size - 1)];
    const uint32_t head = __atomic_load_n(&slot->head, __ATOMIC_RELAXED);
    const uint32_t length = __atomic_load_n(&slot->written, __ATOMIC_RELAXED);
    if (ready > handed_over || head >= queue->size || queue->private[head].count == 0 ||
        length > queue->private[head].writable) {
        queue->broken = true;
        return VIRTQUEUE_BROKEN;
    }
    *cookie = queue->private[head].cookie;
    *written = length;
    queue->used_index++;
    free_chain(queue, (uint16_t)head);
    return VIRTQUEUE_OK;
}

bool virtqueue_arm(struct virtqueue *queue)
{
    __atomic_store_n(used_event(queue), queue->used_index, __ATOMIC_RELAXED);
    /* The wish before the last look: the device gives back first, then looks at the wish. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return used_index(queue) != queue->used_index;
}
