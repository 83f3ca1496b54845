/*
 * loop.c - the deck's loop: every slot that is taken gets exactly one completion.
 *
 * The DoneRing always has room: no more than info.depth requests are in hand at once, each says at most two things, and it has twice as many slots.
 */
#include "userland/libkwe/deck/internal.h"

#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/common/calls.h"

/*
 * A vector is handed back when it is done, or when this time has passed, so that long operations do not keep those behind them in the
 * pipeline waiting. A visit costs a few microseconds.
 */
#define HAND_BACK_NS 1000000u

/* The loop that a fibre's request belongs to; an instance has one. */
static struct deck_loop *the_loop;

/* ---- answers ----------------------------------------------------------------------------------------------------------- */

/* Where the next one goes. It is the nucleus's with the next publish(). */
static struct kwe_completion *next_answer(struct deck_loop *loop)
{
    if (loop->room == 0) {
        uint32_t room;
        if (ring_room(&loop->done, &room) != RING_OK || room <= loop->placed) {
            deck_die("the DoneRing has no room for an answer");
        }
        loop->room = room - loop->placed;
    }
    loop->room--;
    return ring_back(&loop->done, loop->placed++);
}

static void publish(struct deck_loop *loop)
{
    if (loop->placed != 0) {
        ring_give(&loop->done, loop->placed);
        loop->placed = 0;
    }
}

static void begin(struct deck_loop *loop, struct deck_request *request,
                  const struct deck_ticket *before);

static void answer(struct deck_loop *loop, struct deck_request *request, enum kerr status)
{
    struct kwe_completion *completion = &request->completion;
    struct deck_ticket *ticket = &loop->tickets[KWE_TICKET_INDEX(request->work.ticket)];
    struct deck_request *then = request->then;

    completion->status = (uint16_t)request_verdict(request, status);
    if (completion->status != KERR_OK) {
        completion->out_length = 0;
    }
    ring_copy_slot(next_answer(loop), completion);
    publish(loop);
    ticket->in_hand = false;
    ticket->status = completion->status;
    ticket->out_length = completion->out_length;
    if (then != NULL) {
        begin(loop, then, ticket);
    }
}

void deck_armed(struct deck_request *request)
{
    if (!request->is_armed) {
        *next_answer(the_loop) =
            (struct kwe_completion){ .ticket = request->work.ticket, .status = KWE_STATUS_ARMED };
        publish(the_loop);
    }
    request->is_armed = true;
}

/* The nucleus wants it back: whatever it waits for, it waits no longer. */
static void recall(const struct deck_loop *loop, uint32_t ticket)
{
    const uint32_t index = KWE_TICKET_INDEX(ticket);

    if (index >= loop->info.depth || !loop->tickets[index].in_hand ||
        loop->requests[index].work.ticket != ticket) {
        return; /* answered meanwhile */
    }
    loop->requests[index].recalled = true;
    if (loop->requests[index].waits_for != NULL) {
        fibre_signal(loop->requests[index].waits_for);
    }
}

uint64_t deck_recent_ns(void)
{
    if (the_loop->stamp_ns == 0) {
        the_loop->stamp_ns = deck_now_ns();
    }
    return the_loop->stamp_ns;
}

/* Asking for the time is a call; one stamp ends an operation and starts the next. */
static void answer_stamped(struct deck_loop *loop, struct deck_request *request, enum kerr status)
{
    loop->stamp_ns = deck_now_ns();
    request->completion.elapsed_ns = loop->stamp_ns - request->taken_ns;
    request->completion.answered = (uint32_t)(loop->stamp_ns / KWE_ANSWERED_UNIT_NS) | 1u;
    answer(loop, request, status);
}

/* ---- work --------------------------------------------------------------------------------------------------------------- */

static void run_on_fibre(void *argument)
{
    struct deck_request *request = argument;

    request->taken_ns = the_loop->stamp_ns; /* those before it have had their time */
    answer_stamped(the_loop, request, deck_dispatch(request, request->work.op));
}

/* Run it, or put it on a fibre. `before`: what it has waited for, NULL: nothing. */
static void begin(struct deck_loop *loop, struct deck_request *request,
                  const struct deck_ticket *before)
{
    const uint16_t op = request->work.op;

    if (before != NULL) {
        request->before_length = before->out_length;
        request->taken_ns = loop->stamp_ns;
    }
    if (before != NULL && (before->status != KERR_OK || request->recalled)) {
        answer(loop, request, KERR_CANCELLED);
    } else if (op == KWE_OP_NOP) {
        answer(loop, request, KERR_OK);
    } else if (loop->start_status != KERR_OK) {
        answer(loop, request, loop->start_status);
    } else if (!deck_op_uses_fibre(op)) {
        answer_stamped(loop, request, deck_dispatch(request, op));
    } else if (!fibre_start(run_on_fibre, request)) {
        answer(loop, request, KERR_NO_MEMORY);
    }
}

static struct deck_ticket *ticket_of(struct deck_loop *loop, const struct kwe_work *work)
{
    if (KWE_TICKET_INDEX(work->ticket) >= loop->info.depth) {
        deck_die("ticket %u names no frame", work->ticket);
    }
    struct deck_ticket *ticket = &loop->tickets[KWE_TICKET_INDEX(work->ticket)];
    if (ticket->in_hand) {
        deck_die("ticket %u is in hand already", work->ticket);
    }
    return ticket;
}

/* Work that nothing has to be done for is answered where it lies. It is published with what comes next, at the latest with the visit. */
static inline void answer_nothing(struct kwe_completion *answer, struct deck_ticket *ticket,
                                  uint32_t number)
{
    *answer = (struct kwe_completion){ .ticket = number };
    *ticket = (struct deck_ticket){ .status = KERR_OK };
}

