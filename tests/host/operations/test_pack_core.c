/*
 * lz4 and zstd there and back, and what damaged or too large data is answered with.
 * uses: kernel/decks/operations/pack_core.c
 * libs: lz4 zstd
 */
#define ZSTD_STATIC_LINKING_ONLY /* estimates */
#include "kernel/decks/operations/pack_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define SCRATCH_MAX (84u << 20) /* of zstd_compress in deck.yaml */

static struct packer packer;
static uint32_t seed = 7;

static uint8_t *make_data(size_t bytes, bool random)
{
    uint8_t *data = malloc(bytes + 1);

    for (size_t i = 0; i < bytes; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = random ? (uint8_t)(seed >> 24) : (uint8_t)(i / 7 % 50 + (seed >> 30));
    }
    return data;
}

/* The rooms of deck.yaml. */
static size_t lz4_room(size_t bytes)
{
    return 64 + (bytes * 256 + 254) / 255;
}
static size_t zstd_room(size_t bytes)
{
    return 1024 + (bytes * 129 + 127) / 128;
}

static void there_and_back(size_t bytes, bool random)
{
    uint8_t *data = make_data(bytes, random), *back = malloc(bytes + 1);
    uint8_t *packed = malloc(zstd_room(bytes) + lz4_room(bytes));
    size_t length, got;

    assert(pack_lz4(&packer, data, bytes, packed, lz4_room(bytes), &length) == KERR_OK);
    assert(unpack_lz4(packed, length, back, bytes, &got) == KERR_OK);
    assert(got == bytes && memcmp(data, back, bytes) == 0);

    assert(pack_zstd(&packer, 3, data, bytes, packed, zstd_room(bytes), &length) == KERR_OK);
    assert(ZSTD_getFrameContentSize(packed, length) == bytes);
    assert((packed[4] & 4) != 0); /* the frame header's checksum flag */
    assert(unpack_zstd(&packer, packed, length, back, bytes, &got) == KERR_OK);
    assert(got == bytes && memcmp(data, back, bytes) == 0);
    free(data);
    free(back);
    free(packed);
}

static void test_all_sizes_come_back(void)
{
    static const size_t sizes[] = { 0, 1, 2, 13, 100, 4096, 65536, 1000003, 6000000 };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        there_and_back(sizes[i], false);
        there_and_back(sizes[i], true); /* cannot be packed: the rooms must do all the same */
    }
}

static void test_lz4_prefix_is_the_plain_length(void)
{
    uint8_t data[300] = { 0 }, packed[400];
    size_t length;

    assert(pack_lz4(&packer, data, sizeof(data), packed, sizeof(packed), &length) == KERR_OK);
    assert(packed[0] == 0x2c && packed[1] == 1 && packed[2] == 0 && packed[7] == 0);
}

static void test_too_small_rooms_are_named(void)
{
    uint8_t *data = make_data(10000, true), *packed = malloc(20000), *back = malloc(10000);
    size_t length, got;

    assert(pack_lz4(&packer, data, 10000, packed, 9000, &length) == KERR_OUTPUT_TOO_LARGE);
    assert(pack_lz4(&packer, data, 10000, packed, 5, &length) == KERR_OUTPUT_TOO_LARGE);
    assert(pack_zstd(&packer, 3, data, 10000, packed, 9000, &length) == KERR_OUTPUT_TOO_LARGE);
    assert(pack_lz4(&packer, data, 10000, packed, 20000, &length) == KERR_OK);
    assert(unpack_lz4(packed, length, back, 9999, &got) == KERR_OUTPUT_TOO_LARGE);
    assert(got == 10000);
    assert(pack_zstd(&packer, 3, data, 10000, packed, 20000, &length) == KERR_OK);
    assert(unpack_zstd(&packer, packed, length, back, 9999, &got) == KERR_OUTPUT_TOO_LARGE);
    free(data);
    free(packed);
    free(back);
}

static void test_damage_is_found_and_the_next_call_works(void)
{
    uint8_t *data = make_data(5000, false), *packed = malloc(20000), *back = malloc(6000);
    size_t length, got;

    assert(pack_zstd(&packer, 5, data, 5000, packed, 20000, &length) == KERR_OK);
    for (size_t cut = 0; cut < length; cut++) {
        assert(unpack_zstd(&packer, packed, cut, back, 6000, &got) == KERR_CORRUPT_DATA);
    }
    packed[length - 6] ^= 1;
    assert(unpack_zstd(&packer, packed, length, back, 6000, &got) == KERR_CORRUPT_DATA);
    packed[length - 6] ^= 1;
    assert(unpack_zstd(&packer, packed, length, back, 6000, &got) == KERR_OK && got == 5000);

    assert(pack_lz4(&packer, data, 5000, packed, 20000, &length) == KERR_OK);
    for (size_t cut = 0; cut < length; cut++) {
        assert(unpack_lz4(packed, cut, back, 6000, &got) == KERR_CORRUPT_DATA);
    }
    packed[0]++;
    assert(unpack_lz4(packed, length, back, 6000, &got) == KERR_CORRUPT_DATA);
    memset(packed, 0xff, 8);
    assert(unpack_lz4(packed, length, back, 6000, &got) == KERR_CORRUPT_DATA);
    free(data);
    free(packed);
    free(back);
}

