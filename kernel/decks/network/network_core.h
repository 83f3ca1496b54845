/* network_core.h - Network's pure logic: addresses as two numbers, numbers that cannot be guessed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The 128 bits of an IPv6 address, the first byte highest; IPv4 a.b.c.d is ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct network_address {
    uint64_t high, low;
};

/* `bytes`: 4 of IPv4, 16 of IPv6, as on the wire. */
struct network_address network_address_v4(const uint8_t *bytes);
struct network_address network_address_v6(const uint8_t *bytes);
bool network_address_is_v4(struct network_address address);
/* 4 or 16 bytes, by network_address_is_v4(). */
void network_address_bytes(struct network_address address, uint8_t *bytes);

/* One end and the other of a connection. */
struct network_ends {
    struct network_address local, remote;
    uint32_t local_port, remote_port;
};

/* SipHash-2-4 of 64-bit words. */
uint64_t network_siphash(const uint64_t key[2], const uint64_t *words, uint32_t count);
/* The first number of a connection's bytes (RFC 6528): a clock of 4 us, moved by what only `key` tells. */
uint32_t network_first_number(const uint64_t key[2], const struct network_ends *ends,
                              uint64_t now_ns);

/* The sum of RFC 1071 over bytes as 16-bit words, the first byte the lower one, folded and not inverted; length 0 or more. */
uint16_t network_sum(const void *data, int length);
