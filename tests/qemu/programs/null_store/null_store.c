/* null_store.c - a program that crashes two calls deep, for the backtrace that people see. */
#include <stdint.h>

#include "userland/libkwe/program/kwe.h"

static volatile uintptr_t nowhere; /* the compiler does not know that it stays 0 */

__attribute__((noinline, noclone)) static void store_to_nowhere(int value)
{
    kwe_log("storing %d to nowhere", value); /* a call: so it has a frame when it crashes */
    *(volatile int *)nowhere = value;
}

__attribute__((noinline, noclone)) static int go_wrong(int value)
{
    store_to_nowhere(value);
    return value + 1; /* no tail call: this frame stays */
}

int main(void)
{
    return go_wrong(1);
}
