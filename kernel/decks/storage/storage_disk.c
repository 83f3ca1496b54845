/*
 * storage_disk.c - the virtio disk as blocking calls for fibres.
 *
 * A call cuts its transfer into requests, several of them in flight at once, and sleeps until the last is back. Requests of all fibres
 * that could run are announced to the disk together (storage_disk_kick), since every doorbell leaves the guest.
 */
#include "kernel/decks/storage/storage_disk.h"

#include "kernel/decks/storage/storage_core.h"

/* Requests of one call in flight at once. They live on the fibre's stack. */
#define CALL_REQUESTS   8u
#define HARVEST_AT_ONCE 32u
#define ZERO_BYTES      4096u
/* A disk that is slow is waited for; one that says nothing for that long is broken. Its requests still own our memory: only a reset helps. */
#define ANSWER_NS 60000000000ull

/* The requests of one call. */
struct group {
    struct fibre_event done;
    uint32_t pending;
    enum kerr result;
};

struct storage_waiter {
    struct fibre_event event;
    struct storage_waiter *next;
};

void storage_wait(struct storage_waiters *waiters)
{
    struct storage_waiter self = { .next = NULL };
    if (waiters->first == NULL) {
        waiters->first = &self;
    } else {
        waiters->last->next = &self;
    }
    waiters->last = &self;
    (void)fibre_wait(&self.event, UINT64_MAX);
}

void storage_wake_all(struct storage_waiters *waiters)
{
    struct storage_waiter *waiter = waiters->first;
    waiters->first = NULL;
    while (waiter != NULL) {
        /* the waiter's stack is its own again once it runs */
        struct storage_waiter *next = waiter->next;
        fibre_signal(&waiter->event);
        waiter = next;
    }
}

static void submit(struct storage_disk *disk, struct group *group,
                   struct virtio_blk_request *request)
{
    request->cookie = group;
    while (!virtio_blk_submit(&disk->blk, request)) {
        storage_wait(&disk->room);
    }
    group->pending++;
    disk->kick_due = true;
    disk->requests++;
}

static void await(struct group *group)
{
    /* A loop: while the later requests waited for room, the earlier ones may all have come back, and signalled. */
    while (group->pending != 0) {
        if (!fibre_wait(&group->done, deck_now_ns() + ANSWER_NS)) {
            deck_die("the disk has not answered for %llu s", ANSWER_NS / 1000000000ull);
        }
    }
}

static enum kerr transfer(struct storage_disk *disk, struct storage_transfer *work)
{
    if (work->offset % VIRTIO_BLK_SECTOR != 0 ||
        (work->bytes + work->zeros) % VIRTIO_BLK_SECTOR != 0 || work->zeros > ZERO_BYTES) {
        deck_die("a transfer of %zu and %zu bytes at %llu", work->bytes, work->zeros,
                 (unsigned long long)work->offset);
    }
    enum kerr result = KERR_OK;
    bool more = true;
    while (more && result == KERR_OK) {
        struct virtio_blk_request request[CALL_REQUESTS];
        struct group group = { .result = KERR_OK };
        for (uint32_t i = 0; i < CALL_REQUESTS && more; i++) {
            more = storage_next_request(work, disk->blk.bytes_max, &request[i]);
            if (more) {
                submit(disk, &group, &request[i]);
            }
        }
        await(&group);
        result = group.result;
    }
    return result;
}

static enum kerr disk_read(void *context, uint64_t offset, void *buffer, size_t bytes)
{
    struct storage_transfer work = {
        .kind = VIRTIO_BLK_READ,
        .offset = offset,
        .buffer = buffer,
        .bytes = bytes,
    };
    return transfer(context, &work);
}

static enum kerr disk_write(void *context, uint64_t offset, const void *buffer, size_t bytes,
                            size_t zeros)
{
    struct storage_disk *disk = context;
    if (disk->blk.read_only) {
        return KERR_IO_ERROR;
    }
    struct storage_transfer work = {
        .kind = VIRTIO_BLK_WRITE,
        .offset = offset,
        .buffer = (uint8_t *)(uintptr_t)buffer,
        .bytes = bytes,
        .zero_source = disk->zeros,
        .zeros = zeros,
    };
    return transfer(disk, &work);
}

static enum kerr disk_flush(void *context)
{
    struct storage_disk *disk = context;
    if (!disk->blk.has_flush) {
        return KERR_OK; /* it keeps nothing back (virtio 1.2, 5.2.6.2) */
    }
    struct virtio_blk_request request = { .kind = VIRTIO_BLK_FLUSH };
    struct group group = { .result = KERR_OK };
    submit(disk, &group, &request);
    await(&group);
    return group.result;
}

enum kerr storage_disk_start(struct storage_disk *disk, const struct kwe_device_info *info)
{
    void *memory = deck_dma_alloc(virtio_blk_memory_bytes());
    disk->zeros = deck_dma_alloc(ZERO_BYTES);
    if (memory == NULL || disk->zeros == NULL) {
        return KERR_NO_MEMORY;
    }
    return virtio_blk_start(&disk->blk, info, memory);
}

struct ext4_bdev storage_disk_bdev(struct storage_disk *disk)
{
    return (struct ext4_bdev){
        .context = disk,
        .size_bytes = disk->blk.sectors * VIRTIO_BLK_SECTOR,
        .read = disk_read,
        .write = disk_write,
        .flush = disk_flush,
    };
}

static uint32_t harvest(struct storage_disk *disk)
{
    struct virtio_blk_request *done[HARVEST_AT_ONCE];
    uint32_t count = 0;
    uint32_t all = 0;
    do {
        if (virtio_blk_harvest(&disk->blk, done, HARVEST_AT_ONCE, &count) != KERR_OK) {
            deck_die("the disk breaks the rules of its queue");
        }
        for (uint32_t i = 0; i < count; i++) {
            struct group *group = done[i]->cookie;
            if (done[i]->result != KERR_OK) {
                group->result = done[i]->result;
            }
            if (--group->pending == 0) {
                fibre_signal(&group->done);
            }
        }
        all += count;
    } while (count == HARVEST_AT_ONCE);
    if (all != 0) {
        storage_wake_all(&disk->room);
    }
    return all;
}

void storage_disk_harvest(struct storage_disk *disk)
{
    (void)harvest(disk);
}

void storage_disk_kick(struct storage_disk *disk)
{
    if (disk->kick_due) {
        disk->kick_due = false;
        virtio_blk_kick(&disk->blk);
    }
}

void storage_disk_interrupt(struct storage_disk *disk)
{
    if (harvest(disk) == 0 && virtio_blk_needs_reset(&disk->blk)) {
        deck_die("the disk asks for a reset");
    }
}
