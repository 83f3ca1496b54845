/* template_deck.c - the template deck: its operations as the deck library calls them. */
#include "kernel/decks/template/template_ops.h" /* generated from deck.yaml */

#include <string.h>

#include "template_core.h"

enum kerr deck_start(const struct kwe_deck_info *info)
{
    /* Devices are in info->device[], in deck.yaml order. What is returned instead of OK is every op's answer. */
    deck_log("instance %u ready", info->ordinal);
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits; /* no device */
}

uint64_t deck_idle(void)
{
    return UINT64_MAX; /* nothing to do until there is work */
}

enum kerr template_echo(struct template_echo_call *call)
{
    /*
     * The room follows from `at_most` in deck.yaml; a workflow may have asked for less. The length is said in both cases: with it, and before
     * anything was done, the event may begin again where there is so much room.
     */
    call->copy.length = call->data.length;
    if (call->copy.length > call->copy.capacity) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    memcpy(call->copy.data, call->data.data, call->data.length);
    return KERR_OK;
}

enum kerr template_sum(struct template_sum_call *call)
{
    call->sum = template_add_up(call->data.data, call->data.length, call->params->modulus);
    call->count = call->data.length;
    return KERR_OK;
}
