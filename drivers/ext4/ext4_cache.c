/* ext4_cache.c - a bounded write-back cache of metadata blocks, found by hash, given up by last use. */
#include "drivers/ext4/ext4_internal.h"

#include <stdlib.h>

/* A tree path, its neighbours and spare blocks are pinned at once; below this a change could find no free buffer. */
#define LEAST_BUFFERS 64u

static struct ext4_buffer **bucket_of(struct ext4_cache *cache, uint64_t block)
{
    return &cache->bucket[(uint32_t)(block * 0x9e3779b97f4a7c15ull >> 40) & cache->bucket_mask];
}

static void unlink_use(struct ext4_cache *cache, struct ext4_buffer *buffer)
{
    if (buffer->newer != NULL) {
        buffer->newer->older = buffer->older;
    } else {
        cache->newest = buffer->older;
    }
    if (buffer->older != NULL) {
        buffer->older->newer = buffer->newer;
    } else {
        cache->oldest = buffer->newer;
    }
    buffer->newer = NULL;
    buffer->older = NULL;
}

static void link_newest(struct ext4_cache *cache, struct ext4_buffer *buffer)
{
    buffer->older = cache->newest;
    if (cache->newest != NULL) {
        cache->newest->newer = buffer;
    }
    cache->newest = buffer;
    if (cache->oldest == NULL) {
        cache->oldest = buffer;
    }
}

static void link_oldest(struct ext4_cache *cache, struct ext4_buffer *buffer)
{
    buffer->newer = cache->oldest;
    if (cache->oldest != NULL) {
        cache->oldest->older = buffer;
    }
    cache->oldest = buffer;
    if (cache->newest == NULL) {
        cache->newest = buffer;
    }
}

static struct ext4_buffer *look_up(struct ext4_cache *cache, uint64_t block)
{
    struct ext4_buffer *buffer = *bucket_of(cache, block);
    while (buffer != NULL && buffer->block != block) {
        buffer = buffer->hash_next;
    }
    return buffer;
}

static void unhash(struct ext4_cache *cache, struct ext4_buffer *buffer)
{
    struct ext4_buffer **link = bucket_of(cache, buffer->block);
    while (*link != buffer) {
        link = &(*link)->hash_next;
    }
    *link = buffer->hash_next;
    buffer->hash_next = NULL;
    buffer->valid = false;
    buffer->checked = EXT4_CHECKED_NONE;
    if (buffer->dirty) {
        buffer->dirty = false;
        cache->dirty_count--;
    }
}

static struct ext4_buffer *oldest_clean(struct ext4_cache *cache)
{
    struct ext4_buffer *buffer = cache->oldest;
    while (buffer != NULL && (buffer->references != 0 || buffer->dirty)) {
        buffer = buffer->newer;
    }
    return buffer;
}

/* A buffer in the hash under `block`, contents undefined, one reference. */
static enum kerr take_buffer(struct ext4 *fs, uint64_t block, struct ext4_buffer **taken)
{
    struct ext4_cache *cache = &fs->cache;
    /* All at once when half of it is dirty: neighbours then go out together, and the walk for a clean one stays short. */
    if (cache->dirty_count > cache->count / 2) {
        enum kerr error = ext4_cache_write_all(fs);
        if (error != KERR_OK) {
            return error;
        }
    }
    struct ext4_buffer *buffer = oldest_clean(cache);
    if (buffer == NULL) {
        return KERR_NO_MEMORY;
    }
    if (buffer->valid) {
        unhash(cache, buffer);
    }
    buffer->block = block;
    buffer->valid = true;
    buffer->references = 1;
    struct ext4_buffer **bucket = bucket_of(cache, block);
    buffer->hash_next = *bucket;
    *bucket = buffer;
    unlink_use(cache, buffer);
    link_newest(cache, buffer);
    *taken = buffer;
    return KERR_OK;
}

static void drop(struct ext4_cache *cache, struct ext4_buffer *buffer)
{
    unhash(cache, buffer);
    unlink_use(cache, buffer);
    link_oldest(cache, buffer);
}

enum kerr ext4_cache_init(struct ext4 *fs, uint8_t *memory, size_t bytes)
{
    struct ext4_cache *cache = &fs->cache;
    size_t count = bytes / fs->block_size;
    if (count < LEAST_BUFFERS) {
        return KERR_NO_MEMORY;
    }
    cache->count = (uint32_t)(count > 1u << 20 ? 1u << 20 : count);
    uint32_t buckets = LEAST_BUFFERS;
    while (buckets < cache->count) {
        buckets *= 2;
    }
    cache->bucket_mask = buckets - 1;
    cache->buffer = calloc(cache->count, sizeof(*cache->buffer));
    cache->bucket = calloc(buckets, sizeof(struct ext4_buffer *));
    cache->sorted = calloc(cache->count, sizeof(struct ext4_buffer *));
    if (cache->buffer == NULL || cache->bucket == NULL || cache->sorted == NULL) {
        return KERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < cache->count; i++) {
        cache->buffer[i].data = memory + (size_t)i * fs->block_size;
        link_newest(cache, &cache->buffer[i]);
    }
    return KERR_OK;
}

