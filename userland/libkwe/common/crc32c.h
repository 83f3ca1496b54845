/* crc32c.h - CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as the control channel and the Operations deck use it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Of `bytes` behind what `crc` covers; begin with 0. First and final value are inverted inside. */
uint32_t crc32c(uint32_t crc, const void *data, size_t bytes);
