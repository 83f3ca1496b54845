/* job.h - the job as the agent holds it: header and workflow in memory, rows fetched when they are needed. */
#pragma once

#include <stdbool.h>

#include "kernel/abi/job.h"
#include "kernel/abi/workflow.h"

struct job {
    uint64_t at; /* in the file */
    struct kwe_job header;
    void *workflow; /* header.workflow_bytes, malloc */
    uint16_t stage_count;
};

/* Fetch and check all of them; returns how many. 0: told to the host, the program may end. */
uint32_t jobs_load(struct job jobs[KWE_MAX_JOBS]);
/* Rows [first, first + count) into `rows`. False: told to the host. */
bool job_rows(const struct job *job, uint32_t first, uint32_t count, void *rows);
