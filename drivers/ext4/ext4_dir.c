/* ext4_dir.c - directory blocks: a chain of entries in each, searched one after the other. */
#include "drivers/ext4/ext4_internal.h"

/* A place in a directory: an entry in a pinned block. */
struct place {
    struct ext4_buffer *buffer;
    uint32_t offset;
    /* offset of the entry before it in the block; equal to offset: it is the first */
    uint32_t previous;
};

static struct ext4_disk_entry *entry_at(const struct ext4_buffer *buffer, uint32_t offset)
{
    return (struct ext4_disk_entry *)(buffer->data + offset);
}

static const char *name_of(const struct ext4_disk_entry *entry)
{
    return (const char *)(entry + 1);
}

/* Bytes an entry with such a name needs. */
static uint32_t entry_bytes(size_t name_length)
{
    return (uint32_t)((sizeof(struct ext4_disk_entry) + name_length + 3) & ~(size_t)3);
}

static bool block_is_sound(const struct ext4 *fs, const struct ext4_buffer *buffer)
{
    uint32_t offset = 0;
    while (offset < fs->block_size) {
        if (fs->block_size - offset < sizeof(struct ext4_disk_entry)) {
            return false;
        }
        const struct ext4_disk_entry *entry = entry_at(buffer, offset);
        if (entry->length % 4 != 0 ||
            entry->length < entry_bytes(entry->inode == 0 ? 0 : entry->name_length) ||
            entry->length > fs->block_size - offset || entry->inode > fs->inodes_count ||
            (entry->inode != 0 && entry->name_length == 0)) {
            return false;
        }
        offset += entry->length;
    }
    return true;
}

static enum kerr get_block(struct ext4 *fs, uint64_t block, struct ext4_buffer **buffer)
{
    enum kerr error = ext4_buffer_get(fs, block, EXT4_RANK_NAMES, buffer);
    if (error != KERR_OK || (*buffer)->checked == EXT4_CHECKED_DIRECTORY) {
        return error;
    }
    if (!block_is_sound(fs, *buffer)) {
        ext4_buffer_put(*buffer);
        return KERR_CORRUPT_FILESYSTEM;
    }
    (*buffer)->checked = EXT4_CHECKED_DIRECTORY;
    return KERR_OK;
}

static uint32_t block_count(const struct ext4 *fs, const struct ext4_node *directory)
{
    return (uint32_t)(ext4_node_size(directory) >> fs->block_shift);
}

/* Call `look` for each block, until it answers true; then *stopped is that block, still pinned, else NULL. */
static enum kerr each_block(struct ext4 *fs, struct ext4_node *directory,
                            bool (*look)(void *context, const struct ext4 *fs,
                                         struct ext4_buffer *buffer),
                            void *context, struct ext4_buffer **stopped)
{
    *stopped = NULL;
    const uint32_t blocks = block_count(fs, directory);
    uint32_t next = 0;
    while (next < blocks) {
        struct ext4_run run;
        enum kerr error = ext4_extent_find(fs, directory, next, blocks - next, &run);
        if (error != KERR_OK) {
            return error;
        }
        if (run.state != EXT4_RUN_WRITTEN) {
            return KERR_CORRUPT_FILESYSTEM; /* directories have no holes */
        }
        for (uint32_t i = 0; i < run.count; i++) {
            struct ext4_buffer *buffer = NULL;
            error = get_block(fs, run.physical + i, &buffer);
            if (error != KERR_OK) {
                return error;
            }
            if (look(context, fs, buffer)) {
                *stopped = buffer;
                return KERR_OK;
            }
            ext4_buffer_put(buffer);
        }
        next += run.count;
    }
    return KERR_OK;
}

static enum kerr check(const struct ext4_node *directory)
{
    return ext4_is_directory(directory) ? ext4_node_check_data(directory) : KERR_NOT_A_DIRECTORY;
}

/* ---- finding --------------------------------------------------------------------------------------------------- */

struct search {
    const char *name;
    size_t length;
    uint32_t needed; /* bytes for a new entry, 0: not wanted */
    struct place found;
    struct place room; /* the first place with `needed` bytes; its block is pinned */
};

/* Names of one directory are often alike at one end: a look at eight bytes of each end spares most of the comparing. */
static bool same_ends(const char *one, const char *other, size_t length)
{
    uint64_t end[4];

    if (length < sizeof(end[0])) {
        return true;
    }
    memcpy(&end[0], one, sizeof(end[0]));
    memcpy(&end[1], other, sizeof(end[0]));
    memcpy(&end[2], one + length - sizeof(end[0]), sizeof(end[0]));
    memcpy(&end[3], other + length - sizeof(end[0]), sizeof(end[0]));
    return end[0] == end[1] && end[2] == end[3];
}

