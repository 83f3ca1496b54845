/* ext4_known.c - paths that were looked up lately, and where they led; any change of a directory makes all of them unknown. */
#include "drivers/ext4/ext4_internal.h"

_Static_assert((EXT4_KNOWN_PATHS & (EXT4_KNOWN_PATHS - 1)) == 0, "the place is a mask");
_Static_assert(sizeof(struct ext4_known) == 128, "one entry touches two cache lines");

static uint32_t place_of(const char *path, size_t length)
{
    uint64_t hash = length;
    for (size_t at = 0; at < length; at += sizeof(hash)) {
        uint64_t word = 0;
        const size_t left = length - at;
        memcpy(&word, path + at, left < sizeof(word) ? left : sizeof(word));
        hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
        hash ^= hash >> 32;
    }
    return (uint32_t)hash & (EXT4_KNOWN_PATHS - 1);
}

uint32_t ext4_known_find(const struct ext4 *fs, const char *path, size_t length)
{
    if (length == 0 || length > EXT4_KNOWN_PATH) {
        return 0;
    }
    const struct ext4_known *known = &fs->known[place_of(path, length)];
    return known->names == fs->names && known->length == length &&
                   memcmp(known->path, path, length) == 0
               ? known->inode
               : 0;
}

void ext4_known_note(struct ext4 *fs, const char *path, size_t length, uint32_t inode)
{
    if (length == 0 || length > EXT4_KNOWN_PATH) {
        return;
    }
    struct ext4_known *known = &fs->known[place_of(path, length)];
    known->names = fs->names;
    known->inode = inode;
    known->length = (uint8_t)length;
    memcpy(known->path, path, length);
}
