/*
 * storage.h - the storage deck's operations, as all sides see them.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/storage/deck.yaml
 *   template  codegen/templates/deck_abi.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/workflow.h"

#define STORAGE_PREFIX 3u

enum {
    STORAGE_OP_NOP = 0,
    STORAGE_OP_READ = 1,
    STORAGE_OP_WRITE = 2,
    STORAGE_OP_CREATE = 3,
    STORAGE_OP_MKDIR = 4,
    STORAGE_OP_LIST = 5,
    STORAGE_OP_STAT = 6,
    STORAGE_OP_REMOVE = 7,
    STORAGE_OP_SYNC = 8,
    STORAGE_OP_WRITE_AT = 9,
    STORAGE_OP_OPEN = 10,
    STORAGE_OP_READ_AT = 11,
    STORAGE_OP_CLOSE = 12,
    STORAGE_OP_APPEND = 13,
};

/* ---- read ---- */

enum {
    STORAGE_READ_VALUE_SIZE = 0,  /* u64 */
    STORAGE_READ_VALUE_MTIME = 1, /* u64 */
};

/*
 * Read a file, or length bytes of it from offset; fewer when it ends before. length 0 is all of it;
 * an offset of 2^64 - n counts n bytes back from the end. size and mtime are the whole file's.
 */
