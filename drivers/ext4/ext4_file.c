/*
 * ext4_file.c - the contents of open files: read, write, truncate.
 *
 * Blocks are found and allocated under the metadata lock, their contents move outside of it: a file that is open does not change its
 * blocks for a reader, and each has one writer. New blocks inside a file's size are entered as unwritten and converted when the data is
 * on the disk, those behind it are not part of the file until its size says so: what a disk held before never shows. A writer that shares
 * the file enters all as unwritten, for another may move the size past it.
 */
#include "drivers/ext4/ext4_internal.h"

/* ---- moving data (lock not held) ------------------------------------------------------------------------------- */

/* Bytes of a run of blocks: [skip, skip + bytes) from its first block's start. */
struct span {
    uint64_t physical;
    uint32_t skip;
    size_t bytes;
};

static uint8_t *bounce_take(struct ext4 *fs, size_t bytes)
{
    ext4_lock(fs);
    uint8_t *bounce = fs->bounce_free == 0 ? NULL : fs->bounce[--fs->bounce_free];
    fs->bytes_bounced += bytes;
    ext4_unlock(fs);
    return bounce;
}

static void bounce_give(struct ext4 *fs, uint8_t *bounce)
{
    ext4_lock(fs);
    fs->bounce[fs->bounce_free++] = bounce;
    ext4_unlock(fs);
}

/* Read part of one block. */
static enum kerr read_part(struct ext4 *fs, uint64_t block, uint32_t skip, size_t bytes,
                           uint8_t *to)
{
    if (ext4_data_read(fs, block, skip, bytes, to)) {
        return KERR_OK;
    }
    uint8_t *bounce = bounce_take(fs, bytes);
    if (bounce == NULL) {
        return KERR_NO_MEMORY;
    }
    enum kerr error =
        fs->bdev.read(fs->bdev.context, block << fs->block_shift, bounce, fs->block_size);
    if (error == KERR_OK) {
        memcpy(to, bounce + skip, bytes);
        ext4_data_offer(fs, block, bounce, 1);
    }
    bounce_give(fs, bounce);
    return error;
}

/* Put `from` into a block's bytes, and those on the disk. */
static enum kerr write_into(struct ext4 *fs, uint64_t block, uint8_t *whole, uint32_t skip,
                            size_t bytes, const uint8_t *from)
{
    memcpy(whole + skip, from, bytes);
    return fs->bdev.write(fs->bdev.context, block << fs->block_shift, whole, fs->block_size, 0);
}

/* Write part of a block that the cache does not have. fresh: the rest of it is zeros, whatever the disk holds. */
static enum kerr write_bounced(struct ext4 *fs, uint64_t block, uint32_t skip, size_t bytes,
                               const uint8_t *from, bool fresh)
{
    uint8_t *bounce = bounce_take(fs, bytes);
    enum kerr error = KERR_OK;
    if (bounce == NULL) {
        return KERR_NO_MEMORY;
    }
    if (fresh) {
        memset(bounce, 0, fs->block_size);
    } else {
        error = fs->bdev.read(fs->bdev.context, block << fs->block_shift, bounce, fs->block_size);
    }
    if (error == KERR_OK) {
        error = write_into(fs, block, bounce, skip, bytes, from);
    }
    if (error == KERR_OK) {
        ext4_data_offer(fs, block, bounce, 1);
    }
    bounce_give(fs, bounce);
    return error;
}

static enum kerr write_part(struct ext4 *fs, uint64_t block, uint32_t skip, size_t bytes,
                            const uint8_t *from, bool fresh)
{
    uint32_t place = 0;
    uint8_t *kept = fresh ? NULL : ext4_data_pin(fs, block, &place);
    if (kept == NULL) {
        return write_bounced(fs, block, skip, bytes, from, fresh);
    }
    enum kerr error = write_into(fs, block, kept, skip, bytes, from);
    ext4_data_unpin(fs, place, bytes, error == KERR_OK);
    return error;
}

/* Write whole blocks, and zeros to the end of the last. What the cache has of them is the past. */
static enum kerr write_whole(struct ext4 *fs, uint64_t block, const uint8_t *from, size_t bytes,
                             size_t zeros)
{
    if (fs->data.capacity != 0) {
        ext4_lock(fs);
        ext4_data_forget(fs, block, (bytes + zeros) >> fs->block_shift);
        ext4_unlock(fs);
    }
    enum kerr error =
        fs->bdev.write(fs->bdev.context, block << fs->block_shift, from, bytes, zeros);
    if (error == KERR_OK && zeros != 0 && bytes <= EXT4_DATA_MOST_BYTES) {
        const size_t tail = fs->block_size - zeros;
        ext4_data_keep(fs, block + (bytes >> fs->block_shift), from + bytes - tail, tail);
    }
    return error;
}

