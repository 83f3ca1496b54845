/* clock.c - see clock.h. CLOCK_MONOTONIC of a KWE program is the same time, by a call. */
#include "userland/libkwe/common/clock.h"

#include <sys/auxv.h>
#include <time.h>
#include <x86intrin.h>

#include "kernel/abi/clock.h"

/* What the kernel said when the program began; the same for all threads. */
static struct {
    uint64_t base, rate;
} counter;

__attribute__((constructor)) static void read_auxiliary(void)
{
    counter.base = getauxval(KWE_AT_CLOCK_BASE);
    counter.rate = getauxval(KWE_AT_CLOCK_RATE);
}

uint64_t kwe_now_ns(void)
{
    struct timespec now;

    if (counter.rate != 0) {
        return kwe_clock_ns(__rdtsc(), counter.base, counter.rate);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
