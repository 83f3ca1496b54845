/* run.h - submits a job's events and takes their results. */
#pragma once

#include "userland/libkwe/program/kwe.h"
#include "userland/programs/agent/job.h"

/* All events to their results; the time that went into telling the trace. False: told to the host. */
bool run_events(const struct job *job, const struct kwe_workflow_info *info, uint64_t *trace_ns);
/* One event of storage.sync. What it answered. */
enum kerr run_sync(void);
