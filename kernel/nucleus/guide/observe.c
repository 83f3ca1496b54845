/*
 * observe.c - results on their way to the deck that observes: bounded, dropped and counted when it is behind or down; and what a trace is told
 * of stages.
 */
#include "kernel/nucleus/guide/state.h"

void observe(struct guide *guide, const struct kwe_result *result)
{
    struct guide_deck *deck = guide->observer;

    if (deck == NULL) {
        return;
    }
    if (guide->observed_tail - guide->observed_head == OBSERVE_QUEUE ||
        guide->instance[deck->first_instance].down) {
        guide->observe_dropped++;
        return;
    }
    guide->observed[guide->observed_tail++ % OBSERVE_QUEUE] = (struct kwe_observation){
        .workflow = result->workflow,
        .op = KWE_OP_OBSERVE,
        .status = result->status,
        .stage = result->stage,
        .deck = result->deck,
        .step = result->step,
        .length = result->length,
        .cookie = result->cookie,
        .value = result->value,
        .submitted_ns = result->submitted_ns,
        .finished_ns = result->finished_ns,
        .offset = result->offset,
    };
    /* Off the critical path: it is woken for a good part of the queue, not for each; until then it comes when it has other work. */
    if (guide->observed_tail - guide->observed_head == OBSERVE_QUEUE / 4) {
        guide->config.port.deck_ready(guide->config.port.context, deck->spec->prefix);
    }
}

uint32_t observe_take(struct guide *guide, struct kwe_work *work, uint32_t room)
{
    uint32_t count = 0;

    while (count < room && guide->observed_head != guide->observed_tail) {
        memcpy(&work[count++], &guide->observed[guide->observed_head++ % OBSERVE_QUEUE],
               sizeof(work[0]));
    }
    return count;
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
