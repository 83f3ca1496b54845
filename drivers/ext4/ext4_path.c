/* ext4_path.c - names to inodes, and the operations on names: mkdir, create, remove, stat, list. */
#include "drivers/ext4/ext4_internal.h"

#define MODE_NEW_FILE      (EXT4_MODE_FILE | 0644u)
#define MODE_NEW_DIRECTORY (EXT4_MODE_DIRECTORY | 0755u)

/* Cut the next name off the path. *name_length 0: there is none. BAD_PATH, NAME_TOO_LONG. */
static enum kerr next_name(const char **path, size_t *left, const char **name, size_t *name_length)
{
    while (*left > 0 && **path == '/') {
        (*path)++;
        (*left)--;
    }
    *name = *path;
    *name_length = 0;
    while (*left > 0 && **path != '/') {
        if (**path == '\0') {
            return KERR_BAD_PATH;
        }
        (*path)++;
        (*left)--;
        (*name_length)++;
    }
    if (*name_length > EXT4_NAME_MAX) {
        return KERR_NAME_TOO_LONG;
    }
    const bool dots = (*name_length == 1 && (*name)[0] == '.') ||
                      (*name_length == 2 && (*name)[0] == '.' && (*name)[1] == '.');
    return dots ? KERR_BAD_PATH : KERR_OK;
}

static enum kerr load_in_use(struct ext4 *fs, uint32_t inode, struct ext4_node *node)
{
    enum kerr error = ext4_node_load(fs, inode, node);
    return error == KERR_OK && node->disk.links == 0 ? KERR_CORRUPT_FILESYSTEM : error;
}

enum kerr ext4_load_named(struct ext4 *fs, struct ext4_node *directory, const char *name,
                          size_t name_length, struct ext4_node *node)
{
    uint32_t inode = 0;
    enum kerr error = ext4_dir_find(fs, directory, name, name_length, &inode);
    if (error == KERR_OK && inode < fs->first_inode) {
        error =
            KERR_CORRUPT_FILESYSTEM; /* the root and the inodes kept for special use have no names */
    }
    return error == KERR_OK ? load_in_use(fs, inode, node) : error;
}

/* Give the inode back after a creation that failed; the first error is the one to tell. */
static enum kerr undo_create(struct ext4 *fs, struct ext4_node *node, enum kerr error)
{
    enum kerr undone = ext4_node_destroy(fs, node);
    return undone == KERR_OK ? error : undone;
}

static enum kerr make_file(struct ext4 *fs, struct ext4_node *parent, const char *name,
                           size_t name_length, struct ext4_node *node)
{
    enum kerr error = ext4_node_create(fs, parent->number, MODE_NEW_FILE, node);
    if (error != KERR_OK) {
        return error;
    }
    error = ext4_dir_add(fs, parent, name, name_length, node->number, EXT4_TYPE_FILE);
    if (error != KERR_OK) {
        return undo_create(fs, node, error);
    }
    node->disk.links = 1;
    return ext4_node_store(fs, node);
}

/* One more subdirectory names `parent` as "..". Beyond the format's limit the count stays 1, "many". */
static void count_subdirectory(struct ext4_node *parent, int change)
{
    if (parent->disk.links == 1) {
        return;
    }
    parent->disk.links = (uint16_t)(parent->disk.links + change);
    if (parent->disk.links >= EXT4_LINK_MAX) {
        parent->disk.links = 1;
    }
}

static enum kerr make_directory(struct ext4 *fs, struct ext4_node *parent, const char *name,
                                size_t name_length, struct ext4_node *node)
{
    if (parent->disk.links >= EXT4_LINK_MAX - 1 && (fs->super.ro_compat & EXT4_RO_DIR_NLINK) == 0) {
        return KERR_NO_SPACE;
    }
    enum kerr error = ext4_node_create(fs, parent->number, MODE_NEW_DIRECTORY, node);
    if (error != KERR_OK) {
        return error;
    }
    error = ext4_dir_init(fs, node, parent->number);
    if (error == KERR_OK) {
        error = ext4_dir_add(fs, parent, name, name_length, node->number, EXT4_TYPE_DIRECTORY);
    }
    if (error != KERR_OK) {
        return undo_create(fs, node, error);
    }
    node->disk.links = 2;
    error = ext4_node_store(fs, node);
    if (error != KERR_OK) {
        return error;
    }
    count_subdirectory(parent, 1);
    return ext4_node_store(fs, parent);
}

