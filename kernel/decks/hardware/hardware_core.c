/* hardware_core.c - the table of jobs, and the checks before and after one. */
#include "kernel/decks/hardware/hardware_core.h"

#include <stddef.h>

#define CHANNELS 3u
/* The output lies an odd number of pages behind the input: QEMU's TLB is direct-mapped and thrashes on powers of two. */
#define STAGGER (3u * WINDOW_PAGE)

#define INDEX(id) ((id) & 0xffu)
_Static_assert(HARDWARE_MAX_JOBS <= 0x100, "a job's index has 8 bits");
_Static_assert(HARDWARE_MAX_JOBS <= KWE_ACCEL_SLOTS,
               "a request always finds a slot, and its response too");
_Static_assert(HARDWARE_MAX_JOBS <= WINDOW_MAX_REGIONS, "a job has one region");

enum kerr hardware_check_picture(uint32_t width, uint32_t height, uint64_t in_bytes)
{
    /* Both are 16-bit numbers by deck.yaml: no overflow. */
    const uint64_t bytes = (uint64_t)width * height * CHANNELS;

    return bytes == 0 || bytes != in_bytes ? KERR_BAD_PICTURE : KERR_OK;
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

uint64_t hardware_next_tick(uint64_t now_ns, uint64_t period_ns)
{
    return (now_ns / period_ns + 1) * period_ns;
}

struct job_layout hardware_layout(uint64_t in_bytes, uint64_t out_bytes)
{
    struct job_layout layout = { .in_at = KWE_ACCEL_PARAMS_BYTES };
    layout.out_at = round_up(layout.in_at + in_bytes, WINDOW_PAGE) + STAGGER;
    layout.bytes = layout.out_at + out_bytes;
    return layout;
}

struct job *job_take(struct job_table *table, uint64_t region, uint64_t bytes)
{
    for (uint32_t i = 0; i < HARDWARE_MAX_JOBS; i++) {
        struct job *job = &table->job[i];
        if (job->state != JOB_FREE) {
            continue;
        }
        table->generation++;
        *job = (struct job){ .state = JOB_POSTED,
                             .id = (table->generation << 8) | i,
                             .region = region,
                             .bytes = bytes };
        return job;
    }
    return NULL;
}

struct job *job_answer(struct job_table *table, struct window *window,
                       const struct kwe_accel_response *response)
{
    if (INDEX(response->id) >= HARDWARE_MAX_JOBS) {
        return NULL;
    }
    struct job *job = &table->job[INDEX(response->id)];
    if (job->id != response->id) {
        return NULL;
    }
    if (job->state == JOB_ABANDONED) {
        window_give(window, job->region);
        job->state = JOB_FREE;
        return NULL;
    }
    if (job->state != JOB_POSTED) {
        return NULL;
    }
    job->state = JOB_ANSWERED;
    job->response = *response;
    return job;
}

void job_abandon(struct job *job)
{
    job->state = JOB_ABANDONED;
}

void job_release(struct window *window, struct job *job)
{
    if (job->state == JOB_ANSWERED) {
        window_give(window, job->region);
    }
    job->state = JOB_FREE;
}

void job_lose_all(struct job_table *table, enum kerr why)
{
    for (uint32_t i = 0; i < HARDWARE_MAX_JOBS; i++) {
        struct job *job = &table->job[i];
        if (job->state == JOB_POSTED || job->state == JOB_ANSWERED) {
            job->state = JOB_LOST;
            job->why = why;
        } else if (job->state == JOB_ABANDONED) {
            job->state = JOB_FREE;
        }
    }
}

static bool is_in_flight(const struct job *job)
{
    return job->state == JOB_POSTED || job->state == JOB_ABANDONED;
}

uint32_t job_in_flight(const struct job_table *table)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < HARDWARE_MAX_JOBS; i++) {
        count += is_in_flight(&table->job[i]);
    }
    return count;
}

uint64_t job_patience_ns(const struct job_table *table)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < HARDWARE_MAX_JOBS; i++) {
        bytes += is_in_flight(&table->job[i]) ? table->job[i].bytes : 0;
    }
    return HARDWARE_PATIENCE_NS + bytes * HARDWARE_PATIENCE_NS_PER_BYTE;
}

enum kerr hardware_verdict(const struct job *job, uint64_t room)
{
    const struct kwe_accel_response *response = &job->response;

    if (job->state == JOB_LOST) {
        return job->why;
    }
    if (response->status == KWE_ACCEL_NO_ROOM && response->out_bytes > room) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    return response->status == KWE_ACCEL_OK && response->out_bytes <= room ? KERR_OK
                                                                           : KERR_DEVICE_REFUSED;
}
