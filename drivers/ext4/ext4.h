/*
 * ext4.h - an ext4 file system on a block device that the caller lends.
 *
 * Every function may block in the device's functions, so in a deck it runs on a fibre. Several fibres may be inside at once: metadata is
 * touched only between lock() and unlock(), data moves outside of them, each block of a file has one writer or many readers (ext4_open() waits).
 * Changes of metadata stay in the cache until ext4_writeback(); after it, with no call in progress, `e2fsck -fn` finds nothing.
 * Paths are bytes, not NUL-terminated, absolute, "/" between names; "." and ".." are refused. Symbolic links are not followed.
 *
 * Errors that every function may answer, besides its own: IO_ERROR (the device's), CORRUPT_FILESYSTEM (the disk contradicts itself; after
 * one inside a change no further changes are accepted), NOT_SUPPORTED (an inode needs what is not built), NO_MEMORY.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"

struct ext4;
struct ext4_busy;

/* The device. Offsets and sizes are in bytes, multiples of 1024; `zeros` more follow a write. Each returns when its transfer has ended. */
struct ext4_bdev {
    void *context;
    uint64_t size_bytes;
    enum kerr (*read)(void *context, uint64_t offset, void *buffer, size_t bytes);
    enum kerr (*write)(void *context, uint64_t offset, const void *buffer, size_t bytes,
                       size_t zeros); /* their sum: whole */
    enum kerr (*flush)(void *context);
};

/* What it asks of its surroundings. */
struct ext4_host {
    void *context;
    void (*lock)(void *context);
    void (*unlock)(void *context);
    /* lock held: let go of it, sleep until wake(), take it again; may wake for nothing */
    void (*wait)(void *context);
    /* lock held: end every wait(); who waited first gets the lock first, or readers could keep a writer out */
    void (*wake)(void *context);
    /* since 1970; a clock that is behind the disk's times counts on from those */
    uint64_t (*now_seconds)(void *context);
    /* more memory for files' blocks, page-aligned, the device can reach it, never given back; NULL: no more, or no such function */
    void *(*memory)(void *context, size_t bytes);
};

struct ext4_config {
    struct ext4_bdev bdev;
    struct ext4_host host;
    /* page-aligned, the device can reach it; the file system's as long as it is mounted */
    void *memory;
    size_t memory_bytes; /* at least ext4_memory_least(callers); the more, the larger the cache */
    uint32_t callers;    /* calls in progress at once, at most */
    size_t data_bytes;   /* of host.memory() for files' blocks, at most; 0: none are kept */
};

enum ext4_kind {
    EXT4_KIND_FILE = 1,
    EXT4_KIND_DIRECTORY = 2,
    EXT4_KIND_OTHER = 3,
};

struct ext4_stat {
    uint32_t inode;
    enum ext4_kind kind;
    uint64_t size_bytes;
    uint64_t mtime_seconds;
    uint32_t links;
};

struct ext4_space {
    uint32_t block_size;
    uint64_t blocks, free_blocks;
    uint32_t inodes, free_inodes;
};

/* An open file: the caller's, changed by the functions only. */
struct ext4_file {
    uint32_t inode;
    bool writable;
    bool shared;           /* others may have other parts open */
    struct ext4_stat stat; /* when it was opened */
    struct ext4_busy *place;
};

size_t ext4_memory_least(uint32_t callers);

/*
 * Read and check the file system's records. *why: a fixed text that names what was refused, NULL when mounted.
 * NOT_SUPPORTED: a feature is not built. CORRUPT_FILESYSTEM: no ext4, or damaged. *clean: it was left in good order.
 */
enum kerr ext4_mount(const struct ext4_config *config, struct ext4 **fs, bool *clean,
                     const char **why);
/* Free the private memory. Writes nothing. */
void ext4_unmount(struct ext4 *fs);
/* Write all changed metadata to the device. */
enum kerr ext4_writeback(struct ext4 *fs);
/* ext4_writeback(), then the device's own flush. */
enum kerr ext4_sync(struct ext4 *fs);
/* Is there anything for ext4_writeback() to do? */
bool ext4_is_dirty(const struct ext4 *fs);
void ext4_space(struct ext4 *fs, struct ext4_space *space);

/* NO_SUCH_FILE, NOT_A_DIRECTORY, BAD_PATH, NAME_TOO_LONG: as every function with a path. */
enum kerr ext4_stat(struct ext4 *fs, const char *path, size_t length, struct ext4_stat *stat);
/* Call `entry` for each name but "." and ".."; with the lock held: it must not call back. It answers false to stop. NOT_A_DIRECTORY. */
enum kerr ext4_list(struct ext4 *fs, const char *path, size_t length,
                    bool (*entry)(void *context, const char *name, size_t name_length,
                                  const struct ext4_stat *stat),
                    void *context);
/* EXISTS, NO_SPACE. */
enum kerr ext4_mkdir(struct ext4 *fs, const char *path, size_t length);
/* With all the directories above it; OK when it exists. */
enum kerr ext4_mkdirs(struct ext4 *fs, const char *path, size_t length);
/* An empty file. EXISTS, NO_SPACE. */
enum kerr ext4_create(struct ext4 *fs, const char *path, size_t length);
/* A file or an empty directory. NOT_EMPTY. Waits until the file is not open. NOT_PERMITTED: immutable, or the root. */
enum kerr ext4_remove(struct ext4 *fs, const char *path, size_t length);

/* Waits while another has it open in a way that excludes this one. IS_A_DIRECTORY. */
enum kerr ext4_open(struct ext4 *fs, const char *path, size_t length, bool writable,
                    struct ext4_file *file);
/* For bytes [offset, offset + bytes) only; others may have the rest open. What is read or written lies there: the caller sees to it. */
enum kerr ext4_open_part(struct ext4 *fs, const char *path, size_t length, bool writable,
                         uint64_t offset, uint64_t bytes, struct ext4_file *file);
void ext4_close(struct ext4 *fs, struct ext4_file *file);
/* As it is now. */
enum kerr ext4_file_size(struct ext4 *fs, const struct ext4_file *file, uint64_t *size_bytes);
/*
 * *got is below `bytes` only at the file's end. Whole blocks go straight into `buffer`, and with `room`, bytes of the buffer that may be
 * overwritten (at least `bytes`), the last one too if it fits.
 */
enum kerr ext4_read(struct ext4 *fs, const struct ext4_file *file, uint64_t offset, void *buffer,
                    size_t bytes, size_t room, size_t *got);
/* Overwrites and extends; a gap reads as zeros. NO_SPACE: *put bytes were written all the same. */
enum kerr ext4_write(struct ext4 *fs, const struct ext4_file *file, uint64_t offset,
                     const void *data, size_t bytes, size_t *put);
/* Cut, or extend with zeros. */
enum kerr ext4_truncate(struct ext4 *fs, const struct ext4_file *file, uint64_t size_bytes);
/*
 * The file at `path` is `data` from now on: written into a new inode that then takes the name, so that others see the old contents or
 * the new ones, and an error leaves the old ones. Needs room for both. make_parents: also the directories above it.
 */
enum kerr ext4_replace(struct ext4 *fs, const char *path, size_t length, const void *data,
                       size_t bytes, bool make_parents);
/* Bytes that were copied since the mount: out of and into the cache of files' blocks, and parts of blocks. */
uint64_t ext4_bytes_bounced(const struct ext4 *fs);
