/*
 * ext4_tool.c - drivers/ext4 on an image file, driven through pipes.
 *
 *   ext4_tool IMAGE CACHE_BYTES DATA_BYTES
 *
 * First answer: "mount". Then a line "VERB PATH A B" and B bytes of data (replace, pwrite) on standard input, and the answer
 * "CODE VALUE BYTES" and that many bytes on standard output. Paths hold no blanks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/ext4/fake_disk.h"

struct answer {
    uint64_t value;
    char *bytes;
    size_t length, room;
};

static void answer_append(struct answer *answer, const void *bytes, size_t length)
{
    if (length == 0) {
        return;
    }
    if (answer->length + length > answer->room) {
        answer->room = 2 * (answer->length + length);
        answer->bytes = realloc(answer->bytes, answer->room);
    }
    memcpy(answer->bytes + answer->length, bytes, length);
    answer->length += length;
}

static bool list_entry(void *context, const char *name, size_t name_length,
                       const struct ext4_stat *stat)
{
    char head[64];
    const char kind =
        stat->kind == EXT4_KIND_FILE ? 'f' : (stat->kind == EXT4_KIND_DIRECTORY ? 'd' : 'o');
    int length = snprintf(head, sizeof(head), "%c %" PRIu64 " ", kind, stat->size_bytes);
    answer_append(context, head, (size_t)length);
    answer_append(context, name, name_length);
    answer_append(context, "\n", 1);
    return true;
}

static enum kerr run_read(struct ext4 *fs, const char *path, uint64_t offset, uint64_t bytes,
                          struct answer *answer)
{
    struct ext4_file file;
    enum kerr error = ext4_open(fs, path, strlen(path), false, &file);
    if (error != KERR_OK) {
        return error;
    }
    /* half the reads have room for the last block */
    const size_t room = bytes % 2 == 0 ? bytes : bytes + 4096;
    /* exactly that much: ASan sees one byte too many */
    uint8_t *data = malloc(room + (room == 0 ? 1 : 0));
    size_t got = 0;
    error = ext4_read(fs, &file, offset, data, bytes, room, &got);
    answer_append(answer, data, got);
    free(data);
    ext4_close(fs, &file);
    return error;
}

static enum kerr run_change(struct ext4 *fs, const char *verb, const char *path, uint64_t offset,
                            const uint8_t *data, uint64_t bytes, struct answer *answer)
{
    struct ext4_file file;
    enum kerr error = ext4_open(fs, path, strlen(path), true, &file);
    if (error != KERR_OK) {
        return error;
    }
    if (strcmp(verb, "pwrite") == 0) {
        size_t put = 0;
        error = ext4_write(fs, &file, offset, data, bytes, &put);
        answer->value = put;
    } else {
        error = ext4_truncate(fs, &file, offset);
    }
    ext4_close(fs, &file);
    return error;
}

static enum kerr run_info(struct ext4 *fs, const struct fake_disk *disk, const char *verb,
                          const char *path, struct answer *answer)
{
    if (strcmp(verb, "stat") == 0) {
        struct ext4_stat stat;
        enum kerr error = ext4_stat(fs, path, strlen(path), &stat);
        answer->value = error == KERR_OK ? stat.size_bytes : 0;
        return error;
    }
    char text[128];
    struct ext4_space space;
    ext4_space(fs, &space);
    int length =
        snprintf(text, sizeof(text), "%" PRIu64 " %u %" PRIu64 " %" PRIu64 " %d", space.free_blocks,
                 space.free_inodes, disk->reads, disk->writes, ext4_is_dirty(fs));
    answer_append(answer, text, (size_t)length);
    return KERR_OK;
}

static enum kerr run(struct ext4 *fs, struct fake_disk *disk, const char *verb, const char *path,
                     uint64_t a, uint64_t b, const uint8_t *data, struct answer *answer)
{
    const size_t length = strlen(path);
    if (strcmp(verb, "replace") == 0) {
        return ext4_replace(fs, path, length, data, b, a != 0);
    }
    if (strcmp(verb, "read") == 0) {
        return run_read(fs, path, a, b, answer);
    }
    if (strcmp(verb, "pwrite") == 0 || strcmp(verb, "truncate") == 0) {
        return run_change(fs, verb, path, a, data, b, answer);
    }
    if (strcmp(verb, "create") == 0) {
        return ext4_create(fs, path, length);
    }
    if (strcmp(verb, "mkdir") == 0) {
        return ext4_mkdir(fs, path, length);
    }
    if (strcmp(verb, "mkdirs") == 0) {
        return ext4_mkdirs(fs, path, length);
    }
    if (strcmp(verb, "remove") == 0) {
        return ext4_remove(fs, path, length);
    }
    if (strcmp(verb, "list") == 0) {
        return ext4_list(fs, path, length, list_entry, answer);
    }
    if (strcmp(verb, "writeback") == 0) {
        return ext4_writeback(fs);
    }
    if (strcmp(verb, "sync") == 0) {
        return ext4_sync(fs);
    }
    if (strcmp(verb, "fail") == 0) {
        disk->fail_after = (int64_t)a - 1;
        return KERR_OK;
    }
    return run_info(fs, disk, verb, path, answer);
}

static void say(enum kerr error, const struct answer *answer)
{
    printf("%s %" PRIu64 " %zu\n", fake_error_name(error), answer->value, answer->length);
    if (answer->length != 0) {
        fwrite(answer->bytes, 1, answer->length, stdout);
    }
    fflush(stdout);
}

static void serve(struct ext4 *fs, struct fake_disk *disk)
{
    char line[1200];
    char verb[16];
    char path[1100];
    uint64_t a = 0;
    uint64_t b = 0;
    while (fgets(line, sizeof(line), stdin) != NULL &&
           sscanf(line, "%15s %1099s %" SCNu64 " %" SCNu64, verb, path, &a, &b) == 4) {
        const bool has_data = strcmp(verb, "replace") == 0 || strcmp(verb, "pwrite") == 0;
        uint8_t *data = malloc(has_data && b != 0 ? b : 1);
        if (has_data && fread(data, 1, b, stdin) != b) {
            exit(2);
        }
        struct answer answer = { 0 };
        say(run(fs, disk, verb, path, a, b, data, &answer), &answer);
        free(answer.bytes);
        free(data);
    }
}

int main(int argc, char **argv)
{
    struct fake_disk disk;
    if (argc != 4 || !fake_disk_open(&disk, argv[1])) {
        fprintf(stderr, "usage: ext4_tool IMAGE CACHE_BYTES DATA_BYTES\n");
        return 2;
    }
    const size_t bytes = ext4_memory_least(1) + strtoul(argv[2], NULL, 0);
    struct ext4_config config = {
        .bdev = fake_disk_bdev(&disk),
        .host = fake_disk_alone(),
        .memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096),
        .memory_bytes = bytes,
        .callers = 1,
        .data_bytes = strtoul(argv[3], NULL, 0),
    };
    struct ext4 *fs = NULL;
    bool clean = false;
    const char *why = NULL;
    struct answer answer = { 0 };
    enum kerr error = ext4_mount(&config, &fs, &clean, &why);
    answer.value = clean;
    answer_append(&answer, why == NULL ? "" : why, why == NULL ? 0 : strlen(why));
    say(error, &answer);
    if (error == KERR_OK) {
        serve(fs, &disk);
        ext4_unmount(fs);
    }
    free(answer.bytes);
    free(config.memory);
    return 0;
}