static bool same_name(const struct ext4_disk_entry *entry, const char *name, size_t length)
{
    return entry->inode != 0 && entry->name_length == length &&
           same_ends(name_of(entry), name, length) && memcmp(name_of(entry), name, length) == 0;
}

static bool search_block(void *context, const struct ext4 *fs, struct ext4_buffer *buffer)
{
    struct search *search = context;
    uint32_t previous = 0;
    for (uint32_t offset = 0; offset < fs->block_size;) {
        const struct ext4_disk_entry *entry = entry_at(buffer, offset);
        if (same_name(entry, search->name, search->length)) {
            search->found = (struct place){ buffer, offset, previous };
            return true;
        }
        const uint32_t used = entry->inode == 0 ? 0 : entry_bytes(entry->name_length);
        if (search->needed != 0 && search->room.buffer == NULL &&
            entry->length - used >= search->needed) {
            search->room = (struct place){ buffer, offset, previous };
            buffer->references++;
        }
        previous = offset;
        offset += entry->length;
    }
    return false;
}

/* Fills found and room (of which the caller puts the buffers back). NO_SUCH_FILE: not found; room may be there. */
static enum kerr search_for(struct ext4 *fs, struct ext4_node *directory, struct search *search)
{
    enum kerr error = check(directory);
    if (error != KERR_OK) {
        return error;
    }
    struct ext4_buffer *stopped = NULL;
    error = each_block(fs, directory, search_block, search, &stopped);
    if (error == KERR_OK && stopped == NULL) {
        error = KERR_NO_SUCH_FILE;
    }
    return error;
}

static void put_places(struct search *search)
{
    if (search->found.buffer != NULL) {
        ext4_buffer_put(search->found.buffer);
    }
    if (search->room.buffer != NULL) {
        ext4_buffer_put(search->room.buffer);
    }
}

enum kerr ext4_dir_find(struct ext4 *fs, struct ext4_node *directory, const char *name,
                        size_t length, uint32_t *inode)
{
    struct search search = { .name = name, .length = length };
    enum kerr error = search_for(fs, directory, &search);
    if (error == KERR_OK) {
        *inode = entry_at(search.found.buffer, search.found.offset)->inode;
    }
    put_places(&search);
    return error;
}

/* ---- changing -------------------------------------------------------------------------------------------------- */

/* The directory's contents changed: times, and a hash index would no longer be true. */
static enum kerr store_changed(struct ext4 *fs, struct ext4_node *directory)
{
    fs->names++;
    directory->disk.flags &= ~EXT4_INODE_INDEXED;
    ext4_node_touch(fs, directory, true);
    return ext4_node_store(fs, directory);
}

/* One more block, an empty chain; pinned. NO_SPACE. */
static enum kerr append_block(struct ext4 *fs, struct ext4_node *directory,
                              struct ext4_buffer **buffer)
{
    const uint32_t logical = block_count(fs, directory);
    if (((uint64_t)logical + 1) << fs->block_shift > INT32_MAX) {
        return KERR_NO_SPACE;
    }
    struct ext4_run run;
    enum kerr error = ext4_extent_find(fs, directory, logical, 1, &run);
    if (error != KERR_OK) {
        return error;
    }
    if (run.state != EXT4_RUN_HOLE) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    const uint64_t goal = run.physical != 0
                              ? run.physical
                              : ext4_group_first(fs, ext4_group_of_inode(fs, directory->number));
    error = ext4_blocks_take(fs, goal, run.physical != 0, 1, &run.physical, &run.count);
    if (error != KERR_OK) {
        return error;
    }
    run.state = EXT4_RUN_WRITTEN;
    error = ext4_extent_insert(fs, directory, &run);
    if (error != KERR_OK) {
        enum kerr given = ext4_blocks_give(fs, run.physical, 1);
        return given == KERR_OK ? error : given;
    }
    ext4_node_count_blocks(fs, directory, 1);
    ext4_node_set_size(fs, directory, ((uint64_t)logical + 1) << fs->block_shift);
    error = ext4_buffer_fresh(fs, run.physical, EXT4_RANK_NAMES, buffer);
    if (error == KERR_OK) {
        entry_at(*buffer, 0)->length = (uint16_t)fs->block_size;
        (*buffer)->checked = EXT4_CHECKED_DIRECTORY;
    }
    return error;
}

static void write_entry(struct ext4_disk_entry *entry, const char *name, size_t length,
                        uint32_t inode, uint8_t type)
{
    entry->inode = inode;
    entry->name_length = (uint8_t)length;
    entry->type = type;
    memcpy(entry + 1, name, length);
}

