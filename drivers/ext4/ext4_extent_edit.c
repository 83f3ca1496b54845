/*
 * ext4_extent_edit.c - extent trees: insert, split, convert.
 *
 * An insertion first takes all blocks that new nodes will need; from there on it cannot fail, so the tree is never half changed.
 * Keys: an index entry's logical block always equals the first one of the node below it (e2fsck insists).
 */
#include "drivers/ext4/ext4_internal.h"

/* Blocks for new nodes, taken before the tree is touched. */
struct spares {
    struct ext4_buffer *buffer[EXT4_MAX_DEPTH + 1];
    uint32_t count;
};

static bool has_room(const struct ext4_level *level)
{
    return level->node->entries < level->node->capacity;
}

/* New nodes that an insertion at the path's leaf needs: one for each full node above it, and one more when the root is full too. */
static uint32_t spares_needed(const struct ext4_path *path)
{
    uint32_t needed = 0;
    for (uint32_t i = path->depth + 1; i-- > 0;) {
        if (has_room(&path->level[i])) {
            break;
        }
        needed++;
    }
    return needed;
}

static enum kerr give_spares(struct ext4 *fs, struct ext4_node *node, struct spares *spares)
{
    enum kerr error = KERR_OK;
    while (spares->count > 0) {
        struct ext4_buffer *buffer = spares->buffer[--spares->count];
        ext4_buffer_put(buffer);
        enum kerr given = ext4_blocks_give(fs, buffer->block, 1);
        error = error == KERR_OK ? given : error;
        ext4_node_count_blocks(fs, node, -1);
    }
    return error;
}

static enum kerr take_spares(struct ext4 *fs, struct ext4_node *node, uint64_t goal,
                             uint32_t needed, struct spares *spares)
{
    spares->count = 0;
    while (spares->count < needed) {
        uint64_t block = 0;
        uint32_t got = 0;
        enum kerr error = ext4_blocks_take(fs, goal, false, 1, &block, &got);
        if (error == KERR_OK) {
            error = ext4_buffer_fresh(fs, block, EXT4_RANK_NODES, &spares->buffer[spares->count]);
        }
        if (error != KERR_OK) {
            enum kerr given = give_spares(fs, node, spares);
            return given == KERR_OK ? error : given;
        }
        ext4_node_count_blocks(fs, node, 1);
        spares->count++;
    }
    return KERR_OK;
}

/* An empty node of that depth in a spare block; the spare's reference becomes the level's. */
static struct ext4_level new_node(struct ext4 *fs, struct spares *spares, uint16_t depth)
{
    struct ext4_buffer *buffer = spares->buffer[--spares->count];
    struct ext4_disk_node *node = (struct ext4_disk_node *)buffer->data;
    *node = (struct ext4_disk_node){
        .magic = EXT4_EXTENT_MAGIC,
        .capacity = (uint16_t)((fs->block_size - sizeof(*node)) / sizeof(struct ext4_disk_extent)),
        .depth = depth,
    };
    buffer->checked = (uint8_t)(EXT4_CHECKED_NODE + depth);
    return (struct ext4_level){ .buffer = buffer, .node = node };
}

/* Entries from `from` on move to the (empty) node `to`. Extents and index entries have the same size. */
static void move_entries(struct ext4_disk_node *node, uint32_t from, struct ext4_disk_node *to)
{
    to->entries = (uint16_t)(node->entries - from);
    memcpy(ext4_extents(to), ext4_extents(node) + from,
           to->entries * sizeof(struct ext4_disk_extent));
    node->entries = (uint16_t)from;
}

static void insert_entry(struct ext4 *fs, struct ext4_level *level, uint32_t position,
                         const void *entry)
{
    struct ext4_disk_extent *entries = ext4_extents(level->node);
    memmove(&entries[position + 1], &entries[position],
            (level->node->entries - position) * sizeof(*entries));
    memcpy(&entries[position], entry, sizeof(*entries));
    level->node->entries++;
    ext4_level_dirty(fs, level);
}

static struct ext4_disk_index index_entry(uint32_t logical, uint64_t block)
{
    return (struct ext4_disk_index){
        .logical = logical,
        .child_lo = (uint32_t)block,
        .child_hi = (uint16_t)(block >> 32),
    };
}