enum kerr ext4_resolve_parent(struct ext4 *fs, const char *path, size_t length, bool make,
                              struct ext4_node *parent, const char **name, size_t *name_length)
{
    if (length == 0 || path[0] != '/') {
        return KERR_BAD_PATH;
    }
    enum kerr error = ext4_node_load(fs, EXT4_ROOT_INODE, parent);
    if (error == KERR_OK) {
        error = next_name(&path, &length, name, name_length);
    }
    while (error == KERR_OK && *name_length != 0) {
        const char *following = NULL;
        size_t following_length = 0;
        error = next_name(&path, &length, &following, &following_length);
        if (error != KERR_OK || following_length == 0) {
            break;
        }
        struct ext4_node child;
        error = ext4_load_named(fs, parent, *name, *name_length, &child);
        if (error == KERR_NO_SUCH_FILE && make) {
            error = make_directory(fs, parent, *name, *name_length, &child);
        }
        if (error == KERR_OK && !ext4_is_directory(&child)) {
            error = KERR_NOT_A_DIRECTORY;
        }
        if (error == KERR_OK) {
            *parent = child;
            *name = following;
            *name_length = following_length;
        }
    }
    return error;
}

enum kerr ext4_resolve(struct ext4 *fs, const char *path, size_t length, struct ext4_node *node)
{
    struct ext4_node parent;
    const char *name = NULL;
    size_t name_length = 0;
    const uint32_t inode = ext4_known_find(fs, path, length);
    if (inode != 0) {
        return load_in_use(fs, inode, node);
    }
    enum kerr error = ext4_resolve_parent(fs, path, length, false, &parent, &name, &name_length);
    if (error != KERR_OK) {
        return error;
    }
    if (name_length == 0) {
        *node = parent;
        return KERR_OK;
    }
    error = ext4_load_named(fs, &parent, name, name_length, node);
    if (error == KERR_OK) {
        ext4_known_note(fs, path, length, node->number);
    }
    return error;
}

/* ---- looking --------------------------------------------------------------------------------------------------- */

enum kerr ext4_stat(struct ext4 *fs, const char *path, size_t length, struct ext4_stat *stat)
{
    struct ext4_node node;
    ext4_lock(fs);
    enum kerr error = ext4_resolve(fs, path, length, &node);
    ext4_unlock(fs);
    if (error == KERR_OK) {
        ext4_node_stat(&node, stat);
    }
    return error;
}

struct listing {
    struct ext4 *fs;
    bool (*entry)(void *context, const char *name, size_t name_length,
                  const struct ext4_stat *stat);
    void *context;
    enum kerr error;
};

static bool list_one(void *context, const char *name, size_t name_length, uint32_t inode)
{
    struct listing *listing = context;
    struct ext4_node node;
    listing->error = ext4_node_load(listing->fs, inode, &node);
    if (listing->error != KERR_OK) {
        return false;
    }
    struct ext4_stat stat;
    ext4_node_stat(&node, &stat);
    return listing->entry(listing->context, name, name_length, &stat);
}

