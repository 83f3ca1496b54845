/*
 * job.h - a compiled workflow with its events, as `kwe run` hands it to the agent: the fw_cfg file opt/kwe/job.
 *
 * One blob, little endian, no pointers, every part 8-byte aligned:
 *
 *   struct kwe_job                                     at 0
 *   the workflow  (kernel/abi/workflow.h)              at workflow_offset
 *   one row per event, row_bytes each                  at rows_offset
 *
 * Another job may follow, at total_bytes, and so on to the end of the file: the workflows of all of them run side by side. When there are
 * several, all of them stand. total_bytes is a multiple of 8.
 *
 * A row is the event's block: row_bytes is the workflow's block_bytes. Event i is row i, and its cookie is i. The file
 * may be larger than one likes to hold at once: rows can be fetched piecewise (boot_file).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KWE_JOB_FILE    "job"       /* opt/kwe/job */
#define KWE_JOB_MAGIC   0x304a574bu /* "KWJ0" */
#define KWE_JOB_VERSION 1u
#define KWE_MAX_JOBS    8u

/* flags */
/* when all events have ended: one event of storage.sync, before DONE */
#define KWE_JOB_SYNC_AT_END 1u
/* the events stand (KWE_EVENT_STANDING) until the host says STOP: rows may be empty, row_count says how many there are */
#define KWE_JOB_STANDING 2u

struct kwe_job {
    uint32_t magic;
    uint16_t version;
    uint16_t header_bytes; /* sizeof(struct kwe_job) */
    uint32_t flags;        /* KWE_JOB_*; others are refused */
    uint32_t workflow_bytes;
    uint64_t workflow_offset;
    uint64_t rows_offset;
    uint64_t total_bytes; /* of this job */
    uint32_t row_count;   /* 0: nothing to run, still a DONE */
    uint32_t row_bytes;
    uint32_t ring_slots;  /* of the rings to create: a power of two, 8..4096 */
    uint32_t batch;       /* events submitted by one kernel_notify at most, 1..ring_slots */
    uint32_t progress_ms; /* least time between two PROGRESS frames; 0: none until the end */
    uint32_t reserved;    /* 0 */
};
_Static_assert(sizeof(struct kwe_job) == 64, "ABI");
_Static_assert(offsetof(struct kwe_job, workflow_offset) == 16, "ABI");
_Static_assert(offsetof(struct kwe_job, rows_offset) == 24, "ABI");
_Static_assert(offsetof(struct kwe_job, total_bytes) == 32, "ABI");
_Static_assert(offsetof(struct kwe_job, row_count) == 40, "ABI");
_Static_assert(offsetof(struct kwe_job, ring_slots) == 48, "ABI");
_Static_assert(offsetof(struct kwe_job, progress_ms) == 56, "ABI");
