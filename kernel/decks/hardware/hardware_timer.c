/*
 * hardware_timer.c - the timer: operations that end when a time has come. The deck's loop sleeps until the earliest (deck_next()'s deadline),
 * nothing polls. A tick lies on a grid that begins with the system, so that it needs no memory of the last one: events that start again do
 * not drift, and an instance that died has nothing to be told.
 */
#include "kernel/decks/hardware/hardware_core.h"
#include "kernel/decks/hardware/hardware_ops.h"
#include "userland/libkwe/deck/deck.h"

/* OK: `at_ns` has come. TIMED_OUT: the event's own deadline came first. CANCELLED: recalled. */
static enum kerr wait_until(struct deck_request *request, uint64_t at_ns)
{
    struct fibre_event never = { 0 };
    enum kerr status = deck_wait(request, &never, at_ns);

    return status == KERR_TIMED_OUT && deck_now_ns() >= at_ns ? KERR_OK : status;
}

enum kerr hardware_tick(struct hardware_tick_call *call)
{
    const uint64_t period_ns = call->params->period_ns;
    const uint64_t at_ns = hardware_next_tick(deck_now_ns(), period_ns);

    deck_armed(call->request);
    enum kerr status = wait_until(call->request, at_ns);
    call->number = at_ns / period_ns;
    call->time_ns = at_ns;
    call->late_ns = deck_now_ns() - at_ns;
    return status;
}

enum kerr hardware_wait(struct hardware_wait_call *call)
{
    return wait_until(call->request, deck_now_ns() + call->params->ns);
}
