/*
 * trace.h - what happened when: the records of trace_read(). Kept since boot when the kernel's command line says "trace".
 */
#pragma once

#include <stdint.h>

enum kwe_trace_kind {
    KWE_TRACE_ADMITTED = 1, /* an event has its slot; value: its cookie */
    KWE_TRACE_READY = 2,    /* a stage could run */
    KWE_TRACE_HANDED = 3,   /* a stage went to an instance */
    /* a stage's answer was taken; value: when the deck gave it (kernel_now(); 0: it does not say), elapsed_ns: how long it took */
    KWE_TRACE_ANSWERED = 4,
    KWE_TRACE_ENDED = 5, /* an event has its verdict */
    KWE_TRACE_VISIT = 6, /* an instance has come for work; value: it got so much */
    /* from here on this CPU runs an instance or, deck KWE_NO_DECK, a program; value: its index */
    KWE_TRACE_RUN = 7,
    KWE_TRACE_IDLE = 8,      /* from here on it has nothing to do */
    KWE_TRACE_INTERRUPT = 9, /* a device's, for an instance; value: its bit */
    KWE_TRACE_DEATH = 10,    /* of an instance */
    KWE_TRACE_BACK = 11,     /* an instance has done with what it came for: the end of its visit */
    KWE_TRACE_FORSAKEN = 12, /* a stage's instance has died with it */
    KWE_TRACE_GAP = 13,      /* here some are missing; value: how many */
};

struct kwe_trace_record {
    uint64_t time_ns; /* kernel_now() */
    uint64_t value;
    uint64_t event;      /* its number; 0: none */
    uint32_t workflow;   /* id */
    uint32_t elapsed_ns; /* at most UINT32_MAX */
    uint16_t stage;      /* KWE_NO_STAGE: none */
    uint16_t status;     /* enum kerr */
    uint8_t kind;        /* enum kwe_trace_kind */
    uint8_t cpu;
    uint8_t deck;     /* prefix */
    uint8_t instance; /* ordinal in its deck */
};
_Static_assert(sizeof(struct kwe_trace_record) == 40, "wire");

/* What trace_read() writes first. */
struct kwe_trace_head {
    uint32_t count;     /* records that follow */
    uint32_t record_ns; /* what keeping one costs, measured at boot */
    uint64_t kept;      /* records so far, without those that are lost */
    uint64_t lost;      /* for want of room: nobody read */
    uint64_t read_ns;   /* what reading has cost so far */
    uint32_t room;      /* for so many records */
    uint32_t waiting;   /* so many are kept and not read yet */
};
_Static_assert(sizeof(struct kwe_trace_head) == 40, "wire");
