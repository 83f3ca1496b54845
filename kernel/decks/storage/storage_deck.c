/*
 * storage_deck.c - Storage: operations on files, each on a fibre, over ext4 on a virtio disk.
 *
 *   deck_start: find the disk, mount on a fibre --> operations wait for that, then run --> quiet for a while: write metadata back
 */
#include "kernel/decks/storage/storage_core.h"
#include "kernel/decks/storage/storage_disk.h"
#include "kernel/decks/storage/storage_handles.h"
#include "kernel/decks/storage/storage_ops.h"

#include <string.h>

/* Metadata cache, bounce buffers and the like. */
#define MEMORY_BYTES (3u << 20)
/* Of files' blocks that are read again and again; taken as they come. */
#define DATA_BYTES (16u << 20)
/* Calls in the file system besides the requests': mounting or write-back. */
#define OWN_CALLERS 1u
/* Written back when nothing has happened for that long: a chain of operations shares one write-back. */
#define QUIET_NS 2000000ull
/* After a write-back that failed. */
#define RETRY_NS 1000000000ull

enum storage_state {
    STORAGE_MOUNTING,
    STORAGE_READY,
    STORAGE_FAILED, /* .status says why */
};

/* The instance's one state; a deck is one thread. */
static struct {
    enum storage_state state;
    enum kerr status;
    struct storage_disk disk;
    struct ext4 *fs;
    struct ext4_config config;
    struct fibre_mutex metadata;  /* the file system's lock */
    struct storage_waiters files; /* the file system's wait and wake */
    struct storage_waiters mounted;
    struct storage_handles handles;
    uint32_t active; /* operations in progress */
    bool writing_back;
    uint64_t write_back_at_ns; /* not before */
    uint64_t bounced_told;     /* bytes, counted in some request */
} storage;

/* ---- what the file system asks of its surroundings ------------------------------------------------------------------ */

static void metadata_lock(void *context)
{
    (void)context;
    fibre_lock(&storage.metadata);
}

static void metadata_unlock(void *context)
{
    (void)context;
    fibre_unlock(&storage.metadata);
}

/* Nothing runs between the unlock and the wait: fibres switch only where they wait. */
static void metadata_wait(void *context)
{
    (void)context;
    fibre_unlock(&storage.metadata);
    storage_wait(&storage.files);
    fibre_lock(&storage.metadata);
}

static void metadata_wake(void *context)
{
    (void)context;
    storage_wake_all(&storage.files);
}

static uint64_t uptime_seconds(void *context)
{
    (void)context;
    return deck_now_ns() /
           1000000000ull; /* there is no clock of the day: the file system counts on from its own times */
}

/* More of it for files' blocks. */
static void *more_memory(void *context, size_t bytes)
{
    (void)context;
    return deck_dma_alloc(bytes);
}

/* ---- mounting ------------------------------------------------------------------------------------------------------- */

static void mount_fibre(void *argument)
{
    (void)argument;
    const char *why = NULL;
    bool clean = false;
    enum kerr error = ext4_mount(&storage.config, &storage.fs, &clean, &why);
    if (error != KERR_OK) {
        deck_log("no file system: %s", why);
        storage.status = error;
        storage.state = STORAGE_FAILED;
    } else {
        if (!clean) {
            deck_log("the file system was not left in good order: run e2fsck on it");
        }
        storage.state = STORAGE_READY;
    }
    storage_wake_all(&storage.mounted);
}

enum kerr deck_start(const struct kwe_deck_info *info)
{
    storage_handles_init(&storage.handles, info->generation);
    storage.state = STORAGE_FAILED;
    storage.status = KERR_NO_DEVICE;
    if (info->device_count == 0 || !info->device[0].present) {
        return KERR_NO_DEVICE;
    }
    enum kerr error = storage_disk_start(&storage.disk, &info->device[0]);
    if (error != KERR_OK) {
        return storage.status = error;
    }
    storage.config = (struct ext4_config){
        .bdev = storage_disk_bdev(&storage.disk),
        .host = { NULL, metadata_lock, metadata_unlock, metadata_wait, metadata_wake,
                  uptime_seconds, more_memory },
        .memory = deck_dma_alloc(MEMORY_BYTES),
        .memory_bytes = MEMORY_BYTES,
        .callers = info->depth + OWN_CALLERS,
        .data_bytes = DATA_BYTES,
    };
    if (storage.config.memory == NULL || !fibre_start(mount_fibre, NULL)) {
        return storage.status = KERR_NO_MEMORY;
    }
    storage.state = STORAGE_MOUNTING;
    return KERR_OK;
}

