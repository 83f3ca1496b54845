/* ext4_alloc.c - block and inode bitmaps: runs that are long and near, counts that agree. */
#include "drivers/ext4/ext4_internal.h"

/* First index in [from, limit) whose bit equals `set`; limit when there is none. Looks at 64 bits at a time. */
static uint32_t next_bit(const uint8_t *map, uint32_t from, uint32_t limit, bool set)
{
    uint32_t index = from;
    while (index < limit) {
        uint64_t word;
        memcpy(&word, map + index / 64 * 8,
               sizeof(word)); /* bitmaps are whole blocks, so this stays inside */
        if (!set) {
            word = ~word;
        }
        word &= ~0ull << (index % 64);
        if (word != 0) {
            index = index / 64 * 64 + (uint32_t)__builtin_ctzll(word);
            return index < limit ? index : limit;
        }
        index = index / 64 * 64 + 64;
    }
    return limit;
}

static bool bit_is_set(const uint8_t *map, uint32_t index)
{
    return (map[index / 8] >> (index % 8) & 1) != 0;
}

static void change_bits(uint8_t *map, uint32_t first, uint32_t count, bool set)
{
    uint32_t index = first;
    while (index < first + count) {
        if (index % 8 == 0 && first + count - index >= 8) {
            const uint32_t bytes = (first + count - index) / 8;
            memset(map + index / 8, set ? 0xff : 0, bytes);
            index += bytes * 8;
        } else {
            const uint8_t bit = (uint8_t)(1u << (index % 8));
            map[index / 8] = (uint8_t)(set ? map[index / 8] | bit : map[index / 8] & ~bit);
            index++;
        }
    }
}

/* The first run of `want` clear bits in [from, limit), else the longest; returns its length. */
static uint32_t find_run(const uint8_t *map, uint32_t from, uint32_t limit, uint32_t want,
                         uint32_t *start)
{
    uint32_t best = 0;
    uint32_t index = from;
    while (index < limit) {
        index = next_bit(map, index, limit, false);
        const uint32_t cap = limit - index < want ? limit : index + want;
        const uint32_t end = next_bit(map, index, cap, true);
        if (end - index > best) {
            best = end - index;
            *start = index;
            if (best == want) {
                return best;
            }
        }
        index = end + 1;
    }
    return best;
}

/* Mark a free run of one group as taken. */
static enum kerr take_run(struct ext4 *fs, uint32_t index, struct ext4_buffer *bitmap,
                          uint32_t start, uint32_t count)
{
    struct ext4_group *group = &fs->group[index];
    if (group->free_blocks < count || fs->free_blocks < count ||
        !ext4_blocks_allowed(fs, ext4_group_first(fs, index) + start, count)) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    change_bits(bitmap->data, start, count, true);
    ext4_buffer_dirty(fs, bitmap);
    group->free_blocks -= count;
    fs->free_blocks -= count;
    return ext4_group_store(fs, index);
}

/* Search one group; a run that is better than *best (longer, or exactly at the goal) replaces it. */
static enum kerr search_group(struct ext4 *fs, uint32_t index, uint32_t from, bool exact,
                              uint32_t want, uint32_t *best, uint64_t *first)
{
    struct ext4_buffer *bitmap = NULL;
    enum kerr error = ext4_buffer_get(fs, fs->group[index].block_bitmap, EXT4_RANK_MAPS, &bitmap);
    if (error != KERR_OK) {
        return error;
    }
    const uint32_t limit = ext4_group_blocks(fs, index);
    uint32_t start = 0;
    uint32_t length = 0;
    if (exact && from < limit && !bit_is_set(bitmap->data, from)) {
        const uint32_t cap = limit - from < want ? limit : from + want;
        start = from;
        length = next_bit(bitmap->data, from, cap, true) - from;
        *best = 0; /* growing an extent beats a longer run elsewhere */
    } else {
        length = find_run(bitmap->data, from < limit ? from : limit, limit, want, &start);
        if (length < want && from != 0) {
            uint32_t other = 0;
            const uint32_t other_length = find_run(bitmap->data, 0, limit, want, &other);
            if (other_length > length) {
                length = other_length;
                start = other;
            }
        }
        if (length < want) {
            fs->group[index].longest = length;
        }
    }
    ext4_buffer_put(bitmap);
    if (length > *best) {
        *best = length;
        *first = ext4_group_first(fs, index) + start;
    }
    return KERR_OK;
}

