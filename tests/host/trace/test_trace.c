/*
 * The ring of trace records: order, what is lost and where, off, what it costs.
 * uses: kernel/nucleus/trace.c kernel/nucleus/mem/frames.c kernel/nucleus/mem/heap.c tests/host/port_fake.c tests/host/log_fake.c tests/host/relax_fake.c
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/nucleus/nucleus.h"
#include "tests/host/port_fake.h"

#define ROOM 64u

static struct fake_machine machine;
static struct nucleus *nucleus;
static struct cpu cpus[2];
static unsigned here;

struct cpu *port_this_cpu(void)
{
    return &cpus[here];
}

static void start(uint32_t room)
{
    fake_machine_start(&machine, 4096, 1);
    nucleus = calloc(1, sizeof(*nucleus));
    nucleus->frames = machine.frames;
    cpus[1].index = 1;
    here = 0;
    if (room != 0) {
        assert(trace_begin(nucleus, room));
    }
}

static void stop(void)
{
    free(nucleus);
    fake_machine_stop(&machine);
}

static void keep(uint64_t value)
{
    fake_set_now_ns(1000 + value);
    trace_instance(nucleus, KWE_TRACE_RUN, NULL, value);
}

/* The next one is this. */
static void expect(enum kwe_trace_kind kind, uint64_t value)
{
    struct kwe_trace_record record;

    assert(trace_take(&nucleus->trace, &record, 1) == 1);
    assert(record.kind == kind && record.value == value);
}

static void expect_none(void)
{
    struct kwe_trace_record record;

    assert(trace_take(&nucleus->trace, &record, 1) == 0);
}

static void test_records_come_out_in_order_with_time_and_cpu(void)
{
    struct kwe_trace_record records[3];
    start(ROOM);

    keep(1);
    here = 1;
    keep(2);
    keep(3);

    assert(trace_take(&nucleus->trace, records, 2) == 2);
    assert(records[0].value == 1 && records[0].time_ns == 1001 && records[0].cpu == 0);
    assert(records[1].value == 2 && records[1].time_ns == 1002 && records[1].cpu == 1);
    assert(trace_take(&nucleus->trace, records, 3) == 1 && records[0].value == 3);
    expect_none();
    stop();
}

static void test_nothing_is_kept_when_it_is_off(void)
{
    start(0);

    keep(1);

    expect_none();
    assert(nucleus->trace.kept == 0 && nucleus->trace.lost == 0);
    stop();
}

static void test_the_newest_are_lost_and_counted_when_nobody_reads(void)
{
    start(ROOM);

    for (uint64_t i = 0; i < ROOM + 5; i++) {
        keep(i);
    }

    assert(nucleus->trace.kept == ROOM && nucleus->trace.lost == 5);
    for (uint64_t i = 0; i < ROOM; i++) {
        expect(KWE_TRACE_RUN, i);
    }
    expect_none();
    stop();
}

static void test_a_gap_is_told_before_what_comes_after_it(void)
{
    start(ROOM);
    for (uint64_t i = 0; i < ROOM + 5; i++) {
        keep(i);
    }

    expect(KWE_TRACE_RUN, 0);
    keep(100); /* room for one: it would leave none for who tells of the gap */
    expect(KWE_TRACE_RUN, 1);
    keep(101);

    for (uint64_t i = 2; i < ROOM; i++) {
        expect(KWE_TRACE_RUN, i);
    }
    expect(KWE_TRACE_GAP, 6);
    expect(KWE_TRACE_RUN, 101);
    assert(nucleus->trace.lost == 6 && nucleus->trace.kept == ROOM + 2);
    keep(102);
    expect(KWE_TRACE_RUN, 102);
    expect_none();
    stop();
}

/* Each record is taken once or lost and counted, in a random order of both. */
static void test_what_is_taken_and_what_is_lost_is_all_there_was(void)
{
    uint64_t made = 0, taken = 0, told = 0, next = 0;
    start(ROOM);
    srand(7);

    for (unsigned round = 0; round < 2000; round++) {
        struct kwe_trace_record records[ROOM];
        for (int count = rand() % 100; count > 0; count--) {
            keep(made++);
        }
        uint32_t count = trace_take(&nucleus->trace, records, (uint32_t)rand() % ROOM);
        for (uint32_t i = 0; i < count; i++) {
            if (records[i].kind == KWE_TRACE_GAP) {
                told += records[i].value;
                next += records[i].value;
            } else {
                assert(records[i].value == next++);
                taken++;
            }
        }
    }

    while (nucleus->trace.read != nucleus->trace.kept) {
        struct kwe_trace_record record;
        assert(trace_take(&nucleus->trace, &record, 1) == 1);
        told += record.kind == KWE_TRACE_GAP ? record.value : 0;
        taken += record.kind != KWE_TRACE_GAP;
    }
    assert(nucleus->trace.lost == told + nucleus->trace.missing && told > 0);
    assert(made == taken + nucleus->trace.lost);
    stop();
}

static void test_the_cost_is_measured_and_leaves_nothing(void)
{
    start(ROOM);

    expect_none();
    assert(nucleus->trace.kept == 0 && nucleus->trace.lost == 0 && nucleus->trace.missing == 0);
    stop();
}

static void test_the_usual_room_leaves_most_of_the_memory(void)
{
    start(0);
    uint64_t free_before = nucleus->frames.free_frames;

    assert(trace_begin(nucleus, 0));

    assert(free_before - nucleus->frames.free_frames <= free_before / 8);
    assert(nucleus->trace.room >= ROOM);
    stop();
}

static void test_a_room_that_is_not_there_is_refused(void)
{
    start(0);

    assert(!trace_begin(nucleus, UINT32_MAX));

    keep(1);
    expect_none();
    stop();
}

int main(void)
{
    test_records_come_out_in_order_with_time_and_cpu();
    test_nothing_is_kept_when_it_is_off();
    test_the_newest_are_lost_and_counted_when_nobody_reads();
    test_a_gap_is_told_before_what_comes_after_it();
    test_what_is_taken_and_what_is_lost_is_all_there_was();
    test_the_cost_is_measured_and_leaves_nothing();
    test_the_usual_room_leaves_most_of_the_memory();
    test_a_room_that_is_not_there_is_refused();
    printf("trace: all passed\n");
    return 0;
}
