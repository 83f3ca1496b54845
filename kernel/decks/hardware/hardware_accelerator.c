/*
 * hardware_accelerator.c - see hardware_accelerator.h.
 *
 * A request's way: wait for a place (link up, window, job), copy parameters and input into the window, post, ring, sleep; the interrupt
 * takes the answer and wakes the fibre, which copies the result out. Two copies by the device window's nature, both counted.
 */
#include "kernel/decks/hardware/hardware_accelerator.h"

#include <string.h>

#include "drivers/ivshmem/ivshmem_hw.h"
#include "drivers/ivshmem/ivshmem_link.h"
#include "drivers/ivshmem/ivshmem_window.h"
#include "kernel/decks/hardware/hardware_core.h"

/* How often the worker's heart is looked at while something is in flight. */
#define LOOK_NS 100000000ull
/* A worker that is there answers a greeting at once; on a busy host, within this. Later requests fail at once until it does. */
#define GRACE_NS 1000000000ull

/* The instance's one state; a deck is one thread. */
static struct {
    struct ivshmem device;
    struct link link;
    struct window window;
    struct job_table jobs;
    struct fibre_event answered[HARDWARE_MAX_JOBS]; /* of the job of that index */
    struct fibre_mutex door;  /* who holds it waits for a place; the others stand in line */
    struct fibre_event place; /* there may be one now */
    uint64_t grace_until_ns;
    uint64_t heard_ns; /* when the worker last answered, or was given work after it had none */
    uint32_t stuck;    /* times it had work and answered nothing for too long */
    bool present;
} accelerator;

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void ring_worker(void)
{
    ivshmem_ring(&accelerator.device, link_worker_peer(&accelerator.link));
}

static void greet(void)
{
    link_greet(&accelerator.link);
    accelerator.grace_until_ns = deck_now_ns() + GRACE_NS;
    ring_worker();
}

/* The session is over for all that wait, with that answer; ask for a new one. */
static void begin_anew(enum kerr why)
{
    job_lose_all(&accelerator.jobs, why);
    for (unsigned i = 0; i < HARDWARE_MAX_JOBS; i++) {
        if (accelerator.jobs.job[i].state == JOB_LOST) {
            fibre_signal(&accelerator.answered[i]);
        }
    }
    greet();
    fibre_signal(&accelerator.place);
}

static bool is_stuck(uint64_t now_ns)
{
    return accelerator.link.state == LINK_UP && job_in_flight(&accelerator.jobs) != 0 &&
           now_ns - accelerator.heard_ns > job_patience_ns(&accelerator.jobs);
}

/* Learn what the worker has to say: is it there, what has it answered? */
static void look(void)
{
    struct kwe_accel_response response;
    uint64_t now_ns = deck_now_ns();

    switch (link_poll(&accelerator.link, now_ns)) {
    case LINK_LOST:
        deck_log("the accelerator is gone; %u requests were in its hands",
                 job_in_flight(&accelerator.jobs));
        begin_anew(KERR_DEVICE_GONE);
        break;
    case LINK_CAME_UP:
        deck_log("the accelerator is there, epoch %u, session %u", accelerator.link.epoch,
                 accelerator.link.session);
        /* Nobody holds a region: what was posted or answered in an older session is lost, and lost ones are not looked at again. */
        window_clear(&accelerator.window);
        fibre_signal(&accelerator.place);
        break;
    case LINK_NO_NEWS:
        break;
    }
    while (link_take(&accelerator.link, &response)) {
        struct job *job = job_answer(&accelerator.jobs, &accelerator.window, &response);
        if (job != NULL) {
            fibre_signal(&accelerator.answered[job - accelerator.jobs.job]);
        } else {
            fibre_signal(&accelerator.place); /* an abandoned one has given its region back */
        }
        accelerator.heard_ns = now_ns;
    }
    if (is_stuck(now_ns)) {
        deck_log("the accelerator lives and does not answer; %u requests were in its hands",
                 job_in_flight(&accelerator.jobs));
        accelerator.stuck++;
        begin_anew(KERR_DEVICE_TIMEOUT);
    }
}

/* ---- its life --------------------------------------------------------------------------------------------------------- */

void accelerator_start(const struct kwe_device_info *info)
{
    if (!ivshmem_open(&accelerator.device, info)) {
        deck_log("no accelerator");
        return;
    }
    if (!link_init(&accelerator.link, accelerator.device.memory, accelerator.device.memory_bytes,
                   accelerator.device.peer)) {
        deck_log("the shared memory does not speak the accelerator's protocol");
        return;
    }
    window_init(&accelerator.window, KWE_ACCEL_DATA, accelerator.link.window_bytes);
    accelerator.present = true;
    greet();
}

void accelerator_look(void)
{
    if (accelerator.present) {
        look();
    }
}

uint64_t accelerator_idle(void)
{
    if (!accelerator.present) {
        return UINT64_MAX;
    }
    bool greeting_counts =
        accelerator.link.state == LINK_GREETING && deck_now_ns() < accelerator.grace_until_ns;
    if (job_in_flight(&accelerator.jobs) == 0 && !greeting_counts) {
        return UINT64_MAX;
    }
    look();
    return deck_now_ns() + LOOK_NS;
}

