/*
 * vector.c - the short way of plain workflows' events (plan->is_plain), many at once: what is the same for all of them is looked at once, and
 * each costs a few dozen instructions. What does not fit goes the long way (intake.c, dispatch.c, stage.c, event.c), event by event; both ways
 * leave the same records behind, so that any event may go one part of its way by the one and the next by the other.
 *
 *   vector_admit()      EventRing -> ready        events of one workflow, one behind the other in the ring
 *   vector_take()       ready -> WorkRing         runs of one stage, one behind the other in its queue
 *   vector_complete()   DoneRing -> ResultRing, or ready again
 *
 * Words in shared memory are read once, each into a variable; only that is looked at.
 */
#include "kernel/nucleus/guide/taking.h"

static inline uint64_t read_once(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static bool is_traced(const struct guide *guide)
{
    return guide->config.port.trace != NULL;
}

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
        struct stage_run *run = &event->run[i];
        if (i != source) {
            run->waits = plan->stages[i].waits;
            run->status = KERR_OK;
            run->length = 0;
            run->state = RUN_WAITING;
        }
    }
}

static inline void start(struct event *event, const struct plan *plan)
{
    event->stages_left = (uint16_t)plan->stage_count;
    event->in_hand = 0;
    event->status = KERR_OK;
    event->status_stage = KWE_NO_STAGE;
    event->live = true;
    event->is_standing = false;
    event->was_standing = false;
    event->is_armed = false;
    event->has_fired = false;
    event->is_parked = false;
    event->holds = false;
    event->telling = false;
}

/* Can the event whose words these are be one of the workflow's that nothing more has to be looked at for? */
static inline bool is_alike(const uint64_t *word, uint64_t key, uint64_t input_offset,
                            uint64_t input_length, uint64_t program_bytes)
{
    return read_once(&word[1]) == key && read_once(&word[2]) >> 32 == 0 &&
           (read_once(&word[5]) | read_once(&word[6]) | read_once(&word[7])) == 0 &&
           input_length <= program_bytes && input_offset <= program_bytes - input_length;
}

