/*
 * ring.pml - the ring of kernel/lib/ring.c with its sleep and wake protocol: one producer, one consumer, two slots, four items.
 *
 *   PRODUCER  ring_push(): the slot, then tail;   ring_must_wake(): fence, then the look at `waiting`
 *   CONSUMER  ring_pop(): tail, then the slot, then head;   ring_prepare_wait(): `waiting`, fence, the look at tail
 *
 * Holds: items come out once each and in order; nobody sleeps while an item lies there (spin would find the invalid end state).
 *
 * breaks: NO_PRODUCER_FENCE NO_CONSUMER_FENCE NO_SECOND_LOOK TAIL_BEFORE_SLOT HEAD_BEFORE_SLOT
 */
#define CPUS      2
#define VARIABLES 5
#define TAIL      0
#define HEAD      1
#define WAITING   2
#define SLOT      3 /* and 4 */
#define SLOTS     2
#define ITEMS     4
#include "tso.promela"

#define PRODUCER 0
#define CONSUMER 1

bool wake; /* the wake-up on its way: a system call or an interrupt, not memory */

proctype producer()
{
    byte tail = 0;
    do
    :: tail == ITEMS -> break
    :: else ->
        (tail - LOAD(PRODUCER, HEAD) < SLOTS); /* full: try again */
#ifdef TAIL_BEFORE_SLOT
        store(PRODUCER, TAIL, tail + 1);
        store(PRODUCER, SLOT + tail % SLOTS, tail + 1);
#else
        store(PRODUCER, SLOT + tail % SLOTS, tail + 1);
        store(PRODUCER, TAIL, tail + 1);
#endif
        tail++;
#ifndef NO_PRODUCER_FENCE
        fence(PRODUCER);
#endif
        if
        :: LOAD(PRODUCER, WAITING) == 1 -> wake = true
        :: else
        fi
    od
}

proctype consumer()
{
    byte head = 0;
    byte item;
    do
    :: head == ITEMS -> break
    :: head < ITEMS && LOAD(CONSUMER, TAIL) != head ->
#ifdef HEAD_BEFORE_SLOT
        store(CONSUMER, HEAD, head + 1);
        item = LOAD(CONSUMER, SLOT + head % SLOTS);
#else
        item = LOAD(CONSUMER, SLOT + head % SLOTS);
        store(CONSUMER, HEAD, head + 1);
#endif
        assert(item == head + 1);
        head++;
    :: head < ITEMS && LOAD(CONSUMER, TAIL) == head ->
        store(CONSUMER, WAITING, 1);
#ifndef NO_CONSUMER_FENCE
        fence(CONSUMER);
#endif
#ifndef NO_SECOND_LOOK
        if
        :: LOAD(CONSUMER, TAIL) != head
        :: LOAD(CONSUMER, TAIL) == head -> wake; wake = false
        fi;
#else
        wake; wake = false;
#endif
        store(CONSUMER, WAITING, 0);
    od
}

init {
    atomic {
        run drain(PRODUCER);
        run drain(CONSUMER);
        run producer();
        run consumer();
    }
}
