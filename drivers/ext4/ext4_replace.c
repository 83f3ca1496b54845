/* ext4_replace.c - give a path new contents as a whole: a new inode is written, then takes the name. */
#include "drivers/ext4/ext4_internal.h"

/* What a path names now. */
struct target {
    const char *path;
    size_t length;
    bool make_parents;
    struct ext4_node parent;
    const char *name;
    size_t name_length;
    bool exists;
    struct ext4_node old; /* when it exists: a file */
    struct ext4_busy *place;
};

/* Look the target up. An error: nothing can be put there. */
static enum kerr look_at(struct ext4 *fs, struct target *target)
{
    enum kerr error = ext4_resolve_parent(fs, target->path, target->length, target->make_parents,
                                          &target->parent, &target->name, &target->name_length);
    if (error != KERR_OK) {
        return error;
    }
    if (target->name_length == 0) {
        return KERR_IS_A_DIRECTORY;
    }
    error = ext4_load_named(fs, &target->parent, target->name, target->name_length, &target->old);
    target->exists = error == KERR_OK;
    if (!target->exists) {
        return error == KERR_NO_SUCH_FILE ? KERR_OK : error;
    }
    if (ext4_is_directory(&target->old)) {
        return KERR_IS_A_DIRECTORY;
    }
    if (ext4_node_kind(&target->old) != EXT4_MODE_FILE) {
        return KERR_NOT_SUPPORTED;
    }
    return (target->old.disk.flags & (EXT4_INODE_IMMUTABLE | EXT4_INODE_APPEND_ONLY)) != 0
               ? KERR_NOT_PERMITTED
               : ext4_node_check_freeable(fs, &target->old);
}

/* Make the new inode, without a name yet. */
static enum kerr begin_replace(struct ext4 *fs, struct target *target, size_t bytes,
                               uint32_t *inode)
{
    struct ext4_node node = { .number = 0 };
    ext4_lock(fs);
    enum kerr error = ext4_change_begin(fs);
    if (error == KERR_OK) {
        error = look_at(fs, target);
    }
    if (error == KERR_OK && ext4_blocks_for(fs, bytes) > fs->free_blocks && fs->orphan_count != 0) {
        error = ext4_settle(fs);
    }
    if (error == KERR_OK && ext4_blocks_for(fs, bytes) > fs->free_blocks) {
        error = KERR_NO_SPACE;
    }
    if (error == KERR_OK) {
        const uint16_t mode =
            target->exists ? target->old.disk.mode : (uint16_t)(EXT4_MODE_FILE | 0644u);
        error = ext4_node_create(fs, target->parent.number, mode, &node);
    }
    *inode = node.number;
    error = ext4_change_end(fs, error);
    ext4_unlock(fs);
    return error;
}

/* An inode has lost a name. */
static enum kerr drop_name(struct ext4 *fs, struct ext4_node *node)
{
    if (node->disk.links > 1) {
        node->disk.links--;
        return ext4_node_store(fs, node);
    }
    return ext4_node_orphan(fs, node);
}

/* Give the name to the new inode and free the old one. One try; *again: the old one was open. */
static enum kerr try_name(struct ext4 *fs, struct target *target, struct ext4_node *node,
                          bool *again)
{
    *again = false;
    enum kerr error = ext4_change_begin(fs);
    if (error == KERR_OK) {
        error = look_at(fs, target);
    }
    if (error != KERR_OK) {
        return error;
    }
    const struct ext4_claim claim = ext4_claim_all(target->old.number, true);
    if (target->exists && !ext4_busy_enter(fs, &claim, &target->place)) {
        *again = true;
        return KERR_OK;
    }
    if (target->exists) {
        error =
            ext4_dir_change(fs, &target->parent, target->name, target->name_length, node->number);
    } else {
        error = ext4_dir_add(fs, &target->parent, target->name, target->name_length, node->number,
                             EXT4_TYPE_FILE);
    }
    if (error == KERR_OK) {
        node->disk.links = 1;
        error = ext4_node_store(fs, node);
    }
    if (target->exists) {
        error = error == KERR_OK ? drop_name(fs, &target->old) : error;
    }
    return error;
}

/* The data is there, or could not be `written`: name the new inode, or free it. */
static enum kerr end_replace(struct ext4 *fs, struct target *target, uint32_t inode,
                             enum kerr written)
{
    struct ext4_node node;
    bool again = true;
    ext4_lock(fs);
    enum kerr error = ext4_change_begin(fs);
    if (error == KERR_OK) {
        error = ext4_node_load(fs, inode, &node);
    }
    if (error != KERR_OK) {
        ext4_unlock(fs);
        return error;
    }
    error = written;
    while (error == KERR_OK && again) {
        error = try_name(fs, target, &node, &again);
    }
    ext4_busy_leave(fs, &target->place);
    if (error != KERR_OK && node.disk.links == 0 && !fs->damaged) {
        enum kerr undone = ext4_node_destroy(fs, &node);
        error = undone == KERR_OK ? error : undone;
    }
    error = ext4_change_end(fs, error);
    ext4_unlock(fs);
    return error;
}

enum kerr ext4_replace(struct ext4 *fs, const char *path, size_t length, const void *data,
                       size_t bytes, bool make_parents)
{
    struct target target = { .path = path, .length = length, .make_parents = make_parents };
    struct ext4_file file = { .inode = 0, .writable = true };
    enum kerr error = begin_replace(fs, &target, bytes, &file.inode);
    if (error != KERR_OK) {
        return error;
    }
    size_t put = 0;
    error = ext4_write(fs, &file, 0, data, bytes, &put);
    return end_replace(fs, &target, file.inode, error);
}
