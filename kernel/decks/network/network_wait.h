/* network_wait.h - lists on which operations wait. */
#pragma once

#include "userland/libkwe/deck/deck.h"

/* Operations that wait for the same thing, in order. Zero-initialised is empty. */
struct network_waiters {
    struct network_waiter *first, *last;
};

/*
 * On a fibre, for an operation: wait for the next network_wake(). OK, or TIMED_OUT or CANCELLED as deck_wait() says. What was waited for
 * may have gone again: look anew.
 */
enum kerr network_wait(struct deck_request *request, struct network_waiters *waiters,
                       uint64_t deadline_ns);
/* The same when it cannot be given up: OK or TIMED_OUT. */
enum kerr network_wait_plain(struct network_waiters *waiters, uint64_t deadline_ns);
/* Any context: all that wait go on. */
void network_wake(struct network_waiters *waiters);
/* Any context: the one that waits for longest goes on; it passes on what it does not take. */
void network_wake_one(struct network_waiters *waiters);
