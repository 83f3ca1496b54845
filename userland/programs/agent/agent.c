/*
 * agent.c - runs the job that `kwe run` compiled, and tells the host about it in frames.
 *
 * An ordinary program over libkwe: it has no rights that another one has not. Ends with 0 when every event got its result, whatever that
 * was: what a failed event means is the host's to decide.
 */
#include "userland/programs/agent/job.h"
#include "userland/programs/agent/report.h"
#include "userland/programs/agent/run.h"

static bool register_workflow(const struct job *job, struct kwe_workflow_info *info)
{
    int answer = kwe_register_blob(job->workflow, job->header.workflow_bytes, info);

    if (answer < 0) {
        enum kerr error = (enum kerr) - answer;
        report_error(error, info->stage, "the kernel refuses the workflow: %s (byte %u)",
                     kerr_sentence(error), info->detail);
        return false;
    }
    report_registered(info);
    report_plan(info);
    return true;
}

int main(void)
{
    struct job job = { .workflow = NULL };
    struct kwe_workflow_info info;
    struct kwe_control_done done = { .status = KERR_OK, .sync_status = KERR_OK };

    if (!job_load(&job)) {
        return 1;
    }
    report_hello(job.header.row_count);
    if (!register_workflow(&job, &info)) {
        report_statistics();
        return 1;
    }
    done.started_ns = kwe_now_ns();
    bool ran = run_events(&job, &info, &done.trace_ns);
    if (ran && (job.header.flags & KWE_JOB_SYNC_AT_END) != 0) {
        done.sync_status = run_sync();
    }
    done.finished_ns = kwe_now_ns();
    report_trace();
    report_stages(&info, job.stage_count);
    report_statistics();
    if (!ran) {
        return 1;
    }
    report_done(&done);
    return 0;
}
