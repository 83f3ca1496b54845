/* ext4_open.c - who has a file open: one writer or many readers; the others wait. */
#include "drivers/ext4/ext4_internal.h"

static struct ext4_busy *find_busy(struct ext4 *fs, uint32_t inode)
{
    for (uint32_t i = 0; i < fs->callers; i++) {
        if (fs->busy[i].inode == inode) {
            return &fs->busy[i];
        }
    }
    return NULL;
}

bool ext4_busy_enter(struct ext4 *fs, uint32_t inode, bool writer)
{
    struct ext4_busy *busy = find_busy(fs, inode);
    const bool excluded =
        busy != NULL && (busy->writer || (writer ? busy->readers != 0 : busy->writer_waits));
    if (excluded && writer) {
        busy->writer_waits = true;
    }
    if (busy == NULL) {
        busy = find_busy(fs, 0);
    }
    if (excluded || busy == NULL) {
        fs->host.wait(fs->host.context);
        return false;
    }
    busy->inode = inode;
    busy->writer = writer;
    busy->readers += writer ? 0 : 1;
    return true;
}

void ext4_busy_leave(struct ext4 *fs, uint32_t inode, bool writer)
{
    struct ext4_busy *busy = find_busy(fs, inode);
    busy->writer = false;
    busy->readers -= writer ? 0 : 1;
    busy->writer_waits =
        false; /* all who wait are woken and look again, in the order in which they came */
    if (busy->readers == 0) {
        busy->inode = 0;
    }
    fs->host.wake(fs->host.context);
}

/* One try, the lock held. *again: look it up anew. */
static enum kerr try_open(struct ext4 *fs, const char *path, size_t length, bool writable,
                          struct ext4_file *file, bool *again)
{
    struct ext4_node node;
    *again = false;
    enum kerr error = ext4_resolve(fs, path, length, &node);
    if (error != KERR_OK) {
        return error;
    }
    if (ext4_is_directory(&node)) {
        return KERR_IS_A_DIRECTORY;
    }
    if (ext4_node_kind(&node) != EXT4_MODE_FILE) {
        return KERR_NOT_SUPPORTED;
    }
    if (writable && (node.disk.flags & (EXT4_INODE_IMMUTABLE | EXT4_INODE_APPEND_ONLY)) != 0) {
        return KERR_NOT_PERMITTED;
    }
    error = ext4_node_check_data(&node);
    if (error == KERR_OK) {
        *again = !ext4_busy_enter(fs, node.number, writable);
        *file = (struct ext4_file){ .inode = node.number, .writable = writable };
    }
    return error;
}

enum kerr ext4_open(struct ext4 *fs, const char *path, size_t length, bool writable,
                    struct ext4_file *file)
{
    bool again = true;
    enum kerr error = KERR_OK;
    ext4_lock(fs);
    while (again) {
        error = try_open(fs, path, length, writable, file, &again);
    }
    ext4_unlock(fs);
    return error;
}

void ext4_close(struct ext4 *fs, struct ext4_file *file)
{
    ext4_lock(fs);
    ext4_busy_leave(fs, file->inode, file->writable);
    ext4_unlock(fs);
    file->inode = 0;
}

enum kerr ext4_load_open(struct ext4 *fs, const struct ext4_file *file, struct ext4_node *node)
{
    ext4_lock(fs);
    enum kerr error = ext4_node_load(fs, file->inode, node);
    ext4_unlock(fs);
    return error;
}

enum kerr ext4_file_size(struct ext4 *fs, const struct ext4_file *file, uint64_t *size_bytes)
{
    struct ext4_node node;
    enum kerr error = ext4_load_open(fs, file, &node);
    if (error == KERR_OK) {
        *size_bytes = ext4_node_size(&node);
    }
    return error;
}
