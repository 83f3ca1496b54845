/* network_ports.h - UDP for operations: ports belong to a workflow, datagrams wait at them. The stack is ready. */
#pragma once

#include "kernel/decks/network/network_core.h"
#include "userland/libkwe/deck/deck.h"

/* Codes as deck.yaml lists them, and TIMED_OUT, CANCELLED. from 0: any port. */
enum kerr ports_send(struct deck_request *request, struct network_address address, uint32_t port,
                     uint32_t from, struct deck_bytes data);
/* *port: in, where; out, whose of the sender. */
enum kerr ports_receive(struct deck_request *request, uint32_t port, struct deck_room *data,
                        struct network_address *address, uint32_t *sender);
