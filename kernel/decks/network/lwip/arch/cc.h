/* cc.h - lwIP's compiler and system: musl in ring 3, and the deck's own random numbers and end. */
#pragma once

#include <stdint.h>

#define BYTE_ORDER LITTLE_ENDIAN

/* An instruction each, and constants at compile time; lwIP's own are calls. */
#define lwip_htons(x) ((uint16_t)__builtin_bswap16((uint16_t)(x)))
#define lwip_htonl(x) ((uint32_t)__builtin_bswap32((uint32_t)(x)))

uint32_t network_lwip_random(void);
/* network_core.h has it: a line at a time. */
uint16_t network_sum(const void *data, int length);
_Noreturn void network_lwip_failed(const char *message, const char *file, int line);

#define LWIP_CHKSUM network_sum
#define LWIP_RAND() network_lwip_random()
#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(message) network_lwip_failed(message, __FILE__, __LINE__)
