/*
 * ext4_data.c - a bounded cache of files' blocks beside the direct way between the device and the caller's buffer.
 *
 * It never holds what the disk does not: a write goes to the device before it is answered, and drops or changes what lies here. So it may
 * forget anything at any time, and a reader may always ask the device instead. What makes a block's copy true is the claim on the block
 * (ext4_open.c): nobody writes it while a reader holds one, so that what was read is still true when it is put here.
 *
 * Memory is asked for as it fills, never given back. A block is kept when it is asked for a second time while as many others as fit here
 * were asked for: one pass over a large file copies nothing and drives nothing out. A last block that is written in part is kept at once,
 * for what is written there next would have to read it.
 *
 *   set of a block: 8 ways   tag[]: the block, 0 free   frame[]: its bytes, NULL: none yet   users[]: pinned   recent[]: touched
 */
#include "drivers/ext4/ext4_internal.h"

#include <stdlib.h>

#define WAYS        8u
#define CHUNK_BYTES (256u << 10)
#define NOT_FOUND   UINT32_MAX

enum kerr ext4_data_init(struct ext4 *fs, size_t bytes)
{
    struct ext4_data *data = &fs->data;
    const size_t blocks = bytes >> fs->block_shift;
    if (blocks < WAYS || fs->host.memory == NULL) {
        return KERR_OK; /* without it */
    }
    uint32_t sets = 1;
    while ((size_t)sets * 2 * WAYS <= blocks && sets < 1u << 20) {
        sets *= 2;
    }
    data->sets = sets;
    data->frames_left = (uint32_t)(blocks < UINT32_MAX ? blocks : UINT32_MAX);
    data->capacity = sets * WAYS;
    data->tag = calloc(data->capacity, sizeof(*data->tag));
    data->frame = calloc(data->capacity, sizeof(*data->frame));
    data->users = calloc(data->capacity, sizeof(*data->users));
    data->recent = calloc(data->capacity, sizeof(*data->recent));
    data->asked = calloc((size_t)data->capacity * 2, sizeof(*data->asked));
    return data->tag == NULL || data->frame == NULL || data->users == NULL ||
                   data->recent == NULL || data->asked == NULL
               ? KERR_NO_MEMORY
               : KERR_OK;
}

void ext4_data_free(struct ext4 *fs)
{
    free(fs->data.tag);
    free(fs->data.frame);
    free(fs->data.users);
    free(fs->data.recent);
    free(fs->data.asked);
}

/* Records lie at strides of powers of two: their blocks would share a few sets. */
static uint32_t mixed(uint64_t block)
{
    return (uint32_t)(block * 0x9e3779b97f4a7c15ull >> 40);
}

static uint32_t set_of(const struct ext4_data *data, uint64_t block)
{
    return mixed(block) & (data->sets - 1);
}

static uint32_t look_up(const struct ext4_data *data, uint64_t block)
{
    const uint32_t first = set_of(data, block) * WAYS;
    for (uint32_t i = first; i < first + WAYS; i++) {
        if (data->tag[i] == block) {
            return i;
        }
    }
    return NOT_FOUND;
}

/* One more block's memory; NULL: there is no more. */
static uint8_t *take_frame(struct ext4 *fs)
{
    struct ext4_data *data = &fs->data;
    if (data->frames_left == 0) {
        return NULL;
    }
    if (data->chunk_left < fs->block_size) {
        data->chunk = fs->host.memory(fs->host.context, CHUNK_BYTES);
        data->chunk_left = CHUNK_BYTES;
        if (data->chunk == NULL) {
            data->chunk_left = 0;
            data->frames_left = 0; /* what there is must do */
            return NULL;
        }
    }
    uint8_t *frame = data->chunk;
    data->chunk += fs->block_size;
    data->chunk_left -= fs->block_size;
    data->frames_left--;
    return frame;
}

/* The set's free way, or the one that was not touched for longer than others; NOT_FOUND: all are pinned, or there is no memory. */
static uint32_t take_way(struct ext4 *fs, uint64_t block)
{
    struct ext4_data *data = &fs->data;
    const uint32_t first = set_of(data, block) * WAYS;
    uint32_t stale = NOT_FOUND;
    uint32_t any = NOT_FOUND;
    for (uint32_t i = first; i < first + WAYS; i++) {
        if (data->frame[i] == NULL) {
            data->frame[i] = take_frame(fs);
        }
        if (data->users[i] != 0 || data->frame[i] == NULL) {
            continue;
        }
        if (data->tag[i] == 0) {
            return i;
        }
        any = any == NOT_FOUND ? i : any;
        stale = stale == NOT_FOUND && !data->recent[i] ? i : stale;
    }
    if (stale == NOT_FOUND && any != NOT_FOUND) {
        memset(&data->recent[first], 0, WAYS * sizeof(*data->recent)); /* all were: a new round */
        stale = any;
    }
    return stale;
}