/* ---- main loop -------------------------------------------------------------------------------------------------------- */

void deck_interrupt(uint64_t bits)
{
    (void)bits; /* the deck has one interrupt */
    storage_disk_interrupt(&storage.disk);
}

static void write_back_fibre(void *argument)
{
    (void)argument;
    enum kerr error = ext4_writeback(storage.fs);
    storage.writing_back = false;
    if (error != KERR_OK) {
        deck_log("write-back failed: error %d", (int)error);
        storage.write_back_at_ns = deck_now_ns() + RETRY_NS;
    }
}

uint64_t deck_idle(void)
{
    if (storage.state == STORAGE_FAILED) {
        return UINT64_MAX;
    }
    storage_disk_kick(&storage.disk);
    storage_disk_harvest(&storage.disk);
    if (storage.state != STORAGE_READY || storage.active != 0 || storage.writing_back ||
        !ext4_is_dirty(storage.fs)) {
        return UINT64_MAX;
    }
    if (deck_now_ns() < storage.write_back_at_ns) {
        return storage.write_back_at_ns;
    }
    storage.writing_back = fibre_start(write_back_fibre, NULL);
    return storage.writing_back ? UINT64_MAX : deck_now_ns() + RETRY_NS;
}

/* ---- operations --------------------------------------------------------------------------------------------------------- */

/* Before anything else: is there a file system, and does the manifest let the workflow at this path (NULL: no path)? */
static enum kerr begin(struct deck_request *request, const struct kwe_path *path, uint32_t rights)
{
    storage.active++;
    while (storage.state == STORAGE_MOUNTING) {
        storage_wait(&storage.mounted);
    }
    if (storage.state == STORAGE_FAILED) {
        return storage.status;
    }
    if (path == NULL) {
        return KERR_OK;
    }
    if (path->length == 0 || path->length > sizeof(path->bytes)) {
        return KERR_BAD_PATH;
    }
    return deck_path_allowed(request, path->bytes, path->length, rights) ? KERR_OK
                                                                         : KERR_NOT_PERMITTED;
}

/* After everything else. Bytes bounced since the last operation ended are this one's: one by one a little off, right in the sum. */
static enum kerr end(struct deck_request *request, enum kerr error)
{
    storage.active--;
    if (storage.state == STORAGE_READY) {
        const uint64_t bounced = ext4_bytes_bounced(storage.fs);
        deck_count_copied_cache(request, bounced - storage.bounced_told);
        storage.bounced_told = bounced;
    }
    if (storage.active == 0 && storage.state == STORAGE_READY && ext4_is_dirty(storage.fs)) {
        storage.write_back_at_ns = deck_now_ns() + QUIET_NS;
    }
    return error;
}

static enum kerr read_open(const struct ext4_file *file, uint64_t offset, uint64_t length,
                           struct deck_room *data, struct ext4_stat *stat)
{
    *stat = file->stat;
    offset = storage_offset(stat->size_bytes, offset);
    enum kerr error =
        storage_range(stat->size_bytes, offset, length, data->capacity, &data->length);
    if (error == KERR_OK) {
        error = ext4_read(storage.fs, file, offset, data->data, data->length, data->capacity,
                          &data->length);
    }
    return error;
}

/* 0 asks for all there is; what counts back from the end may lie anywhere. */
static uint64_t part_bytes(uint64_t offset, uint64_t length)
{
    return length == 0 || storage_from_end(offset) ? UINT64_MAX : length;
}

static uint64_t part_offset(uint64_t offset)
{
    return storage_from_end(offset) ? 0 : offset;
}

