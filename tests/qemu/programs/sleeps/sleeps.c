/* sleeps.c - sleeps a while, ten times; never too short, and without using the CPU. */
#include <time.h>

#include "userland/libkwe/program/kwe.h"

#define NAP_NS 5000000

int main(void)
{
    const struct timespec nap = { 0, NAP_NS };

    for (int i = 0; i < 10; i++) {
        uint64_t begin_ns = kwe_now_ns();
        if (nanosleep(&nap, NULL) != 0 || kwe_now_ns() - begin_ns < NAP_NS) {
            kwe_log("nap %d was too short", i);
            return 1;
        }
    }
    kwe_log("rested");
    return 0;
}
