/*
 * SHA-256 in parts: the same digest however the data is cut, and no state is believed unchecked.
 * uses: kernel/decks/operations/digest_core.c
 * libs: sodium
 */
#include "kernel/decks/operations/digest_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint8_t data[1000];

/* Through the bytes, as between two stages. */
static void add_part(uint8_t *bytes, size_t *length, const uint8_t *part, size_t part_bytes)
{
    struct digest_state state;

    assert(digest_load(&state, bytes, *length) == KERR_OK);
    assert(digest_update(&state, part, part_bytes) == KERR_OK);
    memset(bytes, 0xee, DIGEST_STATE_BYTES);
    digest_store(&state, bytes);
    *length = DIGEST_STATE_BYTES;
}

static void finish(const uint8_t *bytes, size_t length, uint8_t *digest)
{
    struct digest_state state;

    assert(digest_load(&state, bytes, length) == KERR_OK);
    digest_final(&state, digest);
}

static void test_every_cut_gives_the_digest_of_the_whole(void)
{
    for (size_t bytes = 0; bytes <= sizeof(data); bytes += 37) {
        uint8_t whole[DIGEST_BYTES], parts[DIGEST_BYTES];
        crypto_hash_sha256(whole, data, bytes);
        for (size_t step = 1; step <= 200; step += 13) {
            uint8_t state[DIGEST_STATE_BYTES];
            size_t length = 0;
            for (size_t at = 0; at < bytes; at += step) {
                add_part(state, &length, data + at, bytes - at < step ? bytes - at : step);
            }
            finish(state, length, parts);
            assert(memcmp(whole, parts, sizeof(whole)) == 0);
        }
    }
}

static void test_a_part_without_bytes_changes_nothing(void)
{
    uint8_t state[DIGEST_STATE_BYTES], before[DIGEST_STATE_BYTES];
    size_t length = 0;

    add_part(state, &length, data, 70);
    memcpy(before, state, sizeof(before));
    add_part(state, &length, NULL, 0);

    assert(memcmp(before, state, sizeof(before)) == 0);
}

static void test_equal_data_leaves_equal_states_whatever_the_cut(void)
{
    uint8_t one[DIGEST_STATE_BYTES], two[DIGEST_STATE_BYTES];
    size_t one_length = 0, two_length = 0;

    add_part(one, &one_length, data, 150);
    add_part(two, &two_length, data, 127);
    add_part(two, &two_length, data + 127, 23);

    assert(memcmp(one, two, sizeof(one)) == 0);
}

static enum kerr load(const uint8_t *bytes, size_t length)
{
    struct digest_state state;
    uint8_t *copy = malloc(length + 1); /* the sanitizer watches its end */
    memcpy(copy, bytes, length);
    enum kerr status = digest_load(&state, copy, length);
    free(copy);
    return status;
}

static void test_bytes_that_are_no_state_are_refused(void)
{
    uint8_t state[DIGEST_STATE_BYTES + 1] = { 0 };
    uint8_t bad[DIGEST_STATE_BYTES];
    size_t length = 0;

    assert(load(state, DIGEST_STATE_BYTES) == KERR_BAD_STATE);
    add_part(state, &length, data, 70); /* 6 bytes of the second block */
    for (size_t bytes = 1; bytes <= sizeof(state); bytes++) {
        assert(load(state, bytes) == (bytes == DIGEST_STATE_BYTES ? KERR_OK : KERR_BAD_STATE));
    }
    const size_t wrong[] = { 0, 3, 4, 7, 15, 48 + 6, 48 + 63 };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memcpy(bad, state, sizeof(bad));
        bad[wrong[i]] ^= 0x80;
        assert(load(bad, sizeof(bad)) == KERR_BAD_STATE);
    }
}

static void test_a_state_before_its_first_block_has_the_standards_value(void)
{
    uint8_t state[DIGEST_STATE_BYTES];
    size_t length = 0;

    add_part(state, &length, data, 63);
    assert(load(state, sizeof(state)) == KERR_OK);
    state[16] ^= 1;
    assert(load(state, sizeof(state)) == KERR_BAD_STATE);
}

static void test_a_length_beyond_the_standards_is_too_large(void)
{
    uint8_t bytes[DIGEST_STATE_BYTES];
    struct digest_state state;
    size_t length = 0;
    const uint64_t most = UINT64_MAX / 8 / 64 * 64; /* no byte of a block is left over */

    add_part(bytes, &length, data, 64);
    memcpy(bytes + 8, &most, sizeof(most));
    assert(digest_load(&state, bytes, sizeof(bytes)) == KERR_OK && digest_seen(&state) == most);
    assert(digest_update(&state, data, 64) == KERR_TOO_LARGE);
    assert(digest_update(&state, data, 63) == KERR_OK);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7 + i / 256);
    }
    test_every_cut_gives_the_digest_of_the_whole();
    test_a_part_without_bytes_changes_nothing();
    test_equal_data_leaves_equal_states_whatever_the_cut();
    test_bytes_that_are_no_state_are_refused();
    test_a_state_before_its_first_block_has_the_standards_value();
    test_a_length_beyond_the_standards_is_too_large();
    return 0;
}
