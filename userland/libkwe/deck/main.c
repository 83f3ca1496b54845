/* main.c - where a deck begins: the library's main(). Apart from loop.c so that host tests can have a main() of their own. */
#include "userland/libkwe/deck/internal.h"

int main(void)
{
    static struct deck_loop loop;

    deck_loop_start(&loop);
    for (;;) {
        deck_loop_turn(&loop);
    }
}
