/* run.h - submits jobs' events and takes their results. */
#pragma once

#include "userland/libkwe/program/kwe.h"
#include "userland/programs/agent/job.h"

/* All events of all jobs to their results; the time that went into telling the trace. False: told to the host. */
bool run_jobs(const struct job *jobs, const struct kwe_workflow_info *info, uint32_t count,
              uint64_t *trace_ns);
/* One event of storage.sync. What it answered. */
enum kerr run_sync(void);
