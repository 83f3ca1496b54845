/*
 * Buffers one behind the other, with their lengths and without.
 * uses: kernel/decks/operations/merge_core.c
 */
#include "kernel/decks/operations/merge_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct merge_part parts[] = {
    { (const uint8_t *)"one", 3 },
    { (const uint8_t *)"", 0 },
    { (const uint8_t *)"three", 5 },
};

static void test_parts_stand_in_order(void)
{
    uint8_t merged[8];
    size_t length = 0;

    assert(merge_parts(parts, 3, false, merged, sizeof(merged), &length) == KERR_OK);

    assert(length == 8 && memcmp(merged, "onethree", 8) == 0);
}

static void test_the_header_tells_the_parts_apart(void)
{
    static const uint64_t header[] = { 3, 3, 0, 5 };
    uint8_t merged[64];
    size_t length = 0;

    assert(merge_parts(parts, 3, true, merged, sizeof(merged), &length) == KERR_OK);

    assert(length == sizeof(header) + 8 && memcmp(merged, header, sizeof(header)) == 0);
    assert(memcmp(merged + sizeof(header), "onethree", 8) == 0);
}

static void test_what_does_not_fit_is_too_large_and_nothing_is_written(void)
{
    for (size_t room = 0; room < 40; room++) {
        uint8_t *merged = malloc(room + 1);
        size_t length = 0;
        memset(merged, 0xaa, room + 1);
        assert(merge_parts(parts, 3, true, merged, room, &length) == KERR_OUTPUT_TOO_LARGE);
        for (size_t i = 0; i <= room; i++) {
            assert(merged[i] == 0xaa);
        }
        assert(merge_parts(parts, 3, false, merged, room, &length) ==
               (room < 8 ? KERR_OUTPUT_TOO_LARGE : KERR_OK));
        free(merged);
    }
}

static void test_lengths_whose_sum_wraps_are_too_large(void)
{
    const struct merge_part huge[] = { { parts[0].data, SIZE_MAX }, { parts[0].data, 3 } };
    uint8_t merged[16];
    size_t length = 0;

    assert(merge_parts(huge, 2, false, merged, sizeof(merged), &length) == KERR_OUTPUT_TOO_LARGE);
    assert(length == SIZE_MAX);
}

int main(void)
{
    test_parts_stand_in_order();
    test_the_header_tells_the_parts_apart();
    test_what_does_not_fit_is_too_large_and_nothing_is_written();
    test_lengths_whose_sum_wraps_are_too_large();
    return 0;
}
