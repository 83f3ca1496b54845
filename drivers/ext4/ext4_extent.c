/* ext4_extent.c - extent trees: check each node that comes from the disk, walk down, find what lies at a place of a file. */
#include "drivers/ext4/ext4_internal.h"

_Static_assert(EXT4_CHECKED_NODE + EXT4_MAX_DEPTH <= UINT8_MAX, "ext4_buffer.checked holds it");

static bool leaf_is_sound(const struct ext4 *fs, struct ext4_disk_node *node)
{
    const struct ext4_disk_extent *extent = ext4_extents(node);
    uint64_t end = 0;
    for (uint32_t i = 0; i < node->entries; i++) {
        const uint32_t count = ext4_extent_count(&extent[i]);
        if (extent[i].logical < end ||
            !ext4_blocks_allowed(fs, ext4_extent_physical(&extent[i]), count)) {
            return false;
        }
        end = (uint64_t)extent[i].logical + count;
    }
    return end <= UINT32_MAX;
}

static bool index_is_sound(const struct ext4 *fs, struct ext4_disk_node *node)
{
    const struct ext4_disk_index *index = ext4_indexes(node);
    for (uint32_t i = 0; i < node->entries; i++) {
        if ((i > 0 && index[i].logical <= index[i - 1].logical) ||
            !ext4_blocks_allowed(fs, ext4_index_child(&index[i]), 1)) {
            return false;
        }
    }
    return node->entries != 0;
}

static bool node_is_sound(const struct ext4 *fs, struct ext4_disk_node *node, size_t bytes)
{
    const size_t room = (bytes - sizeof(*node)) / sizeof(struct ext4_disk_extent);
    /* Splitting counts on four entries at least, as many as the root has. */
    if (node->magic != EXT4_EXTENT_MAGIC || node->capacity < 4 || node->capacity > room ||
        node->entries > node->capacity || node->depth > EXT4_MAX_DEPTH) {
        return false;
    }
    return node->depth == 0 ? leaf_is_sound(fs, node) : index_is_sound(fs, node);
}

/* The last entry whose logical block is not behind `logical`; 0 when there is none. All entries have `logical` first. */
static uint32_t last_not_behind(struct ext4_disk_node *node, uint32_t logical, bool *found)
{
    const struct ext4_disk_extent *entry = ext4_extents(node);
    uint32_t low = 0;
    uint32_t high = node->entries;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (entry[middle].logical <= logical) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low != 0;
    return low == 0 ? 0 : low - 1;
}

static enum kerr enter_child(struct ext4 *fs, const struct ext4_level *above,
                             struct ext4_level *level)
{
    const uint64_t block = ext4_index_child(&ext4_indexes(above->node)[above->position]);
    enum kerr error = ext4_buffer_get(fs, block, EXT4_RANK_NODES, &level->buffer);
    if (error != KERR_OK) {
        level->buffer = NULL;
        return error;
    }
    level->node = (struct ext4_disk_node *)level->buffer->data;
    const uint16_t depth = (uint16_t)(above->node->depth - 1);
    if (level->buffer->checked != EXT4_CHECKED_NODE + depth) {
        if (level->node->depth != depth || level->node->entries == 0 ||
            !node_is_sound(fs, level->node, fs->block_size)) {
            return KERR_CORRUPT_FILESYSTEM;
        }
        level->buffer->checked = (uint8_t)(EXT4_CHECKED_NODE + depth);
    }
    return KERR_OK;
}

enum kerr ext4_path_find(struct ext4 *fs, struct ext4_node *node, uint32_t logical,
                         struct ext4_path *path)
{
    memset(path, 0, sizeof(*path));
    struct ext4_level *level = &path->level[0];
    level->node = (struct ext4_disk_node *)node->disk.root;
    if (!node_is_sound(fs, level->node, sizeof(node->disk.root))) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    const uint32_t depth = level->node->depth;
    bool found = false;
    while (path->depth < depth) {
        level->position = last_not_behind(level->node, logical, &found);
        path->depth++;
        enum kerr error = enter_child(fs, level, level + 1);
        if (error != KERR_OK) {
            return error;
        }
        level++;
    }
    level->position = last_not_behind(level->node, logical, &found);
    level->position += found ? 1 : 0;
    return KERR_OK;
}

void ext4_path_release(struct ext4_path *path)
{
    for (uint32_t i = 0; i <= path->depth; i++) {
        if (path->level[i].buffer != NULL) {
            ext4_buffer_put(path->level[i].buffer);
        }
    }
}

void ext4_level_dirty(struct ext4 *fs, struct ext4_level *level)
{
    if (level->buffer != NULL) {
        ext4_buffer_dirty(fs, level->buffer);
    }
}

/* Where the next entry behind the path's place begins; 2^32 - 1, the end of all files, when there is none. */
static uint32_t next_logical(const struct ext4_path *path)
{
    const struct ext4_level *leaf = &path->level[path->depth];
    if (leaf->position < leaf->node->entries) {
        return ext4_extents(leaf->node)[leaf->position].logical;
    }
    for (uint32_t i = path->depth; i-- > 0;) {
        const struct ext4_level *level = &path->level[i];
        if (level->position + 1u < level->node->entries) {
            return ext4_indexes(level->node)[level->position + 1].logical;
        }
    }
    return UINT32_MAX;
}

/* What the path's place says about `logical`. */
static enum kerr describe(const struct ext4_path *path, uint32_t logical, uint32_t want,
                          struct ext4_run *run)
{
    const struct ext4_level *leaf = &path->level[path->depth];
    *run = (struct ext4_run){ .logical = logical, .state = EXT4_RUN_HOLE };
    if (leaf->position > 0) {
        const struct ext4_disk_extent *extent = &ext4_extents(leaf->node)[leaf->position - 1];
        const uint32_t count = ext4_extent_count(extent);
        const uint32_t inside = logical - extent->logical;
        run->physical = ext4_extent_physical(extent) + inside;
        if (inside < count) {
            run->count = count - inside < want ? count - inside : want;
            run->state = ext4_extent_unwritten(extent) ? EXT4_RUN_UNWRITTEN : EXT4_RUN_WRITTEN;
            return KERR_OK;
        }
        run->physical = ext4_extent_physical(extent) + count;
    }
    const uint32_t next = next_logical(path);
    if (next <= logical) {
        return KERR_CORRUPT_FILESYSTEM; /* an index that does not agree with the node below it */
    }
    run->count = next - logical < want ? next - logical : want;
    return KERR_OK;
}

enum kerr ext4_extent_find(struct ext4 *fs, struct ext4_node *node, uint32_t logical, uint32_t want,
                           struct ext4_run *run)
{
    struct ext4_path path;
    enum kerr error = ext4_path_find(fs, node, logical, &path);
    if (error == KERR_OK) {
        error = describe(&path, logical, want, run);
    }
    ext4_path_release(&path);
    return error;
}

void ext4_extent_init(struct ext4_node *node)
{
    memset(node->disk.root, 0, sizeof(node->disk.root));
    struct ext4_disk_node *root = (struct ext4_disk_node *)node->disk.root;
    root->magic = EXT4_EXTENT_MAGIC;
    root->capacity = (EXT4_ROOT_BYTES - sizeof(*root)) / sizeof(struct ext4_disk_extent);
    node->disk.flags |= EXT4_INODE_EXTENTS;
}
