/* deck_limit.c - the highest restart limit that a deck.yaml may have is kept: so many deaths it survives, and not one more. */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_rng.h"

#define LIMIT 16u /* of the rng deck's deck.yaml */
#define UP    1u
#define DOWN  3u /* kwe_deck_statistics.state */

/* Wait until it is no longer between two lives. */
static uint8_t settled_state(struct kwe_rings *rings)
{
    struct kwe_statistics statistics;

    do {
        check_sleep(rings, 2000000);
        check_statistics(&statistics);
    } while (statistics.deck[RNG_PREFIX].state != UP && statistics.deck[RNG_PREFIX].state != DOWN);
    return statistics.deck[RNG_PREFIX].state;
}

int main(void)
{
    struct kwe_rings rings;

    check_rings(&rings, 8);
    for (uint32_t death = 1; death <= LIMIT + 1; death++) {
        CHECK(settled_state(&rings) == UP, "down after %u deaths", death - 1);
        CHECK(kwe_call_inject(RNG_PREFIX, 0, 0) == 0, "inject");
    }
    CHECK(settled_state(&rings) == DOWN, "up after %u deaths", LIMIT + 1);
    return 0;
}