/* Put the name into the free end of the entry at `room`, or into that entry itself when it is free. */
static void fill_room(struct ext4 *fs, const struct place *room, const char *name, size_t length,
                      uint32_t inode, uint8_t type)
{
    struct ext4_disk_entry *entry = entry_at(room->buffer, room->offset);
    if (entry->inode != 0) {
        const uint32_t used = entry_bytes(entry->name_length);
        struct ext4_disk_entry *rest = entry_at(room->buffer, room->offset + used);
        rest->length = (uint16_t)(entry->length - used);
        entry->length = (uint16_t)used;
        entry = rest;
    }
    write_entry(entry, name, length, inode, type);
    ext4_buffer_dirty(fs, room->buffer);
}

enum kerr ext4_dir_add(struct ext4 *fs, struct ext4_node *directory, const char *name,
                       size_t length, uint32_t inode, uint8_t type)
{
    struct search search = { .name = name, .length = length, .needed = entry_bytes(length) };
    enum kerr error = search_for(fs, directory, &search);
    if (error == KERR_OK) {
        error = KERR_EXISTS;
    } else if (error == KERR_NO_SUCH_FILE) {
        error =
            search.room.buffer != NULL ? KERR_OK : append_block(fs, directory, &search.room.buffer);
        if (error == KERR_OK) {
            fill_room(fs, &search.room, name, length, inode, type);
            error = store_changed(fs, directory);
        }
    }
    put_places(&search);
    return error;
}

enum kerr ext4_dir_change(struct ext4 *fs, struct ext4_node *directory, const char *name,
                          size_t length, uint32_t inode)
{
    struct search search = { .name = name, .length = length };
    enum kerr error = search_for(fs, directory, &search);
    if (error == KERR_OK) {
        entry_at(search.found.buffer, search.found.offset)->inode = inode;
        fs->names++;
        ext4_buffer_dirty(fs, search.found.buffer);
        ext4_node_touch(fs, directory, true);
        error = ext4_node_store(fs, directory);
    }
    put_places(&search);
    return error;
}

enum kerr ext4_dir_remove(struct ext4 *fs, struct ext4_node *directory, const char *name,
                          size_t length)
{
    struct search search = { .name = name, .length = length };
    enum kerr error = search_for(fs, directory, &search);
    if (error == KERR_OK) {
        const struct place *found = &search.found;
        struct ext4_disk_entry *entry = entry_at(found->buffer, found->offset);
        if (found->previous != found->offset) {
            struct ext4_disk_entry *before = entry_at(found->buffer, found->previous);
            before->length = (uint16_t)(before->length + entry->length);
        } else {
            entry->inode = 0;
        }
        ext4_buffer_dirty(fs, found->buffer);
        error = store_changed(fs, directory);
    }
    put_places(&search);
    return error;
}

enum kerr ext4_dir_init(struct ext4 *fs, struct ext4_node *directory, uint32_t parent)
{
    struct ext4_buffer *buffer = NULL;
    enum kerr error = append_block(fs, directory, &buffer);
    if (error != KERR_OK) {
        return error;
    }
    struct ext4_disk_entry *self = entry_at(buffer, 0);
    self->length = (uint16_t)entry_bytes(1);
    write_entry(self, ".", 1, directory->number, EXT4_TYPE_DIRECTORY);
    struct ext4_disk_entry *above = entry_at(buffer, self->length);
    above->length = (uint16_t)(fs->block_size - self->length);
    write_entry(above, "..", 2, parent, EXT4_TYPE_DIRECTORY);
    ext4_buffer_dirty(fs, buffer);
    ext4_buffer_put(buffer);
    return KERR_OK;
}

/* ---- visiting -------------------------------------------------------------------------------------------------- */

struct visit {
    bool (*visit)(void *context, const char *name, size_t length, uint32_t inode);
    void *context;
};

static bool visit_block(void *context, const struct ext4 *fs, struct ext4_buffer *buffer)
{
    const struct visit *visit = context;
    for (uint32_t offset = 0; offset < fs->block_size; offset += entry_at(buffer, offset)->length) {
        const struct ext4_disk_entry *entry = entry_at(buffer, offset);
        const bool special = same_name(entry, ".", 1) || same_name(entry, "..", 2);
        if (entry->inode != 0 && !special &&
            !visit->visit(visit->context, name_of(entry), entry->name_length, entry->inode)) {
            return true;
        }
    }
    return false;
}

enum kerr ext4_dir_visit(struct ext4 *fs, struct ext4_node *directory,
                         bool (*visit)(void *context, const char *name, size_t length,
                                       uint32_t inode),
                         void *context)
{
    enum kerr error = check(directory);
    if (error != KERR_OK) {
        return error;
    }
    struct visit state = { visit, context };
    struct ext4_buffer *stopped = NULL;
    error = each_block(fs, directory, visit_block, &state, &stopped);
    if (stopped != NULL) {
        ext4_buffer_put(stopped);
    }
    return error;
}
