/*
 * hardware_deck.c - Hardware: puts pictures before the accelerator and waits on fibres for its answers.
 *
 * A request's way: wait for a place (link up, window, job), copy the picture into the window, post, ring, sleep; the interrupt takes
 * the answer and wakes the fibre, which copies the result out. Two copies by the device window's nature, both counted.
 */
#include <string.h>

#include "drivers/ivshmem/ivshmem_hw.h"
#include "drivers/ivshmem/ivshmem_link.h"
#include "drivers/ivshmem/ivshmem_window.h"
#include "kernel/decks/hardware/hardware_core.h"
#include "kernel/decks/hardware/hardware_ops.h"
#include "userland/libkwe/deck/deck.h"

/* How often the worker's heart is looked at while something is in flight. */
#define LOOK_NS 100000000ull
/* A worker that is there answers a greeting at once; on a busy host, within this. Later requests fail at once until it does. */
#define GRACE_NS 1000000000ull

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
} hardware;

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void ring_worker(void)
{
    ivshmem_ring(&hardware.device, link_worker_peer(&hardware.link));
}

static void greet(void)
{
    link_greet(&hardware.link);
    hardware.grace_until_ns = deck_now_ns() + GRACE_NS;
    ring_worker();
}

/* The session is over for all that wait, with that answer; ask for a new one. */
static void begin_anew(enum kerr why)
{
    job_lose_all(&hardware.jobs, why);
    for (unsigned i = 0; i < HARDWARE_MAX_JOBS; i++) {
        if (hardware.jobs.job[i].state == JOB_LOST) {
            fibre_signal(&hardware.answered[i]);
        }
    }
    greet();
    fibre_signal(&hardware.place);
}

static bool is_stuck(uint64_t now_ns)
{
    return hardware.link.state == LINK_UP && job_in_flight(&hardware.jobs) != 0 &&
           now_ns - hardware.heard_ns > job_patience_ns(&hardware.jobs);
}

/* Learn what the worker has to say: is it there, what has it answered? */
static void look(void)
{
    struct kwe_accel_response response;
    uint64_t now_ns = deck_now_ns();

    switch (link_poll(&hardware.link, now_ns)) {
    case LINK_LOST:
        deck_log("the accelerator is gone; %u requests were in its hands",
                 job_in_flight(&hardware.jobs));
        begin_anew(KERR_DEVICE_GONE);
        break;
    case LINK_CAME_UP:
        deck_log("the accelerator is there, epoch %u, session %u", hardware.link.epoch,
                 hardware.link.session);
        /* Nobody holds a region: what was posted or answered in an older session is lost, and lost ones are not looked at again. */
        window_clear(&hardware.window);
        fibre_signal(&hardware.place);
        break;
    case LINK_NO_NEWS:
        break;
    }
    while (link_take(&hardware.link, &response)) {
        struct job *job = job_answer(&hardware.jobs, &hardware.window, &response);
        if (job != NULL) {
            fibre_signal(&hardware.answered[job - hardware.jobs.job]);
        } else {
            fibre_signal(&hardware.place); /* an abandoned one has given its region back */
        }
        hardware.heard_ns = now_ns;
    }
    if (is_stuck(now_ns)) {
        deck_log("the accelerator lives and does not answer; %u requests were in its hands",
                 job_in_flight(&hardware.jobs));
        hardware.stuck++;
        begin_anew(KERR_DEVICE_TIMEOUT);
    }
}

/* ---- what the deck library calls ----------------------------------------------------------------------------------- */

enum kerr deck_start(const struct kwe_deck_info *info)
{
    if (info->device_count == 0 || !ivshmem_open(&hardware.device, &info->device[0])) {
        deck_log("no accelerator"); /* the timer is there all the same */
        return KERR_OK;
    }
    if (!link_init(&hardware.link, hardware.device.memory, hardware.device.memory_bytes,
                   hardware.device.peer)) {
        deck_log("the shared memory does not speak the accelerator's protocol");
        return KERR_OK;
    }
    window_init(&hardware.window, KWE_ACCEL_DATA, hardware.link.window_bytes);
    hardware.present = true;
    greet();
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits; /* there is one, and it only says "look" */
    if (hardware.present) {
        look();
    }
}

uint64_t deck_idle(void)
{
    if (!hardware.present) {
        return UINT64_MAX;
    }
    bool greeting_counts =
        hardware.link.state == LINK_GREETING && deck_now_ns() < hardware.grace_until_ns;
    if (job_in_flight(&hardware.jobs) == 0 && !greeting_counts) {
        return UINT64_MAX;
    }
    look();
    return deck_now_ns() + LOOK_NS;
}

/* ---- convolve ------------------------------------------------------------------------------------------------------ */

