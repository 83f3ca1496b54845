/* clock.c - see clock.h. CLOCK_MONOTONIC of a KWE program is kernel_now(). */
#include "userland/libkwe/common/clock.h"

#include <time.h>

uint64_t kwe_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