/* How many bytes of the span come next, and are they whole blocks? */
static size_t next_part(const struct ext4 *fs, const struct span *span, bool *whole)
{
    const size_t in_block = fs->block_size - span->skip;
    *whole = span->skip == 0 && span->bytes >= fs->block_size;
    if (*whole) {
        return span->bytes & ~((size_t)fs->block_size - 1);
    }
    return span->bytes < in_block ? span->bytes : in_block;
}

static void advance(const struct ext4 *fs, struct span *span, size_t bytes)
{
    span->physical += (span->skip + bytes) >> fs->block_shift;
    span->skip = (uint32_t)((span->skip + bytes) & (fs->block_size - 1));
    span->bytes -= bytes;
}

/* Bytes of the blocks that the span ends in, too. */
static size_t round_up(const struct ext4 *fs, const struct span *span)
{
    return (span->bytes + fs->block_size - 1) & ~((size_t)fs->block_size - 1);
}

/* Whole blocks by the device, straight into `to`. */
static enum kerr read_whole(struct ext4 *fs, uint64_t block, uint8_t *to, size_t bytes, bool small)
{
    enum kerr error = fs->bdev.read(fs->bdev.context, block << fs->block_shift, to, bytes);
    if (error == KERR_OK && small) {
        ext4_data_offer(fs, block, to, (uint32_t)(bytes >> fs->block_shift));
    }
    return error;
}

static enum kerr read_span(struct ext4 *fs, struct span span, uint8_t *to, size_t room)
{
    const bool small = span.bytes <= EXT4_DATA_MOST_BYTES;
    enum kerr error = KERR_OK;
    /* All or nothing: a request costs the same for one block and for sixteen. */
    if (small && ext4_data_read(fs, span.physical, span.skip, span.bytes, to)) {
        return KERR_OK;
    }
    while (error == KERR_OK && span.bytes != 0) {
        bool whole = false;
        size_t part = next_part(fs, &span, &whole);
        if (span.skip == 0 && round_up(fs, &span) <= room) {
            part = span.bytes;
            error = read_whole(fs, span.physical, to, round_up(fs, &span), small);
        } else if (whole) {
            error = read_whole(fs, span.physical, to, part, small);
        } else {
            error = read_part(fs, span.physical, span.skip, part, to);
        }
        advance(fs, &span, part);
        to += part;
        room -= part;
    }
    return error;
}

static enum kerr write_span(struct ext4 *fs, struct span span, const uint8_t *from, bool fresh)
{
    enum kerr error = KERR_OK;
    while (error == KERR_OK && span.bytes != 0) {
        bool whole = false;
        size_t part = next_part(fs, &span, &whole);
        if (fresh && span.skip == 0) {
            part = span.bytes;
            error = write_whole(fs, span.physical, from, part, round_up(fs, &span) - part);
        } else if (whole) {
            error = write_whole(fs, span.physical, from, part, 0);
        } else {
            error = write_part(fs, span.physical, span.skip, part, from, fresh);
        }
        advance(fs, &span, part);
        from += part;
    }
    return error;
}

/* Blocks that bytes [offset, offset + bytes) touch, from the first on. */
static uint32_t blocks_touched(const struct ext4 *fs, uint64_t offset, size_t bytes)
{
    const uint64_t first = offset >> fs->block_shift;
    const uint64_t last = (offset + bytes - 1) >> fs->block_shift;
    return (uint32_t)(last - first + 1);
}

static bool beyond_format(const struct ext4 *fs, uint64_t offset, size_t bytes)
{
    const uint64_t most = (uint64_t)UINT32_MAX << fs->block_shift;
    return offset > most || bytes > most - offset;
}

