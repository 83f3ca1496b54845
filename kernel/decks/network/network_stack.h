/*
 * network_stack.h - lwIP's life in the deck: started by the first operation that needs it, driven by frames and by its own next deadline.
 *
 *   OFF --first operation--> ASKING --DHCP answers, or 3 s without--> UP
 */
#pragma once

#include "kernel/decks/network/network_core.h"
#include "kernel/decks/network/network_metrics_core.h"
#include "userland/libkwe/deck/deck.h"
#include <lwip/err.h>
#include <lwip/ip_addr.h>

struct tcp_pcb;

/* On a fibre, first in every operation: wait until there is an address. NO_MEMORY, NETWORK_DOWN, TIMED_OUT, CANCELLED. */
enum kerr network_stack_ready(struct deck_request *request);
/* Main loop, when nothing else can go on: frames and timers. Returns when to be called again, 0: at once. */
uint64_t network_stack_poll(void);
/* A connection waits to be served: while a listener's whole backlog does, newcomers are left to knock again. */
void network_delay_newcomers(struct tcp_pcb *pcb);
/* What lwIP's pools and heap, and the card, hold now. */
void network_stack_held(struct network_held *held);
/* The system's own IPv4 address. */
struct network_address network_stack_address(void);

/* lwIP's addresses and errors, and ours. */
ip_addr_t network_ip(struct network_address address);
struct network_address network_from_ip(const ip_addr_t *ip);
enum kerr network_error(err_t error);