static enum kerr try_blocks(struct ext4 *fs, uint64_t goal, bool exact, uint32_t want,
                            uint64_t *first, uint32_t *got)
{
    if (fs->free_blocks == 0 || want == 0) {
        return KERR_NO_SPACE;
    }
    if (want > fs->blocks_per_group) {
        want = fs->blocks_per_group;
    }
    if (goal < fs->first_data_block || goal >= fs->blocks_count) {
        goal = fs->first_data_block;
        exact = false;
    }
    const uint32_t home = (uint32_t)((goal - fs->first_data_block) / fs->blocks_per_group);
    uint32_t best = 0;
    for (uint32_t i = 0; i < fs->group_count && best < want; i++) {
        const uint32_t index = (uint32_t)(((uint64_t)home + i) % fs->group_count);
        const struct ext4_group *group = &fs->group[index];
        if (group->free_blocks == 0 || group->longest <= best) {
            continue;
        }
        const uint32_t from = i == 0 ? (uint32_t)(goal - ext4_group_first(fs, home)) : 0;
        enum kerr error = search_group(fs, index, from, exact && i == 0, want, &best, first);
        if (error != KERR_OK) {
            return error;
        }
        if (exact && i == 0 && best != 0 && *first == goal) {
            break;
        }
    }
    if (best == 0) {
        return KERR_NO_SPACE;
    }
    const uint32_t chosen = (uint32_t)((*first - fs->first_data_block) / fs->blocks_per_group);
    struct ext4_buffer *bitmap = NULL;
    enum kerr error = ext4_buffer_get(fs, fs->group[chosen].block_bitmap, EXT4_RANK_MAPS, &bitmap);
    if (error == KERR_OK) {
        error =
            take_run(fs, chosen, bitmap, (uint32_t)(*first - ext4_group_first(fs, chosen)), best);
        ext4_buffer_put(bitmap);
    }
    *got = best;
    return error;
}

enum kerr ext4_blocks_take(struct ext4 *fs, uint64_t goal, bool exact, uint32_t want,
                           uint64_t *first, uint32_t *got)
{
    enum kerr error = try_blocks(fs, goal, exact, want, first, got);
    if (error == KERR_NO_SPACE && fs->orphan_count != 0) {
        error = ext4_settle(fs);
        error = error == KERR_OK ? try_blocks(fs, goal, exact, want, first, got) : error;
    }
    return error;
}

/* The part of a run that lies in one group. */
static enum kerr give_in_group(struct ext4 *fs, uint32_t index, uint32_t start, uint32_t count)
{
    struct ext4_buffer *bitmap = NULL;
    enum kerr error = ext4_buffer_get(fs, fs->group[index].block_bitmap, EXT4_RANK_MAPS, &bitmap);
    if (error != KERR_OK) {
        return error;
    }
    if (next_bit(bitmap->data, start, start + count, false) != start + count) {
        ext4_buffer_put(bitmap);
        return KERR_CORRUPT_FILESYSTEM; /* freed twice */
    }
    change_bits(bitmap->data, start, count, false);
    ext4_buffer_dirty(fs, bitmap);
    ext4_buffer_put(bitmap);
    fs->group[index].free_blocks += count;
    fs->group[index].longest = EXT4_LONGEST_UNKNOWN;
    fs->free_blocks += count;
    return ext4_group_store(fs, index);
}

enum kerr ext4_blocks_give(struct ext4 *fs, uint64_t first, uint64_t count)
{
    if (!ext4_blocks_allowed(fs, first, count)) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    ext4_cache_forget(fs, first, count);
    ext4_data_forget(fs, first, count);
    while (count > 0) {
        const uint32_t index = (uint32_t)((first - fs->first_data_block) / fs->blocks_per_group);
        const uint32_t start = (uint32_t)(first - ext4_group_first(fs, index));
        uint32_t here = ext4_group_blocks(fs, index) - start;
        if (here > count) {
            here = (uint32_t)count;
        }
        enum kerr error = give_in_group(fs, index, start, here);
        if (error != KERR_OK) {
            return error;
        }
        first += here;
        count -= here;
    }
    return KERR_OK;
}

