/* network_names.h - names of hosts, by DNS. The stack is ready. */
#pragma once

#include "kernel/decks/network/network_core.h"
#include "userland/libkwe/deck/deck.h"

/* BAD_NAME, NO_SUCH_NAME, TOO_MANY, TIMED_OUT, CANCELLED. */
enum kerr names_resolve(struct deck_request *request, struct deck_bytes name,
                        struct network_address *address);
