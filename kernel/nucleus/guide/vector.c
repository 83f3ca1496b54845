/*
 * vector.c - the short way of plain workflows' events (plan->is_plain), many at once: what is the same for all of them is looked at once, and
 * each costs a few dozen instructions. What does not fit goes the long way (intake.c, dispatch.c, stage.c, event.c), event by event; both ways
 * leave the same records behind, so that any event may go one part of its way by the one and the next by the other.
 *
 *   vector_admit()      EventRing -> ready        events of one workflow, one behind the other in the ring
 *   vector_take()       ready -> WorkRing         runs of one stage, one behind the other in its queue
 *   vector_complete()   DoneRing -> ResultRing, or ready again: answers.c
 *
 * Words in shared memory are read once, each into a variable; only that is looked at.
 */
#include "kernel/nucleus/guide/taking.h"

/* ---- in --------------------------------------------------------------------------------------------------------------- */

_Static_assert(offsetof(struct kwe_event, workflow) == 8 &&
                   offsetof(struct kwe_event, flags) == 12 &&
                   offsetof(struct kwe_event, block_length) == 20 &&
                   offsetof(struct kwe_event, input_length) == 32 &&
                   offsetof(struct kwe_event, deadline_ns) == 40 &&
                   offsetof(struct kwe_event, reserved) == 48,
               "an event's words, as read below");

/* The only stage that waits for none, when its deck takes events and nothing else has to be read for them; NULL: the long way. */
static const struct plan_stage *only_source(const struct guide *guide,
                                            const struct program_ring *ring,
                                            const struct workflow *workflow)
{
    if (workflow == NULL || !workflow->registered || workflow->owner != ring->owner ||
        !workflow->plan->is_plain) {
        return NULL;
    }
    const struct plan *plan = workflow->plan;
    const struct plan_stage *stage = &plan->stages[__builtin_ctzll(plan->sources)];
    const bool is_one = (plan->sources & (plan->sources - 1)) == 0;
    return is_one && plan->header->block_bytes == 0 && plan->header->timeout_ns == 0 &&
                   !ready_deck_is_down(guide, &guide->deck[stage->deck])
               ? stage
               : NULL;
}

/* The event's records but the source's. */
static inline void start_others(struct event *event, const struct plan *plan, uint32_t source)
{
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        if (i != source) {
            event->run[i].step = run_step(RUN_WAITING, 0, 0, plan->stages[i].waits);
            event->run[i].length = 0;
        }
    }
}

/* Events of one workflow, where they lie. */
struct coming {
    const struct guide *guide;
    struct workflow *workflow;
    const struct plan_stage *source;
    uint64_t key, program_bytes, now_ns;
    uint64_t *number; /* of the newest event */
    struct ready_chain ready;
};

/* Admit events that are alike. Returns how many there were. */
__attribute__((always_inline)) static inline uint32_t admit(struct coming *coming,
                                                            struct program_ring *ring,
                                                            const struct ring_slot *slot,
                                                            uint32_t most, const bool is_bare)
{
    struct workflow *workflow = coming->workflow;
    const struct plan *plan = workflow->plan;
    const struct plan_stage *const source = coming->source;
    const uint32_t source_index = is_bare ? 0 : source->index;
    const uint64_t program_bytes = coming->program_bytes, now_ns = coming->now_ns;
    const uint64_t key = coming->key, step = event_step(is_bare ? 1 : plan->stage_count, 0);
    const bool is_sized = !is_bare && source->size_binding != PLAN_NO_BINDING;
    const uint64_t cost_ns =
        is_sized ? 0 : pace_cost_ns(coming->guide, workflow, source, source->out_room);
    const uint32_t size_bytes = source->out_room;
    const struct ring_slot *const first = slot, *const end = slot + most;
    struct ready_links links;
    struct event *event = workflow->free;
    uint64_t number = *coming->number;
    uint64_t sum_ns = 0;

    ready_links_begin(&links, &coming->ready);
    for (; slot != end && event != NULL; slot++) {
        const uint64_t *word = slot->word;
        const uint64_t input_offset = read_once(&word[3]), input_length = read_once(&word[4]);
        /* What has to be 0, or the key, is not used again. */
        if (word[1] != key || word[2] >> 32 != 0 || (word[5] | word[6] | word[7]) != 0 ||
            input_length > program_bytes || input_offset > program_bytes - input_length) {
            break;
        }
        struct stage_run *run = &event->run[source_index];
        event->cookie = read_once(&word[0]);
        event->ring = ring;
        event->number = ++number;
        event->input_offset = input_offset;
        event->input_length = (uint32_t)input_length;
        event->deadline_ns = 0;
        event->submitted_ns = now_ns;
        event->step = step;
        event->flags = EVENT_LIVE;
        if (!is_bare) {
            start_others(event, plan, source_index);
        }
        run->step = run_step(RUN_READY, 0, 0, 0);
        run->size_bytes = is_sized ? bind_size_bytes(run) : size_bytes;
        run->cost_ns =
            is_sized ? pace_cost_ns(coming->guide, workflow, source, run->size_bytes) : cost_ns;
        sum_ns += is_sized ? run->cost_ns : 0;
        ready_links_add(&links, run, now_ns);
        event = event->next_free;
    }
    const uint32_t count = (uint32_t)(slot - first);
    ready_links_end(&links, &coming->ready, count, is_sized ? sum_ns : count * cost_ns);
    workflow->free = event;
    *coming->number = number;
    return count;
}