/* ---- a request ------------------------------------------------------------------------------------------------------- */

/* Wait until the link is up and there is room for `layout`. The caller holds the door, before which it was `stuck` so many times. */
static enum kerr wait_for_place(const struct job_layout *layout, uint64_t bytes,
                                uint64_t deadline_ns, uint32_t stuck, struct job **job)
{
    for (;;) {
        uint64_t region;
        uint64_t now_ns = deck_now_ns();
        uint64_t until_ns = deadline_ns;
        if (accelerator.stuck != stuck || now_ns >= deadline_ns) {
            return KERR_DEVICE_TIMEOUT;
        }
        if (accelerator.link.state == LINK_UP) {
            if (window_take(&accelerator.window, layout->bytes, &region)) {
                *job = job_take(&accelerator.jobs, region, bytes);
                if (*job != NULL) {
                    return KERR_OK;
                }
                window_give(&accelerator.window, region);
            }
        } else if (now_ns >= accelerator.grace_until_ns) {
            return KERR_DEVICE_GONE;
        } else {
            until_ns = earlier(deadline_ns, accelerator.grace_until_ns);
        }
        fibre_wait(&accelerator.place, until_ns);
    }
}

static enum kerr take_place(const struct job_layout *layout, uint64_t bytes, uint64_t deadline_ns,
                            struct job **job)
{
    look(); /* a worker that came while nothing was in flight */
    uint32_t stuck = accelerator.stuck;
    fibre_lock(&accelerator.door);
    enum kerr status = wait_for_place(layout, bytes, deadline_ns, stuck, job);
    fibre_unlock(&accelerator.door);
    return status;
}

/* Fill the job's region and hand it over. */
static enum kerr post(const struct job *job, const struct job_layout *layout,
                      const struct accelerator_call *call)
{
    uint8_t *region = accelerator.device.memory + job->region;
    const struct kwe_accel_request request = {
        .id = job->id,
        .op = call->op,
        .params_offset = job->region,
        .params_bytes = call->params_bytes,
        .in_offset = job->region + layout->in_at,
        .in_bytes = call->in.length,
        .out_offset = job->region + layout->out_at,
        .out_bytes = call->out.capacity,
    };

    memcpy(region, call->params, call->params_bytes);
    memcpy(region + layout->in_at, call->in.data, call->in.length);
    if (job_in_flight(&accelerator.jobs) == 1) {
        accelerator.heard_ns = deck_now_ns();
        link_watch(&accelerator.link, accelerator.heard_ns);
    }
    /* There are as many slots as jobs: only a worker that breaks the ring can leave no room. */
    if (!link_post(&accelerator.link, &request)) {
        return KERR_DEVICE_GONE;
    }
    ring_worker();
    return KERR_OK;
}

/* Sleep until the answer is there, the session lost or the event's time up, and take the result. */
static enum kerr finish(struct deck_request *request, struct accelerator_call *call,
                        struct job *job, const struct job_layout *layout, uint64_t deadline_ns)
{
    enum kerr waited =
        deck_wait(request, &accelerator.answered[job - accelerator.jobs.job], deadline_ns);
    if (job->state == JOB_POSTED) {
        job_abandon(job);
        return waited == KERR_CANCELLED ? KERR_CANCELLED : KERR_DEVICE_TIMEOUT;
    }
    enum kerr status = hardware_verdict(job, call->out.capacity);
    const uint64_t bytes = job->response.out_bytes;
    if (status == KERR_OK) {
        memcpy(call->out.data, accelerator.device.memory + job->region + layout->out_at, bytes);
        call->out.length = bytes;
        deck_count_copied_device(request, call->in.length + bytes);
    } else if (status == KERR_OUTPUT_TOO_LARGE) {
        call->out.length = bytes;
    }
    job_release(&accelerator.window, job);
    fibre_signal(&accelerator.place);
    return status;
}

enum kerr accelerator_run(struct deck_request *request, struct accelerator_call *call)
{
    struct job *job = NULL;

    if (!accelerator.present) {
        return KERR_NO_DEVICE;
    }
    const struct job_layout layout = hardware_layout(call->in.length, call->out.capacity);
    if (layout.bytes > window_capacity(&accelerator.window)) {
        return KERR_TOO_LARGE;
    }
    uint64_t event_deadline_ns =
        deck_deadline_ns(request) == 0 ? UINT64_MAX : deck_deadline_ns(request);
    enum kerr status =
        take_place(&layout, call->in.length + call->out.capacity, event_deadline_ns, &job);
    if (status != KERR_OK) {
        return status;
    }
    accelerator.answered[job - accelerator.jobs.job] = (struct fibre_event){ 0 };
    status = post(job, &layout, call);
    if (status != KERR_OK) {
        job_abandon(job); /* its place comes back with the next session */
        return status;
    }
    return finish(request, call, job, &layout, event_deadline_ns);
}
