/* guest.c - what test_real_programs.c runs on the nucleus's Linux-numbered calls: a C library at work. Ends with 7. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static __thread int in_thread_storage = 41;
static const char *const relocated[] = { "one", "two", "three" };
static char *blocks[400];
static size_t sizes[400];
static uint32_t state = 1;

static uint32_t next(uint32_t limit)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % limit;
}

static void fail(const char *what)
{
    printf("guest failed: %s\n", what);
    exit(1);
}

/* malloc, realloc, calloc and free against what was written. */
static void exercise_heap(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        unsigned at = next(400);
        for (size_t byte = 0; byte < sizes[at]; byte += 1 + sizes[at] / 8) {
            if (blocks[at][byte] != (char)at) {
                fail("a block has changed");
            }
        }
        size_t size = next(100) == 0 ? next(400000) : next(3000);
        if (next(3) == 0) {
            free(blocks[at]);
            blocks[at] = calloc(1, size + 1);
            for (size_t byte = 0; byte < size; byte++) {
                if (blocks[at][byte] != 0) {
                    fail("calloc gave something else than zeros");
                }
            }
        } else {
            blocks[at] = realloc(blocks[at], size + 1);
        }
        if (blocks[at] == NULL) {
            fail("no memory");
        }
        memset(blocks[at], (char)at, size);
        sizes[at] = size;
    }
}

static void exercise_mappings(void)
{
    char *reserved = mmap(NULL, 1ul << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserved == MAP_FAILED || mprotect(reserved + 65536, 8192, PROT_READ | PROT_WRITE) != 0) {
        fail("a reservation");
    }
    strcpy(reserved + 65536, "text");
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
            MAP_FAILED ||
        mprotect(reserved + 65536, 4096, PROT_READ | PROT_EXEC) == 0) {
        fail("executable data");
    }
    if (munmap(reserved, 1ul << 40) != 0) {
        fail("munmap");
    }
    if (malloc(1ul << 30) != NULL) {
        fail("a malloc beyond the quota");
    }
}

int main(int argc, char **argv)
{
    unsigned char random[64] = { 0 };
    struct timespec time;

    if (argc == 2 && strcmp(argv[1], "abort") == 0) {
        abort();
    }
    printf("hello from %s, %d, %s %.2f\n", argv[0], ++in_thread_storage, relocated[2], 1.5);
    exercise_heap();
    exercise_mappings();
    if (getentropy(random, sizeof(random)) != 0 || memcmp(random, random + 32, 32) == 0) {
        fail("random bytes");
    }
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0 || fopen("/etc/passwd", "r") != NULL) {
        fail("time or files");
    }
    fprintf(stderr, "environment %s, done\n", getenv("MODE"));
    return 7;
}
