/*
 * hardware_core.h - the requests that the accelerator has in hand, and what becomes of each; pure logic.
 *
 *   FREE --take--> POSTED --answered--> ANSWERED --release--> FREE
 *                    |  \--all lost--> LOST ------release--> FREE
 *                    \--abandon (the event's deadline)--> ABANDONED --answered, or all lost--> FREE
 *
 * The window's regions of POSTED and ABANDONED jobs belong to the worker, which may still write there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/ivshmem/ivshmem_window.h"
#include "kernel/abi/accel.h"
#include "kernel/abi/errors.h"

#define HARDWARE_MAX_JOBS 32u

/* How long the worker may answer nothing while it has work: a fixed part for a busy host, and a part by the bytes in its hands. */
#define HARDWARE_PATIENCE_NS          3000000000ull
#define HARDWARE_PATIENCE_NS_PER_BYTE 100u

enum job_state {
    JOB_FREE,
    JOB_POSTED,
    JOB_ANSWERED,
    JOB_LOST,
    JOB_ABANDONED,
};

/* Where one request's parts lie in the window. */
struct job_layout {
    uint64_t bytes; /* of the whole region; the rest counts from its start */
    uint64_t in_at;
    uint64_t out_at;
};

struct job {
    enum job_state state;
    uint32_t id; /* index in the low 8 bits, a generation above: an old answer names nobody */
    uint64_t region;
    uint64_t bytes;                     /* of input and output */
    struct kwe_accel_response response; /* ANSWERED */
    enum kerr why;                      /* LOST */
};

struct job_table {
    uint32_t generation;
    struct job job[HARDWARE_MAX_JOBS];
};

/* Do the picture's size and its bytes agree? */
enum kerr hardware_check_picture(uint32_t width, uint32_t height, uint64_t in_bytes);

/* The first multiple of the period after `now_ns`. */
uint64_t hardware_next_tick(uint64_t now_ns, uint64_t period_ns);

/* A region for a parameter struct, an input and an output. */
struct job_layout hardware_layout(uint64_t in_bytes, uint64_t out_bytes);

/* A free entry, now POSTED; NULL: none. */
struct job *job_take(struct job_table *table, uint64_t region, uint64_t bytes);
/* An answer came. Returns the job, now ANSWERED; NULL when no one waits for it: its region, if it had one, is given back. */
struct job *job_answer(struct job_table *table, struct window *window,
                       const struct kwe_accel_response *response);
/* Its event's deadline passed: nobody waits any more. */
void job_abandon(struct job *job);
/* Done with an ANSWERED or LOST job. The region of an answered one is given back. */
void job_release(struct window *window, struct job *job);
/* The session ends: everything waited for is LOST, answered or not, and regions stay as they are until there is a new one. */
void job_lose_all(struct job_table *table, enum kerr why);
/* How many may still be answered. */
uint32_t job_in_flight(const struct job_table *table);
/* How long to wait for the next answer, of whichever: the worker takes requests in order, so a long line only has to move. */
uint64_t job_patience_ns(const struct job_table *table);

/* What an answer means. `room`: the most that the output may have; OUTPUT_TOO_LARGE: the response says how much it would have been. */
enum kerr hardware_verdict(const struct job *job, uint64_t room);
