/* trace_tally.c - see trace_tally.h. */
#include "tests/host/guide/trace_tally.h"

#include <assert.h>
#include <string.h>

#define MOST_EVENTS 256u

struct tally_event {
    uint64_t number;
    uint32_t workflow;
    bool ended;
    uint32_t ready[KWE_MAX_STAGES]; /* ever */
    uint32_t handed[KWE_MAX_STAGES];
    uint32_t good[KWE_MAX_STAGES], bad[KWE_MAX_STAGES], asked[KWE_MAX_STAGES],
        given_back[KWE_MAX_STAGES];
    uint32_t forsaken[KWE_MAX_STAGES];
};

static struct tally_event events[MOST_EVENTS];
static uint32_t event_count;

static struct tally_event *find(uint64_t number)
{
    for (uint32_t i = 0; i < event_count; i++) {
        if (events[i].number == number) {
            return &events[i];
        }
    }
    return NULL;
}

static uint32_t in_hand(const struct tally_event *event, uint16_t stage)
{
    return event->handed[stage] - event->good[stage] - event->bad[stage] - event->asked[stage] -
           event->given_back[stage] - event->forsaken[stage];
}

static void admit(const struct kwe_trace_record *record)
{
    assert(event_count < MOST_EVENTS && find(record->event) == NULL);
    events[event_count++] =
        (struct tally_event){ .number = record->event, .workflow = record->workflow };
}

static void end(struct tally_event *event)
{
    for (uint16_t stage = 0; stage < KWE_MAX_STAGES; stage++) {
        assert(in_hand(event, stage) == 0);
    }
    event->ended = true;
}

static void keep_stage(struct tally_event *event, const struct kwe_trace_record *record)
{
    const uint16_t stage = record->stage;

    assert(stage < KWE_MAX_STAGES);
    switch (record->kind) {
    case KWE_TRACE_READY:
        event->ready[stage]++;
        return;
    case KWE_TRACE_HANDED:
        event->handed[stage]++;
        return;
    case KWE_TRACE_ANSWERED:
        assert(in_hand(event, stage) > 0);
        if (record->status == KERR_CANCELLED) {
            event->given_back[stage]++;
        } else if (record->status == KERR_NEED_ROOM) {
            event->asked[stage]++;
        } else if (record->status == KERR_OK) {
            event->good[stage]++;
        } else {
            event->bad[stage]++;
        }
        return;
    case KWE_TRACE_FORSAKEN:
        assert(in_hand(event, stage) > 0 && record->status == KERR_DECK_FAULT);
        event->forsaken[stage]++;
        return;
    default:
        assert(!"a kind that the Guide does not tell");
    }
}

void tally_keep(void *context, const struct kwe_trace_record *record)
{
    (void)context;
    if (record->kind == KWE_TRACE_ADMITTED) {
        admit(record);
        return;
    }
    struct tally_event *event = find(record->event);
    assert(event != NULL && !event->ended && event->workflow == record->workflow);
    if (record->kind == KWE_TRACE_ENDED) {
        end(event);
    } else {
        keep_stage(event, record);
    }
}

void tally_agrees(uint32_t workflow, const struct kwe_stage_status *counted, uint32_t stage_count)
{
    for (uint32_t stage = 0; stage < stage_count; stage++) {
        uint64_t ready = 0, handed = 0, good = 0, bad = 0, forsaken = 0, asked = 0;
        for (uint32_t i = 0; i < event_count; i++) {
            if (events[i].workflow == workflow) {
                ready += events[i].ready[stage];
                handed += events[i].handed[stage];
                good += events[i].good[stage];
                bad += events[i].bad[stage];
                forsaken += events[i].forsaken[stage];
                asked += events[i].asked[stage];
            }
        }
        /* One that is fused goes along with the one before; one that nobody needs any more goes nowhere. */
        assert(handed <= ready + counted[stage].fused);
        assert(good == counted[stage].events);
        /* Not each that dies with its instance has failed: some were given up before. Who asked for room may have got it. */
        assert(counted[stage].failed >= bad && counted[stage].failed <= bad + forsaken + asked);
    }
}

void tally_end(void)
{
    for (uint32_t i = 0; i < event_count; i++) {
        assert(events[i].ended);
    }
    memset(events, 0, sizeof(events));
    event_count = 0;
}
