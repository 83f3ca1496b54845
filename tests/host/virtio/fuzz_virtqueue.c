/*
 * Any device behind a virtqueue, under ASan and UBSan: one that keeps to the rules, in any order, and one that writes what it likes into all that
 * it shares with the driver. An input is the queue's size and a row of records: chains added, published, used, taken; bytes of the device's.
 *
 * From a device that keeps to the rules each chain comes back once, as it was described, with what was written. Whatever one does that does not:
 * the driver reads and writes nothing else than the queue, hands out only chains that it has, each once, no more than it has published, and never
 * more bytes than one has room for; and once it has seen that the device is broken, it stays so.
 */
// uses: drivers/virtio/virtqueue_core.c
#include <stdlib.h>
#include <string.h>

#include "drivers/virtio/virtqueue.h"

#define MOST_SIZE  64u
#define MOST_PARTS 8u

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What the driver's user knows of a chain; its address is the chain's cookie. */
struct chain {
    bool is_there;
    bool is_used;     /* by the device, in order */
    uint32_t written; /* ... so many bytes */
    uint16_t count;
    struct virtqueue_part part[MOST_PARTS];
};

static struct {
    struct virtqueue queue;
    struct virtqueue_private private[MOST_SIZE];
    uint8_t *memory;
    struct chain chain[MOST_SIZE];
    uint32_t free;                    /* descriptors */
    uint32_t added, published, taken; /* chains */
    uint16_t seen;                    /* available chains that the device has used */
    bool is_hostile, was_broken;
} bench;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t take(const uint8_t **data, size_t *size)
{
    if (*size == 0) {
        return 0;
    }
    (*size)--;
    return *(*data)++;
}

static void begin(uint8_t how)
{
    const uint16_t size = (uint16_t)(1u << how % 7);

    memset(&bench, 0, sizeof(bench));
    bench.memory = calloc(1, virtqueue_bytes(size));
    bench.free = size;
    virtqueue_init(&bench.queue, size, bench.memory, bench.private, how >= 128);
}

/* ---- the driver's user ---------------------------------------------------------------------------------------------------------- */

static void add(uint8_t how, uint8_t bytes)
{
    static uint8_t memory[256];
    struct chain *chain = bench.chain;
    const uint16_t count = (uint16_t)(how % (MOST_PARTS + 1));

    while (chain->is_there) {
        chain++;
        if (chain == bench.chain + MOST_SIZE) {
            return;
        }
    }
    *chain = (struct chain){ .count = count };
    for (uint16_t i = 0; i < count; i++) {
        chain->part[i] = (struct virtqueue_part){ memory + i, bytes + i, i >= how >> 4 };
    }
    const bool fits = count != 0 && count <= bench.free;
    const enum virtqueue_status status = virtqueue_add(&bench.queue, chain->part, count, chain);
    CHECK(status == (bench.was_broken ? VIRTQUEUE_BROKEN : fits ? VIRTQUEUE_OK : VIRTQUEUE_FULL));
    if (status == VIRTQUEUE_OK) {
        chain->is_there = true;
        bench.free -= count;
        bench.added++;
    }
}

static void take_back(void)
{
    void *cookie = NULL;
    uint32_t written = 0, room = 0;
    const enum virtqueue_status status = virtqueue_take(&bench.queue, &cookie, &written);

    CHECK(!bench.was_broken || status == VIRTQUEUE_BROKEN);
    if (status != VIRTQUEUE_OK) {
        CHECK(status == VIRTQUEUE_EMPTY || bench.is_hostile);
        bench.was_broken = status == VIRTQUEUE_BROKEN;
        return;
    }
    struct chain *chain = cookie;
    CHECK(chain >= bench.chain && chain < bench.chain + MOST_SIZE && chain->is_there);
    for (uint16_t i = 0; i < chain->count; i++) {
        room += chain->part[i].device_writes ? chain->part[i].length : 0;
    }
    CHECK(written <= room);
    CHECK(bench.is_hostile || (chain->is_used && written == chain->written));
    chain->is_there = false;
    bench.free += chain->count;
    bench.taken++;
    CHECK(bench.taken <= bench.published);
}

/* ---- the device ----------------------------------------------------------------------------------------------------------------- */

/* The chain that begins with this descriptor, as the user has described it. */
static struct chain *find_chain(uint16_t head)
{
    const struct virtqueue_descriptor *first = &bench.queue.descriptor[head];
    struct chain *chain = bench.private[head].cookie;

    CHECK(chain != NULL && chain->is_there && !chain->is_used);
    for (uint16_t i = 0; i < chain->count; i++) {
        const struct virtqueue_part *part = &chain->part[i];
        CHECK(first->address == (uint64_t)(uintptr_t)part->address);
        CHECK(first->length == part->length);
        CHECK(((first->flags & VIRTQUEUE_DEVICE_WRITES) != 0) == part->device_writes);
        CHECK(((first->flags & VIRTQUEUE_NEXT) != 0) == (i + 1 < chain->count));
        CHECK(first->next < bench.queue.size);
        first = &bench.queue.descriptor[first->next];
    }
    return chain;
}

/* Use a chain that was published: the next one, or one behind it. */
static void use(uint8_t which, uint8_t bytes)
{
    struct virtqueue *queue = &bench.queue;
    const uint16_t left = (uint16_t)(queue->available->index - bench.seen);
    uint32_t room = 0;

    if (left == 0 || bench.is_hostile) {
        return;
    }
    uint16_t *next = &queue->available->ring[bench.seen & (queue->size - 1)];
    uint16_t *chosen =
        &queue->available->ring[(uint16_t)(bench.seen + which % left) & (queue->size - 1)];
    const uint16_t head = *chosen;
    struct chain *chain = find_chain(head);
    for (uint16_t i = 0; i < chain->count; i++) {
        room += chain->part[i].device_writes ? chain->part[i].length : 0;
    }
    chain->is_used = true;
    chain->written = bytes < room ? bytes : room;
    *chosen = *next; /* the ring's places before `seen` are nobody's any more */
    queue->used->ring[queue->used->index & (queue->size - 1)] =
        (struct virtqueue_used_element){ head, chain->written };
    queue->used->index++;
    bench.seen++;
}

/* What a device writes that keeps to no rule: a word anywhere in the queue, or a used element and the index behind it. */
static void lie(uint8_t where, uint8_t what, uint8_t more)
{
    struct virtqueue *queue = &bench.queue;
    const size_t bytes = virtqueue_bytes(queue->size);

    bench.is_hostile = true;
    if (where < 128) {
        queue->used->ring[queue->used->index & (queue->size - 1)] =
            (struct virtqueue_used_element){ what % (queue->size + 2u), more };
        queue->used->index = (uint16_t)(queue->used->index + 1 + (where == 0 ? more : 0));
    } else {
        const size_t at = ((size_t)where - 128 + ((size_t)more << 7)) * 2 % (bytes - 1);
        bench.memory[at] = what;
        bench.memory[at + 1] = more;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin(take(&data, &size));
    while (size != 0) {
        const uint8_t kind = take(&data, &size);
        const uint8_t first = take(&data, &size), second = take(&data, &size);
        switch (kind % 8) {
        case 0:
        case 1:
            add(first, second);
            break;
        case 2:
            (void)virtqueue_publish(&bench.queue);
            bench.published = bench.added;
            break;
        case 3:
        case 4:
            use(first, second);
            break;
        case 5:
            take_back();
            break;
        case 6:
            (void)virtqueue_arm(&bench.queue);
            break;
        default:
            if (kind >= 128) {
                lie(first, second, kind);
            }
        }
    }
    free(bench.memory);
    return 0;
}
