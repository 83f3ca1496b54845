/*
 * ext4_internal.h - what the files of drivers/ext4 share. Unless said otherwise the metadata lock is held around every function here.
 */
#pragma once

#include <string.h>

#include "drivers/ext4/ext4.h"
#include "drivers/ext4/ext4_disk.h"

#define EXT4_MIN_BLOCK 1024u
#define EXT4_MAX_BLOCK 4096u
/* neighbouring dirty blocks are gathered here and written at once */
#define EXT4_STAGE_BYTES     65536u
#define EXT4_LONGEST_UNKNOWN UINT32_MAX
/* Paths whose inodes are remembered: so many, if they are no longer than this. */
#define EXT4_KNOWN_PATHS 256u
#define EXT4_KNOWN_PATH  115u
/* Larger pieces always come straight from the device: the copy would cost more than the request saves. */
#define EXT4_DATA_MOST_BYTES 65536u

/* What a cached block was last checked as. A block that is used as something else is checked again. */
enum ext4_checked {
    EXT4_CHECKED_NONE,
    EXT4_CHECKED_DIRECTORY,
    EXT4_CHECKED_NODE, /* + depth: an extent node at that depth */
};

/*
 * The order in which changed blocks are written: what is written later may name what was written before. So when writing stops half-way
 * no block is free on the disk and in use, and no name leads to an inode that is not there; at worst something is lost as "in use".
 */
enum ext4_rank {
    EXT4_RANK_MAPS,  /* bitmaps, group descriptors */
    EXT4_RANK_NODES, /* extent nodes, attributes */
    EXT4_RANK_INODES,
    EXT4_RANK_NAMES, /* directories */
};

/* One cached metadata block. */
struct ext4_buffer {
    uint64_t block;
    uint8_t *data;
    uint32_t references;
    bool valid; /* in the hash, data is the block's */
    bool dirty;
    uint8_t checked;
    uint8_t rank; /* enum ext4_rank */
    struct ext4_buffer *hash_next;
    struct ext4_buffer *newer, *older; /* by last use */
};

struct ext4_cache {
    struct ext4_buffer *buffer;
    uint32_t count;
    uint32_t dirty_count;
    struct ext4_buffer **bucket;
    uint32_t bucket_mask;
    struct ext4_buffer *newest, *oldest;
    struct ext4_buffer **sorted; /* scratch of ext4_cache_write_all() */
};

/* A block that somebody asked the device for, and when, counted in such blocks. */
struct ext4_asked {
    uint32_t block; /* its low half: a wrong guess only keeps a block too early */
    uint32_t ask;
};

/* Blocks of files; ext4_data.c. */
struct ext4_data {
    uint32_t sets; /* a power of two */
    uint32_t capacity;
    uint64_t *tag;
    uint8_t **frame;
    uint16_t *users;
    bool *recent;
    struct ext4_asked *asked; /* [2 * capacity] */
    uint32_t asks;
    uint32_t frames_left; /* that may still be made */
    uint8_t *chunk;       /* memory for the next ones */
    size_t chunk_left;
};

/* A group descriptor, checked. */
struct ext4_group {
    uint64_t block_bitmap, inode_bitmap, inode_table;
    uint32_t free_blocks, free_inodes, used_dirs;
    uint32_t longest; /* no free run of the group is longer than this */
};

/* Blocks [first, first + count) that belong to the file system itself. */
struct ext4_zone {
    uint64_t first, count;
};

#define EXT4_MAX_ORPHANS 256u

/* Blocks [first, last] of a file, to be read or written. */
struct ext4_claim {
    uint32_t inode; /* 0: none */
    bool writer;
    uint32_t first, last;
};

/* A caller that has blocks of a file open, or waits for them. */
struct ext4_busy {
    struct ext4_claim claim;
    uint64_t turn; /* order of coming: nobody overtakes whom he would exclude */
    bool waits;
    struct ext4_busy *next; /* in the one list that it is in */
};

/* Where a path led, as long as no name has changed since. */
struct ext4_known {
    uint64_t names; /* ext4.names then */
    uint32_t inode;
    uint8_t length; /* 0: none */
    char path[EXT4_KNOWN_PATH];
};

