/* ext4_open.c - who has which blocks of a file open: one writer or many readers of each; the others wait, first come, first served. */
#include "drivers/ext4/ext4_internal.h"

static struct ext4_busy *take_place(struct ext4 *fs, const struct ext4_claim *claim)
{
    struct ext4_busy *place = fs->busy_free;
    if (place != NULL) {
        fs->busy_free = place->next;
        *place = (struct ext4_busy){
            .claim = *claim, .turn = fs->turns++, .waits = true, .next = fs->busy_first
        };
        fs->busy_first = place;
    }
    return place;
}

static void give_place(struct ext4 *fs, struct ext4_busy *place)
{
    struct ext4_busy **link = &fs->busy_first;
    while (*link != place) {
        link = &(*link)->next;
    }
    *link = place->next;
    place->next = fs->busy_free;
    fs->busy_free = place;
}

static bool excludes(const struct ext4_busy *other, const struct ext4_busy *mine)
{
    return other != mine && other->claim.inode == mine->claim.inode &&
           other->claim.first <= mine->claim.last && mine->claim.first <= other->claim.last &&
           (other->claim.writer || mine->claim.writer) &&
           (!other->waits || other->turn < mine->turn);
}

static bool is_excluded(const struct ext4 *fs, const struct ext4_busy *mine)
{
    for (const struct ext4_busy *other = fs->busy_first; other != NULL; other = other->next) {
        if (excludes(other, mine)) {
            return true;
        }
    }
    return false;
}

bool ext4_busy_enter(struct ext4 *fs, const struct ext4_claim *claim, struct ext4_busy **place)
{
    if (*place != NULL && (*place)->claim.inode != claim->inode) {
        (*place)->claim = *claim; /* the name leads elsewhere now: behind those who wait there */
        (*place)->turn = fs->turns++;
    }
    if (*place == NULL) {
        *place = take_place(fs, claim);
    }
    if (*place == NULL || is_excluded(fs, *place)) {
        fs->host.wait(fs->host.context);
        return false;
    }
    (*place)->waits = false;
    return true;
}

void ext4_busy_leave(struct ext4 *fs, struct ext4_busy **place)
{
    if (*place != NULL) {
        give_place(fs, *place);
        *place = NULL;
        fs->host.wake(fs->host.context);
    }
}

/* One try, the lock held; the claim lacks its inode. *again: look it up anew. */
static enum kerr try_open(struct ext4 *fs, const char *path, size_t length,
                          struct ext4_claim *claim, struct ext4_file *file, bool *again)
{
    struct ext4_node node;
    *again = false;
    enum kerr error = ext4_resolve(fs, path, length, &node);
    if (error != KERR_OK) {
        return error;
    }
    if (ext4_is_directory(&node)) {
        return KERR_IS_A_DIRECTORY;
    }
    if (ext4_node_kind(&node) != EXT4_MODE_FILE) {
        return KERR_NOT_SUPPORTED;
    }
    if (claim->writer && (node.disk.flags & (EXT4_INODE_IMMUTABLE | EXT4_INODE_APPEND_ONLY)) != 0) {
        return KERR_NOT_PERMITTED;
    }
    error = ext4_node_check_data(&node);
    if (error == KERR_OK) {
        claim->inode = node.number;
        file->inode = node.number;
        ext4_node_stat(&node, &file->stat);
        *again = !ext4_busy_enter(fs, claim, &file->place);
    }
    return error;
}

static enum kerr open_claim(struct ext4 *fs, const char *path, size_t length,
                            struct ext4_claim claim, struct ext4_file *file)
{
    bool again = true;
    enum kerr error = KERR_OK;
    *file = (struct ext4_file){ .writable = claim.writer, .shared = !ext4_claims_all(&claim) };
    ext4_lock(fs);
    while (again) {
        error = try_open(fs, path, length, &claim, file, &again);
    }
    if (error != KERR_OK) {
        ext4_busy_leave(fs, &file->place);
    }
    ext4_unlock(fs);
    return error;
}

enum kerr ext4_open(struct ext4 *fs, const char *path, size_t length, bool writable,
                    struct ext4_file *file)
{
    return open_claim(fs, path, length, ext4_claim_all(0, writable), file);
}

enum kerr ext4_open_part(struct ext4 *fs, const char *path, size_t length, bool writable,
                         uint64_t offset, uint64_t bytes, struct ext4_file *file)
{
    const uint64_t most = (uint64_t)UINT32_MAX << fs->block_shift;
    const uint64_t first = offset < most ? offset : most;
    const uint64_t end = bytes < most - first ? first + bytes : most;
    const uint64_t last = end > first ? end - 1 : first;
    return open_claim(fs, path, length,
                      (struct ext4_claim){ .writer = writable,
                                           .first = (uint32_t)(first >> fs->block_shift),
                                           .last = (uint32_t)(last >> fs->block_shift) },
                      file);
}

void ext4_close(struct ext4 *fs, struct ext4_file *file)
{
    ext4_lock(fs);
    ext4_busy_leave(fs, &file->place);
    ext4_unlock(fs);
    file->inode = 0;
}

enum kerr ext4_load_open(struct ext4 *fs, const struct ext4_file *file, struct ext4_node *node)
{
    ext4_lock(fs);
    enum kerr error = ext4_node_load(fs, file->inode, node);
    ext4_unlock(fs);
    return error;
}

enum kerr ext4_file_size(struct ext4 *fs, const struct ext4_file *file, uint64_t *size_bytes)
{
    struct ext4_node node;
    enum kerr error = ext4_load_open(fs, file, &node);
    if (error == KERR_OK) {
        *size_bytes = ext4_node_size(&node);
    }
    return error;
}
