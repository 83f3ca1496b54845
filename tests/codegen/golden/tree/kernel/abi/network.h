/*
 * network.h - the network deck's operations, as all sides see them.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/network/deck.yaml
 *   template  codegen/templates/deck_abi.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NETWORK_PREFIX 4u

enum {
    NETWORK_OP_NOP = 0,
    NETWORK_OP_LINK = 1,
};

/* ---- link ---- */

enum {
    NETWORK_LINK_VALUE_MAC = 0, /* u64 */
    NETWORK_LINK_VALUE_UP = 1,  /* u32 */
};
