/*
 * observe.c - results on their way to the deck that observes: dropped and counted when it is behind or down; and what a trace is told
 * of stages.
 */
#include "kernel/nucleus/guide/state.h"

void guide_observe_into(struct guide *guide, struct ring_producer *ring)
{
    uint32_t room;

    if (guide->observed != NULL && ring_room(guide->observed, &room) == RING_OK) {
        /* Nobody looks any more. What is kept there after it was looked at is not lost. */
        const uint32_t there = guide->observed->slots - room;
        guide->observe_dropped += guide->unobserved < there ? guide->unobserved : there;
    }
    guide->observed = ring;
    guide->observed_room = 0;
    guide->unobserved = 0;
    if (guide->observer != NULL) {
        ready_note(guide, guide->observer);
    }
}

uint32_t observe_look(struct guide *guide, uint32_t ahead)
{
    /* A head that cannot be is a ring without room: the deck is found out when it answers. */
    if (guide->observed != NULL && ring_room(guide->observed, &guide->observed_room) == RING_OK &&
        guide->observed_room > ahead) {
        return guide->observed_room - ahead;
    }
    return 0;
}

void observe_drop(struct guide *guide, uint32_t count)
{
    guide->observe_dropped += guide->observer != NULL ? count : 0;
}

void observe_give(struct guide *guide, uint32_t count)
{
    const uint32_t before = guide->unobserved;

    if (count == 0) {
        return;
    }
    ring_give(guide->observed, count);
    guide->observed_room -= count < guide->observed_room ? count : guide->observed_room;
    guide->unobserved += count;
    if (before < OBSERVE_BATCH && guide->unobserved >= OBSERVE_BATCH) {
        ready_note(guide, guide->observer);
        guide->config.port.deck_ready(guide->config.port.context, guide->observer->spec->prefix);
    }
}

void observe(struct guide *guide, const struct kwe_result *result)
{
    if (observe_room(guide, 0) == 0) {
        observe_drop(guide, 1);
        return;
    }
    struct kwe_result *seen = ring_back(guide->observed, 0);
    *seen = (struct kwe_result){
        .cookie = result->cookie,
        .workflow = result->workflow,
        .status = result->status,
        .stage = result->stage,
        .deck = result->deck,
        .step = result->step,
        .length = result->length,
        .submitted_ns = result->submitted_ns,
        .finished_ns = result->finished_ns,
    };
    observe_give(guide, 1);
}

bool guide_observe_due(struct guide *guide, uint32_t instance, bool it_comes)
{
    if (guide->observer == NULL || guide->instance[instance].spec != guide->observer->spec) {
        return false;
    }
    const bool due = guide->unobserved >= OBSERVE_BATCH;
    if (due || it_comes) {
        guide->unobserved = 0;
        ready_note(guide, guide->observer);
    }
    return due;
}

/* When the deck answered: it says so in units, and only the low bits. */
static uint64_t answered_ns(const struct kwe_completion *completion, uint64_t now_ns)
{
    const uint32_t now_units = (uint32_t)(now_ns / KWE_ANSWERED_UNIT_NS);

    return completion->answered == 0
               ? 0
               : now_ns - (uint64_t)(now_units - completion->answered) * KWE_ANSWERED_UNIT_NS;
}

void trace_event_kept(const struct guide *guide, enum kwe_trace_kind kind,
                      const struct event *event, uint64_t value)
{
    const struct guide_port *port = &guide->config.port;

    port->trace(port->context, &(struct kwe_trace_record){
                                   .value = value,
                                   .event = event->number,
                                   .workflow = event->workflow->id,
                                   .stage = event->status_stage,
                                   .status = event->status,
                                   .kind = (uint8_t)kind,
                                   .deck = KWE_NO_DECK,
                               });
}

void trace_run_kept(const struct guide *guide, enum kwe_trace_kind kind,
                    const struct stage_run *run, const struct kwe_completion *completion,
                    uint64_t now_ns)
{
    const struct guide_port *port = &guide->config.port;
    const struct plan_stage *stage = run_stage(run);

    if (stage->op == NULL) {
        return;
    }
    struct kwe_trace_record record = {
        .event = run->event->number,
        .workflow = run->event->workflow->id,
        .stage = run->stage,
        .status = kind == KWE_TRACE_FORSAKEN ? KERR_DECK_FAULT : KERR_OK,
        .kind = (uint8_t)kind,
        .deck = stage->deck,
    };
    if (kind != KWE_TRACE_READY) {
        record.instance = (uint8_t)guide->instance[run->instance].ordinal;
    }
    if (completion != NULL) {
        record.value = answered_ns(completion, now_ns);
        record.status = completion->status;
        record.elapsed_ns =
            (uint32_t)(completion->elapsed_ns < UINT32_MAX ? completion->elapsed_ns : UINT32_MAX);
    }
    port->trace(port->context, &record);
}
