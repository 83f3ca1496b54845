/* network_core.c - see network_core.h. */
#include "kernel/decks/network/network_core.h"

#include <immintrin.h>
#include <string.h>

#define V4_PREFIX 0xffff00000000ull

static uint64_t read_number(const uint8_t *bytes, uint32_t count)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < count; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static void write_number(uint8_t *bytes, uint32_t count, uint64_t number)
{
    for (uint32_t i = count; i > 0; i--) {
        bytes[i - 1] = (uint8_t)number;
        number >>= 8;
    }
}

struct network_address network_address_v4(const uint8_t *bytes)
{
    return (struct network_address){ 0, V4_PREFIX | read_number(bytes, 4) };
}

struct network_address network_address_v6(const uint8_t *bytes)
{
    return (struct network_address){ read_number(bytes, 8), read_number(bytes + 8, 8) };
}

bool network_address_is_v4(struct network_address address)
{
    return address.high == 0 && address.low >> 32 == V4_PREFIX >> 32;
}

void network_address_bytes(struct network_address address, uint8_t *bytes)
{
    if (network_address_is_v4(address)) {
        write_number(bytes, 4, address.low);
    } else {
        write_number(bytes, 8, address.high);
        write_number(bytes + 8, 8, address.low);
    }
}

/* ---- SipHash (Aumasson and Bernstein, 2012) --------------------------------------------------------------------------------- */

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
    sip->v0 = rotate(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
    sip->v2 = rotate(sip->v2, 32);
}

static void sip_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip_round(sip);
    sip->v0 ^= word;
}

uint64_t network_siphash(const uint64_t key[2], const uint64_t *words, uint32_t count)
{
    struct sip sip = { key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
                       key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull };

    for (uint32_t i = 0; i < count; i++) {
        sip_word(&sip, words[i]);
    }
    sip_word(&sip, (uint64_t)count * 8 << 56);
    sip.v2 ^= 0xff;
    for (int i = 0; i < 4; i++) {
        sip_round(&sip);
    }
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

uint32_t network_first_number(const uint64_t key[2], const struct network_ends *ends,
                              uint64_t now_ns)
{
    const uint64_t words[] = { ends->local.high, ends->local.low, ends->remote.high,
                               ends->remote.low,
                               (uint64_t)ends->local_port << 32 | ends->remote_port };

    return (uint32_t)(network_siphash(key, words, sizeof(words) / sizeof(words[0])) +
                      now_ns / 4000);
}

/* ---- sums ------------------------------------------------------------------------------------------------------------------ */

static inline uint64_t load(const uint8_t *bytes, size_t length)
{
    uint64_t word = 0;
    memcpy(&word, bytes, length);
    return word;
}

/* A carry out of the highest bit counts as 1 (RFC 1071, 2). */
static uint64_t add(uint64_t sum, uint64_t word)
{
    unsigned long long low;
    const unsigned char carry = _addcarry_u64(0, sum, word, &low);
    return low + carry;
}

#define LINE_BYTES 64

/* The same of eight words, whose carries go on to the next: an instruction each, which compilers do not find (gcc 12: four). */
static uint64_t add_line(uint64_t sum, const uint8_t *bytes)
{
    __asm__("addq (%[at]), %[sum]\n\t"
            "adcq 8(%[at]), %[sum]\n\t"
            "adcq 16(%[at]), %[sum]\n\t"
            "adcq 24(%[at]), %[sum]\n\t"
            "adcq 32(%[at]), %[sum]\n\t"
            "adcq 40(%[at]), %[sum]\n\t"
            "adcq 48(%[at]), %[sum]\n\t"
            "adcq 56(%[at]), %[sum]\n\t"
            "adcq $0, %[sum]"
            : [sum] "+r"(sum)
            : [at] "r"(bytes), "m"(*(const uint8_t(*)[LINE_BYTES])bytes)
            : "cc");
    return sum;
}

uint16_t network_sum(const void *data, int length)
{
    const uint8_t *bytes = data;
    uint64_t sum = 0;

    for (; length >= LINE_BYTES; length -= LINE_BYTES, bytes += LINE_BYTES) {
        sum = add_line(sum, bytes);
    }
    for (; length >= 8; length -= 8, bytes += 8) {
        sum = add(sum, load(bytes, 8));
    }
    if ((length & 4) != 0) {
        sum = add(sum, load(bytes, 4));
        bytes += 4;
    }
    if ((length & 2) != 0) {
        sum = add(sum, load(bytes, 2));
        bytes += 2;
    }
    if ((length & 1) != 0) {
        sum = add(sum, *bytes);
    }
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}
