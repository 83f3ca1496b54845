/*
 * network_ops.h - network deck: the operations it answers, in deck.yaml order.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/network/deck.yaml
 *   template  codegen/templates/deck_ops.h.j2
 *   rebuild   make gen
 */
#pragma once

#include "kernel/abi/network.h"
#include "userland/libkwe/deck/deck.h"

/*
 * Each operation is a function of the deck's own. It reads its inputs where they lie, writes its output and sets
 * its length, sets its values, and returns KERR_OK or what went wrong; then output and values do not count.
 */

struct network_link_call {
    struct deck_request *request;
    uint64_t mac; /* value: set it */
    uint32_t up;  /* value: set it */
};
/*
 * The card's MAC address (first byte lowest) and whether its link is up (1) or down (0). Errors:
 * NO_DEVICE.
 */
enum kerr network_link(struct network_link_call *call);
