/*
 * deck.h - what a deck is written against: typed calls in, one answer each out, fibres for code that waits.
 *
 * A deck is NAME_deck.c (deck_start and friends, ops as functions) over NAME_core.c (pure logic). main(), the rings, the dispatch of ops
 * (generated) and op 0 (nop) are the library's. Single-threaded: nothing here needs a lock against another thread; fibres switch only
 * inside fibre_*() functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/abi/errors.h"
#include "kernel/abi/event.h"
#include "kernel/abi/work.h"
#include "kernel/abi/workflow.h"

/* One input. May change under the reader's hands only when `writable_by_program`: then read a header once, into own memory. */
struct deck_bytes {
    const uint8_t *data;
    size_t length;
    bool writable_by_program;
};

/* The output: write at most `capacity` bytes at `data`, then set `length`. */
struct deck_room {
    uint8_t *data;
    size_t capacity;
    size_t length;
};

/* One stage's work in this instance's hands, from taken to answered. Owned by the library. */
struct deck_request;

/* ---- what the deck provides ------------------------------------------------------------------------------------ */

/* Once, before any work. Find devices, mount. Ops are refused with the code returned here until the instance dies (OK: ready). */
enum kerr deck_start(const struct kwe_deck_info *info);
/* Interrupt bits that came in; runs on the main loop, not on a fibre. */
void deck_interrupt(uint64_t bits);
/*
 * Nothing is left to do just now: write back, look after devices. Returns when to be called again at the latest (kernel_now() time,
 * UINT64_MAX: only on work or interrupts; 0: again at once, there is more to do). May start fibres.
 */
uint64_t deck_idle(void);

/*
 * Results were published (the deck whose deck.yaml says `observes` gets them; others need not define it). Runs on the main loop, must
 * not wait; there is no answer to it.
 */
void deck_observe(const struct kwe_result *results, uint32_t count);
/*
 * The `back`th newest of the results that were observed, 0 being the newest; of each program half a ring of them is kept. NULL: there is none, or no
 * memory.
 */
const struct kwe_result *deck_observed(uint32_t back);

/* Generated per deck (NAME_dispatch.c): run the operation. On a fibre when the op says `runs: fibre`, else on the main loop. */
enum kerr deck_dispatch(struct deck_request *request, uint16_t op);
/* Generated: true when the op runs on a fibre. */
bool deck_op_uses_fibre(uint16_t op);

/* ---- what an operation may ask of its request --------------------------------------------------------------------- */

const void *deck_params(const struct deck_request *request);
struct deck_bytes deck_input(const struct deck_request *request, unsigned index);
struct deck_room deck_output(const struct deck_request *request);
uint64_t deck_deadline_ns(const struct deck_request *request);
/* Whose work it is: an id that is not given to another workflow while this one may come back. */
uint32_t deck_workflow(const struct deck_request *request);
/*
 * How much was written. An output that does not fit its room is OUTPUT_TOO_LARGE, whatever the operation; with the length that it takes, where
 * that is known before anything was done, the kernel is asked for so much room: the event may begin again.
 */
void deck_set_output_length(struct deck_request *request, size_t length);
void deck_set_value(struct deck_request *request, unsigned index, uint64_t value);
/* A value of type f64 is its 64 bits. */
static inline uint64_t deck_f64_bits(double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof(bits));
    return bits;
}
/* Does the workflow's manifest let it touch this path (rights: KWE_MANIFEST_READ / WRITE)? */
bool deck_path_allowed(const struct deck_request *request, const char *path, size_t length,
                       uint32_t rights);
/* ... receive at this port (KWE_MANIFEST_READ), or send to that port of another system (KWE_MANIFEST_WRITE)? */
bool deck_port_allowed(const struct deck_request *request, uint32_t port, uint32_t rights);
/* Bytes copied inside the deck for this request, by kind. */
void deck_count_copied_cache(struct deck_request *request, size_t bytes);
void deck_count_copied_device(struct deck_request *request, size_t bytes);

/* ---- services ------------------------------------------------------------------------------------------------------ */

uint64_t deck_now_ns(void);
/* The same as of this turn's last answer, or of its beginning: for what is counted in milliseconds, and asked often. */
uint64_t deck_recent_ns(void);
/* A long operation is still getting on: resets the time budget. */
void deck_progress(void);
/* Give up: never returns. Restart is the error path, being half alive is not. */
_Noreturn void deck_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void deck_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Zeroed pages that the deck's devices may read and write at the same address; NULL: no memory. */
void *deck_dma_alloc(size_t bytes);

/* ---- fibres: code that waits, on guarded stacks of their own ---------------------------------------------------------- */

/* Something to wait for. Zero-initialised is ready for use. A signal without a waiter is remembered. */
struct fibre_event {
    struct fibre *waiter;
    bool signalled;
};
/* Wait until signalled (takes the signal). False: `deadline_ns` (deck_now_ns() time, UINT64_MAX: none) passed first. On a fibre only. */
bool fibre_wait(struct fibre_event *event, uint64_t deadline_ns);
/* Any context of this instance; the waiter runs when the main loop comes to it. */
void fibre_signal(struct fibre_event *event);

/*
 * Wait for an operation's sake, and no longer than somebody wants its answer. KERR_OK: signalled.  KERR_TIMED_OUT: `deadline_ns`, or the
 * request's own, passed.  KERR_CANCELLED: recalled; a signal may still come, for which the caller answers as for one after the deadline.
 */
enum kerr deck_wait(struct deck_request *request, struct fibre_event *event, uint64_t deadline_ns);
/*
 * A trigger's operation says that what it is about can come from now on: it listens, and is about to wait. Until then the event that stands
 * does not count as armed. Said again it does nothing.
 */
void deck_armed(struct deck_request *request);
/* Does nobody want the answer any more? For operations that compute long: give up then, with KERR_CANCELLED. */
bool deck_recalled(const struct deck_request *request);

/* A lock between fibres, fair. Zero-initialised is free. */
struct fibre_mutex {
    struct fibre *owner;
    struct fibre *first, *last; /* waiting, in order */
};
void fibre_lock(struct fibre_mutex *mutex);
void fibre_unlock(struct fibre_mutex *mutex);

/* Start one that is no request's (write-back, say). False: none free. */
bool fibre_start(void (*run)(void *argument), void *argument);
/* Is the caller on a fibre? */
bool fibre_running(void);