struct ext4 {
    /* set once at mount: */
    struct ext4_bdev bdev;
    struct ext4_host host;
    uint32_t callers;
    uint32_t block_size, block_shift;
    uint64_t blocks_count;
    uint32_t first_data_block, blocks_per_group;
    uint32_t inodes_count, inodes_per_group, first_inode;
    uint32_t inode_size, descriptor_size;
    uint32_t group_count;
    uint64_t base_time;  /* no time stamp is older */
    uint64_t base_clock; /* what the host's clock said then */
    struct ext4_zone *zone;
    uint32_t zone_count;
    uint8_t *super_page; /* the device moves the superblock here */
    uint8_t *stage;
    /* the metadata lock: */
    struct ext4_disk_super super; /* counts are kept in the fields below */
    bool super_dirty;
    bool marked_unclean; /* on the disk */
    bool damaged;        /* no more changes */
    /* times a buffer was changed; and as it was when the change under way began */
    uint64_t changes;
    uint64_t changes_before;
    uint64_t free_blocks;
    uint32_t free_inodes;
    struct ext4_group *group;
    struct ext4_cache cache;
    struct ext4_data data;
    /* inodes without a name, to be freed when the disk has lost the name too */
    uint32_t orphan[EXT4_MAX_ORPHANS];
    uint32_t orphan_count;
    struct ext4_busy *busy; /* [callers] */
    struct ext4_busy *busy_first, *busy_free;
    uint64_t turns; /* given so far */
    uint64_t names; /* times that a directory was changed */
    struct ext4_known known[EXT4_KNOWN_PATHS];
    uint8_t **bounce; /* [callers], the first bounce_free are free */
    uint32_t bounce_free;
    uint64_t bytes_bounced;
};

/* An inode in hand: a copy, put back by ext4_node_store(). */
struct ext4_node {
    uint32_t number;
    struct ext4_disk_inode disk;
};

enum ext4_run_state {
    EXT4_RUN_HOLE,
    EXT4_RUN_WRITTEN,
    EXT4_RUN_UNWRITTEN, /* allocated, reads as zeros */
};

/* Blocks that follow each other in the file and on the disk. */
struct ext4_run {
    uint32_t logical;
    uint32_t count;
    /* a hole: where the blocks before it end on the disk, 0 when there are none */
    uint64_t physical;
    enum ext4_run_state state;
};

static inline void ext4_lock(struct ext4 *fs)
{
    fs->host.lock(fs->host.context);
}

static inline void ext4_unlock(struct ext4 *fs)
{
    fs->host.unlock(fs->host.context);
}

static inline uint32_t ext4_node_kind(const struct ext4_node *node)
{
    return node->disk.mode & EXT4_MODE_KIND;
}

static inline bool ext4_is_directory(const struct ext4_node *node)
{
    return ext4_node_kind(node) == EXT4_MODE_DIRECTORY;
}

static inline uint64_t ext4_node_size(const struct ext4_node *node)
{
    return node->disk.size_lo | (uint64_t)node->disk.size_hi << 32;
}

/* Blocks that `size` bytes fill. */
static inline uint64_t ext4_blocks_for(const struct ext4 *fs, uint64_t size)
{
    return (size + fs->block_size - 1) >> fs->block_shift;
}

/* ---- ext4_cache.c ---- */

/* Blocks of `memory` become the cache; *used: bytes of it taken. NO_MEMORY. */
enum kerr ext4_cache_init(struct ext4 *fs, uint8_t *memory, size_t bytes);
void ext4_cache_free(struct ext4 *fs);
/* The block, read if need be, and one reference to it. */
enum kerr ext4_buffer_get(struct ext4 *fs, uint64_t block, enum ext4_rank rank,
                          struct ext4_buffer **buffer);
/* The same without reading: zeroed and dirty, for a block just allocated. */
enum kerr ext4_buffer_fresh(struct ext4 *fs, uint64_t block, enum ext4_rank rank,
                            struct ext4_buffer **buffer);