enum kerr ext4_list(struct ext4 *fs, const char *path, size_t length,
                    bool (*entry)(void *context, const char *name, size_t name_length,
                                  const struct ext4_stat *stat),
                    void *context)
{
    struct listing listing = { .fs = fs, .entry = entry, .context = context, .error = KERR_OK };
    struct ext4_node node;
    ext4_lock(fs);
    enum kerr error = ext4_resolve(fs, path, length, &node);
    if (error == KERR_OK) {
        error = ext4_dir_visit(fs, &node, list_one, &listing);
    }
    ext4_unlock(fs);
    return error == KERR_OK ? listing.error : error;
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

static enum kerr make_at(struct ext4 *fs, const char *path, size_t length, bool parents,
                         enum kerr (*make)(struct ext4 *fs, struct ext4_node *parent,
                                           const char *name, size_t name_length,
                                           struct ext4_node *node))
{
    struct ext4_node parent;
    struct ext4_node node;
    const char *name = NULL;
    size_t name_length = 0;
    ext4_lock(fs);
    enum kerr error = ext4_change_begin(fs);
    if (error == KERR_OK) {
        error = ext4_resolve_parent(fs, path, length, parents, &parent, &name, &name_length);
    }
    if (error == KERR_OK) {
        error =
            name_length == 0 ? KERR_EXISTS : ext4_load_named(fs, &parent, name, name_length, &node);
        if (error == KERR_OK) {
            error = parents && !ext4_is_directory(&node) ? KERR_NOT_A_DIRECTORY : KERR_EXISTS;
        } else if (error == KERR_NO_SUCH_FILE) {
            error = make(fs, &parent, name, name_length, &node);
        }
    }
    error = ext4_change_end(fs, error);
    ext4_unlock(fs);
    return error;
}

enum kerr ext4_mkdir(struct ext4 *fs, const char *path, size_t length)
{
    return make_at(fs, path, length, false, make_directory);
}

enum kerr ext4_mkdirs(struct ext4 *fs, const char *path, size_t length)
{
    enum kerr error = make_at(fs, path, length, true, make_directory);
    return error == KERR_EXISTS ? KERR_OK : error;
}

enum kerr ext4_create(struct ext4 *fs, const char *path, size_t length)
{
    return make_at(fs, path, length, false, make_file);
}

/* ---- removing -------------------------------------------------------------------------------------------------- */

static bool stop_at_first(void *context, const char *name, size_t length, uint32_t inode)
{
    (void)name;
    (void)length;
    (void)inode;
    *(bool *)context = true;
    return false;
}

static enum kerr remove_directory(struct ext4 *fs, struct ext4_node *parent, const char *name,
                                  size_t name_length, struct ext4_node *node)
{
    bool occupied = false;
    enum kerr error = ext4_dir_visit(fs, node, stop_at_first, &occupied);
    if (error == KERR_OK && occupied) {
        error = KERR_NOT_EMPTY;
    }
    if (error == KERR_OK) {
        error = ext4_dir_remove(fs, parent, name, name_length);
    }
    if (error == KERR_OK) {
        count_subdirectory(parent, -1);
        error = ext4_node_store(fs, parent);
    }
    return error == KERR_OK ? ext4_node_orphan(fs, node) : error;
}

static enum kerr remove_file(struct ext4 *fs, struct ext4_node *parent, const char *name,
                             size_t name_length, struct ext4_node *node)
{
    enum kerr error = ext4_dir_remove(fs, parent, name, name_length);
    if (error != KERR_OK) {
        return error;
    }
    if (node->disk.links > 1) {
        node->disk.links--;
        ext4_node_touch(fs, node, false);
        return ext4_node_store(fs, node);
    }
    return ext4_node_orphan(fs, node);
}

/* One try, the lock held. *again: the file was open and is not any more; look it up anew. */
static enum kerr try_remove(struct ext4 *fs, const char *path, size_t length,
                            struct ext4_busy **place, bool *again)
{
    struct ext4_node parent;
    struct ext4_node node;
    const char *name = NULL;
    size_t name_length = 0;
    *again = false;
    enum kerr error = ext4_change_begin(fs);
    if (error == KERR_OK) {
        error = ext4_resolve_parent(fs, path, length, false, &parent, &name, &name_length);
    }
    if (error == KERR_OK) {
        error = name_length == 0 ? KERR_NOT_PERMITTED
                                 : ext4_load_named(fs, &parent, name, name_length, &node);
    }
    if (error != KERR_OK) {
        return error;
    }
    const bool lost_and_found = parent.number == EXT4_ROOT_INODE &&
                                node.number == fs->first_inode &&
                                ext4_is_directory(&node); /* e2fsck wants it to be there */
    if (lost_and_found ||
        (node.disk.flags & (EXT4_INODE_IMMUTABLE | EXT4_INODE_APPEND_ONLY)) != 0) {
        return KERR_NOT_PERMITTED;
    }
    error = ext4_node_check_freeable(fs, &node);
    if (error != KERR_OK) {
        return error;
    }
    const struct ext4_claim claim = ext4_claim_all(node.number, true);
    if (!ext4_busy_enter(fs, &claim, place)) {
        *again = true;
        return KERR_OK;
    }
    error = ext4_is_directory(&node) ? remove_directory(fs, &parent, name, name_length, &node)
                                     : remove_file(fs, &parent, name, name_length, &node);
    return ext4_change_end(fs, error);
}

enum kerr ext4_remove(struct ext4 *fs, const char *path, size_t length)
{
    struct ext4_busy *place = NULL;
    bool again = true;
    enum kerr error = KERR_OK;
    ext4_lock(fs);
    while (again) {
        error = try_remove(fs, path, length, &place, &again);
    }
    ext4_busy_leave(fs, &place);
    ext4_unlock(fs);
    return error;
}
