/* template_core.c - adding bytes up. */
#include "template_core.h"

uint64_t template_add_up(const uint8_t *data, size_t length, uint64_t modulus)
{
    /* No overflow: 2^64 / 255 bytes do not fit into memory. */
    uint64_t sum = 0;

    for (size_t i = 0; i < length; i++) {
        sum += data[i];
    }
    return modulus == 0 ? sum : sum % modulus;
}
