/* job.c - see job.h. */
#include "userland/programs/agent/job.h"

#include <stdlib.h>

#include "userland/libkwe/common/calls.h"
#include "userland/programs/agent/report.h"

static bool fetch(const struct job *job, uint64_t offset, void *to, size_t bytes)
{
    int64_t got = bytes == 0 ? 0 : kwe_call_boot_file(KWE_JOB_FILE, job->at + offset, to, bytes);

    if (got < 0 || (uint64_t)got != bytes) {
        report_error(got < 0 ? (enum kerr) - got : KERR_BAD_CALL, KWE_NO_STAGE,
                     "the job is cut off: %zu bytes from %llu on are not all there", bytes,
                     (unsigned long long)offset);
        return false;
    }
    return true;
}

/* What is wrong with the header, in words; NULL: nothing. */
static const char *find_fault(const struct kwe_job *header)
{
    if (header->magic != KWE_JOB_MAGIC) {
        return "its magic is another";
    }
    if (header->version != KWE_JOB_VERSION || header->header_bytes != sizeof(*header)) {
        return "it is of another version";
    }
    if ((header->flags & ~(KWE_JOB_SYNC_AT_END | KWE_JOB_STANDING)) != 0 || header->reserved != 0) {
        return "it asks for what this agent does not know";
    }
    if (header->workflow_bytes < sizeof(struct kwe_workflow) ||
        header->workflow_bytes > KWE_MAX_BLOB_BYTES) {
        return "its workflow has an impossible size";
    }
    if (header->ring_slots < 8 || header->ring_slots > 4096 ||
        (header->ring_slots & (header->ring_slots - 1)) != 0 || header->batch == 0 ||
        header->batch > header->ring_slots) {
        return "its ring or batch has an impossible size";
    }
    if (header->row_bytes > KWE_MAX_BLOCK_BYTES) {
        return "its rows are too long";
    }
    if (header->total_bytes < sizeof(*header) || header->total_bytes % 8 != 0) {
        return "its length is impossible";
    }
    return NULL;
}

/* The one that begins at job->at. */
static bool load(struct job *job)
{
    if (!fetch(job, 0, &job->header, sizeof(job->header))) {
        return false;
    }
    const char *fault = find_fault(&job->header);
    if (fault != NULL) {
        report_error(KERR_BAD_WORKFLOW, KWE_NO_STAGE, "the job is malformed: %s", fault);
        return false;
    }
    job->workflow = malloc(job->header.workflow_bytes);
    if (job->workflow == NULL) {
        report_error(KERR_NO_MEMORY, KWE_NO_STAGE, "no memory for a workflow of %u bytes",
                     job->header.workflow_bytes);
        return false;
    }
    if (!fetch(job, job->header.workflow_offset, job->workflow, job->header.workflow_bytes)) {
        return false;
    }
    const struct kwe_workflow *workflow = job->workflow;
    job->stage_count = workflow->stage_count;
    if (workflow->block_bytes != job->header.row_bytes) {
        report_error(KERR_BAD_WORKFLOW, KWE_NO_STAGE,
                     "the job's rows are %u bytes, its workflow's blocks %u", job->header.row_bytes,
                     workflow->block_bytes);
        return false;
    }
    return true;
}

uint32_t jobs_load(struct job jobs[KWE_MAX_JOBS])
{
    const int64_t bytes = kwe_call_boot_file(KWE_JOB_FILE, 0, NULL, 0);
    uint64_t at = 0;
    uint32_t count = 0;
    bool may_be_several = true;

    if (bytes <= 0) {
        report_error(KERR_NO_SUCH_FILE, KWE_NO_STAGE,
                     "there is no job: the machine has no opt/kwe/%s", KWE_JOB_FILE);
        return 0;
    }
    while (at < (uint64_t)bytes && count < KWE_MAX_JOBS) {
        struct job *job = &jobs[count++];
        *job = (struct job){ .at = at };
        if (!load(job)) {
            return 0;
        }
        may_be_several = may_be_several && ((job->header.flags & KWE_JOB_STANDING) != 0 ||
                                            job->header.row_count == 0);
        at += job->header.total_bytes;
    }
    if (at != (uint64_t)bytes || (count > 1 && !may_be_several)) {
        report_error(
            KERR_BAD_WORKFLOW, KWE_NO_STAGE,
            "the jobs are malformed: too many, cut off, or one of several has events that end");
        return 0;
    }
    return count;
}

bool job_rows(const struct job *job, uint32_t first, uint32_t count, void *rows)
{
    return fetch(job, job->header.rows_offset + (uint64_t)first * job->header.row_bytes, rows,
                 (size_t)count * job->header.row_bytes);
}
