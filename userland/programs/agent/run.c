/*
 * run.c - see run.h. An event's block lies at a place of the program's segment that is its own until its result is there; the cookie says
 * which: row in the low half, place in the high half.
 */
#include "userland/programs/agent/run.h"

#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/kwe_storage.h"
#include "userland/programs/agent/host.h"
#include "userland/programs/agent/report.h"

#define BLOCK_ALIGN 8u
/* How often to look whether events that stand wait for something yet. */
#define COMING_UP_NS 20000000u
#define DECK_UP      1u /* kwe_deck_statistics.state */
/* At the latest; progress wants to be told even when no result comes. */
#define SYNC_TIMEOUT_NS 60000000000ull

struct run {
    const struct job *job;
    const struct kwe_workflow_info *info;
    uint32_t index; /* of the job */
    struct kwe_rings rings;
    uint8_t *blocks; /* in the program's segment, place * stride */
    uint32_t stride;
    uint32_t *free_places;
    uint32_t free_count, place_count;
    uint8_t *rows; /* of one batch */
    struct kwe_event *batch;
    uint32_t next_row;
    uint32_t results;
    struct kwe_control_progress progress;
    uint64_t next_progress_ns;
    uint64_t trace_ns;
};

static bool stands(const struct run *run)
{
    return (run->job->header.flags & KWE_JOB_STANDING) != 0;
}

/* As many places as the ring has, or as many blocks as the program's segment holds. */
static bool make_places(struct run *run)
{
    const struct kwe_job *header = &run->job->header;

    run->stride = (header->row_bytes + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    run->place_count = header->ring_slots;
    if (run->stride > 0 && run->info->program_bytes / run->stride < run->place_count) {
        run->place_count = (uint32_t)(run->info->program_bytes / run->stride);
    }
    if (run->place_count == 0) {
        report_error(KERR_BAD_WORKFLOW, KWE_NO_STAGE,
                     "the workflow's program segment has no room for one block");
        return false;
    }
    run->blocks = kwe_program_memory(run->info);
    run->free_places = calloc(run->place_count, sizeof(*run->free_places));
    run->rows = malloc((size_t)header->batch * header->row_bytes + 1);
    run->batch = calloc(header->batch, sizeof(*run->batch));
    if (run->free_places == NULL || run->rows == NULL || run->batch == NULL) {
        report_error(KERR_NO_MEMORY, KWE_NO_STAGE, "no memory for %u events at once",
                     run->place_count);
        return false;
    }
    while (run->free_count < run->place_count) {
        run->free_places[run->free_count] = run->place_count - 1 - run->free_count;
        run->free_count++;
    }
    return true;
}

static void make_event(struct run *run, uint32_t index)
{
    const struct kwe_job *header = &run->job->header;
    uint32_t place = run->free_places[--run->free_count];
    uint32_t offset = place * run->stride;

    if (header->row_bytes > 0) {
        memcpy(run->blocks + offset, run->rows + (size_t)index * header->row_bytes,
               header->row_bytes);
    }
    run->batch[index] = (struct kwe_event){
        .cookie = (uint64_t)place << 32 | (run->next_row + index),
        .workflow = run->info->workflow,
        .flags = stands(run) ? KWE_EVENT_STANDING : 0,
        .block_offset = header->row_bytes > 0 ? offset : 0,
        .block_length = header->row_bytes,
    };
}

/* Submit until there is no free place or no row left. False: told to the host. */
static bool submit_rows(struct run *run)
{
    const struct kwe_job *header = &run->job->header;

    while (run->free_count > 0 && run->next_row < header->row_count) {
        uint32_t count = header->row_count - run->next_row;
        count = count < header->batch ? count : header->batch;
        count = count < run->free_count ? count : run->free_count;
        if (!job_rows(run->job, run->next_row, count, run->rows)) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            make_event(run, i);
        }
        int taken = kwe_submit(&run->rings, run->batch, count);
        if (taken != (int)count) {
            enum kerr error = taken < 0 ? (enum kerr) - taken : KERR_OVERLOADED;
            report_error(error, KWE_NO_STAGE, "submitting events %u and on: %s", run->next_row,
                         kerr_sentence(error));
            return false;
        }
        run->next_row += count;
        run->progress.submitted += count;
    }
    return true;
}

static void take_results(struct run *run)
{
    struct kwe_result result;

    report_job(run->index);
    while (kwe_result_next(&run->rings, &result)) {
        uint32_t row = (uint32_t)result.cookie;
        run->free_places[run->free_count++] = (uint32_t)(result.cookie >> 32);
        result.cookie = row;
        report_result(row, &result, kwe_result_bytes(run->info, &result));
        run->results++;
        if (stands(run)) {
            continue;
        }
        if (result.status == KERR_OK) {
            run->progress.completed++;
        } else {
            run->progress.failed++;
        }
    }
}

/* Of events that stand: the kernel counts them, results are none. */
static void count_runs(struct run *run)
{
    struct kwe_workflow_status status;
    struct kwe_stage_status stages[KWE_MAX_STAGES];

    if (stands(run) && kwe_workflow_status(run->info, &status, stages, KWE_MAX_STAGES) >= 0) {
        run->progress.completed = status.completed;
        run->progress.failed = status.failed;
        run->progress.armed = status.armed;
    }
}

static void tell_progress(struct run *run)
{
    uint32_t progress_ms = run->job->header.progress_ms;
    uint64_t now_ns = kwe_now_ns();

    if (progress_ms != 0 && now_ns >= run->next_progress_ns) {
        report_job(run->index);
        count_runs(run);
        report_flush();
        run->trace_ns += report_trace_in_time();
        report_progress(&run->progress);
        run->next_progress_ns = now_ns + progress_ms * 1000000ull;
    }
}

