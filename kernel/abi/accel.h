/*
 * accel.h - what the Hardware deck and the accelerator say to each other in the shared memory of ivshmem.
 *
 * 0                      struct kwe_accel_control: who writes which line stands in it
 * KWE_ACCEL_REQUESTS     struct ring of kernel/lib/ring.h, struct kwe_accel_request slots, deck to worker
 * KWE_ACCEL_RESPONSES    the same, struct kwe_accel_response slots, worker to deck
 * KWE_ACCEL_DATA         parameters, inputs and outputs, laid out by the deck alone
 *
 * The rings are the truth; a doorbell (MSI-X one way, an eventfd the other) only says "look". Neither side believes the other:
 * each copies a slot once, checks the copy and uses the copy.
 *
 * Sessions. The deck writes a new non-zero guest_session and rings. The worker, once it holds nothing of an older session, empties both
 * rings, takes its own indices back to 0 and writes the number to worker_session; only then does the deck touch the rings. So no
 * answer and no late write of an older session can reach a newer one, whichever side died in between.
 * A worker that starts writes worker_session = 0, then epoch + 1: what an older epoch had in hand is lost.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KWE_ACCEL_MAGIC        0x4c4543434145574bull /* "KWEACCEL" */
#define KWE_ACCEL_VERSION      1u
#define KWE_ACCEL_SLOTS        64u
#define KWE_ACCEL_REQUESTS     0x1000u
#define KWE_ACCEL_RESPONSES    0x3000u
#define KWE_ACCEL_DATA         0x5000u
#define KWE_ACCEL_HEARTBEAT_NS 50000000u /* the worker writes a new heartbeat about this often */

struct kwe_accel_control {
    /* server, before any peer: */
    uint64_t magic;
    uint32_t version;
    uint32_t slots;        /* of both rings */
    uint64_t window_bytes; /* of the whole shared memory */
    uint8_t pad_server[40];

    /* worker: */
    uint32_t epoch;          /* starts of a worker, ever; 0: none yet */
    uint32_t worker_peer;    /* whom the deck's doorbell names */
    uint32_t worker_session; /* the guest_session it has answered to; 0: none */
    uint8_t pad_worker[52];

    /* worker, a line of its own: */
    uint64_t heartbeat_ns; /* the worker's clock; only that it changes means something */
    uint8_t pad_heartbeat[56];

    /* deck: */
    uint32_t guest_session;
    uint32_t guest_peer; /* whom the worker's doorbell names */
    uint8_t pad_guest[56];
};
_Static_assert(sizeof(struct kwe_accel_control) == 256, "ABI with tools/accelerator/protocol.py");
_Static_assert(offsetof(struct kwe_accel_control, epoch) == 64, "the worker's line");
_Static_assert(offsetof(struct kwe_accel_control, heartbeat_ns) == 128, "the heartbeat's line");
_Static_assert(offsetof(struct kwe_accel_control, guest_session) == 192, "the deck's line");

enum kwe_accel_op {
    KWE_ACCEL_CONVOLVE = 1,
    KWE_ACCEL_JPEG_ENCODE = 2,
};

/* Request ring slot. Offsets count from the start of the shared memory, all at or above KWE_ACCEL_DATA. */
struct kwe_accel_request {
    uint32_t id;            /* comes back in the response */
    uint32_t op;            /* enum kwe_accel_op */
    uint64_t params_offset; /* a parameter struct of the op */
    uint64_t params_bytes;
    uint64_t in_offset;
    uint64_t in_bytes;
    uint64_t out_offset;
    uint64_t out_bytes; /* room for the output */
    uint64_t reserved;
};
_Static_assert(sizeof(struct kwe_accel_request) == 64, "a ring slot");

enum kwe_accel_status {
    KWE_ACCEL_OK = 0,
    KWE_ACCEL_BAD_REQUEST = 1, /* a field is out of range, or contradicts another */
    KWE_ACCEL_UNKNOWN_OP = 2,
    KWE_ACCEL_FAILED = 3,  /* the worker could not compute it */
    KWE_ACCEL_NO_ROOM = 4, /* the output has more than out_bytes; the response says how many */
};

/* Response ring slot. */
struct kwe_accel_response {
    uint32_t id;
    uint32_t status;    /* enum kwe_accel_status */
    uint64_t out_bytes; /* written at out_offset; NO_ROOM: that would have been */
    uint64_t worker_ns; /* time it took to compute */
    uint8_t reserved[40];
};
_Static_assert(sizeof(struct kwe_accel_response) == 64, "a ring slot");

/* KWE_ACCEL_CONVOLVE: width * height * channels bytes in and out, rows without padding. */
struct kwe_accel_convolve {
    uint32_t width;
    uint32_t height;
    uint32_t channels; /* 1 or 3 */
    int32_t divisor;   /* >= 1 */
    int32_t bias;
    int32_t weights[9]; /* row by row */
};
_Static_assert(sizeof(struct kwe_accel_convolve) == 56, "ABI with tools/accelerator/protocol.py");

/* KWE_ACCEL_JPEG_ENCODE: width * height * 3 bytes of RGB in, rows without padding; a baseline JPEG out, its chroma halved both ways (4:2:0). */
struct kwe_accel_jpeg_encode {
    uint32_t width;
    uint32_t height;
    uint32_t quality; /* 1..100, as libjpeg counts it */
};
_Static_assert(sizeof(struct kwe_accel_jpeg_encode) == 12,
               "ABI with tools/accelerator/protocol.py");

/* Room for any of them. */
#define KWE_ACCEL_PARAMS_BYTES 64u
_Static_assert(sizeof(struct kwe_accel_convolve) <= KWE_ACCEL_PARAMS_BYTES, "the largest");
