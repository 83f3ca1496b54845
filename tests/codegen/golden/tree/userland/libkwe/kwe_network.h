/*
 * kwe_network.h - stages of the network deck, typed, for programs.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/network/deck.yaml
 *   template  codegen/templates/kwe_deck.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>

#include "kernel/abi/event.h"
#include "kernel/abi/network.h"
#include "userland/libkwe/program/kwe.h"

/*
 * Each adds a stage and returns it; mistakes stick in the builder. `params` is copied; start from
 * the operation's _defaults(). An input is the stage whose output it is; one that comes from
 * elsewhere is given as KWE_STAGE_NONE and bound with kwe_input_event() or kwe_input_constant(); an
 * optional one may be KWE_STAGE_NONE and stay unbound, if those behind it do too.
 */

/* The card's MAC address (first byte lowest) and whether its link is up (1) or down (0). */
static inline kwe_stage_t kwe_network_link(struct kwe_builder *builder, const char *name)
{
    kwe_stage_t stage = kwe_stage(builder, name, NETWORK_PREFIX, NETWORK_OP_LINK, NULL, 0);

    return stage;
}