/* Wait until the link is up and there is room for `layout`. The caller holds the door, before which it was `stuck` so many times. */
static enum kerr wait_for_place(const struct job_layout *layout, uint64_t bytes,
                                uint64_t deadline_ns, uint32_t stuck, struct job **job)
{
    for (;;) {
        uint64_t region;
        uint64_t now_ns = deck_now_ns();
        uint64_t until_ns = deadline_ns;
        if (hardware.stuck != stuck || now_ns >= deadline_ns) {
            return KERR_DEVICE_TIMEOUT;
        }
        if (hardware.link.state == LINK_UP) {
            if (window_take(&hardware.window, layout->bytes, &region)) {
                *job = job_take(&hardware.jobs, region, bytes);
                if (*job != NULL) {
                    return KERR_OK;
                }
                window_give(&hardware.window, region);
            }
        } else if (now_ns >= hardware.grace_until_ns) {
            return KERR_DEVICE_GONE;
        } else {
            until_ns = earlier(deadline_ns, hardware.grace_until_ns);
        }
        fibre_wait(&hardware.place, until_ns);
    }
}

static enum kerr take_place(const struct job_layout *layout, uint64_t bytes, uint64_t deadline_ns,
                            struct job **job)
{
    look(); /* a worker that came while nothing was in flight */
    uint32_t stuck = hardware.stuck;
    fibre_lock(&hardware.door);
    enum kerr status = wait_for_place(layout, bytes, deadline_ns, stuck, job);
    fibre_unlock(&hardware.door);
    return status;
}

/* Fill the job's region and hand it over. */
static enum kerr post(const struct job *job, const struct job_layout *layout,
                      const struct kwe_accel_convolve *params, struct deck_bytes pixels)
{
    uint8_t *region = hardware.device.memory + job->region;
    const struct kwe_accel_request request = {
        .id = job->id,
        .op = KWE_ACCEL_CONVOLVE,
        .params_offset = job->region,
        .params_bytes = sizeof(*params),
        .in_offset = job->region + layout->in_at,
        .in_bytes = pixels.length,
        .out_offset = job->region + layout->out_at,
        .out_bytes = pixels.length,
    };

    memcpy(region, params, sizeof(*params));
    memcpy(region + layout->in_at, pixels.data, pixels.length);
    if (job_in_flight(&hardware.jobs) == 1) {
        hardware.heard_ns = deck_now_ns();
        link_watch(&hardware.link, hardware.heard_ns);
    }
    /* There are as many slots as jobs: only a worker that breaks the ring can leave no room. */
    if (!link_post(&hardware.link, &request)) {
        return KERR_DEVICE_GONE;
    }
    ring_worker();
    return KERR_OK;
}

/* Sleep until the answer is there, the session lost or the event's time up, and take the result. */
static enum kerr finish(struct hardware_convolve_call *call, struct job *job,
                        const struct job_layout *layout, uint64_t deadline_ns)
{
    size_t bytes = call->pixels.length;

    enum kerr waited =
        deck_wait(call->request, &hardware.answered[job - hardware.jobs.job], deadline_ns);
    if (job->state == JOB_POSTED) {
        job_abandon(job);
        return waited == KERR_CANCELLED ? KERR_CANCELLED : KERR_DEVICE_TIMEOUT;
    }
    enum kerr status = hardware_verdict(job, bytes);
    if (status == KERR_OK) {
        memcpy(call->filtered.data, hardware.device.memory + job->region + layout->out_at, bytes);
        call->filtered.length = bytes;
        deck_count_copied_device(call->request, 2 * bytes);
    }
    job_release(&hardware.window, job);
    fibre_signal(&hardware.place);
    return status;
}

static struct kwe_accel_convolve wire_params(const struct hardware_convolve_params *params)
{
    struct kwe_accel_convolve wire = {
        .width = params->width,
        .height = params->height,
        .channels = 3,
        .divisor = params->divisor,
        .bias = params->bias,
    };

    _Static_assert(sizeof(wire.weights) == sizeof(params->weights),
                   "deck.yaml and accel.h agree on the weights");
    memcpy(wire.weights, params->weights, sizeof(wire.weights));
    return wire;
}

enum kerr hardware_convolve(struct hardware_convolve_call *call)
{
    uint64_t bytes;
    struct job *job = NULL;

    if (!hardware.present) {
        return KERR_NO_DEVICE;
    }
    enum kerr status = hardware_check_picture(call->params->width, call->params->height,
                                              call->pixels.length, call->filtered.capacity, &bytes);
    if (status != KERR_OK) {
        return status;
    }
    struct job_layout layout = hardware_layout(bytes);
    if (layout.bytes > window_capacity(&hardware.window)) {
        return KERR_TOO_LARGE;
    }
    uint64_t event_deadline_ns =
        deck_deadline_ns(call->request) == 0 ? UINT64_MAX : deck_deadline_ns(call->request);
    status = take_place(&layout, bytes, event_deadline_ns, &job);
    if (status != KERR_OK) {
        return status;
    }
    hardware.answered[job - hardware.jobs.job] = (struct fibre_event){ 0 };
    struct kwe_accel_convolve wire = wire_params(call->params);
    status = post(job, &layout, &wire, call->pixels);
    if (status != KERR_OK) {
        job_abandon(job); /* its place comes back with the next session */
        return status;
    }
    call->width = call->params->width;
    call->height = call->params->height;
    return finish(call, job, &layout, event_deadline_ns);
}
