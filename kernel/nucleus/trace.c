/* trace.c - see trace.h. */
#include "kernel/nucleus/trace.h"

#include "kernel/lib/string.h"
#include "kernel/nucleus/nucleus.h"

#define TRACE_SAMPLES 1000u

static struct kwe_trace_record *place_of(const struct trace *trace, uint64_t number)
{
    return &trace->records[number % TRACE_RECORDS];
}

static uint64_t keep_samples_ns(struct nucleus *nucleus)
{
    const uint64_t from_ns = port_now_ns();

    for (uint32_t i = 0; i < TRACE_SAMPLES; i++) {
        trace_instance_kept(nucleus, KWE_TRACE_IDLE, NULL, 0);
    }
    nucleus->trace.kept = 0;
    return port_now_ns() - from_ns;
}

/* Keep some for nothing, and see how long that takes. Not the first time: the code is cold, and an emulated CPU has yet to translate it. */
static void measure(struct nucleus *nucleus)
{
    (void)keep_samples_ns(nucleus);
    nucleus->trace.record_ns = (uint32_t)(keep_samples_ns(nucleus) / TRACE_SAMPLES);
}

bool trace_begin(struct nucleus *nucleus)
{
    const uint64_t bytes = TRACE_RECORDS * sizeof(struct kwe_trace_record);
    paddr_t frames;

    if (!frames_take_run(&nucleus->frames, (uint32_t)(round_up_u64(bytes, PAGE_SIZE) / PAGE_SIZE),
                         &frames)) {
        return false;
    }
    nucleus->trace.records = port_direct(frames);
    measure(nucleus);
    return true;
}

static void put(struct trace *trace, const struct kwe_trace_record *record)
{
    struct kwe_trace_record *place = place_of(trace, trace->kept++);

    *place = *record;
    place->time_ns = port_now_ns();
    place->cpu = (uint8_t)port_this_cpu()->index;
}

void trace_keep(struct nucleus *nucleus, const struct kwe_trace_record *record)
{
    struct trace *trace = &nucleus->trace;

    if (trace->records == NULL) {
        return;
    }
    /* Who tells of a gap needs a place too. */
    if (trace->kept - trace->read + (trace->missing != 0) >= TRACE_RECORDS) {
        trace->lost++;
        trace->missing++;
        return;
    }
    if (trace->missing != 0) {
        put(trace, &(struct kwe_trace_record){ .value = trace->missing,
                                               .stage = KWE_NO_STAGE,
                                               .kind = KWE_TRACE_GAP,
                                               .deck = KWE_NO_DECK });
        trace->missing = 0;
    }
    put(trace, record);
}

void trace_instance_kept(struct nucleus *nucleus, enum kwe_trace_kind kind,
                         const struct instance *instance, uint64_t value)
{
    trace_keep(nucleus, &(struct kwe_trace_record){
                            .value = value,
                            .stage = KWE_NO_STAGE,
                            .kind = (uint8_t)kind,
                            .deck = instance == NULL ? KWE_NO_DECK : instance->spec->prefix,
                            .instance = instance == NULL ? 0 : (uint8_t)instance->ordinal,
                        });
}

uint32_t trace_take(struct trace *trace, struct kwe_trace_record *to, uint32_t room)
{
    uint32_t count = 0;

    while (count < room && trace->read != trace->kept) {
        to[count++] = *place_of(trace, trace->read++);
    }
    return count;
}