/* The part of [offset, offset + bytes) that the run holds. */
static struct span span_of(const struct ext4 *fs, const struct ext4_run *run, uint64_t offset,
                           size_t bytes)
{
    struct span span = { .physical = run->physical,
                         .skip = (uint32_t)(offset & (fs->block_size - 1)) };
    const uint64_t room = ((uint64_t)run->count << fs->block_shift) - span.skip;
    span.bytes = bytes < room ? bytes : (size_t)room;
    return span;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

/*
 * Where the first of these bytes lie, and how many of them the file has: 0 is its end. The inode is looked at each time: writers of other
 * parts change the tree's root, which lies in it.
 */
static enum kerr find_run(struct ext4 *fs, const struct ext4_file *file, uint64_t offset,
                          size_t *bytes, struct ext4_run *run)
{
    struct ext4_node node;
    ext4_lock(fs);
    enum kerr error = ext4_node_load(fs, file->inode, &node);
    if (error == KERR_OK) {
        const uint64_t size = ext4_node_size(&node);
        const uint64_t left = offset < size ? size - offset : 0;
        *bytes = *bytes < left ? *bytes : (size_t)left;
    }
    if (error == KERR_OK && *bytes != 0) {
        error = ext4_extent_find(fs, &node, (uint32_t)(offset >> fs->block_shift),
                                 blocks_touched(fs, offset, *bytes), run);
    }
    ext4_unlock(fs);
    return error;
}

enum kerr ext4_read(struct ext4 *fs, const struct ext4_file *file, uint64_t offset, void *buffer,
                    size_t bytes, size_t room, size_t *got)
{
    uint8_t *to = buffer;
    *got = 0;
    while (bytes != 0) {
        struct ext4_run run;
        enum kerr error = find_run(fs, file, offset, &bytes, &run);
        if (error != KERR_OK || bytes == 0) {
            return error;
        }
        const struct span span = span_of(fs, &run, offset, bytes);
        if (run.state == EXT4_RUN_WRITTEN) {
            error = read_span(fs, span, to, room);
        } else {
            memset(to, 0, span.bytes);
        }
        if (error != KERR_OK) {
            return error;
        }
        offset += span.bytes;
        to += span.bytes;
        bytes -= span.bytes;
        room -= span.bytes;
        *got += span.bytes;
    }
    return KERR_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* Fill (a part of) the hole that `run` describes; the run is then what was made. */
static enum kerr fill_hole(struct ext4 *fs, struct ext4_node *node, struct ext4_run *run,
                           bool shared)
{
    const uint64_t end = ext4_blocks_for(fs, ext4_node_size(node));
    const bool inside = shared || run->logical < end;
    uint32_t want = run->count;
    if (!shared && inside && want > end - run->logical) {
        want = (uint32_t)(end - run->logical);
    }
    if (want > EXT4_UNWRITTEN_MAX) {
        want = EXT4_UNWRITTEN_MAX;
    }
    const bool exact = run->physical != 0;
    const uint64_t goal =
        exact ? run->physical : ext4_group_first(fs, ext4_group_of_inode(fs, node->number));
    enum kerr error = ext4_blocks_take(fs, goal, exact, want, &run->physical, &run->count);
    if (error != KERR_OK) {
        return error;
    }
    run->state = inside ? EXT4_RUN_UNWRITTEN : EXT4_RUN_WRITTEN;
    error = ext4_extent_insert(fs, node, run);
    if (error != KERR_OK) {
        enum kerr given = ext4_blocks_give(fs, run->physical, run->count);
        return given == KERR_OK ? error : given;
    }
    ext4_node_count_blocks(fs, node, run->count);
    return ext4_node_store(fs, node);
}

/* The blocks to write to. *fresh: what they hold now does not count. */
static enum kerr prepare_run(struct ext4 *fs, const struct ext4_file *file, uint32_t logical,
                             uint32_t want, struct ext4_run *run, bool *fresh)
{
    struct ext4_node node;
    ext4_lock(fs);
    enum kerr error = ext4_change_begin(fs);
    if (error == KERR_OK) {
        error = ext4_node_load(fs, file->inode, &node);
    }
    if (error == KERR_OK) {
        error = ext4_extent_find(fs, &node, logical, want, run);
    }
    if (error == KERR_OK) {
        *fresh = run->state != EXT4_RUN_WRITTEN;
        if (run->state == EXT4_RUN_HOLE) {
            error = fill_hole(fs, &node, run, file->shared);
        }
    }
    error = ext4_change_end(fs, error);
    ext4_unlock(fs);
    return error;
}

/* The data is on the disk: it belongs to the file from now on. */
static enum kerr commit_run(struct ext4 *fs, uint32_t inode, const struct ext4_run *run,
                            uint64_t end)
{
    struct ext4_node node;
    ext4_lock(fs);
    enum kerr error = ext4_change_begin(fs);
    if (error == KERR_OK) {
        error = ext4_node_load(fs, inode, &node);
    }
    if (error == KERR_OK && run->state == EXT4_RUN_UNWRITTEN) {
        error = ext4_extent_convert(fs, &node, run->logical, run->count);
    }
    if (error == KERR_OK) {
        if (end > ext4_node_size(&node)) {
            ext4_node_set_size(fs, &node, end);
        }
        ext4_node_touch(fs, &node, true);
        error = ext4_node_store(fs, &node);
    }
    error = ext4_change_end(fs, error);
    ext4_unlock(fs);
    return error;
}

/* Cut the file's blocks at `size`, and its size too. */
static enum kerr cut(struct ext4 *fs, uint32_t inode, uint64_t size, bool set_size)
{
    struct ext4_node node;
    ext4_lock(fs);
    enum kerr error = ext4_change_begin(fs);
    if (error == KERR_OK) {
        error = ext4_node_load(fs, inode, &node);
    }
    if (error == KERR_OK) {
        error = ext4_extent_truncate(fs, &node,
                                     ext4_blocks_for(fs, set_size ? size : ext4_node_size(&node)));
    }
    if (error == KERR_OK) {
        if (set_size) {
            ext4_node_set_size(fs, &node, size);
            ext4_node_touch(fs, &node, true);
        }
        error = ext4_node_store(fs, &node);
    }
    error = ext4_change_end(fs, error);
    ext4_unlock(fs);
    return error;
}

enum kerr ext4_write(struct ext4 *fs, const struct ext4_file *file, uint64_t offset,
                     const void *data, size_t bytes, size_t *put)
{
    const uint8_t *from = data;
    *put = 0;
    if (!file->writable) {
        return KERR_NOT_PERMITTED;
    }
    if (beyond_format(fs, offset, bytes)) {
        return KERR_TOO_LARGE;
    }
    while (bytes != 0) {
        struct ext4_run run;
        bool fresh = false;
        enum kerr error = prepare_run(fs, file, (uint32_t)(offset >> fs->block_shift),
                                      blocks_touched(fs, offset, bytes), &run, &fresh);
        if (error != KERR_OK) {
            return error;
        }
        const struct span span = span_of(fs, &run, offset, bytes);
        error = write_span(fs, span, from, fresh);
        if (error == KERR_OK) {
            error = commit_run(fs, file->inode, &run, offset + span.bytes);
        }
        if (error != KERR_OK) {
            if (!file->shared) {
                /* Blocks behind the size hold nothing: free them. The first error is the one to tell. */
                (void)cut(fs, file->inode, 0, false);
            }
            return error;
        }
        offset += span.bytes;
        from += span.bytes;
        bytes -= span.bytes;
        *put += span.bytes;
    }
    return KERR_OK;
}

/* Zeros from `size` to the end of its block, so that a later extension reads zeros. */
static enum kerr clear_tail(struct ext4 *fs, const struct ext4_node *node, uint64_t size)
{
    const uint32_t skip = (uint32_t)(size & (fs->block_size - 1));
    if (skip == 0) {
        return KERR_OK;
    }
    struct ext4_node copy = *node;
    struct ext4_run run;
    ext4_lock(fs);
    enum kerr error = ext4_extent_find(fs, &copy, (uint32_t)(size >> fs->block_shift), 1, &run);
    ext4_unlock(fs);
    if (error != KERR_OK || run.state != EXT4_RUN_WRITTEN) {
        return error;
    }
    static const uint8_t zeros[EXT4_MAX_BLOCK];
    return write_part(fs, run.physical, skip, fs->block_size - skip, zeros, false);
}

enum kerr ext4_truncate(struct ext4 *fs, const struct ext4_file *file, uint64_t size_bytes)
{
    struct ext4_node node;
    if (!file->writable) {
        return KERR_NOT_PERMITTED;
    }
    if (beyond_format(fs, size_bytes, 0)) {
        return KERR_TOO_LARGE;
    }
    enum kerr error = ext4_load_open(fs, file, &node);
    if (error == KERR_OK && size_bytes < ext4_node_size(&node)) {
        error = clear_tail(fs, &node, size_bytes);
    }
    return error == KERR_OK ? cut(fs, file->inode, size_bytes, true) : error;
}
