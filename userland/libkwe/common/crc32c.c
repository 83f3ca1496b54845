/*
 * crc32c.c - by eight tables, eight bytes a step.
 *
 * Tables and not the CPU's instruction: under QEMU's translation the instruction is slower than they are, and every CPU has them.
 */
#include "userland/libkwe/common/crc32c.h"

#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u

/* table[k][b]: what byte b does to the crc when k more bytes follow it. Filled at first use. */
static uint32_t table[8][256];
static bool table_ready;

static void fill_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        }
        table[0][byte] = crc;
    }
    for (unsigned k = 1; k < 8; k++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = table[k - 1][byte];
            table[k][byte] = crc >> 8 ^ table[0][crc & 0xff];
        }
    }
    table_ready = true;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;

    if (!table_ready) {
        fill_tables();
    }
    crc = ~crc;
    while (bytes >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        word ^= crc;
        crc = table[7][word & 0xff] ^ table[6][word >> 8 & 0xff] ^ table[5][word >> 16 & 0xff] ^
              table[4][word >> 24 & 0xff] ^ table[3][word >> 32 & 0xff] ^
              table[2][word >> 40 & 0xff] ^ table[1][word >> 48 & 0xff] ^ table[0][word >> 56];
        at += 8;
        bytes -= 8;
    }
    while (bytes-- > 0) {
        crc = crc >> 8 ^ table[0][(crc ^ *at++) & 0xff];
    }
    return ~crc;
}
