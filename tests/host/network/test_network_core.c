/*
 * test_network_core.c - addresses there and back, and numbers that cannot be guessed.
 *
 * uses: kernel/decks/network/network_core.c
 */
#include <assert.h>
#include <string.h>

#include "kernel/decks/network/network_core.h"

static void test_an_ipv4_address_is_a_mapped_one(void)
{
    const uint8_t bytes[4] = { 10, 0, 2, 15 };
    uint8_t back[16];
    struct network_address address = network_address_v4(bytes);

    assert(address.high == 0 && address.low == 0xffff0a00020f);
    assert(network_address_is_v4(address));
    network_address_bytes(address, back);
    assert(memcmp(back, bytes, 4) == 0);
}

static void test_an_ipv6_address_keeps_its_16_bytes(void)
{
    const uint8_t bytes[16] = { 0xfe, 0xc0, 0, 0,    0,    0,    0,    0,
                                0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56 };
    uint8_t back[16];
    struct network_address address = network_address_v6(bytes);

    assert(address.high == 0xfec0000000000000 && address.low == 0x505400fffe123456);
    assert(!network_address_is_v4(address));
    network_address_bytes(address, back);
    assert(memcmp(back, bytes, 16) == 0);
}

static void test_siphash_is_the_published_one(void)
{
    /* The paper's key 00 01 .. 0f; the reference's results for 00 01 .. of 0, 8 and 16 bytes. */
    const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    const uint64_t words[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

    assert(network_siphash(key, words, 0) == 0x726fdb47dd0e0e31);
    assert(network_siphash(key, words, 1) == 0x93f5f5799a932462);
    assert(network_siphash(key, words, 2) == 0x3f2acc7f57c29bdb);
}

static void test_first_numbers_differ_by_connection_and_go_up_with_time(void)
{
    const uint64_t key[2] = { 1, 2 };
    struct network_ends ends = { { 0, 1 }, { 0, 2 }, 80, 4000 };
    uint32_t first = network_first_number(key, &ends, 0);

    assert(network_first_number(key, &ends, 4000000) == first + 1000);
    ends.remote_port++;
    assert(network_first_number(key, &ends, 0) != first);
    ends.remote_port--;
    ends.remote.low++;
    assert(network_first_number(key, &ends, 0) != first);
}

/* RFC 1071 as it is written down, two bytes at a time. */
static uint16_t plain_sum(const uint8_t *bytes, int length)
{
    uint32_t sum = 0;

    for (int i = 0; i < length; i++) {
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 0 : 8);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static void test_sums_are_those_of_two_bytes_at_a_time(void)
{
    uint8_t bytes[1600];

    memset(bytes, 0xff, sizeof(bytes)); /* a carry each time */
    for (int length = 0; length < 200; length++) {
        assert(network_sum(bytes + length % 8, length) == plain_sum(bytes, length));
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 167 + i / 7);
    }
    for (int length = 0; length < 1592; length += length < 100 ? 1 : 37) {
        for (int at = 0; at < 8; at++) {
            assert(network_sum(bytes + at, length) == plain_sum(bytes + at, length));
        }
    }
    assert(network_sum(bytes, 0) == 0);
}

int main(void)
{
    test_sums_are_those_of_two_bytes_at_a_time();
    test_an_ipv4_address_is_a_mapped_one();
    test_an_ipv6_address_keeps_its_16_bytes();
    test_siphash_is_the_published_one();
    test_first_numbers_differ_by_connection_and_go_up_with_time();
    return 0;
}
