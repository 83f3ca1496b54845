/* witness_deck.c - for tests: holds events until it is told to let go. */
#include "kernel/decks/witness/witness_ops.h"

#define MOST_HELD 64u

static struct {
    struct fibre_event *waiting[MOST_HELD];
    uint32_t count;
} witness;

enum kerr deck_start(const struct kwe_deck_info *info)
{
    (void)info;
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits;
}

uint64_t deck_idle(void)
{
    return UINT64_MAX;
}

static enum kerr hold(void)
{
    struct fibre_event released = { .waiter = NULL };

    if (witness.count == MOST_HELD) {
        return KERR_TOO_MANY;
    }
    witness.waiting[witness.count++] = &released;
    fibre_wait(&released, UINT64_MAX);
    return KERR_OK;
}

enum kerr witness_hold(struct witness_hold_call *call)
{
    (void)call;
    return hold();
}

enum kerr witness_hold_data(struct witness_hold_data_call *call)
{
    enum kerr answer = hold();

    call->first = call->data.length > 0 ? call->data.data[0] : 0;
    return answer;
}

enum kerr witness_held(struct witness_held_call *call)
{
    call->count = witness.count;
    return KERR_OK;
}

enum kerr witness_release(struct witness_release_call *call)
{
    call->count = witness.count;
    while (witness.count > 0) {
        fibre_signal(witness.waiting[--witness.count]);
    }
    return KERR_OK;
}
