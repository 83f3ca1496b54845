/*
 * linux.h - the handful of Linux-numbered calls that static C libraries make: memory, time, standard error, the end.
 *
 * No files, no network, no threads: the only way to those is an event. A number that is not known answers -ENOSYS and
 * is logged once for each caller. nucleus->lock is held.
 */
#pragma once

#include "kernel/nucleus/port.h"

struct space;

#define LINUX_LINE_MAX      240
#define LINUX_UNKNOWN_WORDS 8 /* bit mask of call numbers already complained about: 0..511 */

/* What such a call is about; part of each thread. */
struct linux_caller {
    /* set when the thread is made: */
    struct space *space;
    const char *who;              /* for log lines */
    struct port_context *context; /* for the FS base */
    int thread_id;                /* what getpid() and gettid() say */

    /* set by linux_call(): the thread has ended and must not run on */
    bool exited;
    bool aborted; /* by a signal that it sent itself: abort() */
    int exit_status;

    uint64_t fs_base; /* as set by arch_prctl() */

    /* fd 1 and 2: what has been written since the last newline */
    char line[LINUX_LINE_MAX];
    uint32_t line_length;

    uint64_t complained[LINUX_UNKNOWN_WORDS];
};

/* A result >= 0, or a negative errno. Not to be given to the thread when caller->exited is set afterwards. */
int64_t linux_call(struct linux_caller *caller, uint64_t number, const uint64_t arguments[6]);
/* nanosleep() is no call of linux_call(): its thread waits. This is its argument, read; 0, or a negative errno. */
#define LINUX_NANOSLEEP 35
#define LINUX_EINTR     (-4) /* its answer when an upcall comes in between */
int64_t linux_read_duration(const struct linux_caller *caller, uint64_t address, uint64_t *ns);
/* Log what is left of an unfinished line (the thread ends). */
void linux_flush(struct linux_caller *caller);