struct storage_read_params {
    struct kwe_path path; /* absolute */
    uint64_t offset;
    uint64_t length;
    uint64_t after; /* so many bytes are added to offset */
};
_Static_assert(offsetof(struct storage_read_params, path) == 0, "ABI");
_Static_assert(offsetof(struct storage_read_params, offset) == 256, "ABI");
_Static_assert(offsetof(struct storage_read_params, length) == 264, "ABI");
_Static_assert(offsetof(struct storage_read_params, after) == 272, "ABI");
_Static_assert(sizeof(struct storage_read_params) == 280, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_read_params storage_read_defaults(void)
{
    return (struct storage_read_params){
        .offset = 0u,
        .length = 0u,
        .after = 0u,
    };
}

/* ---- write ---- */

enum {
    STORAGE_WRITE_INPUT_DATA = 0, /* bytes */
};

enum {
    STORAGE_WRITE_VALUE_WRITTEN = 0, /* u64 */
};

/*
 * Make the file's content the data; the file and the directories on the way are made when missing.
 */
struct storage_write_params {
    struct kwe_path path; /* absolute */
};
_Static_assert(offsetof(struct storage_write_params, path) == 0, "ABI");
_Static_assert(sizeof(struct storage_write_params) == 256, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_write_params storage_write_defaults(void)
{
    return (struct storage_write_params){ 0 };
}

/* ---- create ---- */

/* Make an empty file that does not exist yet. */
struct storage_create_params {
    struct kwe_path path; /* absolute */
};
_Static_assert(offsetof(struct storage_create_params, path) == 0, "ABI");
_Static_assert(sizeof(struct storage_create_params) == 256, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_create_params storage_create_defaults(void)
{
    return (struct storage_create_params){ 0 };
}

/* ---- mkdir ---- */

/* Make a directory that does not exist yet. */
struct storage_mkdir_params {
    struct kwe_path path; /* absolute */
};
_Static_assert(offsetof(struct storage_mkdir_params, path) == 0, "ABI");
_Static_assert(sizeof(struct storage_mkdir_params) == 256, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_mkdir_params storage_mkdir_defaults(void)
{
    return (struct storage_mkdir_params){ 0 };
}

/* ---- list ---- */

enum {
    STORAGE_LIST_VALUE_COUNT = 0, /* u64 */
};

/* A directory's entries, one line each: f or d, size in bytes, name. */
struct storage_list_params {
    struct kwe_path path; /* absolute */
};
_Static_assert(offsetof(struct storage_list_params, path) == 0, "ABI");
_Static_assert(sizeof(struct storage_list_params) == 256, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_list_params storage_list_defaults(void)
{
    return (struct storage_list_params){ 0 };
}

/* ---- stat ---- */

enum {
    STORAGE_STAT_VALUE_SIZE = 0,  /* u64 */
    STORAGE_STAT_VALUE_KIND = 1,  /* u32 */
    STORAGE_STAT_VALUE_MTIME = 2, /* u64 */
};

/* Size, kind (1 file, 2 directory) and time of change of a path. */
struct storage_stat_params {
    struct kwe_path path; /* absolute */
};
_Static_assert(offsetof(struct storage_stat_params, path) == 0, "ABI");
_Static_assert(sizeof(struct storage_stat_params) == 256, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_stat_params storage_stat_defaults(void)
{
    return (struct storage_stat_params){ 0 };
}

/* ---- remove ---- */

/* Remove a file or an empty directory. */
struct storage_remove_params {
    struct kwe_path path; /* absolute */
};
_Static_assert(offsetof(struct storage_remove_params, path) == 0, "ABI");
_Static_assert(sizeof(struct storage_remove_params) == 256, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_remove_params storage_remove_defaults(void)
{
    return (struct storage_remove_params){ 0 };
}

/* ---- write_at ---- */

enum {
    STORAGE_WRITE_AT_INPUT_DATA = 0, /* bytes */
};

enum {
    STORAGE_WRITE_AT_VALUE_WRITTEN = 0, /* u64 */
};

/* Overwrite a file that exists from offset on; it grows when the data ends behind its end. */
struct storage_write_at_params {
    struct kwe_path path; /* absolute */
    uint64_t offset;
};
_Static_assert(offsetof(struct storage_write_at_params, path) == 0, "ABI");
_Static_assert(offsetof(struct storage_write_at_params, offset) == 256, "ABI");
_Static_assert(sizeof(struct storage_write_at_params) == 264, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_write_at_params storage_write_at_defaults(void)
{
    return (struct storage_write_at_params){
        .offset = 0u,
    };
}

/* ---- open ---- */

enum {
    STORAGE_OPEN_VALUE_HANDLE = 0, /* u64 */
    STORAGE_OPEN_VALUE_SIZE = 1,   /* u64 */
};

/*
 * Look a file up for reading. The handle is for read_at and close of this workflow; it is void when
 * the path names another file, and may be taken back after 10 s without use.
 */
struct storage_open_params {
    struct kwe_path path; /* absolute */
};
_Static_assert(offsetof(struct storage_open_params, path) == 0, "ABI");
_Static_assert(sizeof(struct storage_open_params) == 256, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_open_params storage_open_defaults(void)
{
    return (struct storage_open_params){ 0 };
}

/* ---- read_at ---- */

enum {
    STORAGE_READ_AT_VALUE_SIZE = 0, /* u64 */
};

/*
 * Read length bytes of an open file from offset; fewer when it ends before. length 0 is all that
 * follows.
 */
struct storage_read_at_params {
    uint64_t handle; /* the value of open */
    uint64_t offset;
    uint64_t length;
};
_Static_assert(offsetof(struct storage_read_at_params, handle) == 0, "ABI");
_Static_assert(offsetof(struct storage_read_at_params, offset) == 8, "ABI");
_Static_assert(offsetof(struct storage_read_at_params, length) == 16, "ABI");
_Static_assert(sizeof(struct storage_read_at_params) == 24, "ABI");

/* Left at 0, for the caller to set or bind: handle. */
static inline struct storage_read_at_params storage_read_at_defaults(void)
{
    return (struct storage_read_at_params){
        .offset = 0u,
        .length = 0u,
    };
}

/* ---- close ---- */

/* Give a handle back. */
struct storage_close_params {
    uint64_t handle; /* the value of open */
};
_Static_assert(offsetof(struct storage_close_params, handle) == 0, "ABI");
_Static_assert(sizeof(struct storage_close_params) == 8, "ABI");

/* Left at 0, for the caller to set or bind: handle. */
static inline struct storage_close_params storage_close_defaults(void)
{
    return (struct storage_close_params){ 0 };
}

/* ---- append ---- */

enum {
    STORAGE_APPEND_INPUT_DATA = 0, /* bytes */
};

enum {
    STORAGE_APPEND_VALUE_OFFSET = 0, /* u64 */
};

/*
 * Put the data behind the file's end, whole or not at all; the file is made when missing. Others
 * see all of it or nothing, and no two of them mix.
 */
struct storage_append_params {
    struct kwe_path path; /* absolute */
};
_Static_assert(offsetof(struct storage_append_params, path) == 0, "ABI");
_Static_assert(sizeof(struct storage_append_params) == 256, "ABI");

/* Left at 0, for the caller to set or bind: path. */
static inline struct storage_append_params storage_append_defaults(void)
{
    return (struct storage_append_params){ 0 };
}
