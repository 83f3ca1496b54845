/* ext4_extent_cut.c - extent trees: free what lies behind a place, from the end on. */
#include "drivers/ext4/ext4_internal.h"

/* The leaf (or the index node above it, and so on) has lost its last entry: free it, up to the first that has more. */
static enum kerr remove_empty(struct ext4 *fs, struct ext4_node *node, struct ext4_path *path)
{
    while (path->depth > 0 && path->level[path->depth].node->entries == 0) {
        struct ext4_buffer *buffer = path->level[path->depth].buffer;
        const uint64_t block = buffer->block;
        path->level[path->depth].buffer = NULL;
        ext4_buffer_put(buffer);
        path->depth--;
        path->level[path->depth]
            .node->entries--; /* the path is the rightmost one: its entry is the last */
        ext4_level_dirty(fs, &path->level[path->depth]);
        enum kerr error = ext4_blocks_give(fs, block, 1);
        if (error != KERR_OK) {
            return error;
        }
        ext4_node_count_blocks(fs, node, -1);
    }
    if (path->level[0].node->entries == 0) {
        path->level[0].node->depth = 0;
    }
    return KERR_OK;
}

/* Free what the last extent has from `from` on. *done: it has nothing there. */
static enum kerr cut_last(struct ext4 *fs, struct ext4_node *node, uint64_t from,
                          struct ext4_path *path, bool *done)
{
    struct ext4_level *leaf = &path->level[path->depth];
    *done = true;
    if (leaf->node->entries == 0) {
        return KERR_OK; /* only the root may be empty: the file has no blocks */
    }
    struct ext4_disk_extent *extent = &ext4_extents(leaf->node)[leaf->node->entries - 1];
    const uint32_t count = ext4_extent_count(extent);
    const uint64_t physical = ext4_extent_physical(extent);
    if (extent->logical + (uint64_t)count <= from) {
        return KERR_OK;
    }
    const uint32_t kept = extent->logical < from ? (uint32_t)(from - extent->logical) : 0;
    if (kept != 0) {
        *extent = ext4_make_extent(extent->logical, physical, kept, ext4_extent_unwritten(extent));
    } else {
        leaf->node->entries--;
        *done = false;
    }
    ext4_level_dirty(fs, leaf);
    enum kerr error = ext4_blocks_give(fs, physical + kept, count - kept);
    if (error != KERR_OK) {
        return error;
    }
    ext4_node_count_blocks(fs, node, -(int64_t)(count - kept));
    return remove_empty(fs, node, path);
}

/* While the root has one child whose entries fit into the root: pull them up. e2fsck calls the deeper tree a flaw. */
static enum kerr shrink(struct ext4 *fs, struct ext4_node *node)
{
    struct ext4_disk_node *root = (struct ext4_disk_node *)node->disk.root;
    while (root->depth > 0 && root->entries == 1) {
        struct ext4_path path;
        enum kerr error = ext4_path_find(fs, node, 0, &path);
        struct ext4_disk_node *child = path.level[1].node;
        if (error != KERR_OK || child->entries > root->capacity) {
            ext4_path_release(&path);
            return error;
        }
        const uint64_t block = path.level[1].buffer->block;
        const uint16_t capacity = root->capacity;
        memcpy(root, child, sizeof(*child) + child->entries * sizeof(struct ext4_disk_extent));
        root->capacity = capacity;
        ext4_path_release(&path);
        error = ext4_blocks_give(fs, block, 1);
        if (error != KERR_OK) {
            return error;
        }
        ext4_node_count_blocks(fs, node, -1);
    }
    return KERR_OK;
}

enum kerr ext4_extent_truncate(struct ext4 *fs, struct ext4_node *node, uint64_t from)
{
    bool done = false;
    while (!done) {
        struct ext4_path path;
        enum kerr error = ext4_path_find(fs, node, UINT32_MAX, &path);
        if (error == KERR_OK) {
            error = cut_last(fs, node, from, &path, &done);
        }
        ext4_path_release(&path);
        if (error != KERR_OK) {
            return error;
        }
    }
    return shrink(fs, node);
}
