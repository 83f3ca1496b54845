/*
 * CRC-32C: its check value, vectors of RFC 3720, any alignment and any split.
 * uses: userland/libkwe/common/crc32c.c
 */
#include "userland/libkwe/common/crc32c.h"

#include <assert.h>
#include <string.h>

static void test_known_vectors(void)
{
    uint8_t bytes[32];

    assert(crc32c(0, "123456789", 9) == 0xe3069283u);
    assert(crc32c(0, "", 0) == 0);
    memset(bytes, 0, 32);
    assert(crc32c(0, bytes, 32) == 0x8a9136aau);
    memset(bytes, 0xff, 32);
    assert(crc32c(0, bytes, 32) == 0x62a8ab43u);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert(crc32c(0, bytes, 32) == 0x46dd794eu);
}

static void test_parts_add_up_at_any_split(void)
{
    uint8_t bytes[100];

    for (int i = 0; i < 100; i++) {
        bytes[i] = (uint8_t)(i * 37);
    }
    uint32_t whole = crc32c(0, bytes, sizeof(bytes));
    for (size_t split = 0; split <= sizeof(bytes); split++) {
        assert(crc32c(crc32c(0, bytes, split), bytes + split, sizeof(bytes) - split) == whole);
    }
}

int main(void)
{
    test_known_vectors();
    test_parts_add_up_at_any_split();
    return 0;
}
