/* observed.c - results that were published, as they lie in the rings (one for each program), for the deck that observes. */
#include "userland/libkwe/deck/internal.h"

#include <stdlib.h>

/* Execution overrides it; the others observe nothing. */
__attribute__((weak)) void deck_observe(const struct kwe_result *results, uint32_t count)
{
    (void)results;
    (void)count;
}

/* An instance has one. */
static struct deck_observed *the_observed;

void observed_init(struct deck_observed *observed, const struct kwe_deck_info *info)
{
    the_observed = observed;
    observed->count = info->observed_ring == 0 ? 0 : info->observed_rings;
    observed->is_made = false;
    for (uint32_t i = 0; i < observed->count; i++) {
        struct ring *shared =
            (struct ring *)(uintptr_t)(info->observed_ring + i * info->observed_stride);
        ring_consumer_init(&observed->of[i].ring, shared, info->observed_slots, 0);
        observed->of[i].kept = 0;
    }
}

/* Those of one ring: in two pieces where it wraps. The newest half a ring stays there. */
static void look(struct ring_consumer *ring, uint32_t *kept, uint32_t count)
{
    while (*kept < count) {
        const uint32_t to_wrap = ring_front_to_wrap(ring, *kept), fresh = count - *kept;
        const uint32_t piece = fresh < to_wrap ? fresh : to_wrap;
        deck_observe(ring_front(ring, *kept), piece);
        *kept += piece;
    }
    if (*kept > ring->slots / 2) {
        ring_take(ring, *kept - ring->slots / 2);
        *kept = ring->slots / 2;
    }
}

void observed_look(struct deck_observed *observed)
{
    for (uint32_t i = 0; i < observed->count; i++) {
        uint32_t count;
        if (ring_used(&observed->of[i].ring, &count) != RING_OK) {
            deck_die("an ObservedRing's counts cannot be");
        }
        if (count != observed->of[i].kept) {
            observed->is_made = false;
            look(&observed->of[i].ring, &observed->of[i].kept, count);
        }
    }
}

/* The ring whose newest result, past those that `left` does not count any more, is the newest of all; `count`: none is left. */
static uint32_t newest_of(const struct deck_observed *observed, const uint32_t *left)
{
    uint32_t best = observed->count;
    uint64_t best_ns = 0;

    for (uint32_t i = 0; i < observed->count; i++) {
        if (left[i] == 0) {
            continue;
        }
        const struct kwe_result *result = ring_front(&observed->of[i].ring, left[i] - 1);
        if (best == observed->count || result->finished_ns > best_ns) {
            best = i;
            best_ns = result->finished_ns;
        }
    }
    return best;
}

static void make(struct deck_observed *observed)
{
    uint32_t left[KWE_MAX_OBSERVED], room = 0, from;

    for (uint32_t i = 0; i < observed->count; i++) {
        left[i] = observed->of[i].kept;
        room += observed->of[i].ring.slots / 2;
    }
    observed->is_made = true;
    observed->newest_count = 0;
    if (observed->newest == NULL) {
        observed->newest = malloc(room * sizeof(*observed->newest));
    }
    while (observed->newest != NULL && (from = newest_of(observed, left)) != observed->count) {
        observed->newest[observed->newest_count++] =
            ring_front(&observed->of[from].ring, --left[from]);
    }
}

const struct kwe_result *deck_observed(uint32_t back)
{
    if (!the_observed->is_made) {
        make(the_observed);
    }
    return back < the_observed->newest_count ? the_observed->newest[back] : NULL;
}
