/* forever.c - a program that never ends: the host ends its guest, one way or another. */
#include "userland/libkwe/program/kwe.h"

int main(void)
{
    kwe_log("here");
    for (volatile unsigned turns = 0;; turns++) {
    }
}
