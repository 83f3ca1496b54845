/*
 * control.h - the control channel: what the agent tells the host over a serial port, as frames.
 *
 *   +-------+------+-------+--------+--------+---------------------+
 *   | magic | type | flags | length | crc32c | payload, length     |   little endian, frames follow each other without gaps
 *   | 4     | 2    | 2     | 4      | 4      | bytes               |
 *   +-------+------+-------+--------+--------+---------------------+
 *
 * crc32c (Castagnoli, first and final value inverted) covers type, flags, length and the payload. A serial line can lose or make up
 * bytes: a receiver that sees a wrong magic, length or crc goes on one byte after where it thought the frame began, so that one damaged
 * frame costs at most the ones that it pretends to cover.
 *
 * The order of a run: HELLO, then REGISTERED or ERROR, then PROGRESS and RESULTS as they come, then STAGES, STATISTICS, DONE.
 * When there are several jobs, JOB says which one the frames behind it are about, until the next JOB: REGISTERED, PLAN, PROGRESS, RESULTS,
 * STAGES and ERROR. Before the first JOB it is job 0.
 * After ERROR the agent ends, non-zero; what it can still tell (STAGES, STATISTICS) may follow.
 * The host speaks to a job whose events stand, without payloads. STOP: they are cancelled, and the run comes to its end. MARK_BEGIN, MARK_END: the
 * agent executes a mark for a counting plugin (mark.S) and answers with STATISTICS, so that a bench knows what lies between the two.
 */
#pragma once

#include "kernel/abi/event.h"
#include "kernel/abi/statistics.h"
#include "kernel/abi/workflow.h"

#define KWE_CONTROL_MAGIC       0xf1e57c4bu /* first byte on the wire 'K', then no text */
#define KWE_CONTROL_VERSION     1u
#define KWE_CONTROL_MAX_PAYLOAD 65536u
#define KWE_CONTROL_MAX_OUTPUT  64u /* bytes of a result's buffer that travel with it */

enum kwe_control_type {
    KWE_CONTROL_HELLO = 1,      /* struct kwe_control_hello */
    KWE_CONTROL_REGISTERED = 2, /* struct kwe_workflow_info */
    KWE_CONTROL_PROGRESS = 3,   /* struct kwe_control_progress */
    /* struct kwe_control_result, each with its output bytes, until the payload ends */
    KWE_CONTROL_RESULTS = 4,
    KWE_CONTROL_STAGES = 5,     /* struct kwe_workflow_status, then its struct kwe_stage_status */
    KWE_CONTROL_STATISTICS = 6, /* struct kwe_statistics */
    KWE_CONTROL_DONE = 7,       /* struct kwe_control_done; the last frame */
    KWE_CONTROL_ERROR = 8,      /* struct kwe_control_error, then its text */
    KWE_CONTROL_PLAN = 9,       /* struct kwe_plan, then its struct kwe_plan_stage */
    KWE_CONTROL_TRACE = 10,     /* struct kwe_trace_head, then its struct kwe_trace_record */
    KWE_CONTROL_STOP = 11,      /* from the host, as the marks; nothing follows */
    KWE_CONTROL_JOB = 12,       /* struct kwe_control_job */
    KWE_CONTROL_MARK_BEGIN = 13,
    KWE_CONTROL_MARK_END = 14,
};

struct kwe_control_frame {
    uint32_t magic;
    uint16_t type;   /* enum kwe_control_type; unknown ones are skipped */
    uint16_t flags;  /* 0 */
    uint32_t length; /* of the payload, at most KWE_CONTROL_MAX_PAYLOAD */
    uint32_t crc32c;
};
_Static_assert(sizeof(struct kwe_control_frame) == 16, "wire");
_Static_assert(offsetof(struct kwe_control_frame, crc32c) == 12,
               "the crc covers bytes 4..11 and the payload");

struct kwe_control_hello {
    uint32_t version; /* KWE_CONTROL_VERSION */
    uint32_t row_count;
    uint64_t now_ns; /* kernel_now() */
};
_Static_assert(sizeof(struct kwe_control_hello) == 16, "wire");

struct kwe_control_job {
    uint32_t index; /* in the order of the file */
    uint32_t reserved;
};
_Static_assert(sizeof(struct kwe_control_job) == 8, "wire");

struct kwe_control_progress {
    uint64_t submitted; /* put into the EventRing */
    uint64_t completed; /* results with OK; of events that stand: runs */
    uint64_t failed;    /* other results, or runs */
    uint64_t armed;     /* of events that stand: how many wait for what they are about */
};
_Static_assert(sizeof(struct kwe_control_progress) == 32, "wire");

/* The output bytes follow, padded with zeros to a multiple of 8; the next one begins behind them. */
struct kwe_control_result {
    uint32_t row; /* the event: its row in the job */
    /* that follow, 0..KWE_CONTROL_MAX_OUTPUT: the beginning of the result's buffer */
    uint32_t output_bytes;
    struct kwe_result result;
};
_Static_assert(sizeof(struct kwe_control_result) == 72, "wire");
_Static_assert(offsetof(struct kwe_control_result, result) == 8, "wire");

struct kwe_control_done {
    uint32_t status;      /* enum kerr: OK when every event got its result, whatever that was */
    uint32_t sync_status; /* enum kerr of the closing storage.sync; OK when none was asked for */
    uint64_t started_ns;  /* kernel_now() before the first submit */
    uint64_t finished_ns; /* kernel_now() after the last result (and the sync) */
    uint64_t trace_ns;    /* between the two: spent on reading and sending the trace */
};
_Static_assert(sizeof(struct kwe_control_done) == 32, "wire");

struct kwe_control_error {
    uint16_t status;     /* enum kerr */
    uint16_t stage;      /* of the workflow; KWE_NO_STAGE */
    uint32_t text_bytes; /* UTF-8, without a NUL */
};
_Static_assert(sizeof(struct kwe_control_error) == 8, "wire");