/* The root's entries move one level down; the tree is one deeper. */
static void grow(struct ext4 *fs, struct ext4_path *path, struct spares *spares)
{
    struct ext4_level root = path->level[0];
    struct ext4_level below = new_node(fs, spares, root.node->depth);
    move_entries(root.node, 0, below.node);
    below.position = root.position;
    memmove(&path->level[1], &path->level[0], (path->depth + 1) * sizeof(path->level[0]));
    path->depth++;
    path->level[1] = below;
    path->level[0] = (struct ext4_level){ .buffer = NULL, .node = root.node, .position = 0 };
    root.node->depth++;
    const struct ext4_disk_index entry =
        index_entry(ext4_extents(below.node)[0].logical, below.buffer->block);
    insert_entry(fs, &path->level[0], 0, &entry);
}

/*
 * Cut level `i`, whose parent has room, in two; the path follows the half in which the new entry will stand. At the end nothing is moved
 * (a leaf) or only the entry on the path (an index): files mostly grow at their end, and full nodes then stay full.
 */
static void split(struct ext4 *fs, struct ext4_path *path, uint32_t i, uint32_t key,
                  struct spares *spares)
{
    struct ext4_level *level = &path->level[i];
    const bool leaf = level->node->depth == 0;
    const uint32_t count = level->node->entries;
    const uint32_t place = leaf ? level->position : level->position + 1;
    const uint32_t kept = place < count ? count / 2 : (leaf ? count : count - 1);
    struct ext4_level right = new_node(fs, spares, level->node->depth);
    move_entries(level->node, kept, right.node);
    ext4_level_dirty(fs, level);
    if (right.node->entries != 0) {
        key = ext4_extents(right.node)[0].logical;
    }
    struct ext4_level *parent = &path->level[i - 1];
    const struct ext4_disk_index entry = index_entry(key, right.buffer->block);
    insert_entry(fs, parent, parent->position + 1, &entry);
    const bool go_right = leaf ? place > kept || right.node->entries == 0 : level->position >= kept;
    if (go_right) {
        right.position = level->position - kept;
        ext4_buffer_put(level->buffer);
        *level = right;
        parent->position++;
    } else {
        ext4_buffer_put(right.buffer);
    }
}

/* Make room at level `i`; returns where that level stands afterwards (growing moves all down by one). */
static uint32_t make_room(struct ext4 *fs, struct ext4_path *path, uint32_t i, uint32_t key,
                          struct spares *spares)
{
    /* From the lowest full level whose parent has room downwards: no recursion, at most EXT4_MAX_DEPTH rounds. */
    uint32_t top = i + 1;
    while (top > 0 && !has_room(&path->level[top - 1])) {
        top--;
    }
    if (top == 0) {
        grow(fs, path, spares);
        i++;
        top = 2; /* the old root's entries, at level 1, have room in a whole block */
    }
    for (uint32_t j = top; j <= i; j++) {
        split(fs, path, j, key, spares);
    }
    return i;
}

/* The first key of a node went down: so do the entries that lead to it. */
static void lower_keys(struct ext4 *fs, struct ext4_path *path, uint32_t logical)
{
    uint32_t position = path->level[path->depth].position;
    for (uint32_t i = path->depth; i > 0 && position == 0; i--) {
        struct ext4_level *parent = &path->level[i - 1];
        ext4_indexes(parent->node)[parent->position].logical = logical;
        ext4_level_dirty(fs, parent);
        position = parent->position;
    }
}

/* Lengthen `left` by `right`, if they touch in every way. */
static bool join(struct ext4_disk_extent *left, const struct ext4_disk_extent *right)
{
    const uint32_t left_count = ext4_extent_count(left);
    const uint32_t count = left_count + ext4_extent_count(right);
    const bool unwritten = ext4_extent_unwritten(right);
    if (ext4_extent_unwritten(left) != unwritten || left->logical + left_count != right->logical ||
        ext4_extent_physical(left) + left_count != ext4_extent_physical(right) ||
        count > (unwritten ? EXT4_UNWRITTEN_MAX : EXT4_WRITTEN_MAX)) {
        return false;
    }
    left->length = (uint16_t)(unwritten ? count + EXT4_WRITTEN_MAX : count);
    return true;
}

/* Join the extent at `position` with the one before it in its leaf. The first of a leaf stays: no key changes. */
static void join_neighbours(struct ext4_disk_node *leaf, uint32_t position)
{
    struct ext4_disk_extent *extent = ext4_extents(leaf);
    if (position == 0 || position >= leaf->entries ||
        !join(&extent[position - 1], &extent[position])) {
        return;
    }
    leaf->entries--;
    memmove(&extent[position], &extent[position + 1], (leaf->entries - position) * sizeof(*extent));
}

