/*
 * ext4_fuzz.c - drivers/ext4 on damaged images: it may refuse and fail, by name, but not crash, hang or touch foreign memory.
 *
 *   ext4_fuzz IMAGE ROUNDS SEED
 *
 * Each round changes some bytes of the image's metadata, in memory, then mounts it, walks the tree, reads, writes, removes. Run under
 * AddressSanitizer; a round that takes longer than its alarm kills the program. Prints how many rounds mounted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/host/ext4/fake_disk.h"

#define MOST_NAMES 200u
#define PATH_ROOM  1024u

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint32_t random_below(uint32_t limit)
{
    return (uint32_t)(next_random() % limit);
}

/* Offsets of the 64-byte pieces that are not all zero: where metadata (and small files) are. */
static uint32_t find_pieces(const uint8_t *image, uint64_t bytes, uint64_t *piece)
{
    static const uint8_t zeros[64];
    uint32_t count = 0;
    for (uint64_t i = 0; i + 64 <= bytes; i += 64) {
        if (memcmp(image + i, zeros, 64) != 0) {
            piece[count++] = i;
        }
    }
    return count;
}

static void damage(struct fake_disk *disk, const uint64_t *piece, uint32_t pieces)
{
    static const uint32_t interesting[] = { 0,          1,          2,          3,         4,
                                            8,          12,         0x7f,       0xff,      0x7fff,
                                            0x8000,     0x8001,     0xffff,     0xf30a,    0x10000,
                                            0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
    const uint32_t changes = 1 + random_below(8);
    for (uint32_t i = 0; i < changes; i++) {
        uint8_t *at = disk->memory + piece[random_below(pieces)] + random_below(16) * 4;
        uint32_t value = 0;
        memcpy(&value, at, sizeof(value));
        switch (random_below(5)) {
        case 0:
            value = interesting[random_below(sizeof(interesting) / sizeof(interesting[0]))];
            break;
        case 1:
            value ^= 1u << random_below(32);
            break;
        case 2:
            value = (value & 0xffff0000u) | (interesting[random_below(14)] & 0xffff);
            break;
        case 3:
            value = (value & 0xffffu) | interesting[random_below(14)] << 16;
            break;
        default:
            value = (uint32_t)next_random();
            break;
        }
        memcpy(at, &value, sizeof(value));
    }
}

struct names {
    char path[MOST_NAMES][PATH_ROOM];
    uint32_t count;
    char prefix[PATH_ROOM];
};

static bool remember(void *context, const char *name, size_t name_length,
                     const struct ext4_stat *stat)
{
    (void)stat;
    struct names *names = context;
    const size_t prefix = strlen(names->prefix);
    if (names->count < MOST_NAMES && prefix + name_length + 2 < PATH_ROOM) {
        char *path = names->path[names->count++];
        memcpy(path, names->prefix, prefix);
        path[prefix] = '/';
        memcpy(path + prefix + 1, name, name_length);
        path[prefix + 1 + name_length] = '\0';
    }
    return names->count < MOST_NAMES;
}

static void read_some(struct ext4 *fs, const char *path)
{
    struct ext4_file file;
    if (ext4_open(fs, path, strlen(path), false, &file) != KERR_OK) {
        return;
    }
    const size_t bytes = 1 + random_below(30000);
    uint8_t *data = malloc(bytes);
    uint64_t size = 0;
    size_t got = 0;
    if (ext4_file_size(fs, &file, &size) == KERR_OK) {
        (void)ext4_read(fs, &file, next_random() % (size + 1), data, bytes, bytes, &got);
    }
    free(data);
    ext4_close(fs, &file);
}

static void change_some(struct ext4 *fs, const char *path)
{
    static const uint8_t data[20000];
    struct ext4_file file;
    size_t put = 0;
    if (ext4_open(fs, path, strlen(path), true, &file) != KERR_OK) {
        return;
    }
    (void)ext4_write(fs, &file, random_below(100000), data, 1 + random_below(sizeof(data) - 1),
                     &put);
    (void)ext4_truncate(fs, &file, random_below(50000));
    ext4_close(fs, &file);
}

static void use(struct ext4 *fs)
{
    static struct names names;
    static const uint8_t data[9000];
    names.count = 0;
    names.prefix[0] = '\0';
    (void)ext4_list(fs, "/", 1, remember, &names);
    for (uint32_t i = 0; i < names.count; i++) {
        memcpy(names.prefix, names.path[i], sizeof(names.prefix));
        (void)ext4_list(fs, names.path[i], strlen(names.path[i]), remember, &names);
        read_some(fs, names.path[i]);
    }
    (void)ext4_replace(fs, "/x/y/z", 6, data, sizeof(data), true);
    for (uint32_t i = 0; i < names.count && i < 40; i++) {
        const char *path = names.path[random_below(names.count)];
        switch (random_below(5)) {
        case 0:
            (void)ext4_remove(fs, path, strlen(path));
            break;
        case 1:
            (void)ext4_replace(fs, path, strlen(path), data, random_below(sizeof(data)), false);
            break;
        case 2:
            (void)ext4_mkdir(fs, path, strlen(path));
            break;
        default:
            change_some(fs, path);
            break;
        }
    }
    (void)ext4_sync(fs);
}

static bool one_round(struct fake_disk *disk, uint8_t *memory, size_t memory_bytes)
{
    struct ext4_config config = {
        .bdev = fake_disk_bdev(disk),
        .host = fake_disk_alone(),
        .memory = memory,
        .memory_bytes = memory_bytes,
        .callers = 1,
        .data_bytes = 256u << 10,
    };
    struct ext4 *fs = NULL;
    bool clean = false;
    const char *why = NULL;
    if (ext4_mount(&config, &fs, &clean, &why) != KERR_OK) {
        return false;
    }
    use(fs);
    ext4_unmount(fs);
    fake_pool_empty();
    return true;
}

int main(int argc, char **argv)
{
    struct fake_disk file;
    if (argc != 4 || !fake_disk_open(&file, argv[1])) {
        fprintf(stderr, "usage: ext4_fuzz IMAGE ROUNDS SEED\n");
        return 2;
    }
    uint8_t *image = malloc(file.size_bytes);
    if (pread(file.fd, image, file.size_bytes, 0) != (ssize_t)file.size_bytes) {
        return 2;
    }
    uint64_t *piece = malloc(file.size_bytes / 64 * sizeof(*piece));
    const uint32_t pieces = find_pieces(image, file.size_bytes, piece);
    struct fake_disk disk = {
        .fd = -1, .memory = malloc(file.size_bytes), .size_bytes = file.size_bytes, .fail_after = -1
    };
    const size_t memory_bytes = ext4_memory_least(1);
    uint8_t *memory = aligned_alloc(4096, memory_bytes);
    const uint64_t seed = strtoull(argv[3], NULL, 0);
    const uint32_t rounds = (uint32_t)strtoul(argv[2], NULL, 0);
    uint32_t mounted = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        random_state = (seed + i + 1) * 0x9e3779b97f4a7c15ull;
        memcpy(disk.memory, image, file.size_bytes);
        damage(&disk, piece, pieces);
        disk.fail_after = random_below(8) == 0 ? (int64_t)random_below(200) : -1;
        alarm(20);
        mounted += one_round(&disk, memory, memory_bytes) ? 1 : 0;
    }
    printf("%u\n", mounted);
    free(memory);
    free(disk.memory);
    free(piece);
    free(image);
    return 0;
}