/* Was the block asked for lately? From now on it was. */
static bool asked_again(struct ext4_data *data, uint64_t block)
{
    struct ext4_asked *asked = &data->asked[mixed(block) & (data->capacity * 2 - 1)];
    const bool again = asked->block == (uint32_t)block && data->asks - asked->ask <= data->capacity;
    *asked = (struct ext4_asked){ (uint32_t)block, ++data->asks };
    return again;
}

/* The block is these bytes, and zeros. */
static void keep(struct ext4 *fs, uint64_t block, const uint8_t *from, size_t bytes)
{
    struct ext4_data *data = &fs->data;
    const uint32_t way = take_way(fs, block);
    if (way != NOT_FOUND) {
        memcpy(data->frame[way], from, bytes);
        memset(data->frame[way] + bytes, 0, fs->block_size - bytes);
        data->tag[way] = block;
        data->recent[way] = true;
        fs->bytes_bounced += bytes;
    }
}

void ext4_data_offer(struct ext4 *fs, uint64_t first, const uint8_t *bytes, uint32_t count)
{
    struct ext4_data *data = &fs->data;
    if (data->capacity == 0) {
        return;
    }
    ext4_lock(fs);
    for (uint32_t i = 0; i < count; i++) {
        if (look_up(data, first + i) == NOT_FOUND && asked_again(data, first + i)) {
            keep(fs, first + i, bytes + ((size_t)i << fs->block_shift), fs->block_size);
        }
    }
    ext4_unlock(fs);
}

void ext4_data_keep(struct ext4 *fs, uint64_t block, const uint8_t *from, size_t bytes)
{
    if (fs->data.capacity == 0) {
        return;
    }
    ext4_lock(fs);
    if (look_up(&fs->data, block) == NOT_FOUND) {
        keep(fs, block, from, bytes);
    }
    ext4_unlock(fs);
}

bool ext4_data_read(struct ext4 *fs, uint64_t first, uint32_t skip, size_t bytes, uint8_t *to)
{
    struct ext4_data *data = &fs->data;
    uint32_t way[EXT4_DATA_MOST_BYTES / EXT4_MIN_BLOCK + 1];
    const size_t count = (skip + bytes + fs->block_size - 1) >> fs->block_shift;
    if (data->capacity == 0) {
        return false;
    }
    ext4_lock(fs);
    bool found = true;
    for (uint32_t i = 0; i < count && found; i++) {
        way[i] = look_up(data, first + i);
        found = way[i] != NOT_FOUND;
    }
    for (uint32_t i = 0; i < count && found; i++) {
        const size_t room = fs->block_size - skip;
        const size_t here = bytes < room ? bytes : room;
        memcpy(to, data->frame[way[i]] + skip, here);
        data->recent[way[i]] = true;
        fs->bytes_bounced += here;
        to += here;
        bytes -= here;
        skip = 0;
    }
    ext4_unlock(fs);
    return found;
}

uint8_t *ext4_data_pin(struct ext4 *fs, uint64_t block, uint32_t *place)
{
    struct ext4_data *data = &fs->data;
    uint8_t *frame = NULL;
    if (data->capacity == 0) {
        return NULL;
    }
    ext4_lock(fs);
    *place = look_up(data, block);
    if (*place != NOT_FOUND) {
        data->users[*place]++;
        data->recent[*place] = true;
        frame = data->frame[*place];
    }
    ext4_unlock(fs);
    return frame;
}

void ext4_data_unpin(struct ext4 *fs, uint32_t place, size_t bytes, bool is_true)
{
    ext4_lock(fs);
    fs->bytes_bounced += bytes;
    fs->data.users[place]--;
    if (!is_true) {
        fs->data.tag[place] = 0;
    }
    ext4_unlock(fs);
}

void ext4_data_forget(struct ext4 *fs, uint64_t first, uint64_t count)
{
    struct ext4_data *data = &fs->data;
    if (count < data->capacity) {
        for (uint64_t block = first; block < first + count; block++) {
            const uint32_t way = look_up(data, block);
            if (way != NOT_FOUND) {
                data->tag[way] = 0;
            }
        }
        return;
    }
    for (uint32_t i = 0; i < data->capacity; i++) {
        if (data->tag[i] - first < count) {
            data->tag[i] = 0;
        }
    }
}