/* Apart, so that each loop has the registers for itself. */
__attribute__((noinline)) static uint32_t admit_bare(struct coming *coming,
                                                     struct program_ring *ring,
                                                     const struct ring_slot *slot, uint32_t most)
{
    return admit(coming, ring, slot, most, true);
}

__attribute__((noinline)) static uint32_t admit_others(struct coming *coming,
                                                       struct program_ring *ring,
                                                       const struct ring_slot *slot, uint32_t most)
{
    return admit(coming, ring, slot, most, false);
}

uint32_t vector_admit(struct guide *guide, struct program_ring *ring, uint32_t first, uint32_t most,
                      uint64_t now_ns)
{
    const struct ring_slot *slots = ring->events.shared->slot;
    const uint32_t place = (ring->events.head + first) & ring->events.mask;
    const uint64_t key = read_once(&slots[place].word[1]); /* workflow, no flags */
    struct workflow *workflow = workflow_find(guide, (uint32_t)key);
    const struct plan_stage *source = only_source(guide, ring, workflow);

    if (source == NULL || key >> 32 != 0 || is_traced(guide)) {
        return 0;
    }
    const uint64_t program_bytes = workflow->plan->header->program_bytes;
    struct coming coming = {
        .guide = guide,
        .workflow = workflow,
        .source = source,
        .key = key,
        .program_bytes = program_bytes < UINT32_MAX ? program_bytes : UINT32_MAX,
        .now_ns = now_ns,
        .number = &guide->event_number,
    };
    const bool is_bare =
        workflow->plan->stage_count == 1 && source->size_binding == PLAN_NO_BINDING;

    most = least(most, ring->events.slots - place);
    most =
        least(most, ring->results.slots - (ring->results.tail - ring->released) - ring->reserved);
    const uint32_t count = is_bare ? admit_bare(&coming, ring, &slots[place], most)
                                   : admit_others(&coming, ring, &slots[place], most);
    if (count != 0) {
        workflow->live_count += count;
        workflow->status.submitted += count;
        ring->reserved += count;
        ready_append(guide, &coming.ready);
    }
    return count;
}

/* ---- to the decks --------------------------------------------------------------------------------------------------------- */

/* Runs of one stage on their way to an instance, and what they come to. */
struct going {
    struct taking *taking;
    struct stage_run *run; /* the next of them; NULL: there are no more */
    const struct plan_stage *stage;
    const struct workflow *workflow;
    uint64_t where;      /* run->where in that instance's hands */
    uint64_t out_offset; /* of the output, if it has any, of the event in place 0 */
    uint64_t stride;
    uint64_t ready_ns, cost_ns, most_bytes; /* sums, and the most of all */
};

/* Its inputs and parameters, as far as it has any. */
static inline bool bind_if_needed(const struct guide *guide, const struct taking *taking,
                                  const struct stage_run *run)
{
    const struct plan_stage *stage = run_stage(run);
    struct kwe_work_frame *frame = &taking->frames[ticket_next(taking->instance->hands)];

    if (stage->binding_count == 0 && stage->params_bytes == 0) {
        return true;
    }
    if (bind_frame(guide, run, frame) != KERR_OK) {
        return false;
    }
    taking_account_inputs(run, frame);
    return true;
}

