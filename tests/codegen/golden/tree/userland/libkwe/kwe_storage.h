/*
 * kwe_storage.h - stages of the storage deck, typed, for programs.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/storage/deck.yaml
 *   template  codegen/templates/kwe_deck.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>

#include "kernel/abi/event.h"
#include "kernel/abi/storage.h"
#include "userland/libkwe/program/kwe.h"

/*
 * Each adds a stage and returns it; mistakes stick in the builder. `params` is copied; start from
 * the operation's _defaults(). An input is the stage whose output it is; one that comes from
 * elsewhere is given as KWE_STAGE_NONE and bound with kwe_input_event() or kwe_input_constant(); an
 * optional one may be KWE_STAGE_NONE and stay unbound, if those behind it do too.
 */

/*
 * Read a file, or length bytes of it from offset; fewer when it ends before. length 0 is all of it;
 * an offset of 2^64 - n counts n bytes back from the end. size and mtime are the whole file's.
 */
static inline kwe_stage_t kwe_storage_read(struct kwe_builder *builder, const char *name,
                                           const struct storage_read_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_READ, params, sizeof(*params));

    return stage;
}

/*
 * Make the file's content the data; the file and the directories on the way are made when missing.
 */
static inline kwe_stage_t kwe_storage_write(struct kwe_builder *builder, const char *name,
                                            kwe_stage_t data,
                                            const struct storage_write_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_WRITE, params, sizeof(*params));

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, STORAGE_WRITE_INPUT_DATA, data);
    }
    return stage;
}

/* Make an empty file that does not exist yet. */
static inline kwe_stage_t kwe_storage_create(struct kwe_builder *builder, const char *name,
                                             const struct storage_create_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_CREATE, params, sizeof(*params));

    return stage;
}

/* Make a directory that does not exist yet. */
static inline kwe_stage_t kwe_storage_mkdir(struct kwe_builder *builder, const char *name,
                                            const struct storage_mkdir_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_MKDIR, params, sizeof(*params));

    return stage;
}

/* A directory's entries, one line each: f or d, size in bytes, name. */
static inline kwe_stage_t kwe_storage_list(struct kwe_builder *builder, const char *name,
                                           const struct storage_list_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_LIST, params, sizeof(*params));

    return stage;
}

/* Size, kind (1 file, 2 directory) and time of change of a path. */
static inline kwe_stage_t kwe_storage_stat(struct kwe_builder *builder, const char *name,
                                           const struct storage_stat_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_STAT, params, sizeof(*params));

    return stage;
}

/* Remove a file or an empty directory. */
static inline kwe_stage_t kwe_storage_remove(struct kwe_builder *builder, const char *name,
                                             const struct storage_remove_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_REMOVE, params, sizeof(*params));

    return stage;
}

/* Everything that was answered so far is on the device. */
static inline kwe_stage_t kwe_storage_sync(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_SYNC, NULL, 0);

    return stage;
}

/* Overwrite a file that exists from offset on; it grows when the data ends behind its end. */
static inline kwe_stage_t kwe_storage_write_at(struct kwe_builder *builder, const char *name,
                                               kwe_stage_t data,
                                               const struct storage_write_at_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_WRITE_AT, params, sizeof(*params));

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, STORAGE_WRITE_AT_INPUT_DATA, data);
    }
    return stage;
}

/*
 * Look a file up for reading. The handle is for read_at and close of this workflow; it is void when
 * the path names another file, and may be taken back after 10 s without use.
 */
static inline kwe_stage_t kwe_storage_open(struct kwe_builder *builder, const char *name,
                                           const struct storage_open_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_OPEN, params, sizeof(*params));

    return stage;
}

/*
 * Read length bytes of an open file from offset; fewer when it ends before. length 0 is all that
 * follows.
 */
static inline kwe_stage_t kwe_storage_read_at(struct kwe_builder *builder, const char *name,
                                              const struct storage_read_at_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_READ_AT, params, sizeof(*params));

    return stage;
}

/* Give a handle back. */
static inline kwe_stage_t kwe_storage_close(struct kwe_builder *builder, const char *name,
                                            const struct storage_close_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_CLOSE, params, sizeof(*params));

    return stage;
}

/*
 * Put the data behind the file's end, whole or not at all; the file is made when missing. Others
 * see all of it or nothing, and no two of them mix.
 */
static inline kwe_stage_t kwe_storage_append(struct kwe_builder *builder, const char *name,
                                             kwe_stage_t data,
                                             const struct storage_append_params *params)
{
    kwe_stage_t stage =
        kwe_stage(builder, name, STORAGE_PREFIX, STORAGE_OP_APPEND, params, sizeof(*params));

    if (data.index != KWE_NO_STAGE) {
        kwe_input_stage(builder, stage, STORAGE_APPEND_INPUT_DATA, data);
    }
    return stage;
}
