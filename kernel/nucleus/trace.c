/* trace.c - see trace.h. */
#include "kernel/nucleus/trace.h"

#include "kernel/lib/string.h"
#include "kernel/nucleus/nucleus.h"

/* A few seconds of a busy system: what is read while it runs costs it far more than what is read afterwards. */
#define USUAL_ROOM     (1u << 18)
#define PART_OF_MEMORY 8u
#define LEAST_ROOM     64u
#define SAMPLES        1000u

static struct kwe_trace_record *place_of(const struct trace *trace, uint64_t number)
{
    return &trace->records[number % trace->room];
}

static uint64_t keep_samples_ns(struct nucleus *nucleus)
{
    struct trace *trace = &nucleus->trace;
    const uint64_t from_ns = port_now_ns();

    for (uint32_t i = 0; i < SAMPLES; i++) {
        trace_instance_kept(nucleus, KWE_TRACE_IDLE, NULL, 0);
        trace->read = trace->kept;
    }
    trace->kept = trace->read = 0;
    return port_now_ns() - from_ns;
}

/* Keep some for nothing, and see how long that takes. Not the first time: the code is cold, and an emulated CPU has yet to translate it. */
static void measure(struct nucleus *nucleus)
{
    (void)keep_samples_ns(nucleus);
    nucleus->trace.record_ns = (uint32_t)(keep_samples_ns(nucleus) / SAMPLES);
}

static uint64_t frame_count(uint32_t room)
{
    return round_up_u64((uint64_t)room * sizeof(struct kwe_trace_record), PAGE_SIZE) / PAGE_SIZE;
}

static uint32_t usual_room(const struct frames *frames)
{
    uint32_t room = USUAL_ROOM;

    while (frame_count(room) > frames->free_frames / PART_OF_MEMORY && room > LEAST_ROOM) {
        room /= 2;
    }
    return room;
}

bool trace_begin(struct nucleus *nucleus, uint32_t room)
{
    struct trace *trace = &nucleus->trace;
    paddr_t frames;

    trace->room = room == 0 ? usual_room(&nucleus->frames) : room;
    if (trace->room < LEAST_ROOM) {
        trace->room = LEAST_ROOM;
    }
    if (!frames_take_run(&nucleus->frames, (uint32_t)frame_count(trace->room), &frames)) {
        return false;
    }
    trace->records = port_direct(frames);
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

static void keep(struct trace *trace, const struct kwe_trace_record *record)
{
    /* Who tells of a gap needs a place too. */
    if (trace->kept - trace->read + (trace->missing != 0) >= trace->room) {
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

void trace_keep(struct nucleus *nucleus, const struct kwe_trace_record *record)
{
    struct trace *trace = &nucleus->trace;

    if (trace->records == NULL) {
        return;
    }
    port_lock_acquire(&trace->lock);
    keep(trace, record);
    port_lock_release(&trace->lock);
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

    port_lock_acquire(&trace->lock);
    while (count < room && trace->read != trace->kept) {
        to[count++] = *place_of(trace, trace->read++);
    }
    port_lock_release(&trace->lock);
    return count;
}
