/*
 * storage_ops.h - storage deck: the operations it answers, in deck.yaml order.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/storage/deck.yaml
 *   template  codegen/templates/deck_ops.h.j2
 *   rebuild   make gen
 */
#pragma once

#include "kernel/abi/storage.h"
#include "userland/libkwe/deck/deck.h"

/*
 * Each operation is a function of the deck's own. It reads its inputs where they lie, writes its output and sets
 * its length, sets its values, and returns KERR_OK or what went wrong; then output and values do not count.
 */

struct storage_read_call {
    struct deck_request *request;
    const struct storage_read_params *params;
    struct deck_room data; /* out: bytes; set .length */
    uint64_t size;         /* value: set it */
    uint64_t mtime;        /* value: set it */
};
/*
 * Read a file, or length bytes of it from offset; fewer when it ends before. length 0 is all of it;
 * an offset of 2^64 - n counts n bytes back from the end. size and mtime are the whole file's.
 * Errors: OUTPUT_TOO_LARGE, NO_SUCH_FILE, IS_A_DIRECTORY, BAD_PATH, NOT_PERMITTED, IO_ERROR,
 * CORRUPT_FILESYSTEM. On a fibre: may wait.
 */
enum kerr storage_read(struct storage_read_call *call);

struct storage_write_call {
    struct deck_request *request;
    const struct storage_write_params *params;
    struct deck_bytes data; /* in: bytes */
    uint64_t written;       /* value: set it */
};
/*
 * Make the file's content the data; the file and the directories on the way are made when missing.
 * Errors: IS_A_DIRECTORY, NOT_A_DIRECTORY, NO_SPACE, BAD_PATH, NAME_TOO_LONG, NOT_PERMITTED,
 * IO_ERROR, CORRUPT_FILESYSTEM. On a fibre: may wait.
 */
enum kerr storage_write(struct storage_write_call *call);

struct storage_create_call {
    struct deck_request *request;
    const struct storage_create_params *params;
};
/*
 * Make an empty file that does not exist yet. Errors: EXISTS, NO_SUCH_FILE, NOT_A_DIRECTORY,
 * NO_SPACE, BAD_PATH, NAME_TOO_LONG, NOT_PERMITTED, IO_ERROR, CORRUPT_FILESYSTEM. On a fibre: may
 * wait.
 */
enum kerr storage_create(struct storage_create_call *call);

struct storage_mkdir_call {
    struct deck_request *request;
    const struct storage_mkdir_params *params;
};
/*
 * Make a directory that does not exist yet. Errors: EXISTS, NO_SUCH_FILE, NOT_A_DIRECTORY,
 * NO_SPACE, BAD_PATH, NAME_TOO_LONG, NOT_PERMITTED, IO_ERROR, CORRUPT_FILESYSTEM. On a fibre: may
 * wait.
 */
enum kerr storage_mkdir(struct storage_mkdir_call *call);

struct storage_list_call {
    struct deck_request *request;
    const struct storage_list_params *params;
    struct deck_room entries; /* out: bytes; set .length */
    uint64_t count;           /* value: set it */
};
/*
 * A directory's entries, one line each: f or d, size in bytes, name. Errors: OUTPUT_TOO_LARGE,
 * NO_SUCH_FILE, NOT_A_DIRECTORY, BAD_PATH, NOT_PERMITTED, IO_ERROR, CORRUPT_FILESYSTEM. On a fibre:
 * may wait.
 */
enum kerr storage_list(struct storage_list_call *call);

struct storage_stat_call {
    struct deck_request *request;
    const struct storage_stat_params *params;
    uint64_t size;  /* value: set it */
    uint32_t kind;  /* value: set it */
    uint64_t mtime; /* value: set it */
};
/*
 * Size, kind (1 file, 2 directory) and time of change of a path. Errors: NO_SUCH_FILE,
 * NOT_A_DIRECTORY, BAD_PATH, NOT_PERMITTED, IO_ERROR, CORRUPT_FILESYSTEM. On a fibre: may wait.
 */
enum kerr storage_stat(struct storage_stat_call *call);

struct storage_remove_call {
    struct deck_request *request;
    const struct storage_remove_params *params;
};
/*
 * Remove a file or an empty directory. Errors: NO_SUCH_FILE, NOT_A_DIRECTORY, NOT_EMPTY, BAD_PATH,
 * NOT_PERMITTED, IO_ERROR, CORRUPT_FILESYSTEM. On a fibre: may wait.
 */
enum kerr storage_remove(struct storage_remove_call *call);

struct storage_sync_call {
    struct deck_request *request;
};
/* Everything that was answered so far is on the device. Errors: IO_ERROR. On a fibre: may wait. */
enum kerr storage_sync(struct storage_sync_call *call);

struct storage_write_at_call {
    struct deck_request *request;
    const struct storage_write_at_params *params;
    struct deck_bytes data; /* in: bytes */
    uint64_t written;       /* value: set it */
};
/*
 * Overwrite a file that exists from offset on; it grows when the data ends behind its end. Errors:
 * NO_SUCH_FILE, IS_A_DIRECTORY, NOT_A_DIRECTORY, NO_SPACE, TOO_LARGE, BAD_PATH, NOT_PERMITTED,
 * IO_ERROR, CORRUPT_FILESYSTEM. On a fibre: may wait.
 */
enum kerr storage_write_at(struct storage_write_at_call *call);

struct storage_open_call {
    struct deck_request *request;
    const struct storage_open_params *params;
    uint64_t handle; /* value: set it */
    uint64_t size;   /* value: set it */
};
/*
 * Look a file up for reading. The handle is for read_at and close of this workflow; it is void when
 * the path names another file, and may be taken back after 10 s without use. Errors: NO_SUCH_FILE,
 * IS_A_DIRECTORY, NOT_A_DIRECTORY, TOO_MANY, BAD_PATH, NOT_PERMITTED, IO_ERROR, CORRUPT_FILESYSTEM.
 * On a fibre: may wait.
 */
enum kerr storage_open(struct storage_open_call *call);

struct storage_read_at_call {
    struct deck_request *request;
    const struct storage_read_at_params *params;
    struct deck_room data; /* out: bytes; set .length */
    uint64_t size;         /* value: set it */
};
/*
 * Read length bytes of an open file from offset; fewer when it ends before. length 0 is all that
 * follows. Errors: OUTPUT_TOO_LARGE, BAD_HANDLE, NOT_PERMITTED, IO_ERROR, CORRUPT_FILESYSTEM. On a
 * fibre: may wait.
 */
enum kerr storage_read_at(struct storage_read_at_call *call);

struct storage_close_call {
    struct deck_request *request;
    const struct storage_close_params *params;
};
/* Give a handle back. Errors: BAD_HANDLE. */
enum kerr storage_close(struct storage_close_call *call);

struct storage_append_call {
    struct deck_request *request;
    const struct storage_append_params *params;
    struct deck_bytes data; /* in: bytes */
    uint64_t offset;        /* value: set it */
};
/*
 * Put the data behind the file's end, whole or not at all; the file is made when missing. Others
 * see all of it or nothing, and no two of them mix. Errors: NO_SUCH_FILE, IS_A_DIRECTORY,
 * NOT_A_DIRECTORY, NO_SPACE, TOO_LARGE, BAD_PATH, NAME_TOO_LONG, NOT_PERMITTED, IO_ERROR,
 * CORRUPT_FILESYSTEM. On a fibre: may wait.
 */
enum kerr storage_append(struct storage_append_call *call);
