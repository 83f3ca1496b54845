/* taking.h - stages on their way to a deck and back: tickets, WorkRing slots, and the short way of plain workflows. Only files of this room include it. */
#pragma once

#include "kernel/nucleus/guide/state.h"

/* ---- dispatch.c ---- */
#define TICKET_GENERATIONS 0xffffffu
/* A vector's worth of work: long enough that the visit costs little beside it, short enough that others get their turn. */
#define VECTOR_COST_NS 200000u

/* The instance has a ticket to give: first_free is below its depth. */
static inline uint32_t ticket_take(struct guide *guide, struct guide_hands *hands,
                                   struct stage_run *run)
{
    uint32_t index = hands->first_free;
    struct in_hand *place = &hands->in_hand[index];

    hands->first_free = place->next_free;
    place->run = run;
    place->guide = guide;
    place->generation = (place->generation + 1) & TICKET_GENERATIONS;
    return index | place->generation << 8;
}

static inline void ticket_give(struct guide_hands *hands, uint32_t index)
{
    hands->in_hand[index].run = NULL;
    hands->in_hand[index].next_free = hands->first_free;
    hands->first_free = index;
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
    return taking->count < taking->room &&
           taking->instance->hands->first_free < taking->instance->spec->depth;
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

/* ---- vector.c ---- */
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
