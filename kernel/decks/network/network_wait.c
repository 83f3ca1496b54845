/* network_wait.c - see network_wait.h. */
#include "kernel/decks/network/network_wait.h"

/* On the stack of who waits: its own again once that runs. */
struct network_waiter {
    struct fibre_event event;
    struct network_waiter *next, *previous;
    bool is_listed;
};

static void append(struct network_waiters *waiters, struct network_waiter *self)
{
    self->is_listed = true;
    self->previous = waiters->last;
    if (waiters->last == NULL) {
        waiters->first = self;
    } else {
        waiters->last->next = self;
    }
    waiters->last = self;
}

static void take_out(struct network_waiters *waiters, struct network_waiter *waiter)
{
    waiter->is_listed = false;
    if (waiter->previous == NULL) {
        waiters->first = waiter->next;
    } else {
        waiter->previous->next = waiter->next;
    }
    if (waiter->next == NULL) {
        waiters->last = waiter->previous;
    } else {
        waiter->next->previous = waiter->previous;
    }
}

/* Out of the list, if it is still there: the time was over, or nobody wants the answer. */
static void leave(struct network_waiters *waiters, struct network_waiter *self)
{
    if (self->is_listed) {
        take_out(waiters, self);
    }
}

enum kerr network_wait(struct deck_request *request, struct network_waiters *waiters,
                       uint64_t deadline_ns)
{
    struct network_waiter self = { .next = NULL };

    append(waiters, &self);
    enum kerr error = deck_wait(request, &self.event, deadline_ns);
    leave(waiters, &self);
    return error;
}

enum kerr network_wait_plain(struct network_waiters *waiters, uint64_t deadline_ns)
{
    struct network_waiter self = { .next = NULL };

    append(waiters, &self);
    const bool signalled = fibre_wait(&self.event, deadline_ns);
    leave(waiters, &self);
    return signalled ? KERR_OK : KERR_TIMED_OUT;
}

void network_wake(struct network_waiters *waiters)
{
    while (waiters->first != NULL) {
        network_wake_one(waiters);
    }
}

void network_wake_one(struct network_waiters *waiters)
{
    struct network_waiter *waiter = waiters->first;

    if (waiter != NULL) {
        take_out(waiters, waiter);
        fibre_signal(&waiter->event);
    }
}
