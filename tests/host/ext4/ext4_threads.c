/*
 * ext4_threads.c - many callers at once in drivers/ext4, under ThreadSanitizer: every file is always one of the contents it was given.
 *
 *   ext4_threads IMAGE THREADS ROUNDS SEED
 *
 * Threads stand for a deck's fibres. They replace, read, overwrite and remove a few files that all share; a file's bytes are all equal,
 * so a torn read shows. Then each writes its own parts of one file, which share blocks with others' parts, and reads anybody's. After that
 * all but one read one file without a pause, and the last must get through to replace it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/host/ext4/fake_disk.h"

#define FILES      6u
#define MOST_BYTES 60000u
#define STREAM     "/stream"
#define WHOLE      "/whole"
#define PART_BYTES 3000u
#define PARTS      200u

/* A lock and a wait that are fair, as fibres' are: whoever comes first, or waited first, is served first. */
struct ticket {
    uint64_t number; /* 0: still waiting for shared_wake() */
    struct ticket *next;
};

struct shared {
    struct ext4 *fs;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t given, served; /* tickets to the lock */
    struct ticket *first, **last;
    uint32_t rounds;
    atomic_bool stop;
};

struct worker {
    struct shared *shared;
    uint64_t random;
    uint8_t *data;
    pthread_t thread;
};

static void wait_for_turn(struct shared *shared, const struct ticket *ticket)
{
    while (ticket->number == 0 || ticket->number != shared->served + 1) {
        pthread_cond_wait(&shared->changed, &shared->mutex);
    }
}

static void pass_on(struct shared *shared)
{
    shared->served++;
    pthread_cond_broadcast(&shared->changed);
}

static void shared_lock(void *context)
{
    struct shared *shared = context;
    pthread_mutex_lock(&shared->mutex);
    const struct ticket ticket = { .number = ++shared->given };
    wait_for_turn(shared, &ticket);
    pthread_mutex_unlock(&shared->mutex);
}

static void shared_unlock(void *context)
{
    struct shared *shared = context;
    pthread_mutex_lock(&shared->mutex);
    pass_on(shared);
    pthread_mutex_unlock(&shared->mutex);
}

static void shared_wait(void *context)
{
    struct shared *shared = context;
    struct ticket ticket = { .number = 0 };
    pthread_mutex_lock(&shared->mutex);
    *shared->last = &ticket;
    shared->last = &ticket.next;
    pass_on(shared);
    wait_for_turn(shared, &ticket);
    pthread_mutex_unlock(&shared->mutex);
}

static void shared_wake(void *context)
{
    struct shared *shared = context;
    pthread_mutex_lock(&shared->mutex);
    for (struct ticket *ticket = shared->first; ticket != NULL; ticket = ticket->next) {
        ticket->number = ++shared->given;
    }
    shared->first = NULL;
    shared->last = &shared->first;
    pthread_mutex_unlock(&shared->mutex);
}

static uint64_t shared_seconds(void *context)
{
    (void)context;
    return 1700000000;
}

static void insist(bool holds, const char *what, enum kerr error)
{
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, fake_error_name(error));
        abort();
    }
}

static uint32_t random_below(struct worker *worker, uint32_t limit)
{
    worker->random = worker->random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((worker->random >> 33) % limit);
}

static void check_same(struct worker *worker, const char *path, size_t length)
{
    struct ext4 *fs = worker->shared->fs;
    struct ext4_file file;
    size_t got = 0;
    enum kerr error = ext4_open(fs, path, length, false, &file);
    if (error == KERR_NO_SUCH_FILE) {
        return;
    }
    insist(error == KERR_OK, "open", error);
    error = ext4_read(fs, &file, 0, worker->data, MOST_BYTES, MOST_BYTES, &got);
    insist(error == KERR_OK, "read", error);
    for (size_t i = 1; i < got; i++) {
        insist(worker->data[i] == worker->data[0], "a torn read", KERR_OK);
    }
    ext4_close(fs, &file);
}

static void overwrite(struct worker *worker, const char *path, size_t length)
{
    struct ext4 *fs = worker->shared->fs;
    struct ext4_file file;
    uint64_t size = 0;
    size_t put = 0;
    enum kerr error = ext4_open(fs, path, length, true, &file);
    if (error == KERR_NO_SUCH_FILE) {
        return;
    }
    insist(error == KERR_OK, "open", error);
    error = ext4_file_size(fs, &file, &size);
    insist(error == KERR_OK, "size", error);
    memset(worker->data, (int)random_below(worker, 256), size);
    error = ext4_write(fs, &file, 0, worker->data, size, &put);
    insist(error == KERR_OK, "write", error);
    ext4_close(fs, &file);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct ext4 *fs = worker->shared->fs;
    for (uint32_t i = 0; i < worker->shared->rounds; i++) {
        char path[32];
        const size_t length =
            (size_t)snprintf(path, sizeof(path), "/shared/file%u", random_below(worker, FILES));
        const size_t bytes = random_below(worker, MOST_BYTES);
        enum kerr error = KERR_OK;
        switch (random_below(worker, 6)) {
        case 0:
        case 1:
            memset(worker->data, (int)random_below(worker, 256), bytes);
            error = ext4_replace(fs, path, length, worker->data, bytes, true);
            insist(error == KERR_OK, "replace", error);
            break;
        case 2:
            error = ext4_remove(fs, path, length);
            insist(error == KERR_OK || error == KERR_NO_SUCH_FILE, "remove", error);
            break;
        case 3:
            overwrite(worker, path, length);
            break;
        case 4:
            error = random_below(worker, 10) == 0 ? ext4_sync(fs) : KERR_OK;
            insist(error == KERR_OK, "sync", error);
            break;
        default:
            check_same(worker, path, length);
            break;
        }
    }
    return NULL;
}

