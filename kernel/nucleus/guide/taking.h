/* taking.h - stages on their way to a deck and back: tickets, WorkRing slots, and the short way of plain workflows. Only files of this room include it. */
#pragma once

#include "kernel/nucleus/guide/state.h"

/* event->flags of one that was admitted, and does not stand. */
#define EVENT_LIVE 1u
_Static_assert(offsetof(struct event, live) == offsetof(struct event, flags) &&
                   offsetof(struct event, telling) < offsetof(struct event, flags) + 8,
               "the flags are one word");

/* event->step of one that goes well, does not stand, and has no deadline. */
static inline uint64_t event_step(uint64_t stages_left, uint64_t in_hand)
{
    return stages_left | in_hand << 16;
}
/* Of these bits none is set while it goes well and does not stand. */
#define EVENT_STEP_ODD 0x00ffffff00000000u
_Static_assert(offsetof(struct event, in_hand) == offsetof(struct event, step) + 2 &&
                   offsetof(struct event, status) == offsetof(struct event, step) + 4 &&
                   offsetof(struct event, was_standing) == offsetof(struct event, step) + 6 &&
                   offsetof(struct event, is_timed) == offsetof(struct event, step) + 7 &&
                   KERR_OK == 0,
               "as event_step() puts them together");

/* run->step of one that is in no body and goes well; its lower half is run->where. */
static inline uint64_t run_step(enum run_state state, uint8_t instance, uint8_t segment,
                                uint64_t waits)
{
    return (uint64_t)state | (uint64_t)instance << 8 | (uint64_t)segment << 16 | waits << 32;
}
_Static_assert(offsetof(struct stage_run, instance) == offsetof(struct stage_run, step) + 1 &&
                   offsetof(struct stage_run, segment) == offsetof(struct stage_run, step) + 2 &&
                   offsetof(struct stage_run, lane) == offsetof(struct stage_run, step) + 3 &&
                   offsetof(struct stage_run, waits) == offsetof(struct stage_run, step) + 4 &&
                   offsetof(struct stage_run, status) == offsetof(struct stage_run, step) + 6,
               "as run_step() puts them together");

/* ---- runs that become ready together ---- */
/* A chain that is made longer, or is made if its count is 0: its end. */
struct ready_links {
    struct stage_run **end, *last;
};

static inline void ready_links_begin(struct ready_links *links, struct ready_chain *chain)
{
    links->end = chain->count == 0 ? &chain->first : &chain->last->next;
    links->last = chain->count == 0 ? NULL : chain->last;
    chain->cost_ns = chain->count == 0 ? 0 : chain->cost_ns;
}

/* It is RUN_READY, its size and cost are known. */
static inline void ready_links_add(struct ready_links *links, struct stage_run *run,
                                   uint64_t now_ns)
{
    run->ready_ns = now_ns;
    run->previous = links->last;
    *links->end = run;
    links->end = &run->next;
    links->last = run;
}

/* So many were added, which cost so much together. */
static inline void ready_links_end(const struct ready_links *links, struct ready_chain *chain,
                                   uint32_t count, uint64_t cost_ns)
{
    *links->end = NULL;
    chain->last = links->last;
    chain->count += count;
    chain->cost_ns += cost_ns;
}

/* ---- dispatch.c ---- */
/* A vector's worth of work: long enough that the visit costs little beside it, short enough that others get their turn. */
#define VECTOR_COST_NS 200000u

/*
 * A ticket's low byte is its index, the generation lies above. While it is free its place has this bit beside the last generation's: an answer
 * is looked for at its own low byte, where that cannot be.
 */
#define TICKET_FREE       0x80u
#define TICKET_GENERATION 0x100u
_Static_assert(KWE_MAX_DEPTH <= TICKET_FREE, "the bit is in no index");
_Static_assert(offsetof(struct kwe_completion, ticket) == 0 &&
                   offsetof(struct kwe_completion, status) == 4 &&
                   offsetof(struct kwe_completion, reserved) == 6 && KERR_OK == 0,
               "the first word of an answer that says it is done is the ticket");

/* All are free. */
static inline void tickets_open(struct guide_hands *hands, uint32_t depth)
{
    for (uint32_t i = 0; i < KWE_TICKET_INDICES; i++) {
        hands->done[i] = i ^ TICKET_FREE;
    }
    hands->free_count = depth;
    for (uint32_t i = 0; i < hands->free_count; i++) {
        hands->free[i] = (uint8_t)(hands->free_count - 1 - i);
    }
}

/* The index of the next; there is one. */
static inline uint32_t ticket_next(const struct guide_hands *hands)
{
    return hands->free[hands->free_count - 1];
}

/* The next generation of a free one. */
static inline uint32_t ticket_begin(struct guide *guide, struct guide_hands *hands, uint32_t index,
                                    struct stage_run *run)
{
    const uint32_t ticket = (uint32_t)hands->done[index] + TICKET_GENERATION - TICKET_FREE;

