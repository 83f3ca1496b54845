/*
 * agent.c - runs the jobs that `kwe run` compiled, one as a rule, and tells the host about them in frames.
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

static bool register_all(struct job *jobs, struct kwe_workflow_info *info, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        report_job(i);
        if (!register_workflow(&jobs[i], &info[i])) {
            return false;
        }
    }
    return true;
}

/* Together: how many events, and what is asked for in the end. */
static void add_up(const struct job *jobs, uint32_t count, uint32_t *rows, uint32_t *flags)
{
    *rows = 0;
    *flags = 0;
    for (uint32_t i = 0; i < count; i++) {
        *rows += jobs[i].header.row_count;
        *flags |= jobs[i].header.flags;
    }
}

int main(void)
{
    static struct job jobs[KWE_MAX_JOBS];
    static struct kwe_workflow_info info[KWE_MAX_JOBS];
    struct kwe_control_done done = { .status = KERR_OK, .sync_status = KERR_OK };
    const uint32_t count = jobs_load(jobs);
    uint32_t rows, flags;

    if (count == 0) {
        return 1;
    }
    add_up(jobs, count, &rows, &flags);
    report_hello(rows);
    if (!register_all(jobs, info, count)) {
        report_statistics();
        return 1;
    }
    done.started_ns = kwe_now_ns();
    bool ran = run_jobs(jobs, info, count, &done.trace_ns);
    if (ran && (flags & KWE_JOB_SYNC_AT_END) != 0) {
        done.sync_status = run_sync();
    }
    done.finished_ns = kwe_now_ns();
    report_trace();
    for (uint32_t i = 0; i < count; i++) {
        report_job(i);
        report_stages(&info[i], jobs[i].stage_count);
    }
    report_statistics();
    if (!ran) {
        return 1;
    }
    report_done(&done);
    return 0;
}
