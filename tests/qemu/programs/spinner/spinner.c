/* spinner.c - a program that loops for ever and never calls the nucleus. */
#include <stdint.h>

static volatile uint64_t turns;

int main(void)
{
    for (;;) {
        turns = turns + 1;
    }
}