void ext4_buffer_put(struct ext4_buffer *buffer);
void ext4_buffer_dirty(struct ext4 *fs, struct ext4_buffer *buffer);
/* The blocks are no metadata any more: drop what the cache has of them. */
void ext4_cache_forget(struct ext4 *fs, uint64_t first, uint64_t count);
enum kerr ext4_cache_write_all(struct ext4 *fs);

/* ---- ext4_data.c: the lock is not held unless said ---- */

/* Up to `bytes` of files' blocks. NO_MEMORY. */
enum kerr ext4_data_init(struct ext4 *fs, size_t bytes);
void ext4_data_free(struct ext4 *fs);
/* Copy what is there: all of it, or false. At most EXT4_DATA_MOST_BYTES. */
bool ext4_data_read(struct ext4 *fs, uint64_t first, uint32_t skip, size_t bytes, uint8_t *to);
/* The device has just been asked for whole blocks that the caller has claimed: keep those that are asked for again and again. */
void ext4_data_offer(struct ext4 *fs, uint64_t first, const uint8_t *bytes, uint32_t count);
/* The caller has claimed the block and written it: these bytes, and zeros. */
void ext4_data_keep(struct ext4 *fs, uint64_t block, const uint8_t *from, size_t bytes);
/* The bytes of a block that the caller has claimed to write, to be changed there and written; NULL: it is not here. */
uint8_t *ext4_data_pin(struct ext4 *fs, uint64_t block, uint32_t *place);
/* `bytes` of it were changed. is_true: the disk holds the same. */
void ext4_data_unpin(struct ext4 *fs, uint32_t place, size_t bytes, bool is_true);
/* Lock held: the blocks are about to change on the disk, or are no file's any more. */
void ext4_data_forget(struct ext4 *fs, uint64_t first, uint64_t count);

/* ---- ext4_super.c ---- */

/* Put the group's counts into its descriptor. */
enum kerr ext4_group_store(struct ext4 *fs, uint32_t group);
uint32_t ext4_group_blocks(const struct ext4 *fs, uint32_t group);
static inline uint64_t ext4_group_first(const struct ext4 *fs, uint32_t group)
{
    return fs->first_data_block + (uint64_t)group * fs->blocks_per_group;
}
static inline uint32_t ext4_group_of_inode(const struct ext4 *fs, uint32_t inode)
{
    return (inode - 1) / fs->inodes_per_group;
}

/* ---- ext4_writeback.c ---- */

/* Write all changed blocks, free the orphans, and write what that changed. Makes room when there is none. */
enum kerr ext4_settle(struct ext4 *fs);
/* Before the first change reaches the disk: say on it that it is not clean. */
enum kerr ext4_super_mark_unclean(struct ext4 *fs);
uint64_t ext4_now(const struct ext4 *fs);
/* A change begins; until its end the lock is kept. CORRUPT_FILESYSTEM: damage was found in an earlier one. */
enum kerr ext4_change_begin(struct ext4 *fs);
/* It ended with `error`: if that left it half made, refuse all later ones. Returns `error`. */
enum kerr ext4_change_end(struct ext4 *fs, enum kerr error);

/* ---- ext4_zone.c ---- */

/* Needs the groups. CORRUPT_FILESYSTEM: two tables overlap or lie outside. */
enum kerr ext4_zones_build(struct ext4 *fs);
/* May a file own these blocks? Set once at mount: no lock needed. */
bool ext4_blocks_allowed(const struct ext4 *fs, uint64_t first, uint64_t count);

/* ---- ext4_alloc.c ---- */

/* Count free blocks and inodes anew, out of the bitmaps: a write-back was cut short. */
enum kerr ext4_recount(struct ext4 *fs);

/*
 * Take up to `want` neighbouring free blocks. exact: those from `goal` on, however few, if that one is free; else a run near `goal`
 * that is long enough, else the longest there is. NO_SPACE.
 */
enum kerr ext4_blocks_take(struct ext4 *fs, uint64_t goal, bool exact, uint32_t want,
                           uint64_t *first, uint32_t *got);