/* Lengthen the extent before the place by the new one. */
static bool join_left(struct ext4 *fs, struct ext4_path *path,
                      const struct ext4_disk_extent *extent)
{
    struct ext4_level *leaf = &path->level[path->depth];
    if (leaf->position == 0) {
        return false;
    }
    if (!join(&ext4_extents(leaf->node)[leaf->position - 1], extent)) {
        return false;
    }
    ext4_level_dirty(fs, leaf);
    return true;
}

static enum kerr insert(struct ext4 *fs, struct ext4_node *node,
                        const struct ext4_disk_extent *extent, bool may_join)
{
    struct ext4_path path;
    enum kerr error = ext4_path_find(fs, node, extent->logical, &path);
    if (error != KERR_OK || (may_join && join_left(fs, &path, extent))) {
        ext4_path_release(&path);
        return error;
    }
    const uint32_t needed = spares_needed(&path);
    if (needed == path.depth + 1 && path.depth == EXT4_MAX_DEPTH) {
        ext4_path_release(&path);
        return KERR_NO_SPACE; /* a full tree of the greatest depth */
    }
    struct spares spares = { .count = 0 };
    error = take_spares(fs, node, ext4_extent_physical(extent), needed, &spares);
    if (error == KERR_OK) {
        make_room(fs, &path, path.depth, extent->logical, &spares);
        struct ext4_level *leaf = &path.level[path.depth];
        insert_entry(fs, leaf, leaf->position, extent);
        lower_keys(fs, &path, extent->logical);
    }
    ext4_path_release(&path);
    return error;
}

enum kerr ext4_extent_insert(struct ext4 *fs, struct ext4_node *node, const struct ext4_run *run)
{
    const bool unwritten = run->state == EXT4_RUN_UNWRITTEN;
    const struct ext4_disk_extent extent =
        ext4_make_extent(run->logical, run->physical, run->count, unwritten);
    return insert(fs, node, &extent, true);
}

/* Make `at` the border of two extents if it lies inside an unwritten one. NO_SPACE: nothing changed. */
static enum kerr split_extent(struct ext4 *fs, struct ext4_node *node, uint32_t at)
{
    struct ext4_path path;
    enum kerr error = ext4_path_find(fs, node, at, &path);
    struct ext4_level *leaf = &path.level[path.depth];
    if (error != KERR_OK || leaf->position == 0) {
        ext4_path_release(&path);
        return error;
    }
    struct ext4_disk_extent *extent = &ext4_extents(leaf->node)[leaf->position - 1];
    const uint32_t count = ext4_extent_count(extent);
    const uint32_t inside = at - extent->logical;
    if (inside == 0 || inside >= count || !ext4_extent_unwritten(extent)) {
        ext4_path_release(&path);
        return KERR_OK;
    }
    const struct ext4_disk_extent before = *extent;
    const struct ext4_disk_extent rest =
        ext4_make_extent(at, ext4_extent_physical(extent) + inside, count - inside, true);
    *extent = ext4_make_extent(before.logical, ext4_extent_physical(&before), inside, true);
    ext4_level_dirty(fs, leaf);
    error = insert(fs, node, &rest, false);
    if (error != KERR_OK) {
        *extent = before; /* the path is still pinned, and a failed insertion moved nothing */
    }
    ext4_path_release(&path);
    return error;
}

enum kerr ext4_extent_convert(struct ext4 *fs, struct ext4_node *node, uint32_t logical,
                              uint32_t count)
{
    enum kerr error = split_extent(fs, node, logical);
    if (error == KERR_OK) {
        error = split_extent(fs, node, logical + count);
    }
    if (error != KERR_OK) {
        return error;
    }
    struct ext4_path path;
    error = ext4_path_find(fs, node, logical, &path);
    if (error == KERR_OK) {
        struct ext4_level *leaf = &path.level[path.depth];
        struct ext4_disk_extent *extent =
            leaf->position == 0 ? NULL : &ext4_extents(leaf->node)[leaf->position - 1];
        if (extent == NULL || extent->logical != logical || ext4_extent_count(extent) != count) {
            error = KERR_CORRUPT_FILESYSTEM;
        } else {
            extent->length = (uint16_t)count;
            join_neighbours(leaf->node, leaf->position); /* the one behind it, then itself */
            join_neighbours(leaf->node, leaf->position - 1);
            ext4_level_dirty(fs, leaf);
        }
    }
    ext4_path_release(&path);
    return error;
}