static enum kerr try_inode(struct ext4 *fs, uint32_t near_inode, bool directory, uint32_t *inode)
{
    const uint32_t home = ext4_group_of_inode(fs, near_inode);
    for (uint32_t i = 0; i < fs->group_count; i++) {
        const uint32_t index = (uint32_t)(((uint64_t)home + i) % fs->group_count);
        struct ext4_group *group = &fs->group[index];
        if (group->free_inodes == 0) {
            continue;
        }
        struct ext4_buffer *bitmap = NULL;
        enum kerr error = ext4_buffer_get(fs, group->inode_bitmap, EXT4_RANK_MAPS, &bitmap);
        if (error != KERR_OK) {
            return error;
        }
        const uint32_t bit = next_bit(bitmap->data, index == 0 ? fs->first_inode - 1 : 0,
                                      fs->inodes_per_group, false);
        if (bit == fs->inodes_per_group) {
            ext4_buffer_put(bitmap);
            continue; /* its count lies; e2fsck will say so */
        }
        if (fs->free_inodes == 0) {
            ext4_buffer_put(bitmap);
            return KERR_CORRUPT_FILESYSTEM;
        }
        change_bits(bitmap->data, bit, 1, true);
        ext4_buffer_dirty(fs, bitmap);
        ext4_buffer_put(bitmap);
        group->free_inodes--;
        fs->free_inodes--;
        group->used_dirs += directory ? 1 : 0;
        *inode = index * fs->inodes_per_group + bit + 1;
        return ext4_group_store(fs, index);
    }
    return KERR_NO_SPACE;
}

enum kerr ext4_inode_take(struct ext4 *fs, uint32_t near_inode, bool directory, uint32_t *inode)
{
    enum kerr error = try_inode(fs, near_inode, directory, inode);
    if (error == KERR_NO_SPACE && fs->orphan_count != 0) {
        error = ext4_settle(fs);
        error = error == KERR_OK ? try_inode(fs, near_inode, directory, inode) : error;
    }
    return error;
}

enum kerr ext4_inode_give(struct ext4 *fs, uint32_t inode, bool directory)
{
    const uint32_t index = ext4_group_of_inode(fs, inode);
    const uint32_t bit = (inode - 1) % fs->inodes_per_group;
    struct ext4_group *group = &fs->group[index];
    struct ext4_buffer *bitmap = NULL;
    enum kerr error = ext4_buffer_get(fs, group->inode_bitmap, EXT4_RANK_MAPS, &bitmap);
    if (error != KERR_OK) {
        return error;
    }
    if (inode < fs->first_inode || !bit_is_set(bitmap->data, bit) ||
        (directory && group->used_dirs == 0)) {
        ext4_buffer_put(bitmap);
        return KERR_CORRUPT_FILESYSTEM;
    }
    change_bits(bitmap->data, bit, 1, false);
    ext4_buffer_dirty(fs, bitmap);
    ext4_buffer_put(bitmap);
    group->free_inodes++;
    fs->free_inodes++;
    group->used_dirs -= directory ? 1 : 0;
    return ext4_group_store(fs, index);
}

static uint32_t count_clear(const uint8_t *map, uint32_t limit)
{
    uint32_t count = 0;
    for (uint32_t i = next_bit(map, 0, limit, false); i < limit;
         i = next_bit(map, i + 1, limit, false)) {
        count++;
    }
    return count;
}

enum kerr ext4_recount(struct ext4 *fs)
{
    fs->free_blocks = 0;
    fs->free_inodes = 0;
    for (uint32_t i = 0; i < fs->group_count; i++) {
        struct ext4_group *group = &fs->group[i];
        struct ext4_buffer *bitmap = NULL;
        enum kerr error = ext4_buffer_get(fs, group->block_bitmap, EXT4_RANK_MAPS, &bitmap);
        if (error != KERR_OK) {
            return error;
        }
        group->free_blocks = count_clear(bitmap->data, ext4_group_blocks(fs, i));
        ext4_buffer_put(bitmap);
        error = ext4_buffer_get(fs, group->inode_bitmap, EXT4_RANK_MAPS, &bitmap);
        if (error != KERR_OK) {
            return error;
        }
        group->free_inodes = count_clear(bitmap->data, fs->inodes_per_group);
        ext4_buffer_put(bitmap);
        fs->free_blocks += group->free_blocks;
        fs->free_inodes += group->free_inodes;
    }
    return KERR_OK;
}