/* Not inlined, so that the loop has the registers for itself. So are those below. */
__attribute__((noinline)) uint32_t vector_admit(struct guide *guide, struct program_ring *ring,
                                                uint32_t first, uint32_t most, uint64_t now_ns)
{
    const struct ring_slot *slots = ring->events.shared->slot;
    const uint32_t mask = ring->events.slots - 1, at = ring->events.head + first;
    const uint64_t key = read_once(&slots[at & mask].word[1]); /* workflow, no flags */
    struct workflow *workflow = workflow_find(guide, (uint32_t)key);
    const struct plan_stage *source = only_source(guide, ring, workflow);

    if (source == NULL || key >> 32 != 0 || is_traced(guide)) {
        return 0;
    }
    const struct plan *plan = workflow->plan;
    const uint64_t program_bytes =
        plan->header->program_bytes < UINT32_MAX ? plan->header->program_bytes : UINT32_MAX;
    const uint32_t places =
        ring->results.slots - (ring->results.tail - ring->released) - ring->reserved;
    const bool is_sized = source->size_binding != PLAN_NO_BINDING;
    const uint32_t source_index = (uint32_t)(source - plan->stages);
    uint64_t cost_ns = 0;
    struct ready_chain chain = { .count = 0 };
    uint64_t number = guide->event_number;
    struct event *event = workflow->free;
    uint32_t count = 0;

    most = most < places ? most : places;
    for (; count < most && event != NULL; count++) {
        const uint64_t *word = slots[(at + count) & mask].word;
        const uint64_t input_offset = read_once(&word[3]), input_length = read_once(&word[4]);
        if (!is_alike(word, key, input_offset, input_length, program_bytes)) {
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
        start(event, plan);
        start_others(event, plan, source_index);
        run->waits = 0;
        run->status = KERR_OK;
        run->size_bytes = is_sized ? bind_size_bytes(run) : source->out_room;
        if (is_sized || count == 0) {
            cost_ns = pace_cost_ns(guide, workflow, source, run->size_bytes);
        }
        run->cost_ns = cost_ns;
        ready_link(&chain, run, now_ns);
        event = event->next_free;
    }
    if (count != 0) {
        workflow->free = event;
        workflow->live_count += count;
        workflow->status.submitted += count;
        guide->event_number = number;
        ring->reserved += count;
        ready_append(guide, &chain);
    }
    return count;
}

/* ---- to the decks --------------------------------------------------------------------------------------------------------- */

/* Its inputs and parameters, as far as it has any. */
static inline bool bind_if_needed(const struct guide *guide, const struct taking *taking,
                                  const struct stage_run *run)
{
    const struct plan_stage *stage = run_stage(run);
    struct kwe_work_frame *frame = &taking->frames[taking->instance->hands->first_free];

    if (stage->binding_count == 0 && stage->params_bytes == 0) {
        return true;
    }
    if (bind_frame(guide, run, frame) != KERR_OK) {
        return false;
    }
    taking_account_inputs(run, frame);
    return true;
}

__attribute__((noinline)) uint32_t vector_take(struct guide *guide, struct taking *taking,
                                               uint32_t most)
{
    struct stage_run *first = is_traced(guide) ? NULL : ready_alike(taking->deck);

    if (first == NULL) {
        return 0;
    }
    const struct plan_stage *stage = run_stage(first);
    struct workflow *workflow = first->event->workflow;
    const struct guide_instance *instance = taking->instance;
    struct guide_hands *hands = instance->hands;
    const uint8_t index = (uint8_t)(instance - guide->instance);
    const uint8_t segment = workflow->segment_of[index];
    const uint64_t stride = workflow->plan->segment[segment].stride;
    const uint64_t out_offset = workflow->segment_offset[segment] + stage->out_offset;
    const struct kwe_work *work = &workflow->work[first->stage];
    struct ring_slot *slots = taking->work->shared->slot;
    const uint32_t mask = taking->work->slots - 1, tail = taking->work->tail;
    const bool fuses = stage->fused_next != KWE_NO_STAGE;
    uint64_t queued_ns = 0, cost_ns = 0, most_bytes = stage->out_room;
    struct stage_run *run = first;
    uint32_t count = 0;

    most = most < taking->room ? most : taking->room;
    for (; run != NULL && taking->count < most && hands->first_free < instance->spec->depth &&
           !vector_is_long_enough(taking->vector->cost_ns, run);
         run = run->next) {
        struct event *event = run->event;
        run->instance = index;
        run->segment = segment;
        run->out_offset = out_offset + event->place * stride;
        if (!bind_if_needed(guide, taking, run)) {
            break;
        }
        run->state = RUN_IN_HAND;
        run->ticket = ticket_take(guide, hands, run);
        event->in_hand++;
        queued_ns += taking->now_ns - run->ready_ns;
        cost_ns += run->cost_ns;
        taking->vector->cost_ns += run->cost_ns;
        most_bytes = run->size_bytes > most_bytes ? run->size_bytes : most_bytes;
        work_fill_from(work, run,
                       (struct kwe_work *)(void *)&slots[(tail + taking->count++) & mask]);
        count++;
        if (event->is_standing) {
            standing_stage_handed(run);
        }
        if (fuses) {
            taking_fuse(guide, taking, run);
        }
    }
    if (count != 0) {
        taking->vector->most_ns += count * plan_most_ns(stage, most_bytes);
        taking_account(taking, first, queued_ns);
        taking->deck->statistics.events += count;
        ready_cut(guide, taking->deck, first, run, count, cost_ns);
        ready_charge(guide, workflow, cost_ns);
    }
    return count;
}

/* ---- answers, and out ------------------------------------------------------------------------------------------------------ */

_Static_assert(offsetof(struct kwe_completion, status) == 4 &&
                   offsetof(struct kwe_completion, reserved) == 6 &&
                   offsetof(struct kwe_completion, out_length) == 8 &&
                   offsetof(struct kwe_completion, copied_cache) == 12 &&
                   offsetof(struct kwe_completion, copied_device) == 16 &&
                   offsetof(struct kwe_completion, elapsed_ns) == 24 &&
                   offsetof(struct kwe_completion, value) == 32,
               "a completion's words, as read below");

/* Somebody still takes its result. */
static inline bool is_open(const struct event *event)
{
    return !event->ring->abandoned && event->workflow->registered;
}

/* Nothing can have happened but that it is done. */
static inline bool is_plain(const struct stage_run *run)
{
    const struct event *event = run->event;

    /* An event's own plan is none of the workflow's, which is an arena and not plain. */
    return event->workflow->plan->is_plain && event->status == KERR_OK && run->status == KERR_OK &&
           run->waits == 0 && run->state == RUN_IN_HAND && !event->was_standing;
}

/* Results that lie in a ring, and before who observes, and have not been given yet: they go together. */
struct giving {
    struct program_ring *ring; /* NULL: none */
    uint32_t count;
    uint32_t observed;
};

static void give(struct guide *guide, struct giving *giving, uint64_t now_ns)
{
    struct program_ring *ring = giving->ring;

    if (ring != NULL) {
        observe_give(guide, giving->observed);
        ring_give(&ring->results, giving->count);
        ring_tell(guide, ring, giving->count, now_ns);
    }
    *giving = (struct giving){ .ring = NULL };
}

_Static_assert(offsetof(struct kwe_result, workflow) == 8 &&
                   offsetof(struct kwe_result, stage) == 14 &&
                   offsetof(struct kwe_result, step) == 17 &&
                   offsetof(struct kwe_result, length) == 20 &&
                   offsetof(struct kwe_result, offset) == 24 &&
                   offsetof(struct kwe_result, submitted_ns) == 40,
               "a result's words, as written below");

/* A good result, to the program and to who observes (NULL: nobody). `from`: the stage whose output it is, NULL: none. */
static inline void write_result(const struct event *event, const struct stage_run *from,
                                uint64_t now_ns, uint64_t *to, uint64_t *seen)
{
    const uint64_t names = event->workflow->id | (uint64_t)KWE_NO_STAGE << 48;
    const uint64_t length = from == NULL ? 0 : from->length;
    const uint64_t counts = (uint64_t)(uint8_t)event->plan->stage_count << 8 | length << 32;
    const uint64_t offset = length == 0 ? 0 : from->out_offset;
    const uint64_t value = from == NULL ? 0 : from->value[0];
    const uint64_t word[RING_SLOT_BYTES / 8] = {
        event->cookie, names, counts, offset, value, event->submitted_ns, now_ns, 0,
    };

#pragma GCC unroll 8
    for (unsigned i = 0; i < RING_SLOT_BYTES / 8; i++) {
        to[i] = word[i];
        if (seen != NULL) {
            seen[i] = word[i];
        }
    }
}

/* All stages of the event are done. */
static inline void finish(struct guide *guide, struct giving *giving, struct event *event,
                          uint64_t now_ns)
{
    struct workflow *workflow = event->workflow;
    struct program_ring *ring = event->ring;
    const uint16_t index = event->plan->header->result_stage;
    const struct stage_run *from = index == KWE_NO_STAGE ? NULL : &event->run[index];

    if (event->deadline.at_ns != 0) {
        deadline_set(guide, &event->deadline, 0);
    }
    if (giving->ring != ring) {
        give(guide, giving, now_ns);
        giving->ring = ring;
    }
    uint64_t *seen = observe_place(guide, giving->observed);
    write_result(event, from, now_ns, ring_back(&ring->results, giving->count), seen);
    giving->observed += seen != NULL ? 1 : 0;
    workflow->status.completed++;
    workflow->live_count--;
    event->live = false;
    ring->reserved--;
    if (from != NULL && from->length != 0) {
        ring_hold(ring, event, (ring->results.tail + giving->count) & (ring->results.slots - 1));
    } else {
        event->next_free = workflow->free;
        workflow->free = event;
    }
    giving->count++;
}

__attribute__((noinline)) uint32_t vector_complete(struct guide *guide, uint32_t instance_index,
                                                   const struct ring_consumer *done, uint32_t first,
                                                   uint32_t end, uint64_t now_ns)
{
    const struct guide_instance *instance = &guide->instance[instance_index];
    struct guide_hands *hands = instance->hands;
    struct kwe_deck_statistics *statistics = &guide->deck[instance->spec->prefix].statistics;
    const struct ring_slot *slots = done->shared->slot;
    const uint32_t mask = done->slots - 1, head_at = done->head;
    const uint32_t depth = instance->spec->depth;
    uint64_t copied_cache = 0, copied_device = 0;
    struct giving giving = { .ring = NULL };
    uint32_t at = first;

    for (; at < end && !is_traced(guide); at++) {
        const uint64_t *word = slots[(head_at + at) & mask].word;
        const uint64_t head = read_once(&word[0]), lengths = read_once(&word[1]);
        const uint32_t ticket = (uint32_t)head, index = KWE_TICKET_INDEX(ticket);
        const uint32_t out_length = (uint32_t)lengths;
        if (head >> 32 != KERR_OK || index >= depth) {
            break;
        }
        const struct in_hand *in_hand = &hands->in_hand[index];
        struct stage_run *run = in_hand->run;
        if (run == NULL || in_hand->guide != guide || in_hand->generation != ticket >> 8 ||
            !is_plain(run) || out_length > run_stage(run)->out_room || !is_open(run->event)) {
            break;
        }
        struct event *event = run->event;
        struct kwe_stage_status *counts = run->counts;
        ticket_give(hands, index);
        copied_cache += lengths >> 32;
        copied_device += (uint32_t)read_once(&word[2]);
        counts->busy_ns += read_once(&word[3]);
        counts->events++;
        counts->bytes_out += out_length;
        run->length = out_length;
        for (unsigned i = 0; i < run_stage(run)->op->value_count; i++) {
            run->value[i] = read_once(&word[4 + i]);
        }
        event->in_hand--;
        if (event->stages_left == 1) {
            run->state = RUN_DONE;
            event->stages_left = 0;
            finish(guide, &giving, event, now_ns);
        } else {
            stage_done_plainly(guide, run, now_ns);
            if (event->status != KERR_OK || event->stages_left == 0) {
                give(guide, &giving, now_ns); /* before others take the places behind them */
                event_settle(guide, event, now_ns);
            }
        }
    }
    statistics->completions += at - first;
    statistics->copied_cache += copied_cache;
    statistics->copied_device += copied_device;
    give(guide, &giving, now_ns);
    return at - first;
}
