/*
 * halt.pml - how a CPU halts and how another one wakes it: idle() and cpu_kick() in kernel/nucleus/sched/sched.c.
 *
 *   IDLER   lock held: `wanted` = 0, release; halted = 1 (sequentially consistent), look at `wanted`, HLT until an interrupt; halted = 0; acquire
 *   KICKER  lock held: work is queued; unless wanted already: wanted = 1 (sequentially consistent), look at `halted`, interrupt if it is set
 *
 * Holds: no work lies queued while the CPU is halted and no interrupt is on its way.
 *
 * breaks: NO_FENCE_BY_IDLER NO_FENCE_BY_KICKER NO_LOOK_BEFORE_HALT WANTED_AFTER_RELEASE
 */
#define CPUS      2
#define VARIABLES 4
#define LOCK      0
#define WANTED    1
#define HALTED    2
#define QUEUE     3
#define JOBS      2
#include "tso.promela"

#define IDLER  0
#define KICKER 1

bool interrupt; /* pending at the idler: it stays so until the CPU takes it */

proctype idler()
{
    byte done = 0;
    byte found;
    acquire(IDLER, LOCK);
    do
    :: found = LOAD(IDLER, QUEUE);
        if
        :: found > 0 ->
            store(IDLER, QUEUE, 0);
            done = done + found;
            if
            :: done == JOBS -> break
            :: else
            fi
        :: else ->
#ifdef WANTED_AFTER_RELEASE
            store(IDLER, LOCK, 0);
            store(IDLER, WANTED, 0);
#else
            store(IDLER, WANTED, 0);
            store(IDLER, LOCK, 0);
#endif
            store(IDLER, HALTED, 1);
#ifndef NO_FENCE_BY_IDLER
            fence(IDLER);
#endif
#ifndef NO_LOOK_BEFORE_HALT
            if
            :: LOAD(IDLER, WANTED) == 1
            :: LOAD(IDLER, WANTED) == 0 -> interrupt; interrupt = false
            fi;
#else
            interrupt; interrupt = false;
#endif
            store(IDLER, HALTED, 0);
            acquire(IDLER, LOCK);
        fi
    od;
    store(IDLER, LOCK, 0);
}

proctype kicker()
{
    byte jobs = 0;
    byte queued;
    do
    :: jobs == JOBS -> break
    :: else ->
        acquire(KICKER, LOCK);
        queued = LOAD(KICKER, QUEUE);
        store(KICKER, QUEUE, queued + 1);
        if
        :: LOAD(KICKER, WANTED) == 1
        :: LOAD(KICKER, WANTED) == 0 ->
            store(KICKER, WANTED, 1);
#ifndef NO_FENCE_BY_KICKER
            fence(KICKER);
#endif
            if
            :: LOAD(KICKER, HALTED) == 1 -> interrupt = true
            :: LOAD(KICKER, HALTED) == 0
            fi
        fi;
        store(KICKER, LOCK, 0);
        jobs++;
    od
}

init {
    atomic {
        memory[WANTED] = 1; /* it runs */
        run drain(IDLER);
        run drain(KICKER);
        run idler();
        run kicker();
    }
}
