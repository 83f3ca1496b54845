/* fake_disk.c - an image file, or a piece of memory, as a block device for drivers/ext4; errors on demand. */
#include "tests/host/ext4/fake_disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void insist(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fake_disk: %s\n", what);
        abort();
    }
}

bool fake_disk_open(struct fake_disk *disk, const char *path)
{
    struct stat stat;
    *disk = (struct fake_disk){ .fd = open(path, O_RDWR), .fail_after = -1 };
    if (disk->fd < 0 || fstat(disk->fd, &stat) != 0) {
        return false;
    }
    disk->size_bytes = (uint64_t)stat.st_size;
    return true;
}

static bool begin(struct fake_disk *disk, uint64_t offset, size_t bytes)
{
    insist(offset % 1024 == 0 && bytes % 1024 == 0 && bytes != 0, "whole KiB only");
    insist(offset <= disk->size_bytes && bytes <= disk->size_bytes - offset,
           "inside the device only");
    if (disk->fail_after == 0) {
        return false;
    }
    if (disk->fail_after > 0) {
        disk->fail_after--;
    }
    return true;
}

static enum kerr disk_read(void *context, uint64_t offset, void *buffer, size_t bytes)
{
    struct fake_disk *disk = context;
    if (!begin(disk, offset, bytes)) {
        return KERR_IO_ERROR;
    }
    __atomic_add_fetch(&disk->reads, 1, __ATOMIC_RELAXED);
    if (disk->fd < 0) {
        memcpy(buffer, disk->memory + offset, bytes);
        return KERR_OK;
    }
    return pread(disk->fd, buffer, bytes, (off_t)offset) == (ssize_t)bytes ? KERR_OK
                                                                           : KERR_IO_ERROR;
}

static enum kerr disk_write(void *context, uint64_t offset, const void *buffer, size_t bytes,
                            size_t zeros)
{
    static const uint8_t nothing_there[4096];
    struct fake_disk *disk = context;
    insist(zeros <= sizeof(nothing_there), "zeros are less than a block");
    if (!begin(disk, offset, bytes + zeros)) {
        return KERR_IO_ERROR;
    }
    __atomic_add_fetch(&disk->writes, 1, __ATOMIC_RELAXED);
    if (disk->fd < 0) {
        memcpy(disk->memory + offset, buffer, bytes);
        memset(disk->memory + offset + bytes, 0, zeros);
        return KERR_OK;
    }
    const struct iovec parts[] = { { (void *)(uintptr_t)buffer, bytes },
                                   { (void *)(uintptr_t)nothing_there, zeros } };
    return pwritev(disk->fd, parts, 2, (off_t)offset) == (ssize_t)(bytes + zeros) ? KERR_OK
                                                                                  : KERR_IO_ERROR;
}

static enum kerr disk_flush(void *context)
{
    struct fake_disk *disk = context;
    __atomic_add_fetch(&disk->flushes, 1, __ATOMIC_RELAXED);
    return disk->fail_after == 0 ? KERR_IO_ERROR : KERR_OK;
}

struct ext4_bdev fake_disk_bdev(struct fake_disk *disk)
{
    return (struct ext4_bdev){
        .context = disk,
        .size_bytes = disk->size_bytes,
        .read = disk_read,
        .write = disk_write,
        .flush = disk_flush,
    };
}

static void nothing(void *context)
{
    (void)context;
}

static void wait_alone(void *context)
{
    (void)context;
    insist(false, "alone, and told to wait");
}

static uint64_t host_seconds(void *context)
{
    (void)context;
    return (uint64_t)time(NULL);
}

static size_t pool_used;

void *fake_pool(void *context, size_t bytes)
{
    static _Alignas(4096) uint8_t pool[FAKE_POOL_BYTES];
    (void)context;
    if (bytes > sizeof(pool) - pool_used) {
        return NULL;
    }
    pool_used += bytes;
    return pool + pool_used - bytes;
}

void fake_pool_empty(void)
{
    pool_used = 0;
}

struct ext4_host fake_disk_alone(void)
{
    return (struct ext4_host){
        .lock = nothing,
        .unlock = nothing,
        .wait = wait_alone,
        .wake = nothing,
        .now_seconds = host_seconds,
        .memory = fake_pool,
    };
}

const char *fake_error_name(enum kerr error)
{
    switch (error) {
    case KERR_OK:
        return "OK";
    case KERR_NOT_PERMITTED:
        return "NOT_PERMITTED";
    case KERR_NO_MEMORY:
        return "NO_MEMORY";
    case KERR_TOO_LARGE:
        return "TOO_LARGE";
    case KERR_NO_SUCH_FILE:
        return "NO_SUCH_FILE";
    case KERR_EXISTS:
        return "EXISTS";
    case KERR_NOT_A_DIRECTORY:
        return "NOT_A_DIRECTORY";
    case KERR_IS_A_DIRECTORY:
        return "IS_A_DIRECTORY";
    case KERR_NOT_EMPTY:
        return "NOT_EMPTY";
    case KERR_NO_SPACE:
        return "NO_SPACE";
    case KERR_NAME_TOO_LONG:
        return "NAME_TOO_LONG";
    case KERR_BAD_PATH:
        return "BAD_PATH";
    case KERR_IO_ERROR:
        return "IO_ERROR";
    case KERR_CORRUPT_FILESYSTEM:
        return "CORRUPT_FILESYSTEM";
    case KERR_NOT_SUPPORTED:
        return "NOT_SUPPORTED";
    default:
        return "UNEXPECTED";
    }
}