void ext4_cache_free(struct ext4 *fs)
{
    free(fs->cache.buffer);
    free(fs->cache.bucket);
    free(fs->cache.sorted);
}

enum kerr ext4_buffer_get(struct ext4 *fs, uint64_t block, enum ext4_rank rank,
                          struct ext4_buffer **found)
{
    struct ext4_cache *cache = &fs->cache;
    if (block >= fs->blocks_count) {
        return KERR_CORRUPT_FILESYSTEM;
    }
    struct ext4_buffer *buffer = look_up(cache, block);
    if (buffer != NULL) {
        buffer->references++;
        buffer->rank = (uint8_t)rank;
        if (buffer != cache->newest) {
            unlink_use(cache, buffer);
            link_newest(cache, buffer);
        }
        *found = buffer;
        return KERR_OK;
    }
    enum kerr error = take_buffer(fs, block, &buffer);
    if (error != KERR_OK) {
        return error;
    }
    error = fs->bdev.read(fs->bdev.context, block << fs->block_shift, buffer->data, fs->block_size);
    if (error != KERR_OK) {
        buffer->references = 0;
        drop(cache, buffer);
        return error;
    }
    buffer->rank = (uint8_t)rank;
    *found = buffer;
    return KERR_OK;
}

enum kerr ext4_buffer_fresh(struct ext4 *fs, uint64_t block, enum ext4_rank rank,
                            struct ext4_buffer **fresh)
{
    struct ext4_buffer *buffer = look_up(&fs->cache, block);
    if (buffer != NULL) {
        /* Freeing forgets a block, so this one is in use as something else at the same time: the disk lies. */
        return KERR_CORRUPT_FILESYSTEM;
    }
    enum kerr error = take_buffer(fs, block, &buffer);
    if (error != KERR_OK) {
        return error;
    }
    memset(buffer->data, 0, fs->block_size);
    buffer->rank = (uint8_t)rank;
    ext4_buffer_dirty(fs, buffer);
    *fresh = buffer;
    return KERR_OK;
}

void ext4_buffer_put(struct ext4_buffer *buffer)
{
    buffer->references--;
}

void ext4_buffer_dirty(struct ext4 *fs, struct ext4_buffer *buffer)
{
    fs->changes++;
    if (!buffer->dirty) {
        buffer->dirty = true;
        fs->cache.dirty_count++;
    }
}

void ext4_cache_forget(struct ext4 *fs, uint64_t first, uint64_t count)
{
    struct ext4_cache *cache = &fs->cache;
    if (count < cache->count) {
        for (uint64_t block = first; block < first + count; block++) {
            struct ext4_buffer *buffer = look_up(cache, block);
            if (buffer != NULL && buffer->references == 0) {
                drop(cache, buffer);
            }
        }
        return;
    }
    for (uint32_t i = 0; i < cache->count; i++) {
        struct ext4_buffer *buffer = &cache->buffer[i];
        if (buffer->valid && buffer->references == 0 && buffer->block - first < count) {
            drop(cache, buffer);
        }
    }
}

static int by_rank_and_block(const void *left, const void *right)
{
    const struct ext4_buffer *a = *(struct ext4_buffer *const *)left;
    const struct ext4_buffer *b = *(struct ext4_buffer *const *)right;
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    return a->block < b->block ? -1 : a->block > b->block;
}

/* Write `count` dirty buffers whose blocks follow each other. */
static enum kerr write_neighbours(struct ext4 *fs, struct ext4_buffer *const *buffer,
                                  uint32_t count)
{
    const uint8_t *data = buffer[0]->data;
    if (count > 1) {
        for (uint32_t i = 0; i < count; i++) {
            memcpy(fs->stage + (size_t)i * fs->block_size, buffer[i]->data, fs->block_size);
        }
        data = fs->stage;
    }
    enum kerr error = fs->bdev.write(fs->bdev.context, buffer[0]->block << fs->block_shift, data,
                                     (size_t)count * fs->block_size, 0);
    if (error != KERR_OK) {
        return error;
    }
    for (uint32_t i = 0; i < count; i++) {
        buffer[i]->dirty = false;
        fs->cache.dirty_count--;
    }
    return KERR_OK;
}

enum kerr ext4_cache_write_all(struct ext4 *fs)
{
    struct ext4_cache *cache = &fs->cache;
    if (cache->dirty_count == 0) {
        return KERR_OK;
    }
    enum kerr error = ext4_super_mark_unclean(fs);
    uint32_t count = 0;
    for (uint32_t i = 0; i < cache->count; i++) {
        if (cache->buffer[i].dirty) {
            cache->sorted[count++] = &cache->buffer[i];
        }
    }
    qsort(cache->sorted, count, sizeof(struct ext4_buffer *), by_rank_and_block);
    const uint32_t most = EXT4_STAGE_BYTES / fs->block_size;
    uint32_t next = 0;
    while (error == KERR_OK && next < count) {
        uint32_t run = 1;
        while (next + run < count && run < most &&
               cache->sorted[next + run]->block == cache->sorted[next]->block + run) {
            run++;
        }
        error = write_neighbours(fs, &cache->sorted[next], run);
        next += run;
    }
    return error;
}
