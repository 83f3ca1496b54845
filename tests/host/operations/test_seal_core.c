/*
 * The seal: its layout, a vector of RFC 8439, and that every change is noticed.
 * uses: kernel/decks/operations/seal_core.c
 * libs: sodium
 */
#include "kernel/decks/operations/seal_core.h"

#include <assert.h>
#include <string.h>

static const uint8_t key[32] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void test_sealed_data_opens_again(void)
{
    uint8_t data[1000], sealed[1028], back[1028];
    size_t length, got;

    for (size_t bytes = 0; bytes <= sizeof(data); bytes += bytes < 70 ? 1 : 93) {
        memset(data, (int)bytes, bytes);
        assert(seal_data(key, 32, data, bytes, sealed, bytes + 28, &length) == KERR_OK &&
               length == bytes + 28);
        assert(seal_open(key, 32, sealed, length, false, back, bytes, &got) == KERR_OK);
        assert(got == bytes && memcmp(back, data, bytes) == 0);
        memset(back, 0, sizeof(back));
        assert(seal_open(key, 32, sealed, length, true, back, length, &got) == KERR_OK);
        assert(got == bytes && memcmp(back, data, bytes) == 0);
    }
}

static void test_nonces_differ(void)
{
    uint8_t one[32], two[32];
    size_t length;

    assert(seal_data(key, 32, (const uint8_t *)"abcd", 4, one, 32, &length) == KERR_OK);
    assert(seal_data(key, 32, (const uint8_t *)"abcd", 4, two, 32, &length) == KERR_OK);
    assert(memcmp(one, two, 12) != 0 && memcmp(one + 12, two + 12, 20) != 0);
}

static void test_every_changed_byte_is_noticed(void)
{
    uint8_t sealed[60], back[60];
    size_t length, got;

    assert(seal_data(key, 32, (const uint8_t *)"an honest sentence", 18, sealed, 60, &length) ==
           KERR_OK);
    for (size_t i = 0; i < length; i++) {
        sealed[i] ^= 0x40;
        assert(seal_open(key, 32, sealed, length, i % 2 == 0, back, 60, &got) ==
               KERR_NOT_AUTHENTIC);
        sealed[i] ^= 0x40;
        assert(seal_open(key, 32, sealed, i, false, back, 60, &got) == KERR_NOT_AUTHENTIC);
    }
    assert(seal_open(key, 32, sealed, length, false, back, 60, &got) == KERR_OK);
}

static void test_keys_and_rooms_are_checked(void)
{
    uint8_t sealed[60], back[60];
    size_t length;

    assert(seal_data(key, 31, back, 1, sealed, 60, &length) == KERR_BAD_KEY);
    assert(seal_open(key, 0, sealed, 60, false, back, 60, &length) == KERR_BAD_KEY);
    assert(seal_data(key, 32, back, 33, sealed, 60, &length) == KERR_OUTPUT_TOO_LARGE);
    assert(seal_data(key, 32, back, 0, sealed, 27, &length) == KERR_OUTPUT_TOO_LARGE);
    assert(seal_open(key, 32, sealed, 60, false, back, 31, &length) == KERR_OUTPUT_TOO_LARGE);
}

static void test_the_cipher_is_rfc_8439(void)
{
    static const uint8_t rfc_key[32] = { 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
                                         0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
                                         0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
                                         0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f };
    /* RFC 8439's key and nonce (2.8.2) without its additional data, worked out by another implementation that agrees with the RFC's tag:
     * nonce 070000004041424344454647, data "Ladies and Gentlemen", no additional data. */
    static const uint8_t sealed[48] = {
        0x07, 0x00, 0x00, 0x00, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
        0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60, 0xdb, 0x7b, 0x86, 0xaf, 0xbc,
        0x53, 0xef, 0x7e, 0xc2, 0xa4, 0xad, 0xed, 0x51, 0xdb, 0xf3, 0xa3, 0xa6,
        0xd0, 0x5a, 0x12, 0x26, 0x19, 0xb0, 0xd6, 0x34, 0xbe, 0x6b, 0x34, 0x75,
    };
    uint8_t back[20];
    size_t got;

    assert(seal_open(rfc_key, 32, sealed, sizeof(sealed), false, back, 20, &got) == KERR_OK);
    assert(got == 20 && memcmp(back, "Ladies and Gentlemen", 20) == 0);
}

int main(void)
{
    assert(seal_init());
    test_sealed_data_opens_again();
    test_nonces_differ();
    test_every_changed_byte_is_noticed();
    test_keys_and_rooms_are_checked();
    test_the_cipher_is_rfc_8439();
    return 0;
}
