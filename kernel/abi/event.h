/*
 * event.h - what a program and the nucleus say to each other through the EventRing and the ResultRing.
 * Everything here is one cache line; nothing in it is a pointer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KWE_NO_STAGE 0xffffu

/* flags of kernel_notify */
#define KWE_NOTIFY_SUBMIT 1u
#define KWE_NOTIFY_WAIT   2u

/* flags of ring_create */
#define KWE_RING_POLLED 1u /* no call is needed while the EventRing's `waiting` word is 0 */

/* flags of an event */
#define KWE_EVENT_ROUTE                                                                            \
    1u /* `workflow` is an arena (arena_create()), the block the event's own graph */
/*
 * It starts again whenever it is over, without a result, until it is cancelled: a stage of it waits for what it is about (a request, a time).
 * Its one result then says CANCELLED, or DECK_DOWN when the deck that it waits in has been given up. deadline_ns must be 0; the workflow's
 * own limit of time counts from when that stage is done.
 */
#define KWE_EVENT_STANDING 2u

/* One run of a workflow. Written by the program, copied once by intake. */
struct kwe_event {
    uint64_t cookie;       /* comes back in the result; free for the program's use */
    uint32_t workflow;     /* id from workflow_register() or arena_create() */
    uint32_t flags;        /* KWE_EVENT_* */
    uint32_t block_offset; /* the event's variables: bytes in the arena's program segment */
    uint32_t block_length; /* must be the workflow's block_bytes; an own graph: its total_bytes */
    uint64_t input_offset; /* the event's buffer, in the program segment; length 0: none */
    uint64_t input_length;
    uint64_t deadline_ns; /* kernel_now() time, 0: none */
    uint64_t reserved[2]; /* 0 */
};
_Static_assert(sizeof(struct kwe_event) == 64, "an event is one cache line");
_Static_assert(offsetof(struct kwe_event, input_offset) == 24, "ABI");

/* The one answer to an event. Written by the nucleus; its buffer stays valid until the program moves the ring's head past it. */
struct kwe_result {
    uint64_t cookie;
    uint32_t workflow;
    uint16_t status; /* enum kerr */
    uint16_t stage;  /* the stage that decided it; KWE_NO_STAGE: none in particular */
    uint8_t deck;    /* that stage's prefix; 0 when done */
    uint8_t step;    /* stages that had ended or were skipped when the verdict fell */
    uint16_t reserved;
    uint32_t length; /* result buffer's bytes; 0: none */
    uint64_t offset; /* result buffer, in the arena: the output of the workflow's result stage */
    uint64_t value;  /* that stage's value 0 */
    uint64_t submitted_ns; /* kernel_now() at intake */
    uint64_t finished_ns;  /* kernel_now() at the verdict */
    uint64_t spare;        /* 0 */
};
_Static_assert(sizeof(struct kwe_result) == 64, "a result is one cache line");
_Static_assert(offsetof(struct kwe_result, offset) == 24, "ABI");

/* Filled by ring_create(). */
struct kwe_ring_info {
    uint64_t event_ring; /* address of a struct ring with kwe_event slots, producer: the program */
    /* address of a struct ring with kwe_result slots, consumer: the program */
    uint64_t result_ring;
    uint32_t slots;
    uint32_t ring; /* the id again */
};
