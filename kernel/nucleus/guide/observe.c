/* observe.c - results on their way to the deck that observes: bounded, dropped and counted when it is behind or down. */
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
