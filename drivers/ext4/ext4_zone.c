/* ext4_zone.c - where the file system's own tables lie. A file that claims blocks there would overwrite them: it is refused. */
#include "drivers/ext4/ext4_internal.h"

#include <stdlib.h>

static bool is_power_of(uint32_t number, uint32_t base)
{
    while (number > base && number % base == 0) {
        number /= base;
    }
    return number == base;
}

/* Does the group begin with a copy of the superblock and the descriptors? */
static bool has_super(const struct ext4 *fs, uint32_t group)
{
    if ((fs->super.ro_compat & EXT4_RO_SPARSE_SUPER) == 0 || group <= 1) {
        return true;
    }
    return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

static int by_first(const void *left, const void *right)
{
    const struct ext4_zone *a = left;
    const struct ext4_zone *b = right;
    return a->first < b->first ? -1 : a->first > b->first;
}

/* Sort, refuse overlaps, join neighbours. */
static enum kerr settle(struct ext4 *fs, uint32_t count)
{
    qsort(fs->zone, count, sizeof(*fs->zone), by_first);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct ext4_zone zone = fs->zone[i];
        if (zone.first < fs->first_data_block || zone.first >= fs->blocks_count ||
            zone.count > fs->blocks_count - zone.first) {
            return KERR_CORRUPT_FILESYSTEM;
        }
        struct ext4_zone *last = kept == 0 ? NULL : &fs->zone[kept - 1];
        if (last != NULL && zone.first < last->first + last->count) {
            return KERR_CORRUPT_FILESYSTEM;
        }
        if (last != NULL && zone.first == last->first + last->count) {
            last->count += zone.count;
        } else {
            fs->zone[kept++] = zone;
        }
    }
    fs->zone_count = kept;
    return KERR_OK;
}

enum kerr ext4_zones_build(struct ext4 *fs)
{
    fs->zone = calloc((size_t)fs->group_count * 4, sizeof(*fs->zone));
    if (fs->zone == NULL) {
        return KERR_NO_MEMORY;
    }
    const uint64_t descriptor_blocks =
        ((uint64_t)fs->group_count * fs->descriptor_size + fs->block_size - 1) / fs->block_size;
    const uint64_t table_blocks =
        ((uint64_t)fs->inodes_per_group * fs->inode_size + fs->block_size - 1) / fs->block_size;
    uint32_t count = 0;
    for (uint32_t i = 0; i < fs->group_count; i++) {
        if (has_super(fs, i)) {
            fs->zone[count++] =
                (struct ext4_zone){ ext4_group_first(fs, i), 1 + descriptor_blocks };
        }
        fs->zone[count++] = (struct ext4_zone){ fs->group[i].block_bitmap, 1 };
        fs->zone[count++] = (struct ext4_zone){ fs->group[i].inode_bitmap, 1 };
        fs->zone[count++] = (struct ext4_zone){ fs->group[i].inode_table, table_blocks };
    }
    return settle(fs, count);
}

bool ext4_blocks_allowed(const struct ext4 *fs, uint64_t first, uint64_t count)
{
    if (count == 0 || first < fs->first_data_block || first >= fs->blocks_count ||
        count > fs->blocks_count - first) {
        return false;
    }
    /* The first zone that ends behind `first` must begin behind the range. */
    uint32_t low = 0;
    uint32_t high = fs->zone_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (fs->zone[middle].first + fs->zone[middle].count <= first) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == fs->zone_count || fs->zone[low].first >= first + count;
}
