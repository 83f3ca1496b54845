/*
 * network_sockets.h - TCP for operations: sockets are handles of a workflow's, calls wait on the operation's fibre.
 *
 * All of them: BAD_HANDLE, TIMED_OUT, CANCELLED as deck_wait() says, and what deck.yaml lists. The stack is ready.
 */
#pragma once

#include "kernel/decks/network/network_core.h"
#include "userland/libkwe/deck/deck.h"

/* Sockets that are open. */
uint32_t sockets_count(void);
/* `life`: how often the deck was started. */
void sockets_init(uint32_t life);
enum kerr sockets_listen(struct deck_request *request, uint32_t port, uint32_t backlog,
                         uint64_t *socket);
enum kerr sockets_accept(struct deck_request *request, uint64_t listener, uint64_t *socket,
                         struct network_address *address, uint32_t *port);
enum kerr sockets_connect(struct deck_request *request, struct network_address address,
                          uint32_t port, uint64_t *socket);
enum kerr sockets_send(struct deck_request *request, uint64_t socket, struct deck_bytes data);
/* data->length: what was taken. *ended: nothing will follow. */
enum kerr sockets_receive(struct deck_request *request, uint64_t socket, uint64_t at_least,
                          struct deck_room *data, bool *ended);
enum kerr sockets_close(struct deck_request *request, uint64_t socket);