enum kerr ext4_blocks_give(struct ext4 *fs, uint64_t first, uint64_t count);
enum kerr ext4_inode_take(struct ext4 *fs, uint32_t near_inode, bool directory, uint32_t *inode);
enum kerr ext4_inode_give(struct ext4 *fs, uint32_t inode, bool directory);

/* ---- ext4_inode.c ---- */

enum kerr ext4_node_load(struct ext4 *fs, uint32_t inode, struct ext4_node *node);
enum kerr ext4_node_store(struct ext4 *fs, const struct ext4_node *node);
/* A new inode of that kind, an empty extent tree, on the disk as links == 0. NO_SPACE. */
enum kerr ext4_node_create(struct ext4 *fs, uint32_t near_inode, uint16_t mode,
                           struct ext4_node *node);
/* Free an inode that never had a name on the disk, and all its blocks. */
enum kerr ext4_node_destroy(struct ext4 *fs, struct ext4_node *node);
/* NOT_SUPPORTED: it has blocks by maps as before extents, which freeing it would leak. Before anything is changed. */
enum kerr ext4_node_check_freeable(const struct ext4 *fs, const struct ext4_node *node);
/* It has lost its last name: free it after the next write-back, so that nobody overwrites what the disk still names. */
enum kerr ext4_node_orphan(struct ext4 *fs, const struct ext4_node *node);
/* `blocks` file system blocks more (or fewer) belong to it. */
void ext4_node_count_blocks(const struct ext4 *fs, struct ext4_node *node, int64_t blocks);
void ext4_node_set_size(struct ext4 *fs, struct ext4_node *node, uint64_t size);
void ext4_node_touch(const struct ext4 *fs, struct ext4_node *node, bool contents);
/* NOT_SUPPORTED: encrypted, inline, without extents, ... */
enum kerr ext4_node_check_data(const struct ext4_node *node);
void ext4_node_stat(const struct ext4_node *node, struct ext4_stat *stat);

/* ---- ext4_extent.c ---- */

struct ext4_level {
    struct ext4_buffer *buffer;  /* NULL: the root, in the inode */
    struct ext4_disk_node *node; /* the entries follow */
    uint32_t position; /* index level: the entry taken; leaf: where a new entry would stand */
};
struct ext4_path {
    struct ext4_level level[EXT4_MAX_DEPTH + 1];
    uint32_t depth; /* level[depth] is the leaf */
};

static inline struct ext4_disk_extent *ext4_extents(struct ext4_disk_node *node)
{
    return (struct ext4_disk_extent *)(node + 1);
}
static inline struct ext4_disk_index *ext4_indexes(struct ext4_disk_node *node)
{
    return (struct ext4_disk_index *)(node + 1);
}
static inline uint64_t ext4_extent_physical(const struct ext4_disk_extent *extent)
{
    return extent->physical_lo | (uint64_t)extent->physical_hi << 32;
}
static inline uint64_t ext4_index_child(const struct ext4_disk_index *index)
{
    return index->child_lo | (uint64_t)index->child_hi << 32;
}
static inline bool ext4_extent_unwritten(const struct ext4_disk_extent *extent)
{
    return extent->length > EXT4_WRITTEN_MAX;
}
static inline uint32_t ext4_extent_count(const struct ext4_disk_extent *extent)
{
    return ext4_extent_unwritten(extent) ? extent->length - EXT4_WRITTEN_MAX : extent->length;
}

static inline struct ext4_disk_extent ext4_make_extent(uint32_t logical, uint64_t physical,
                                                       uint32_t count, bool unwritten)
{
    return (struct ext4_disk_extent){
        .logical = logical,
        .length = (uint16_t)(unwritten ? count + EXT4_WRITTEN_MAX : count),
        .physical_hi = (uint16_t)(physical >> 32),
        .physical_lo = (uint32_t)physical,
    };
}

/* Way down to where `logical` is or would be; pins the nodes until ext4_path_release(), which also takes a path that failed. */
enum kerr ext4_path_find(struct ext4 *fs, struct ext4_node *node, uint32_t logical,
                         struct ext4_path *path);
void ext4_path_release(struct ext4_path *path);
void ext4_level_dirty(struct ext4 *fs, struct ext4_level *level);

