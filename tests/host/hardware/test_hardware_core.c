/* What becomes of a request in the accelerator's hands, whatever is answered, late or never. */
// uses: kernel/decks/hardware/hardware_core.c drivers/ivshmem/ivshmem_window.c
#include <assert.h>
#include <stddef.h>

#include "kernel/decks/hardware/hardware_core.h"

static struct job_table table;
static struct window window;

static struct job *posted(void)
{
    uint64_t region;
    assert(window_take(&window, 1, &region));
    struct job *job = job_take(&table, region, 1000);
    assert(job != NULL && job->state == JOB_POSTED);
    return job;
}

static void reset(void)
{
    table = (struct job_table){ 0 };
    window_init(&window, 0, 256 * WINDOW_PAGE);
}

static void test_picture_and_bytes_must_agree(void)
{
    assert(hardware_check_picture(4, 2, 24) == KERR_OK);
    assert(hardware_check_picture(4, 2, 23) == KERR_BAD_PICTURE);
    assert(hardware_check_picture(0, 2, 0) == KERR_BAD_PICTURE);
    assert(hardware_check_picture(65500, 65500, 12870750000ull) == KERR_OK);
}

static void test_layout_keeps_parts_apart(void)
{
    struct job_layout layout = hardware_layout(1000, 5000);

    assert(layout.in_at >= sizeof(struct kwe_accel_convolve));
    assert(layout.out_at >= layout.in_at + 1000);
    assert(layout.bytes >= layout.out_at + 5000);
}

static void test_an_answer_finds_its_job_once(void)
{
    reset();
    struct job *job = posted();
    struct kwe_accel_response response = { .id = job->id, .status = KWE_ACCEL_OK, .out_bytes = 9 };

    assert(job_answer(&table, &window, &response) == job);
    assert(job_answer(&table, &window, &response) == NULL);
    assert(hardware_verdict(job, 9) == KERR_OK);
    assert(hardware_verdict(job, 8) == KERR_DEVICE_REFUSED);
    job->response.status = KWE_ACCEL_NO_ROOM;
    assert(hardware_verdict(job, 8) == KERR_OUTPUT_TOO_LARGE);
    assert(hardware_verdict(job, 9) == KERR_DEVICE_REFUSED); /* it had room */
    job_release(&window, job);

    assert(window.count == 0 && job_in_flight(&table) == 0);
}

static void test_an_answer_to_an_older_job_of_the_same_place_is_dropped(void)
{
    reset();
    struct job *job = posted();
    struct kwe_accel_response old = { .id = job->id };
    assert(job_answer(&table, &window, &old) == job);
    job_release(&window, job);
    struct job *next = posted();
    assert(next == job);

    assert(job_answer(&table, &window, &old) == NULL);
    assert(next->state == JOB_POSTED);
}

static void test_ids_that_name_nothing_are_dropped(void)
{
    reset();
    posted();

    for (uint32_t id = 0; id < 0x300; id++) {
        struct kwe_accel_response lie = { .id = id ^ 0xabc00000 };
        assert(job_answer(&table, &window, &lie) == NULL);
    }
    assert(job_in_flight(&table) == 1);
}

static void test_an_abandoned_region_stays_the_workers_until_it_answers(void)
{
    reset();
    struct job *job = posted();
    struct kwe_accel_response late = { .id = job->id };

    job_abandon(job);
    assert(window.count == 1 && job_in_flight(&table) == 1);
    assert(job_answer(&table, &window, &late) == NULL);

    assert(window.count == 0 && job->state == JOB_FREE);
}

static void test_losing_the_link_loses_answered_jobs_too(void)
{
    reset();
    struct job *waiting = posted(), *answered = posted(), *abandoned = posted();
    struct kwe_accel_response response = { .id = answered->id, .status = KWE_ACCEL_OK };
    assert(job_answer(&table, &window, &response) == answered);
    job_abandon(abandoned);

    job_lose_all(&table, KERR_DEVICE_GONE);

    assert(hardware_verdict(waiting, 0) == KERR_DEVICE_GONE);
    assert(hardware_verdict(answered, 0) == KERR_DEVICE_GONE);
    assert(abandoned->state == JOB_FREE);
    job_release(&window, waiting);
    job_release(&window, answered);
    assert(window.count == 3); /* until the link is up again */
}

static void test_a_long_line_is_waited_for_by_what_is_in_it(void)
{
    reset();
    struct job *first = posted(), *second = posted();
    const uint64_t each = 1000 * HARDWARE_PATIENCE_NS_PER_BYTE;

    assert(job_patience_ns(&table) == HARDWARE_PATIENCE_NS + 2 * each);
    job_abandon(first); /* still before the worker */
    assert(job_patience_ns(&table) == HARDWARE_PATIENCE_NS + 2 * each);
    struct kwe_accel_response response = { .id = first->id };
    assert(job_answer(&table, &window, &response) == NULL);
    assert(job_patience_ns(&table) == HARDWARE_PATIENCE_NS + each);
    job_lose_all(&table, KERR_DEVICE_TIMEOUT);
    assert(hardware_verdict(second, 0) == KERR_DEVICE_TIMEOUT);
    assert(job_patience_ns(&table) == HARDWARE_PATIENCE_NS);
}

static void test_the_table_is_finite(void)
{
    reset();
    for (uint32_t i = 0; i < HARDWARE_MAX_JOBS; i++) {
        posted();
    }

    assert(job_take(&table, 0, 1) == NULL);
}

static void test_ticks_lie_on_a_grid_however_late_one_was(void)
{
    assert(hardware_next_tick(0, 1000) == 1000);
    assert(hardware_next_tick(999, 1000) == 1000);
    assert(hardware_next_tick(1000, 1000) == 2000); /* that one has been */
    assert(hardware_next_tick(7300, 1000) == 8000);
}

int main(void)
{
    test_picture_and_bytes_must_agree();
    test_layout_keeps_parts_apart();
    test_an_answer_finds_its_job_once();
    test_an_answer_to_an_older_job_of_the_same_place_is_dropped();
    test_ids_that_name_nothing_are_dropped();
    test_an_abandoned_region_stays_the_workers_until_it_answers();
    test_losing_the_link_loses_answered_jobs_too();
    test_a_long_line_is_waited_for_by_what_is_in_it();
    test_the_table_is_finite();
    test_ticks_lie_on_a_grid_however_late_one_was();
    return 0;
}