    hands->run[index] = run;
    hands->guide[index] = guide;
    hands->done[index] = ticket;
    return ticket;
}

static inline void ticket_end(struct guide_hands *hands, uint32_t index)
{
    hands->done[index] ^= TICKET_FREE;
}

static inline bool ticket_is_free(const struct guide_hands *hands, uint32_t index)
{
    return (hands->done[index] & TICKET_FREE) != 0;
}

/* The instance has a ticket to give. */
static inline uint32_t ticket_take(struct guide *guide, struct guide_hands *hands,
                                   struct stage_run *run)
{
    return ticket_begin(guide, hands, hands->free[--hands->free_count], run);
}

static inline void ticket_give(struct guide_hands *hands, uint32_t index)
{
    ticket_end(hands, index);
    hands->free[hands->free_count++] = (uint8_t)index;
}

/* What is being handed over. */
struct taking {
    struct guide_deck *deck;
    const struct guide_instance *instance;
    struct ring_producer *work;
    struct kwe_work_frame *frames;
    struct guide_vector *vector;
    uint32_t count, room;
    uint64_t now_ns;
};

/* So much of a stage goes in this visit. */
static inline void taking_account(const struct taking *taking, const struct stage_run *run,
                                  uint64_t queued_ns)
{
    struct workflow *workflow = run->event->workflow;
    struct kwe_stage_status *status = &workflow->stage_status[run->stage];
    const uint64_t visit = taking->deck->statistics.visits + 1;

    status->visits += workflow->visit_of[run->stage] == visit ? 0 : 1;
    workflow->visit_of[run->stage] = visit;
    status->queued_ns += queued_ns;
}

/* A fused stage's input is counted when its length is known. */
static inline void taking_account_inputs(const struct stage_run *run,
                                         const struct kwe_work_frame *frame)
{
    const struct kwe_buffer *input = frame->input, *end = input + run_stage(run)->input_count;
    uint64_t bytes = 0;

    for (; input != end; input++) {
        bytes += input->length == KWE_LENGTH_OF_BEFORE ? 0 : input->length;
    }
    run->counts->bytes_in += bytes;
}

static inline bool taking_has_place(const struct taking *taking)
{
    return taking->count < taking->room && taking->instance->hands->free_count != 0;
}

/* What is short does not wait for what is long, and a vector is not made longer than it has to be. */
static inline bool vector_is_long_enough(uint64_t cost_ns, const struct stage_run *next)
{
    return cost_ns >= VECTOR_COST_NS || (cost_ns > 0 && next->cost_ns > VECTOR_COST_NS);
}

/*
 * With a stage go those of its deck that wait for it alone, one after the other. A binding that fails is told when its turn comes. Behind one
 * that is early goes nothing while that waits: its answer would set going what has to come after all that it waits for, too.
 */
void taking_fuse(struct guide *guide, struct taking *taking, struct stage_run *before);

/* ---- the short way: vector.c, answers.c ---- */
/* A word in shared memory that decides something. */
static inline uint64_t read_once(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint32_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

static inline uint32_t read_once_32(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* While a trace is kept all goes the long way. */
static inline bool is_traced(const struct guide *guide)
{
    return guide->config.port.trace != NULL;
}

/* Admit events from the EventRing, from the `first` behind the oldest on, at most so many. Returns how many; the next goes the long way. */
uint32_t vector_admit(struct guide *guide, struct program_ring *ring, uint32_t first, uint32_t most,
                      uint64_t now_ns);
/* Hand over runs of one stage, until `most` are in the vector. Returns how many; 0: the next goes the long way. */
uint32_t vector_take(struct guide *guide, struct taking *taking, uint32_t most);
/* Take answers from the DoneRing, those from `first` to before `end`. Returns how many; the next goes the long way. */
uint32_t vector_complete(struct guide *guide, uint32_t instance, const struct ring_consumer *done,
                         uint32_t first, uint32_t end, uint64_t now_ns);

/* ---- work.c ---- */
/* Fill workflow->work. False: no memory. */
bool work_open(struct guide *guide, struct workflow *workflow);
void work_close(struct guide *guide, struct workflow *workflow);
/* What is different in each: of a plain workflow's stage that is all. `from` may be `work` itself. */
static inline void work_fill_from(const struct kwe_work *from, const struct stage_run *run,
                                  struct kwe_work *work)
{
    ring_copy_slot(work, from);
    work->ticket = run->ticket;
    work->out_offset = from->out_capacity == 0 ? 0 : run->out_offset;
    work->deadline_ns = run->event->deadline_ns;
    work->event = run->event->number;
}
/* The slot of a run that is being handed over. */
void work_fill(const struct stage_run *run, struct kwe_work *work);
