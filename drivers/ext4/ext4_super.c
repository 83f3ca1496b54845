/* ext4_super.c - mount: the superblock, its features, the group descriptors. */
#include "drivers/ext4/ext4_internal.h"

#include <stdlib.h>

#define PAGE 4096u

struct feature {
    uint32_t bit;
    const char *name;
};

/* What would be misread without being built, by name. Bits not listed either are refused as unknown. */
static const struct feature refused_incompat[] = {
    { 0x1, "incompat feature compression is not supported" },
    { 0x4, "incompat feature needs_recovery is not supported: the journal holds changes" },
    { 0x8, "incompat feature journal_dev is not supported" },
    { 0x10, "incompat feature meta_bg is not supported" },
    { 0x100, "incompat feature mmp is not supported" },
    { 0x400, "incompat feature ea_inode is not supported" },
    { 0x1000, "incompat feature dirdata is not supported" },
    { 0x2000, "incompat feature metadata_csum_seed is not supported" },
    { 0x4000, "incompat feature large_dir is not supported" },
    { 0x8000, "incompat feature inline_data is not supported" },
    { 0x10000, "incompat feature encrypt is not supported" },
    { 0x20000, "incompat feature casefold is not supported" },
};
/* Features that others may ignore say so of old drivers; this one moves the copies of the superblock. */
static const struct feature refused_compat[] = {
    { 0x200, "compat feature sparse_super2 is not supported" },
};
static const struct feature refused_ro[] = {
    { 0x4, "ro_compat feature btree_dir is not supported" },
    { 0x10, "ro_compat feature uninit_bg is not supported" },
    { 0x80, "ro_compat feature has_snapshot is not supported" },
    { 0x100, "ro_compat feature quota is not supported" },
    { 0x200, "ro_compat feature bigalloc is not supported" },
    { 0x400, "ro_compat feature metadata_csum is not supported" },
    { 0x800, "ro_compat feature replica is not supported" },
    { 0x1000, "ro_compat feature read-only is not supported" },
    { 0x2000, "ro_compat feature project is not supported" },
    { 0x4000, "ro_compat feature shared_blocks is not supported" },
    { 0x8000, "ro_compat feature verity is not supported" },
    { 0x10000, "ro_compat feature orphan_present is not supported" },
};

static const char *find_refused(const struct feature *list, size_t count, uint32_t features,
                                uint32_t known, const char *unknown)
{
    for (size_t i = 0; i < count; i++) {
        if ((features & list[i].bit) != 0) {
            return list[i].name;
        }
    }
    return (features & ~known) != 0 ? unknown : NULL;
}

static const char *check_features(const struct ext4_disk_super *super)
{
    const uint32_t incompat = EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_EXTENTS | EXT4_INCOMPAT_64BIT |
                              EXT4_INCOMPAT_FLEX_BG;
    const uint32_t ro = EXT4_RO_SPARSE_SUPER | EXT4_RO_LARGE_FILE | EXT4_RO_HUGE_FILE |
                        EXT4_RO_DIR_NLINK | EXT4_RO_EXTRA_ISIZE;
    if (super->revision != 1) {
        return "revision is not supported: 1 is needed";
    }
    const char *why =
        find_refused(refused_incompat, sizeof(refused_incompat) / sizeof(refused_incompat[0]),
                     super->incompat, incompat, "an unknown incompat feature is not supported");
    if (why == NULL) {
        why = find_refused(refused_ro, sizeof(refused_ro) / sizeof(refused_ro[0]), super->ro_compat,
                           ro, "an unknown ro_compat feature is not supported");
    }
    if (why == NULL) {
        why = find_refused(refused_compat, sizeof(refused_compat) / sizeof(refused_compat[0]),
                           super->compat, UINT32_MAX, NULL);
    }
    if (why == NULL && (super->incompat & EXT4_INCOMPAT_FILETYPE) == 0) {
        return "no feature filetype: it is needed";
    }
    if (why == NULL && (super->incompat & EXT4_INCOMPAT_EXTENTS) == 0) {
        return "no feature extent: it is needed";
    }
    return why;
}