/* Sleep until the host says something, or progress wants to be told. True: what stands has been cancelled. */
static bool stopped_by_the_host(struct run *runs, uint32_t count)
{
    const uint32_t progress_ms = runs->job->header.progress_ms;
    uint64_t look_ns = progress_ms == 0 ? UINT64_MAX : progress_ms * 1000000ull;

    for (uint32_t i = 0; i < count; i++) {
        if (runs[i].progress.armed == 0) {
            runs[i].next_progress_ns = 0; /* the host waits for nothing else */
            look_ns = COMING_UP_NS;
        }
    }
    switch (host_says(look_ns)) {
    case KWE_CONTROL_STOP:
        break;
    case KWE_CONTROL_MARK_BEGIN:
        report_statistics();
        kwe_mark_begin();
        return false;
    case KWE_CONTROL_MARK_END:
        kwe_mark_end();
        report_statistics();
        return false;
    default:
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        kwe_workflow_cancel(runs[i].info);
    }
    return true;
}

/* Sleep until it is worth looking. False: told to the host. */
static bool wait_for_results(struct run *run)
{
    uint64_t left = run->progress.submitted - run->results;
    uint32_t progress_ms = run->job->header.progress_ms;
    /* A few at once save wake-ups; not so many that the workflow's slots all wait for results to be taken. */
    uint64_t min = run->info->slots / 4 < left ? run->info->slots / 4 : left;
    int waited = kwe_wait(&run->rings, min == 0 ? 1 : (uint32_t)min,
                          progress_ms == 0 ? UINT64_MAX : progress_ms * 1000000ull);

    if (waited < 0 && -waited != KERR_TIMED_OUT) {
        report_error((enum kerr) - waited, KWE_NO_STAGE, "waiting for results: %s",
                     kerr_sentence((enum kerr) - waited));
        return false;
    }
    return true;
}

static bool open_run(struct run *run)
{
    const uint32_t slots = run->job->header.ring_slots;
    int created = kwe_rings_create(&run->rings, slots);

    if (created < 0) {
        report_error((enum kerr) - created, KWE_NO_STAGE, "making rings of %u slots: %s", slots,
                     kerr_sentence((enum kerr) - created));
        return false;
    }
    return make_places(run);
}

static void close_run(struct run *run)
{
    report_job(run->index);
    count_runs(run);
    report_flush();
    report_progress(&run->progress);
    kwe_rings_destroy(&run->rings);
}

static bool is_over(const struct run *run)
{
    return run->results >= run->job->header.row_count;
}

/* The first that has results to come; NULL: none. */
static struct run *find_open(struct run *runs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!is_over(&runs[i])) {
            return &runs[i];
        }
    }
    return NULL;
}

static bool go_on(struct run *runs, uint32_t count)
{
    bool stopping = false;
    struct run *open;

    while ((open = find_open(runs, count)) != NULL) {
        for (uint32_t i = 0; i < count; i++) {
            report_job(i);
            if (!submit_rows(&runs[i])) {
                return false;
            }
        }
        if (stands(open) && !stopping) {
            for (uint32_t i = 0; i < count; i++) {
                tell_progress(&runs[i]);
            }
            stopping = stopped_by_the_host(runs, count);
        } else if (!wait_for_results(open)) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            take_results(&runs[i]);
            tell_progress(&runs[i]);
        }
    }
    return true;
}

bool run_jobs(const struct job *jobs, const struct kwe_workflow_info *info, uint32_t count,
              uint64_t *trace_ns)
{
    static struct run runs[KWE_MAX_JOBS];

    for (uint32_t i = 0; i < count; i++) {
        runs[i] = (struct run){ .job = &jobs[i], .info = &info[i], .index = i };
        report_job(i);
        if (!open_run(&runs[i])) {
            return false;
        }
    }
    if (!go_on(runs, count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        close_run(&runs[i]);
        *trace_ns += runs[i].trace_ns;
    }
    return true;
}

/* ---- the closing sync ------------------------------------------------------------------------------------------------- */

static bool storage_is_up(void)
{
    struct kwe_statistics statistics;

    return kwe_statistics(&statistics) >= 0 && statistics.deck[STORAGE_PREFIX].state == DECK_UP;
}

/* The one event's verdict, or what went wrong on the way to it. */
static enum kerr sync_once(const struct kwe_workflow_info *info, struct kwe_rings *rings)
{
    struct kwe_event event = { .workflow = info->workflow };
    struct kwe_result result;
    int answer = kwe_submit(rings, &event, 1);

    if (answer >= 0) {
        answer = kwe_wait(rings, 1, SYNC_TIMEOUT_NS);
    }
    if (answer < 0) {
        return (enum kerr) - answer;
    }
    return kwe_result_next(rings, &result) ? (enum kerr)result.status : KERR_TIMED_OUT;
}

enum kerr run_sync(void)
{
    struct kwe_workflow_info info;
    struct kwe_rings rings;

    if (!storage_is_up()) {
        return KERR_DECK_DOWN;
    }
    struct kwe_builder *builder = kwe_builder_create("sync");
    if (builder == NULL) {
        return KERR_NO_MEMORY;
    }
    kwe_storage_sync(builder, "sync");
    int answer = kwe_register(builder, &info);
    kwe_builder_destroy(builder);
    if (answer >= 0) {
        answer = kwe_rings_create(&rings, 8);
    }
    return answer < 0 ? (enum kerr) - answer : sync_once(&info, &rings);
}