enum kerr storage_read(struct storage_read_call *call)
{
    const struct kwe_path *path = &call->params->path;
    const uint64_t offset = call->params->offset + call->params->after;
    const uint64_t length = call->params->length;
    struct ext4_file file;
    struct ext4_stat stat = { .size_bytes = 0 };
    enum kerr error = begin(call->request, path, KWE_MANIFEST_READ);
    if (error == KERR_OK) {
        error = ext4_open_part(storage.fs, path->bytes, path->length, false, part_offset(offset),
                               part_bytes(offset, length), &file);
    }
    if (error == KERR_OK) {
        error = read_open(&file, offset, length, &call->data, &stat);
        ext4_close(storage.fs, &file);
    }
    call->size = stat.size_bytes;
    call->mtime = stat.mtime_seconds;
    return end(call->request, error);
}

enum kerr storage_write(struct storage_write_call *call)
{
    const struct kwe_path *path = &call->params->path;
    enum kerr error = begin(call->request, path, KWE_MANIFEST_WRITE);
    if (error == KERR_OK) {
        error = ext4_replace(storage.fs, path->bytes, path->length, call->data.data,
                             call->data.length, true);
    }
    call->written = call->data.length;
    return end(call->request, error);
}

enum kerr storage_write_at(struct storage_write_at_call *call)
{
    const struct kwe_path *path = &call->params->path;
    struct ext4_file file;
    size_t put = 0;
    enum kerr error = begin(call->request, path, KWE_MANIFEST_WRITE);
    if (error == KERR_OK) {
        error = ext4_open_part(storage.fs, path->bytes, path->length, true, call->params->offset,
                               call->data.length, &file);
    }
    if (error == KERR_OK) {
        error = ext4_write(storage.fs, &file, call->params->offset, call->data.data,
                           call->data.length, &put);
        ext4_close(storage.fs, &file);
    }
    call->written = put;
    return end(call->request, error);
}

/* Open a file for one that writes alone; make it when it is missing. */
static enum kerr open_alone(const struct kwe_path *path, struct ext4_file *file)
{
    for (;;) {
        enum kerr error = ext4_open(storage.fs, path->bytes, path->length, true, file);
        if (error != KERR_NO_SUCH_FILE) {
            return error;
        }
        error = ext4_create(storage.fs, path->bytes, path->length);
        if (error != KERR_OK && error != KERR_EXISTS) { /* another made it: open that one */
            return error;
        }
    }
}

/* An error leaves the file as it was. */
static enum kerr append(const struct ext4_file *file, struct deck_bytes data, uint64_t *offset)
{
    size_t put = 0;
    enum kerr error = ext4_file_size(storage.fs, file, offset);
    if (error == KERR_OK) {
        error = ext4_write(storage.fs, file, *offset, data.data, data.length, &put);
        if (error != KERR_OK && put != 0) {
            (void)ext4_truncate(storage.fs, file, *offset); /* the first error is the one to tell */
        }
    }
    return error;
}

enum kerr storage_append(struct storage_append_call *call)
{
    const struct kwe_path *path = &call->params->path;
    struct ext4_file file;
    enum kerr error = begin(call->request, path, KWE_MANIFEST_WRITE);
    if (error == KERR_OK) {
        error = open_alone(path, &file);
    }
    if (error == KERR_OK) {
        error = append(&file, call->data, &call->offset);
        ext4_close(storage.fs, &file);
    }
    return end(call->request, error);
}

enum kerr storage_create(struct storage_create_call *call)
{
    const struct kwe_path *path = &call->params->path;
    enum kerr error = begin(call->request, path, KWE_MANIFEST_WRITE);
    return end(call->request,
               error == KERR_OK ? ext4_create(storage.fs, path->bytes, path->length) : error);
}

enum kerr storage_mkdir(struct storage_mkdir_call *call)
{
    const struct kwe_path *path = &call->params->path;
    enum kerr error = begin(call->request, path, KWE_MANIFEST_WRITE);
    return end(call->request,
               error == KERR_OK ? ext4_mkdir(storage.fs, path->bytes, path->length) : error);
}

static bool list_line(void *context, const char *name, size_t name_length,
                      const struct ext4_stat *stat)
{
    storage_list_line(context, name, name_length, stat);
    return true;
}