/* Hand over runs, whatever they need, until `most` are in the vector. Returns how many there were. */
static uint32_t hand_over(struct guide *guide, struct going *going, uint32_t most)
{
    struct taking *taking = going->taking;
    const struct kwe_work *work = &going->workflow->work[going->stage->index];
    const bool fuses = going->stage->fused_next != KWE_NO_STAGE;
    struct stage_run *run = going->run;
    uint32_t count = 0;

    for (; run != NULL && taking->count < most && taking_has_place(taking) &&
           !vector_is_long_enough(taking->vector->cost_ns, run);
         run = run->next) {
        struct event *event = run->event;
        run->where = (uint32_t)going->where;
        run->out_offset =
            going->stage->out_room == 0 ? 0 : going->out_offset + event->place * going->stride;
        if (!bind_if_needed(guide, taking, run)) {
            run->state = RUN_READY;
            break;
        }
        run->ticket = ticket_take(guide, taking->instance->hands, run);
        event->in_hand++;
        going->ready_ns += run->ready_ns;
        going->cost_ns += run->cost_ns;
        taking->vector->cost_ns += run->cost_ns;
        going->most_bytes =
            run->size_bytes > going->most_bytes ? run->size_bytes : going->most_bytes;
        work_fill_from(work, run, ring_back(taking->work, taking->count++));
        count++;
        if (event->is_standing) {
            standing_stage_handed(run);
        }
        if (fuses) {
            taking_fuse(guide, taking, run);
        }
    }
    going->run = run;
    return count;
}

/*
 * What hand_over_bare() may be given: it takes nothing, has no output, and none goes behind it in the same visit. By its hints it takes no time,
 * so that no vector is too long for it, however fast it was of late.
 */
static bool is_bare(const struct workflow *workflow, const struct plan_stage *stage)
{
    return stage->binding_count == 0 && stage->params_bytes == 0 && stage->out_room == 0 &&
           stage->op->cost_fixed_ns == 0 && stage->fused_next == KWE_NO_STAGE &&
           workflow->standing_count == 0;
}

/* At most so many, all of which there is room for, in the ring as it lies, too. */
__attribute__((noinline)) static uint32_t hand_over_bare(struct guide *guide, struct going *going,
                                                         uint32_t most)
{
    struct taking *taking = going->taking;
    struct guide_hands *hands = taking->instance->hands;
    const uint8_t *free_index = &hands->free[hands->free_count];
    const uint32_t where = (uint32_t)going->where;
    struct ring_slot *slot = ring_back(taking->work, taking->count);
    struct stage_run *run = going->run;
    uint64_t ready_ns = 0, word[RING_SLOT_BYTES / sizeof(uint64_t)];
    struct ring_slot *const first = slot, *const end = slot + most;

    ring_copy_slot(word, &going->workflow->work[going->stage->index]);
    for (; slot != end && run != NULL; slot++, run = run->next) {
        struct event *event = run->event;
        const uint32_t ticket = ticket_begin(guide, hands, *--free_index, run);
        run->ticket = ticket;
        run->where = where;
        event->in_hand++;
        ready_ns += run->ready_ns;
        slot->word[0] = word[0] | ticket;
        slot->word[1] = word[1];
        slot->word[2] = word[2];
        slot->word[3] = 0;
        slot->word[4] = word[4];
        slot->word[5] = word[5];
        slot->word[6] = event->deadline_ns;
        slot->word[7] = event->number;
    }
    const uint32_t count = (uint32_t)(slot - first);
    hands->free_count -= count;
    taking->count += count;
    going->ready_ns = ready_ns;
    going->run = run;
    return count;
}

uint32_t vector_take(struct guide *guide, struct taking *taking, uint32_t most)
{
    struct stage_run *first = is_traced(guide) ? NULL : ready_alike(taking->deck);

    if (first == NULL) {
        return 0;
    }
    const struct plan_stage *stage = run_stage(first);
    struct workflow *workflow = first->event->workflow;
    const uint8_t index = (uint8_t)(taking->instance - guide->instance);
    const uint8_t segment = workflow->segment_of[index];
    struct going going = { .taking = taking,
                           .run = first,
                           .stage = stage,
                           .workflow = workflow,
                           .where = run_step(RUN_IN_HAND, index, segment, 0),
                           .most_bytes = stage->out_room };
    uint32_t count;

    most = least(most, taking->room);
    if (is_bare(workflow, stage)) {
        if (vector_is_long_enough(taking->vector->cost_ns, first)) {
            return 0;
        }
        most = least(most - taking->count, taking->instance->hands->free_count);
        count = hand_over_bare(guide, &going,
                               least(most, ring_back_to_wrap(taking->work, taking->count)));
    } else {
        going.out_offset = workflow->segment_offset[segment] + stage->out_offset;
        going.stride = workflow->plan->segment[segment].stride;
        count = hand_over(guide, &going, most);
    }
    if (count != 0) {
        taking->vector->most_ns += count * plan_most_ns(stage, going.most_bytes);
        taking_account(taking, first, count * taking->now_ns - going.ready_ns);
        taking->deck->statistics.events += count;
        ready_cut(guide, taking->deck, first, going.run, count, going.cost_ns);
        ready_charge(guide, workflow, going.cost_ns);
    }
    return count;
}