/* Is there nothing that it has to wait for, or be given up for? */
static inline bool can_begin(const struct deck_loop *loop, const struct kwe_work *work)
{
    const struct deck_ticket *before = &loop->tickets[(work->after - 1u) % KWE_MAX_DEPTH];

    return work->after == 0 || (!before->in_hand && before->status == KERR_OK);
}

/* Such work, if it can begin, in a row; `count` slots lie in one piece. Returns how many were taken. */
static uint32_t take_nothing(struct deck_loop *loop, const struct kwe_work *work, uint32_t count)
{
    const uint32_t depth = loop->info.depth;

    count = count < loop->room ? count : loop->room;
    const uint32_t piece = ring_back_to_wrap(&loop->done, loop->placed);
    struct kwe_completion *answer = ring_back(&loop->done, loop->placed);
    const struct kwe_work *const first = work, *const end = work + (count < piece ? count : piece);
    for (; work != end; work++, answer++) {
        const uint32_t number = work->ticket, index = KWE_TICKET_INDEX(number);
        struct deck_ticket *ticket = &loop->tickets[index];
        if (work->op != KWE_OP_NOP || index >= depth || ticket->in_hand || !can_begin(loop, work)) {
            break;
        }
        answer_nothing(answer, ticket, number);
    }
    const uint32_t taken = (uint32_t)(work - first);
    loop->placed += taken;
    loop->room -= taken;
    return taken;
}

static void take_one(struct deck_loop *loop, const struct kwe_work *work)
{
    if (work->op == KWE_OP_RECALL) {
        recall(loop, work->ticket);
        return;
    }
    struct deck_ticket *ticket = ticket_of(loop, work);
    struct deck_ticket *before =
        work->after == 0 ? NULL : &loop->tickets[(work->after - 1u) % KWE_MAX_DEPTH];
    if (work->op == KWE_OP_NOP && can_begin(loop, work)) {
        answer_nothing(next_answer(loop), ticket, work->ticket);
        return;
    }
    if (loop->turn_ns == 0 && work->op != KWE_OP_NOP) {
        loop->stamp_ns = deck_now_ns();
        loop->turn_ns = loop->stamp_ns;
    }
    struct deck_request *request = &loop->requests[ticket - loop->tickets];
    ticket->in_hand = true;
    request_begin(request, work, (const struct kwe_work_frame *)(uintptr_t)loop->info.frames,
                  loop->stamp_ns);
    if (before == NULL || !before->in_hand) {
        begin(loop, request, before);
    } else {
        loop->requests[before - loop->tickets].then = request;
    }
}

/* Take what lies there. False: it was time to hand answers back, and there is more. */
static bool take_work(struct deck_loop *loop)
{
    uint32_t count;

    if (ring_used(&loop->work, &count) != RING_OK) {
        deck_die("the WorkRing's counts cannot be");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t piece = ring_front_to_wrap(&loop->work, i), rest = count - i;
        i += take_nothing(loop, ring_front(&loop->work, i), rest < piece ? rest : piece);
        if (i == count) {
            break;
        }
        take_one(loop, ring_front(&loop->work, i));
        if (loop->stamp_ns - loop->turn_ns > HAND_BACK_NS) {
            ring_take(&loop->work, i + 1);
            return false;
        }
    }
    ring_take(&loop->work, count);
    publish(loop);
    return true;
}

/* ---- turns -------------------------------------------------------------------------------------------------------------- */

void deck_loop_start(struct deck_loop *loop)
{
    int64_t answered = kwe_call_deck_info(&loop->info);

    if (answered < 0) {
        deck_die("deck_info: %s", kerr_sentence((enum kerr) - answered));
    }
    struct ring *work = (struct ring *)(uintptr_t)loop->info.work_ring;
    struct ring *done = (struct ring *)(uintptr_t)loop->info.done_ring;
    ring_consumer_init(&loop->work, work, loop->info.ring_slots, 0);
    ring_producer_init(&loop->done, done, loop->info.ring_slots, 0);
    observed_init(&loop->observed, &loop->info);
    services_init(done);
    fibres_init(loop->info.depth + FIBRE_SPARE);
    loop->requests = calloc(loop->info.depth, sizeof(*loop->requests));
    if (loop->requests == NULL) {
        deck_die("no memory for %u requests", loop->info.depth);
    }
    the_loop = loop;
    loop->start_status = deck_start(&loop->info);
    if (loop->start_status != KERR_OK) {
        deck_log("not ready: %s", kerr_sentence(loop->start_status));
    }
}

/* Run fibres and let the deck tidy up. Returns when to come back at the latest. */
static uint64_t settle(void)
{
    uint64_t deadline_ns;

    do {
        fibres_run();
        deadline_ns = deck_idle();
    } while (fibres_ready());
    uint64_t fibre_deadline_ns = fibres_next_deadline();
    return fibre_deadline_ns < deadline_ns ? fibre_deadline_ns : deadline_ns;
}

void deck_loop_turn(struct deck_loop *loop)
{
    uint64_t deadline_ns = 0;

    observed_look(&loop->observed);
    if (take_work(loop)) {
        deadline_ns = settle();
    } else {
        fibres_run();
    }
    struct kwe_pair next = kwe_call_deck_next(deadline_ns);
    loop->stamp_ns = 0;
    loop->turn_ns = 0;
    if (next.first < 0) {
        deck_die("deck_next: %s", kerr_sentence((enum kerr) - next.first));
    }
    if (next.second != 0) {
        deck_interrupt(next.second);
    }
    if (fibres_next_deadline() != UINT64_MAX) {
        fibres_expire(deck_now_ns());
    }
}