/* A part holds one value, or nothing was ever written there: zeros, or the file's end. */
static void check_part(struct worker *worker, uint32_t part)
{
    struct ext4 *fs = worker->shared->fs;
    const uint64_t offset = (uint64_t)part * PART_BYTES;
    struct ext4_file file;
    size_t got = 0;
    enum kerr error =
        ext4_open_part(fs, WHOLE, sizeof(WHOLE) - 1, false, offset, PART_BYTES, &file);
    insist(error == KERR_OK, "open a part", error);
    error = ext4_read(fs, &file, offset, worker->data, PART_BYTES, PART_BYTES, &got);
    insist(error == KERR_OK, "read a part", error);
    insist(got == 0 || got == PART_BYTES, "the file ends inside a part", KERR_OK);
    for (size_t i = 1; i < got; i++) {
        insist(worker->data[i] == worker->data[0], "a torn part", KERR_OK);
    }
    ext4_close(fs, &file);
}

static void *write_parts(void *argument)
{
    struct worker *worker = argument;
    struct ext4 *fs = worker->shared->fs;
    for (uint32_t i = 0; i < worker->shared->rounds; i++) {
        const uint32_t part = random_below(worker, PARTS);
        const uint64_t offset = (uint64_t)part * PART_BYTES;
        struct ext4_file file;
        size_t put = 0;
        enum kerr error =
            ext4_open_part(fs, WHOLE, sizeof(WHOLE) - 1, true, offset, PART_BYTES, &file);
        insist(error == KERR_OK, "open a part to write", error);
        memset(worker->data, 1 + (int)random_below(worker, 255), PART_BYTES);
        error = ext4_write(fs, &file, offset, worker->data, PART_BYTES, &put);
        insist(error == KERR_OK && put == PART_BYTES, "write a part", error);
        ext4_close(fs, &file);
        check_part(worker, random_below(worker, PARTS));
    }
    return NULL;
}

static void *read_always(void *argument)
{
    struct worker *worker = argument;
    struct ext4_file file;
    while (!worker->shared->stop) {
        enum kerr error = ext4_open(worker->shared->fs, STREAM, sizeof(STREAM) - 1, false, &file);
        insist(error == KERR_OK, "open the stream", error);
        usleep(1000 + random_below(worker, 2000));
        ext4_close(worker->shared->fs, &file);
    }
    return NULL;
}

static void run_all(struct worker *worker, uint32_t count, void *(*run)(void *worker))
{
    for (uint32_t i = 0; i < count; i++) {
        pthread_create(&worker[i].thread, NULL, run, &worker[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        pthread_join(worker[i].thread, NULL);
    }
}

static void replace_against_readers(struct worker *worker, uint32_t count)
{
    struct shared *shared = worker->shared;
    for (uint32_t i = 0; i < 20; i++) {
        enum kerr error = ext4_replace(shared->fs, STREAM, sizeof(STREAM) - 1, "new", 3, false);
        insist(error == KERR_OK, "replace the stream", error);
        for (uint32_t k = 1; i == 0 && k < count; k++) {
            pthread_create(&worker[k].thread, NULL, read_always, &worker[k]);
        }
    }
    shared->stop = true;
    for (uint32_t k = 1; k < count; k++) {
        pthread_join(worker[k].thread, NULL);
    }
}

int main(int argc, char **argv)
{
    struct fake_disk disk;
    if (argc != 5 || !fake_disk_open(&disk, argv[1])) {
        fprintf(stderr, "usage: ext4_threads IMAGE THREADS ROUNDS SEED\n");
        return 2;
    }
    const uint32_t threads = (uint32_t)strtoul(argv[2], NULL, 0);
    struct shared shared = { .rounds = (uint32_t)strtoul(argv[3], NULL, 0) };
    shared.last = &shared.first;
    pthread_mutex_init(&shared.mutex, NULL);
    pthread_cond_init(&shared.changed, NULL);
    const size_t bytes = ext4_memory_least(threads) + (1 << 20);
    struct ext4_config config = {
        .bdev = fake_disk_bdev(&disk),
        .host = { &shared, shared_lock, shared_unlock, shared_wait, shared_wake, shared_seconds,
                  fake_pool },
        .memory = aligned_alloc(4096, bytes),
        .memory_bytes = bytes,
        .callers = threads,
        .data_bytes = 256u << 10, /* less than the files: blocks come and go */
    };
    bool clean = false;
    const char *why = NULL;
    enum kerr error = ext4_mount(&config, &shared.fs, &clean, &why);
    insist(error == KERR_OK, "mount", error);
    error = ext4_mkdirs(shared.fs, "/shared", 7);
    insist(error == KERR_OK, "mkdirs", error);
    struct worker *worker = calloc(threads, sizeof(*worker));
    for (uint32_t i = 0; i < threads; i++) {
        worker[i] = (struct worker){ &shared, strtoull(argv[4], NULL, 0) * 1000 + i,
                                     malloc(MOST_BYTES), 0 };
    }
    run_all(worker, threads, work);
    error = ext4_create(shared.fs, WHOLE, sizeof(WHOLE) - 1);
    insist(error == KERR_OK, "create", error);
    run_all(worker, threads, write_parts);
    alarm(30);
    replace_against_readers(worker, threads);
    for (uint32_t i = 0; i < threads; i++) {
        free(worker[i].data);
    }
    error = ext4_sync(shared.fs);
    insist(error == KERR_OK, "sync", error);
    ext4_unmount(shared.fs);
    free(worker);
    free(config.memory);
    return 0;
}
