/* ext4_inode.c - inodes: fetch, put back, make, free; sizes, block counts and times. */
#include "drivers/ext4/ext4_internal.h"

/* Where an inode lies. */
static enum kerr inode_buffer(struct ext4 *fs, uint32_t inode, struct ext4_buffer **buffer,
                              uint8_t **place)
{
    if (inode == 0 || inode > fs->inodes_count) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    const uint32_t group = ext4_group_of_inode(fs, inode);
    const uint64_t byte = (uint64_t)((inode - 1) % fs->inodes_per_group) * fs->inode_size;
    enum kerr error = ext4_buffer_get(fs, fs->group[group].inode_table + (byte >> fs->block_shift),
                                      EXT4_RANK_INODES, buffer);
    if (error == KERR_OK) {
        *place = (*buffer)->data + (byte & (fs->block_size - 1));
    }
    return error;
}

/* How many bytes of struct ext4_disk_inode the disk has. */
static size_t inode_bytes(const struct ext4 *fs)
{
    return fs->inode_size < sizeof(struct ext4_disk_inode) ? EXT4_INODE_OLD_BYTES
                                                           : sizeof(struct ext4_disk_inode);
}

enum kerr ext4_node_load(struct ext4 *fs, uint32_t inode, struct ext4_node *node)
{
    struct ext4_buffer *buffer = NULL;
    uint8_t *place = NULL;
    enum kerr error = inode_buffer(fs, inode, &buffer, &place);
    if (error != KERR_OK) {
        return error;
    }
    memset(node, 0, sizeof(*node));
    node->number = inode;
    memcpy(&node->disk, place, inode_bytes(fs));
    ext4_buffer_put(buffer);
    const uint64_t size = ext4_node_size(node);
    if (size > (uint64_t)UINT32_MAX << fs->block_shift) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    if (ext4_is_directory(node) &&
        (size == 0 || (size & (fs->block_size - 1)) != 0 || node->disk.size_hi != 0 ||
         size >> fs->block_shift > fs->blocks_count)) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    return KERR_OK;
}

enum kerr ext4_node_store(struct ext4 *fs, const struct ext4_node *node)
{
    struct ext4_buffer *buffer = NULL;
    uint8_t *place = NULL;
    enum kerr error = inode_buffer(fs, node->number, &buffer, &place);
    if (error != KERR_OK) {
        return error;
    }
    size_t bytes = inode_bytes(fs);
    if (node->disk.extra_isize < EXT4_EXTRA_ISIZE) {
        bytes = EXT4_INODE_OLD_BYTES; /* behind it attributes may lie: leave them */
    }
    memcpy(place, &node->disk, bytes);
    ext4_buffer_dirty(fs, buffer);
    ext4_buffer_put(buffer);
    return KERR_OK;
}

/* Seconds beyond 32 bits go into two bits of the extra word. */
static void set_time(uint32_t *low, uint32_t *extra, uint64_t seconds)
{
    const int64_t beyond = (int64_t)seconds - (int32_t)(uint32_t)seconds;
    *low = (uint32_t)seconds;
    *extra = (uint32_t)(beyond >> 32) & 3;
}

void ext4_node_touch(const struct ext4 *fs, struct ext4_node *node, bool contents)
{
    const uint64_t now = ext4_now(fs);
    set_time(&node->disk.ctime, &node->disk.ctime_extra, now);
    if (contents) {
        set_time(&node->disk.mtime, &node->disk.mtime_extra, now);
    }
}

enum kerr ext4_node_create(struct ext4 *fs, uint32_t near_inode, uint16_t mode,
                           struct ext4_node *node)
{
    const bool directory = (mode & EXT4_MODE_KIND) == EXT4_MODE_DIRECTORY;
    uint32_t inode = 0;
    enum kerr error = ext4_inode_take(fs, near_inode, directory, &inode);
    if (error != KERR_OK) {
        return error;
    }
    struct ext4_buffer *buffer = NULL;
    uint8_t *place = NULL;
    error = inode_buffer(fs, inode, &buffer, &place);
    if (error != KERR_OK) {
        return error;
    }
    memset(place, 0, fs->inode_size);
    ext4_buffer_dirty(fs, buffer);
    ext4_buffer_put(buffer);
    memset(node, 0, sizeof(*node));
    node->number = inode;
    node->disk.mode = mode;
    node->disk.extra_isize = EXT4_EXTRA_ISIZE;
    ext4_extent_init(node);
    ext4_node_touch(fs, node, true);
    const uint64_t now = ext4_now(fs);
    set_time(&node->disk.atime, &node->disk.atime_extra, now);
    set_time(&node->disk.crtime, &node->disk.crtime_extra, now);
    return ext4_node_store(fs, node);
}

static uint64_t attributes_block(const struct ext4_node *node)
{
    return node->disk.attributes_lo | (uint64_t)node->disk.attributes_hi << 32;
}