enum kerr storage_list(struct storage_list_call *call)
{
    const struct kwe_path *path = &call->params->path;
    struct storage_list_text text = { .bytes = (char *)call->entries.data,
                                      .capacity = call->entries.capacity };
    enum kerr error = begin(call->request, path, KWE_MANIFEST_READ);
    if (error == KERR_OK) {
        error = ext4_list(storage.fs, path->bytes, path->length, list_line, &text);
    }
    if (error == KERR_OK && text.needed > text.capacity) {
        error = KERR_OUTPUT_TOO_LARGE;
    }
    call->entries.length = text.needed;
    call->count = text.count;
    return end(call->request, error);
}

enum kerr storage_stat(struct storage_stat_call *call)
{
    const struct kwe_path *path = &call->params->path;
    struct ext4_stat stat = { .size_bytes = 0 };
    enum kerr error = begin(call->request, path, KWE_MANIFEST_READ);
    if (error == KERR_OK) {
        error = ext4_stat(storage.fs, path->bytes, path->length, &stat);
    }
    call->size = stat.size_bytes;
    call->kind = stat.kind;
    call->mtime = stat.mtime_seconds;
    return end(call->request, error);
}

enum kerr storage_remove(struct storage_remove_call *call)
{
    const struct kwe_path *path = &call->params->path;
    enum kerr error = begin(call->request, path, KWE_MANIFEST_WRITE);
    return end(call->request,
               error == KERR_OK ? ext4_remove(storage.fs, path->bytes, path->length) : error);
}

enum kerr storage_sync(struct storage_sync_call *call)
{
    enum kerr error = begin(call->request, NULL, 0);
    return end(call->request, error == KERR_OK ? ext4_sync(storage.fs) : error);
}

/* ---- open files ----------------------------------------------------------------------------------------------------------- */

enum kerr storage_open(struct storage_open_call *call)
{
    const struct kwe_path path = call->params->path;
    struct ext4_file file;
    uint32_t inode = 0;
    enum kerr error = begin(call->request, &path, KWE_MANIFEST_READ);
    if (error == KERR_OK) {
        error = ext4_open(storage.fs, path.bytes, path.length, false, &file);
    }
    if (error == KERR_OK) {
        inode = file.inode;
        call->size = file.stat.size_bytes;
        ext4_close(storage.fs, &file);
    }
    if (error == KERR_OK) {
        error = storage_handle_open(&storage.handles, deck_workflow(call->request), &path, inode,
                                    deck_now_ns(), &call->handle);
    }
    return end(call->request, error);
}

/* Another file of the same name is not the one that was opened. */
static enum kerr open_again(const struct kwe_path *path, uint32_t inode, uint64_t offset,
                            uint64_t length, struct ext4_file *file)
{
    enum kerr error = ext4_open_part(storage.fs, path->bytes, path->length, false,
                                     part_offset(offset), part_bytes(offset, length), file);
    if (error == KERR_NO_SUCH_FILE || error == KERR_NOT_A_DIRECTORY ||
        error == KERR_IS_A_DIRECTORY) {
        return KERR_BAD_HANDLE;
    }
    if (error == KERR_OK && file->inode != inode) {
        ext4_close(storage.fs, file);
        return KERR_BAD_HANDLE;
    }
    return error;
}

enum kerr storage_read_at(struct storage_read_at_call *call)
{
    struct storage_handle *slot;
    struct ext4_file file;
    enum kerr error = storage_handle_find(&storage.handles, deck_workflow(call->request),
                                          call->params->handle, deck_now_ns(), &slot);
    if (error != KERR_OK) {
        return error;
    }
    /* Others may close the handle while this fibre waits. */
    const struct kwe_path path = slot->path;
    const uint32_t inode = slot->inode;
    struct ext4_stat stat = { .size_bytes = 0 };
    error = begin(call->request, &path, KWE_MANIFEST_READ);
    if (error == KERR_OK) {
        error = open_again(&path, inode, call->params->offset, call->params->length, &file);
    }
    if (error == KERR_OK) {
        error = read_open(&file, call->params->offset, call->params->length, &call->data, &stat);
        ext4_close(storage.fs, &file);
    }
    call->size = stat.size_bytes;
    return end(call->request, error);
}

enum kerr storage_close(struct storage_close_call *call)
{
    return storage_handle_close(&storage.handles, deck_workflow(call->request),
                                call->params->handle);
}
