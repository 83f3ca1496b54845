/* report.h - frames of kernel/abi/control.h to the host. All of them are sent whole or, when the call fails, end the program. */
#pragma once

#include "kernel/abi/control.h"
#include "userland/libkwe/program/kwe.h"

void report_hello(uint32_t row_count);
/* What follows is about this job; at first it is about job 0. */
void report_job(uint32_t index);
void report_plan(const struct kwe_workflow_info *info);
void report_registered(const struct kwe_workflow_info *info);
void report_progress(const struct kwe_control_progress *progress);
/* Results are gathered; flushed when a frame is full, and by report_flush(). `output`: the result's buffer, NULL: none. */
void report_result(uint32_t row, const struct kwe_result *result, const void *output);
void report_flush(void);
/* Counts and times of the workflow, by stage. */
void report_stages(const struct kwe_workflow_info *info, uint32_t stage_count);
void report_statistics(void);
/* What the kernel has kept of what happened when, if it keeps that. */
void report_trace(void);
/* The same while the run goes on, when there is a lot: the channel is slow. Returns the time that it took. */
uint64_t report_trace_in_time(void);
void report_done(const struct kwe_control_done *done);
/* What went wrong, in words; `stage` of the workflow or KWE_NO_STAGE. */
void report_error(enum kerr status, uint16_t stage, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