enum kerr ext4_node_check_freeable(const struct ext4 *fs, const struct ext4_node *node)
{
    if ((node->disk.flags & EXT4_INODE_EXTENTS) != 0) {
        return KERR_OK;
    }
    struct ext4_node bare = { .disk = { .flags = node->disk.flags } };
    ext4_node_count_blocks(fs, &bare, attributes_block(node) == 0 ? 0 : 1);
    return node->disk.blocks_lo == bare.disk.blocks_lo &&
                   node->disk.blocks_hi == bare.disk.blocks_hi
               ? KERR_OK
               : KERR_NOT_SUPPORTED;
}

/* Let go of the block of extended attributes, which inodes may share. */
static enum kerr drop_attributes(struct ext4 *fs, struct ext4_node *node)
{
    const uint64_t block = attributes_block(node);
    if (block == 0) {
        return KERR_OK;
    }
    if (!ext4_blocks_allowed(fs, block, 1)) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    struct ext4_buffer *buffer = NULL;
    enum kerr error = ext4_buffer_get(fs, block, EXT4_RANK_NODES, &buffer);
    if (error != KERR_OK) {
        return error;
    }
    struct ext4_disk_attributes header;
    memcpy(&header, buffer->data, sizeof(header));
    if (header.magic != EXT4_ATTRIBUTES_MAGIC || header.references == 0) {
        ext4_buffer_put(buffer);
        return KERR_CORRUPT_FILESYSTEM;
    }
    if (header.references > 1) {
        header.references--;
        memcpy(buffer->data, &header, sizeof(header));
        ext4_buffer_dirty(fs, buffer);
        ext4_buffer_put(buffer);
    } else {
        ext4_buffer_put(buffer);
        error = ext4_blocks_give(fs, block, 1);
    }
    node->disk.attributes_lo = 0;
    node->disk.attributes_hi = 0;
    ext4_node_count_blocks(fs, node, -1);
    return error;
}

enum kerr ext4_node_destroy(struct ext4 *fs, struct ext4_node *node)
{
    const bool directory = ext4_is_directory(node);
    enum kerr error = KERR_OK;
    /* Device nodes, sockets and short symbolic links keep no blocks but those of attributes. */
    if ((node->disk.flags & EXT4_INODE_EXTENTS) != 0) {
        error = ext4_extent_truncate(fs, node, 0);
    }
    if (error == KERR_OK) {
        error = drop_attributes(fs, node);
    }
    if (error != KERR_OK) {
        return error;
    }
    node->disk.links = 0;
    ext4_node_set_size(fs, node, 0);
    const uint64_t now = ext4_now(fs);
    node->disk.dtime = now > UINT32_MAX ? UINT32_MAX : (uint32_t)(now == 0 ? 1 : now);
    error = ext4_node_store(fs, node);
    return error == KERR_OK ? ext4_inode_give(fs, node->number, directory) : error;
}

enum kerr ext4_node_orphan(struct ext4 *fs, const struct ext4_node *node)
{
    if (fs->orphan_count == EXT4_MAX_ORPHANS) {
        enum kerr error = ext4_settle(fs);
        if (error != KERR_OK) {
            return error;
        }
    }
    fs->orphan[fs->orphan_count++] = node->number;
    return KERR_OK;
}

void ext4_node_count_blocks(const struct ext4 *fs, struct ext4_node *node, int64_t blocks)
{
    const bool huge = (node->disk.flags & EXT4_INODE_HUGE) != 0;
    const int64_t units = huge ? blocks : blocks * (int64_t)(fs->block_size / 512);
    uint64_t count = node->disk.blocks_lo | (uint64_t)node->disk.blocks_hi << 32;
    count += (uint64_t)units;
    node->disk.blocks_lo = (uint32_t)count;
    node->disk.blocks_hi = (uint16_t)(count >> 32);
}

void ext4_node_set_size(struct ext4 *fs, struct ext4_node *node, uint64_t size)
{
    node->disk.size_lo = (uint32_t)size;
    node->disk.size_hi = (uint32_t)(size >> 32);
    if (size > INT32_MAX && (fs->super.ro_compat & EXT4_RO_LARGE_FILE) == 0) {
        fs->super.ro_compat |= EXT4_RO_LARGE_FILE;
        fs->super_dirty = true;
    }
}

enum kerr ext4_node_check_data(const struct ext4_node *node)
{
    const uint32_t not_built =
        EXT4_INODE_ENCRYPTED | EXT4_INODE_VERITY | EXT4_INODE_EA | EXT4_INODE_INLINE;
    if ((node->disk.flags & EXT4_INODE_EXTENTS) == 0 || (node->disk.flags & not_built) != 0) {
        return KERR_NOT_SUPPORTED;
    }
    return KERR_OK;
}

void ext4_node_stat(const struct ext4_node *node, struct ext4_stat *stat)
{
    const uint32_t kind = ext4_node_kind(node);
    *stat = (struct ext4_stat){
        .inode = node->number,
        .kind = kind == EXT4_MODE_FILE
                    ? EXT4_KIND_FILE
                    : (kind == EXT4_MODE_DIRECTORY ? EXT4_KIND_DIRECTORY : EXT4_KIND_OTHER),
        .size_bytes = ext4_node_size(node),
        .mtime_seconds = (uint64_t)((int64_t)(int32_t)node->disk.mtime +
                                    ((int64_t)(node->disk.mtime_extra & 3) << 32)),
        .links = node->disk.links,
    };
}
