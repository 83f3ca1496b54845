/* The payload archive: what kpak.py writes is found, and what lies is refused. */
/* uses: kernel/nucleus/payload.c */
#include <assert.h>
#include <string.h>

#include "kernel/nucleus/payload.h"

static uint8_t archive[16384];

static void put_entry(uint32_t index, const char *name, uint64_t offset, uint64_t bytes)
{
    uint8_t *entry = archive + 16 + index * 64;
    memset(entry, 0, 64);
    memcpy(entry, name, strlen(name));
    memcpy(entry + 48, &offset, 8);
    memcpy(entry + 56, &bytes, 8);
}

static void make(uint32_t count)
{
    memset(archive, 0, sizeof(archive));
    memcpy(archive, "KWEPAK1", 8);
    memcpy(archive + 8, &count, 4);
    put_entry(0, "deck/storage", 4096, 10);
    put_entry(1, "program/agent", 8192, 8192);
    memcpy(archive + 4096, "\177ELF", 4);
}

static void test_a_part_is_found_by_kind_and_name(void)
{
    struct payload payload;
    const void *part;
    uint64_t bytes;
    make(2);

    assert(payload_open(&payload, archive, sizeof(archive)));

    assert(payload_find(&payload, "deck", "storage", &part, &bytes));
    assert(part == archive + 4096 && bytes == 10);
    assert(payload_find(&payload, "program", "agent", &part, &bytes));
    assert(part == archive + 8192 && bytes == 8192);
    assert(!payload_find(&payload, "program", "storage", &part, &bytes));
    assert(!payload_find(&payload, "deck", "stor", &part, &bytes));
    assert(!payload_find(&payload, "deck", "a-name-that-is-longer-than-the-archive-can-hold", &part,
                         &bytes));
}

static void test_an_archive_that_lies_about_itself_is_refused(void)
{
    struct payload payload;
    const void *part;
    uint64_t bytes;

    make(2);
    archive[0] = 'X';
    assert(!payload_open(&payload, archive, sizeof(archive)));
    make(UINT32_MAX);
    assert(!payload_open(&payload, archive, sizeof(archive)));
    make(2);
    assert(!payload_open(&payload, archive, 16 + 2 * 64 - 1));
    assert(!payload_open(&payload, archive, 15));
    put_entry(0, "deck/storage", 4096, UINT64_MAX - 4000);
    put_entry(1, "program/agent", UINT64_MAX, 1);
    assert(payload_open(&payload, archive, sizeof(archive)));
    assert(!payload_find(&payload, "deck", "storage", &part, &bytes));
    assert(!payload_find(&payload, "program", "agent", &part, &bytes));
}

int main(void)
{
    test_a_part_is_found_by_kind_and_name();
    test_an_archive_that_lies_about_itself_is_refused();
    return 0;
}