/* What lies at `logical`: a run of at most `want` blocks. */
enum kerr ext4_extent_find(struct ext4 *fs, struct ext4_node *node, uint32_t logical, uint32_t want,
                           struct ext4_run *run);
/* An empty tree. */
void ext4_extent_init(struct ext4_node *node);

/* ---- ext4_extent_edit.c ---- */

/* Enter a run into a hole. The caller stores the inode. NO_SPACE: nothing changed. */
enum kerr ext4_extent_insert(struct ext4 *fs, struct ext4_node *node, const struct ext4_run *run);
/* The blocks, all inside one unwritten extent, hold data from now on. */
enum kerr ext4_extent_convert(struct ext4 *fs, struct ext4_node *node, uint32_t logical,
                              uint32_t count);
/* ---- ext4_extent_cut.c ---- */

/* Free all blocks from `from` on. */
enum kerr ext4_extent_truncate(struct ext4 *fs, struct ext4_node *node, uint64_t from);

/* ---- ext4_dir.c ---- */

/* NO_SUCH_FILE. */
enum kerr ext4_dir_find(struct ext4 *fs, struct ext4_node *directory, const char *name,
                        size_t length, uint32_t *inode);
/* The name must not be there (EXISTS). Stores the directory. NO_SPACE. */
enum kerr ext4_dir_add(struct ext4 *fs, struct ext4_node *directory, const char *name,
                       size_t length, uint32_t inode, uint8_t type);
/* Point an existing name at another inode. */
enum kerr ext4_dir_change(struct ext4 *fs, struct ext4_node *directory, const char *name,
                          size_t length, uint32_t inode);
enum kerr ext4_dir_remove(struct ext4 *fs, struct ext4_node *directory, const char *name,
                          size_t length);
/* "." and ".." in a first block. */
enum kerr ext4_dir_init(struct ext4 *fs, struct ext4_node *directory, uint32_t parent);
/* Visit the names but "." and ".."; `visit` answers false to stop. */
enum kerr ext4_dir_visit(struct ext4 *fs, struct ext4_node *directory,
                         bool (*visit)(void *context, const char *name, size_t length,
                                       uint32_t inode),
                         void *context);

/* ---- ext4_path.c ---- */

/* The directory that holds (or would hold) the last name, and that name; the root's name is empty. */
enum kerr ext4_resolve_parent(struct ext4 *fs, const char *path, size_t length, bool make,
                              struct ext4_node *parent, const char **name, size_t *name_length);
/* The inode of a name that is in use. NO_SUCH_FILE. */
enum kerr ext4_load_named(struct ext4 *fs, struct ext4_node *directory, const char *name,
                          size_t name_length, struct ext4_node *node);
enum kerr ext4_resolve(struct ext4 *fs, const char *path, size_t length, struct ext4_node *node);

/* ---- ext4_known.c ---- */

/* The inode that the path led to; 0: not known. Its own state is the caller's to check. */
uint32_t ext4_known_find(const struct ext4 *fs, const char *path, size_t length);
void ext4_known_note(struct ext4 *fs, const char *path, size_t length, uint32_t inode);

/* ---- ext4_open.c ---- */

static inline struct ext4_claim ext4_claim_all(uint32_t inode, bool writer)
{
    return (struct ext4_claim){ .inode = inode, .writer = writer, .first = 0, .last = UINT32_MAX };
}

static inline bool ext4_claims_all(const struct ext4_claim *claim)
{
    return claim->first == 0 && claim->last == UINT32_MAX;
}

/* False: excluded now, host.wait() was called, look everything up again and come back with the same *place (NULL at first). */
bool ext4_busy_enter(struct ext4 *fs, const struct ext4_claim *claim, struct ext4_busy **place);
/* Also of one who only waits, and gives up; *place NULL: nothing. */
void ext4_busy_leave(struct ext4 *fs, struct ext4_busy **place);
/* Lock not held: the inode of an open file. */
enum kerr ext4_load_open(struct ext4 *fs, const struct ext4_file *file, struct ext4_node *node);