/* Take the sizes over, each one bounded. */
static const char *read_geometry(struct ext4 *fs)
{
    const struct ext4_disk_super *super = &fs->super;
    if (super->log_block_size > 2) {
        return "block size is not supported: 1024, 2048 or 4096 are";
    }
    fs->block_shift = 10 + super->log_block_size;
    fs->block_size = 1u << fs->block_shift;
    fs->blocks_count = super->blocks_count_lo;
    fs->free_blocks = super->free_blocks_lo;
    fs->descriptor_size = 32;
    if ((super->incompat & EXT4_INCOMPAT_64BIT) != 0) {
        fs->blocks_count |= (uint64_t)super->blocks_count_hi << 32;
        fs->free_blocks |= (uint64_t)super->free_blocks_hi << 32;
        fs->descriptor_size = super->descriptor_size;
        if (fs->descriptor_size != 64) {
            return "descriptor size is not supported: 64 is";
        }
    }
    fs->first_data_block = super->first_data_block;
    fs->blocks_per_group = super->blocks_per_group;
    fs->inodes_per_group = super->inodes_per_group;
    fs->inodes_count = super->inodes_count;
    fs->free_inodes = super->free_inodes;
    fs->first_inode = super->first_inode;
    fs->inode_size = super->inode_size;
    if (fs->first_data_block != (fs->block_size == 1024 ? 1 : 0) ||
        fs->blocks_count <= fs->first_data_block ||
        fs->blocks_count > fs->bdev.size_bytes >> fs->block_shift) {
        return "the block count does not fit the device";
    }
    if (fs->blocks_per_group < 256 || fs->blocks_per_group > 8 * fs->block_size ||
        fs->blocks_per_group % 8 != 0 || fs->inodes_per_group == 0 ||
        fs->inodes_per_group > 8 * fs->block_size || fs->inodes_per_group % 8 != 0) {
        return "the group size is impossible";
    }
    if (fs->inode_size < EXT4_INODE_OLD_BYTES || fs->inode_size > fs->block_size ||
        (fs->inode_size & (fs->inode_size - 1)) != 0) {
        return "the inode size is impossible";
    }
    const uint64_t groups =
        (fs->blocks_count - fs->first_data_block + fs->blocks_per_group - 1) / fs->blocks_per_group;
    if (groups > UINT32_MAX / 8 || groups * fs->inodes_per_group != fs->inodes_count ||
        fs->first_inode < 11 || fs->first_inode > fs->inodes_per_group) {
        return "the inode count is impossible";
    }
    fs->group_count = (uint32_t)groups;
    if (fs->free_blocks > fs->blocks_count || fs->free_inodes > fs->inodes_count) {
        return "the free counts are impossible";
    }
    return NULL;
}

static uint64_t descriptor_block(const struct ext4 *fs, uint32_t group, uint32_t *offset)
{
    const uint64_t byte = (uint64_t)group * fs->descriptor_size;
    *offset = (uint32_t)(byte & (fs->block_size - 1));
    return fs->first_data_block + 1 + (byte >> fs->block_shift);
}

uint32_t ext4_group_blocks(const struct ext4 *fs, uint32_t group)
{
    const uint64_t left = fs->blocks_count - ext4_group_first(fs, group);
    return left < fs->blocks_per_group ? (uint32_t)left : fs->blocks_per_group;
}

static enum kerr read_groups(struct ext4 *fs)
{
    fs->group = calloc(fs->group_count, sizeof(*fs->group));
    if (fs->group == NULL) {
        return KERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < fs->group_count; i++) {
        uint32_t offset = 0;
        struct ext4_buffer *buffer = NULL;
        enum kerr error =
            ext4_buffer_get(fs, descriptor_block(fs, i, &offset), EXT4_RANK_MAPS, &buffer);
        if (error != KERR_OK) {
            return error;
        }
        struct ext4_disk_group disk = { 0 };
        memcpy(&disk, buffer->data + offset, fs->descriptor_size);
        ext4_buffer_put(buffer);
        fs->group[i] = (struct ext4_group){
            .block_bitmap = disk.block_bitmap_lo | (uint64_t)disk.block_bitmap_hi << 32,
            .inode_bitmap = disk.inode_bitmap_lo | (uint64_t)disk.inode_bitmap_hi << 32,
            .inode_table = disk.inode_table_lo | (uint64_t)disk.inode_table_hi << 32,
            .free_blocks = disk.free_blocks_lo | (uint32_t)disk.free_blocks_hi << 16,
            .free_inodes = disk.free_inodes_lo | (uint32_t)disk.free_inodes_hi << 16,
            .used_dirs = disk.used_dirs_lo | (uint32_t)disk.used_dirs_hi << 16,
            .longest = EXT4_LONGEST_UNKNOWN,
        };
        if (fs->group[i].free_blocks > ext4_group_blocks(fs, i) ||
            fs->group[i].free_inodes > fs->inodes_per_group) {
            return KERR_CORRUPT_FILESYSTEM;
        }
    }
    return ext4_zones_build(fs);
}

enum kerr ext4_group_store(struct ext4 *fs, uint32_t group)
{
    uint32_t offset = 0;
    struct ext4_buffer *buffer = NULL;
    enum kerr error =
        ext4_buffer_get(fs, descriptor_block(fs, group, &offset), EXT4_RANK_MAPS, &buffer);
    if (error != KERR_OK) {
        return error;
    }
    const struct ext4_group *now = &fs->group[group];
    struct ext4_disk_group disk = { 0 };
    memcpy(&disk, buffer->data + offset, fs->descriptor_size);
    disk.free_blocks_lo = (uint16_t)now->free_blocks;
    disk.free_inodes_lo = (uint16_t)now->free_inodes;
    disk.used_dirs_lo = (uint16_t)now->used_dirs;
    disk.free_blocks_hi = (uint16_t)(now->free_blocks >> 16);
    disk.free_inodes_hi = (uint16_t)(now->free_inodes >> 16);
    disk.used_dirs_hi = (uint16_t)(now->used_dirs >> 16);
    memcpy(buffer->data + offset, &disk, fs->descriptor_size);
    ext4_buffer_dirty(fs, buffer);
    ext4_buffer_put(buffer);
    fs->super_dirty = true;
    return KERR_OK;
}

