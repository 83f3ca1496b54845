/*
 * work.h - what the nucleus and a deck instance say to each other: the WorkRing's and DoneRing's slots, and who the instance is.
 *
 * A work slot names one stage of one event. Its parameters and inputs lie in the work frame that the ticket's index names; frame and
 * inputs stay as they are until the instance has answered. The nucleus writes frames and work slots, the instance writes completions.
 * Work may come `after` another slot of the same vector: it begins when that one was answered OK, else its own answer is CANCELLED.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KWE_MAX_INPUTS      8u
#define KWE_MAX_VALUES      4u
#define KWE_MAX_PARAM_BYTES 384u
#define KWE_MAX_DEPTH       128u /* work in one instance's hands, at most */
#define KWE_OP_NOP          0u   /* every deck has it: answers OK, output and values empty */

/* Nobody waits for the answer to this ticket any more: give it as soon as that can be. The slot itself is not answered. */
#define KWE_OP_RECALL 0xfffeu

#define KWE_TICKET_INDEX(ticket) ((ticket) & 0xffu)
#define KWE_TICKET_INDICES       256u

/* WorkRing slot. */
struct kwe_work {
    /* index of the frame in the low 8 bits, generation above; comes back in the completion */
    uint32_t ticket;
    uint16_t op;
    uint16_t stage;
    uint32_t workflow;
    uint8_t input_count;
    uint8_t
        after; /* 1 + the ticket's index of an earlier slot that has to be answered OK first; 0: none */
    uint16_t params_bytes;
    uint64_t arena_base;      /* where the arena lies: offsets below count from here */
    uint64_t out_offset;      /* the output's place in the instance's own segment */
    uint32_t out_capacity;    /* 0: the stage has no output */
    uint32_t manifest_offset; /* struct kwe_manifest_entry[], read-only to all */
    uint32_t manifest_count;
    uint32_t attempt;     /* 0 */
    uint64_t deadline_ns; /* 0: none */
    uint64_t event;       /* for logs */
};
_Static_assert(sizeof(struct kwe_work) == 64, "a work slot is one cache line");

/* A buffer's length, in a frame of work that comes `after` another: what that one's output turns out to be. */
#define KWE_LENGTH_OF_BEFORE 0xffffffffu

struct kwe_buffer {
    uint64_t offset; /* in the arena */
    uint32_t length;
    uint32_t segment; /* whose */
};
_Static_assert(sizeof(struct kwe_buffer) == 16, "ABI");

struct kwe_work_frame {
    struct kwe_buffer input[KWE_MAX_INPUTS];
    uint8_t params[KWE_MAX_PARAM_BYTES];
};
_Static_assert(sizeof(struct kwe_work_frame) == 512, "frames are indexed by ticket");

#define KWE_ANSWERED_UNIT_NS 16u

/* A completion's status that is no answer yet: what this trigger is about can come now. Once for a ticket, before its answer. */
#define KWE_STATUS_ARMED 0xffffu

/* DoneRing slot: one stage's answer. */
struct kwe_completion {
    uint32_t ticket;
    uint16_t
        status; /* enum kerr (NEED_ROOM: value 0 says for how many bytes), or KWE_STATUS_ARMED */
    uint16_t reserved;   /* 0 */
    uint32_t out_length; /* bytes written to the output, at most out_capacity */
    /* bytes copied inside the deck, by kind: from a cache or bounce buffer, ... */
    uint32_t copied_cache;
    uint32_t copied_device; /* ... to and from a device's own window */
    uint32_t answered;   /* when: kernel_now() / KWE_ANSWERED_UNIT_NS, the low bits; 0: not said */
    uint64_t elapsed_ns; /* from begun to answered, as the deck saw it */
    uint64_t value[KWE_MAX_VALUES];
};
_Static_assert(sizeof(struct kwe_completion) == 64, "a completion is one cache line");

#define KWE_MAX_DECK_DEVICES 4u
#define KWE_MAX_OBSERVED     8u
#define KWE_MAX_BARS         6u

struct kwe_device_info {
    uint16_t vendor, device;
    uint8_t present;
    /* MSI-X entry i sets bit first + i of deck_next()'s second result */
    uint8_t first_interrupt_bit;
    uint8_t interrupt_count;
    uint8_t reserved;
    uint32_t reserved2;
    uint32_t pci_address; /* bus << 8 | slot << 3 | function */
    /* where it is mapped here; 0: not mapped (absent, or holds an MSI-X table) */
    uint64_t bar_address[KWE_MAX_BARS];
    uint64_t bar_bytes[KWE_MAX_BARS];
    /* PCI configuration space as it was at boot; only the nucleus can touch the real one */
    uint8_t config[256];
};

/* Filled by deck_info(). */
struct kwe_deck_info {
    uint64_t work_ring; /* struct ring, kwe_work slots, consumer: the instance */
    uint64_t done_ring; /* struct ring, kwe_completion slots, producer: the instance */
    uint64_t frames;    /* struct kwe_work_frame[depth], read-only */
    /*
     * the first struct ring, kwe_result slots, consumer: the instance; what was published, without offset and value (0). Address 0: the deck
     * does not observe
     */
    uint64_t observed_ring;
    uint64_t observed_stride; /* bytes from one to the next */
    uint32_t observed_rings;  /* one for each program, KWE_MAX_OBSERVED at most */
    uint32_t observed_slots;  /* of each */
    uint32_t ring_slots;      /* of WorkRing and DoneRing */
    uint32_t depth;
    uint32_t prefix;
    uint32_t ordinal;    /* 0.. among the deck's instances */
    uint32_t generation; /* how often it was started, from 1 */
    uint32_t device_count;
    uint64_t iommu; /* 1: device addresses are confined and equal the deck's own addresses */
    /* in deck.yaml order; absent ones have present == 0 */
    struct kwe_device_info device[KWE_MAX_DECK_DEVICES];
};
