/* network_wait.c - see network_wait.h. */
#include "kernel/decks/network/network_wait.h"

struct network_waiter {
    struct fibre_event event;
    struct network_waiter *next;
};

static void append(struct network_waiters *waiters, struct network_waiter *self)
{
    struct network_waiter **link = &waiters->first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = self;
}

/* Out of the list, if it is still there: the time was over, or nobody wants the answer. */
static void leave(struct network_waiters *waiters, const struct network_waiter *self)
{
    for (struct network_waiter **link = &waiters->first; *link != NULL; link = &(*link)->next) {
        if (*link == self) {
            *link = self->next;
            return;
        }
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
    struct network_waiter *waiter = waiters->first;

    waiters->first = NULL;
    while (waiter != NULL) {
        /* The waiter's stack is its own again once it runs. */
        struct network_waiter *next = waiter->next;
        fibre_signal(&waiter->event);
        waiter = next;
    }
}

void network_wake_one(struct network_waiters *waiters)
{
    struct network_waiter *waiter = waiters->first;

    if (waiter != NULL) {
        waiters->first = waiter->next;
        fibre_signal(&waiter->event);
    }
}