size_t ext4_memory_least(uint32_t callers)
{
    return PAGE + EXT4_STAGE_BYTES + (size_t)callers * EXT4_MAX_BLOCK + 64 * EXT4_MAX_BLOCK;
}

/* Cut the lent memory up: superblock, stage, bounce buffers, cache. */
static enum kerr divide_memory(struct ext4 *fs, const struct ext4_config *config)
{
    uint8_t *memory = config->memory;
    fs->stage = memory + PAGE;
    fs->callers = config->callers;
    fs->busy = calloc(config->callers, sizeof(*fs->busy));
    fs->bounce = calloc(config->callers, sizeof(*fs->bounce));
    if (fs->busy == NULL || fs->bounce == NULL) {
        return KERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < config->callers; i++) {
        fs->busy[i].next = fs->busy_free;
        fs->busy_free = &fs->busy[i];
        fs->bounce[i] = fs->stage + EXT4_STAGE_BYTES + (size_t)i * EXT4_MAX_BLOCK;
    }
    fs->bounce_free = config->callers;
    const size_t used = PAGE + EXT4_STAGE_BYTES + (size_t)config->callers * EXT4_MAX_BLOCK;
    enum kerr error = ext4_cache_init(fs, memory + used, config->memory_bytes - used);
    return error == KERR_OK ? ext4_data_init(fs, config->data_bytes) : error;
}

static enum kerr mount_steps(struct ext4 *fs, const struct ext4_config *config, const char **why)
{
    *why = "the superblock cannot be read";
    enum kerr error =
        fs->bdev.read(fs->bdev.context, EXT4_SUPER_OFFSET, fs->super_page, EXT4_SUPER_BYTES);
    if (error != KERR_OK) {
        return error;
    }
    memcpy(&fs->super, fs->super_page, sizeof(fs->super));
    *why = "no ext4 superblock";
    if (fs->super.magic != EXT4_MAGIC) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    *why = check_features(&fs->super);
    if (*why != NULL) {
        return KERR_NOT_SUPPORTED;
    }
    *why = read_geometry(fs);
    if (*why != NULL) {
        return fs->block_size == 0 ? KERR_NOT_SUPPORTED : KERR_CORRUPT_FILESYSTEM;
    }
    fs->base_time = fs->super.made_time;
    fs->base_time = fs->base_time < fs->super.write_time ? fs->super.write_time : fs->base_time;
    fs->base_time = fs->base_time < fs->super.mount_time ? fs->super.mount_time : fs->base_time;
    fs->base_clock = fs->host.now_seconds(fs->host.context);
    *why = "not enough memory";
    error = divide_memory(fs, config);
    if (error != KERR_OK) {
        return error;
    }
    *why = "the group descriptors are damaged";
    error = read_groups(fs);
    if (error != KERR_OK) {
        return error;
    }
    if ((fs->super.state & EXT4_STATE_VALID) == 0) {
        *why = "the bitmaps cannot be read";
        error = ext4_recount(fs);
        if (error != KERR_OK) {
            return error;
        }
    }
    *why = "the root directory is damaged";
    struct ext4_node root;
    error = ext4_node_load(fs, EXT4_ROOT_INODE, &root);
    if (error == KERR_OK && (!ext4_is_directory(&root) || root.disk.links == 0)) {
        error = KERR_CORRUPT_FILESYSTEM;
    }
    *why = error == KERR_OK ? NULL : *why;
    return error;
}

enum kerr ext4_mount(const struct ext4_config *config, struct ext4 **mounted, bool *clean,
                     const char **why)
{
    *mounted = NULL;
    *why = "not enough memory";
    if (config->callers == 0 || config->memory_bytes < ext4_memory_least(config->callers)) {
        return KERR_NO_MEMORY;
    }
    struct ext4 *fs = calloc(1, sizeof(*fs));
    if (fs == NULL) {
        return KERR_NO_MEMORY;
    }
    fs->bdev = config->bdev;
    fs->host = config->host;
    fs->super_page = config->memory;
    ext4_lock(fs);
    enum kerr error = mount_steps(fs, config, why);
    ext4_unlock(fs);
    if (error != KERR_OK) {
        ext4_unmount(fs);
        return error;
    }
    *clean = (fs->super.state & (EXT4_STATE_VALID | EXT4_STATE_ERROR)) == EXT4_STATE_VALID;
    *mounted = fs;
    return KERR_OK;
}

void ext4_unmount(struct ext4 *fs)
{
    ext4_cache_free(fs);
    ext4_data_free(fs);
    free(fs->busy);
    free(fs->bounce);
    free(fs->group);
    free(fs->zone);
    free(fs);
}