static void test_several_frames_are_one_stream(void)
{
    uint8_t packed[4096], back[64];
    size_t first, second, got;

    assert(pack_zstd(&packer, 1, (const uint8_t *)"hello ", 6, packed, 2048, &first) == KERR_OK);
    assert(pack_zstd(&packer, 19, (const uint8_t *)"world", 5, packed + first, 2048, &second) ==
           KERR_OK);
    assert(unpack_zstd(&packer, packed, first + second, back, sizeof(back), &got) == KERR_OK);
    assert(got == 11 && memcmp(back, "hello world", 11) == 0);
}

static void test_memory_of_high_levels_is_given_back(void)
{
    uint8_t *data = make_data(3000000, false), *packed = malloc(zstd_room(3000000));
    size_t length;

    assert(pack_zstd(&packer, 19, data, 3000000, packed, zstd_room(3000000), &length) == KERR_OK);
    assert(packer.zstd == NULL || ZSTD_sizeof_CCtx(packer.zstd) <= 16u << 20);
    assert(pack_zstd(&packer, 1, data, 1000, packed, 4096, &length) == KERR_OK);
    free(data);
    free(packed);
}

static void test_no_level_needs_more_than_the_scratch(void)
{
    for (int level = 1; level <= 19; level++) {
        assert(ZSTD_estimateCCtxSize(level) <= SCRATCH_MAX);
    }
}

static void test_bombs_and_strange_frames_are_named(void)
{
    uint8_t *zeros = calloc(1, 8 << 20), packed[4096], back[1000];
    /* A skippable frame (RFC 8878, 3.1.2) of 3 bytes; an empty frame without content size. */
    const uint8_t skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3 };
    const uint8_t garbage[] = { 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0, 0, 0, 0, 0 };
    size_t length, got;

    assert(pack_zstd(&packer, 3, zeros, 8 << 20, packed, sizeof(packed), &length) == KERR_OK);
    assert(unpack_zstd(&packer, packed, length, back, sizeof(back), &got) == KERR_OUTPUT_TOO_LARGE);
    packed[6] = 1; /* the content size lies: first byte of its field */
    assert(unpack_zstd(&packer, packed, length, back, sizeof(back), &got) != KERR_OK);
    assert(unpack_zstd(&packer, garbage, sizeof(garbage), back, sizeof(back), &got) ==
           KERR_CORRUPT_DATA);
    assert(unpack_zstd(&packer, skippable, sizeof(skippable), back, sizeof(back), &got) ==
               KERR_OK &&
           got == 0);
    assert(unpack_zstd(&packer, skippable, sizeof(skippable) - 1, back, sizeof(back), &got) ==
           KERR_CORRUPT_DATA);
    assert(unpack_zstd(&packer, skippable, sizeof(skippable), NULL, 0, &got) == KERR_OK);
    free(zeros);
}

static void test_noise_in_packed_data_never_hurts(void)
{
    uint8_t *data = make_data(3000, false), *packed = malloc(20000), *noisy = malloc(20000);
    uint8_t *back = malloc(3000); /* of the very size: ASan sees a byte too many */
    size_t length[2], got;

    assert(pack_lz4(&packer, data, 3000, packed, 10000, &length[0]) == KERR_OK);
    assert(pack_zstd(&packer, 9, data, 3000, packed + 10000, 10000, &length[1]) == KERR_OK);
    for (int i = 0; i < 20000; i++) {
        const bool lz4 = i % 2 == 0;
        memcpy(noisy, packed + (lz4 ? 0 : 10000), length[lz4 ? 0 : 1]);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            noisy[(seed >> 8) % length[lz4 ? 0 : 1]] = (uint8_t)(seed >> 24);
        }
        enum kerr status = lz4 ? unpack_lz4(noisy, length[0], back, 3000, &got)
                               : unpack_zstd(&packer, noisy, length[1], back, 3000, &got);
        assert(status == KERR_OK || status == KERR_CORRUPT_DATA ||
               status == KERR_OUTPUT_TOO_LARGE || status == KERR_OUT_OF_SCRATCH);
        assert(status != KERR_OK || got <= 3000);
    }
    free(data);
    free(packed);
    free(noisy);
    free(back);
}

int main(void)
{
    assert(packer_init(&packer));
    test_all_sizes_come_back();
    test_lz4_prefix_is_the_plain_length();
    test_too_small_rooms_are_named();
    test_damage_is_found_and_the_next_call_works();
    test_several_frames_are_one_stream();
    test_memory_of_high_levels_is_given_back();
    test_no_level_needs_more_than_the_scratch();
    test_bombs_and_strange_frames_are_named();
    test_noise_in_packed_data_never_hurts();
    free(packer.lz4);
    ZSTD_freeCCtx(packer.zstd);
    ZSTD_freeDCtx(packer.unzstd);
    return 0;
}
