/*
 * clock.h - the time without a call: how ring 3 makes the kernel's nanoseconds since boot out of the time-stamp counter.
 *
 * Two entries of a program's auxiliary vector (getauxval()) say how; the counters of all CPUs agree. A rate of 0: ask by clock_gettime().
 */
#pragma once

#include <stdint.h>

#define KWE_AT_CLOCK_BASE 0x4b570001u /* the counter at boot */
#define KWE_AT_CLOCK_RATE 0x4b570002u /* nanoseconds a tick, times 2^32 */

static inline uint64_t kwe_clock_ns(uint64_t counter, uint64_t base, uint64_t rate)
{
    return (uint64_t)((unsigned __int128)(counter - base) * rate >> 32);
}
