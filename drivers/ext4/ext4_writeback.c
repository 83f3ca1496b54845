/*
 * ext4_writeback.c - from the cache to the disk: changes and their failures, the superblock's state, orphans, sync.
 *
 *   clean on the disk --first changed block goes out: marked unclean--> changed --all out, orphans freed, superblock last--> clean
 */
#include "drivers/ext4/ext4_internal.h"

uint64_t ext4_now(const struct ext4 *fs)
{
    const uint64_t now = fs->host.now_seconds(fs->host.context);
    return fs->base_clock < fs->base_time ? fs->base_time + (now - fs->base_clock) : now;
}

enum kerr ext4_change_begin(struct ext4 *fs)
{
    fs->changes_before = fs->changes;
    return fs->damaged ? KERR_CORRUPT_FILESYSTEM : KERR_OK;
}

/* More changes could only spread the damage. e2fsck is told to look. */
static void note_damage(struct ext4 *fs)
{
    fs->damaged = true;
    fs->super.state |= EXT4_STATE_ERROR;
    fs->super_dirty = true;
}

enum kerr ext4_change_end(struct ext4 *fs, enum kerr error)
{
    if ((error == KERR_CORRUPT_FILESYSTEM || error == KERR_IO_ERROR) &&
        fs->changes != fs->changes_before) {
        note_damage(fs); /* it may be half made */
    }
    return error;
}

static enum kerr write_super(struct ext4 *fs, bool clean)
{
    struct ext4_disk_super disk = fs->super;
    disk.free_blocks_lo = (uint32_t)fs->free_blocks;
    if ((disk.incompat & EXT4_INCOMPAT_64BIT) != 0) {
        disk.free_blocks_hi = (uint32_t)(fs->free_blocks >> 32);
    }
    disk.free_inodes = fs->free_inodes;
    disk.write_time = (uint32_t)ext4_now(fs);
    if (!clean) {
        disk.state &= (uint16_t)~EXT4_STATE_VALID;
    }
    memcpy(fs->super_page, &disk, sizeof(disk));
    return fs->bdev.write(fs->bdev.context, EXT4_SUPER_OFFSET, fs->super_page, sizeof(disk), 0);
}

enum kerr ext4_super_mark_unclean(struct ext4 *fs)
{
    if (fs->marked_unclean) {
        return KERR_OK;
    }
    enum kerr error = write_super(fs, false);
    fs->marked_unclean = error == KERR_OK;
    fs->super_dirty = true;
    return error;
}

enum kerr ext4_settle(struct ext4 *fs)
{
    enum kerr error = ext4_cache_write_all(fs);
    while (error == KERR_OK && fs->orphan_count > 0) {
        struct ext4_node node;
        error = ext4_node_load(fs, fs->orphan[fs->orphan_count - 1], &node);
        if (error == KERR_OK) {
            error = ext4_node_destroy(fs, &node);
        }
        if (error == KERR_CORRUPT_FILESYSTEM) {
            note_damage(fs);
        }
        if (error != KERR_IO_ERROR) {
            fs->orphan_count--; /* a damaged one is left to e2fsck */
        }
    }
    return error == KERR_OK ? ext4_cache_write_all(fs) : error;
}

static enum kerr write_back(struct ext4 *fs)
{
    enum kerr error = ext4_settle(fs);
    if (error == KERR_OK && (fs->super_dirty || fs->marked_unclean)) {
        error = write_super(fs, true);
        if (error == KERR_OK) {
            fs->super_dirty = false;
            fs->marked_unclean = false;
        }
    }
    return error;
}

enum kerr ext4_writeback(struct ext4 *fs)
{
    ext4_lock(fs);
    enum kerr error = write_back(fs);
    ext4_unlock(fs);
    return error;
}

enum kerr ext4_sync(struct ext4 *fs)
{
    enum kerr error = ext4_writeback(fs);
    return error == KERR_OK ? fs->bdev.flush(fs->bdev.context) : error;
}

bool ext4_is_dirty(const struct ext4 *fs)
{
    return fs->cache.dirty_count != 0 || fs->orphan_count != 0 || fs->super_dirty ||
           fs->marked_unclean;
}

void ext4_space(struct ext4 *fs, struct ext4_space *space)
{
    ext4_lock(fs);
    *space = (struct ext4_space){
        .block_size = fs->block_size,
        .blocks = fs->blocks_count,
        .free_blocks = fs->free_blocks,
        .inodes = fs->inodes_count,
        .free_inodes = fs->free_inodes,
    };
    ext4_unlock(fs);
}

uint64_t ext4_bytes_bounced(const struct ext4 *fs)
{
    return fs->bytes_bounced;
}
