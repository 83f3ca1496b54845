/*
 * guide.h - moves events along their plans: admits them, hands vectors of ready stages to deck instances, takes their answers, publishes
 * exactly one result for each event, whatever dies on the way.
 *
 * Plain C: no hardware, no globals, no locks, memory from struct guide_memory, time as an argument. Each program has a Guide of its own, and
 * guides.h is what decks and the nucleus see of all of them, with their locks; host tests use one by itself, too.
 *
 *            all joined, conditions hold    guide_take()          guide_complete()
 *   stage:   WAITING ----------> READY ----------------> IN_HAND ----------------> DONE, or FAILED if somebody tolerates that
 *               |                  |                        |
 *               |  nobody needs it, the event is decided    +-- not needed any more: ABANDONED until it comes back
 *               +-----------------> SKIPPED
 *   loop:    WAITING ----------> LOOPING ------ all parts over, the condition holds ------> DONE
 *
 * An event ends when nothing of it is in a deck's hands and either all its stages are over or it has failed: a stage failed that nobody
 * tolerates, its time passed, it was cancelled. Its slot is held until the program has moved its ring's head past the result (at once when
 * the result names no buffer).
 */
#pragma once

#include "kernel/abi/event.h"
#include "kernel/abi/statistics.h"
#include "kernel/abi/trace.h"
#include "kernel/abi/work.h"
#include "kernel/lib/ring.h"
#include "kernel/nucleus/workflow/plan.h"

struct guide;
struct guide_shared;
struct program_ring;

/* What the Guide tells the nucleus. */
struct guide_port {
    /* There is ready work for this deck. */
    void (*deck_ready)(void *context, uint8_t prefix);
    /* Results lie in the ring, as many as ring->tell_after asked for. */
    void (*result_published)(void *context, struct program_ring *ring);
    /* Nothing of a ring that was abandoned is in flight any more: its memory may go. */
    void (*ring_drained)(void *context, struct program_ring *ring);
    /* Nothing of a workflow that was unregistered is in flight any more: its arena may go. From guide_collect() only. */
    void (*workflow_gone)(void *context, uint32_t workflow);
    /* Ask the instance to answer this ticket now: nobody waits for what it would be. */
    void (*recall)(void *context, uint32_t instance, uint32_t ticket);
    /* It did not answer what was recalled. */
    void (*instance_stuck)(void *context, uint32_t instance);
    /* The program lied in its ring: end it. From guide_serve_starved() only. */
    void (*ring_broken)(void *context, struct program_ring *ring);
    /* Something has happened; NULL: nobody wants to know. Time and CPU are for the nucleus to fill in. */
    void (*trace)(void *context, const struct kwe_trace_record *record);
    /* Copy bytes of a segment (PLAN_SEGMENT_*) of the workflow's arena. False: outside it. */
    bool (*read_segment)(void *context, uint32_t workflow, uint32_t segment, uint64_t offset,
                         void *to, size_t bytes);
    void *context;
};

enum guide_instance_state {
    GUIDE_INSTANCE_UP,
    GUIDE_INSTANCE_DOWN, /* given up; while all of a deck's instances are, its stages end with DECK_DOWN */
};

struct guide_config {
    const struct deck_spec *specs;
    uint32_t spec_count;
    unsigned per_cpu_instances;
    bool first_instance_only; /* a deck's other instances get no work: the same way each time */
    struct guide_memory memory;
    struct guide_port port;
};

/* NULL: no memory. Instances are numbered as the specs stand: each deck's in a row. */
struct guide *guide_create(const struct guide_config *config);
/* One of several that share decks, and what they share. */
struct guide *guide_create_among(const struct guide_config *config, struct guide_shared *shared);
struct guide_shared *guide_shared_create(const struct guide_config *config);
void guide_shared_destroy(const struct guide_config *config, struct guide_shared *shared);
void guide_destroy(struct guide *guide);

/* ---- workflows ----------------------------------------------------------------------------------------------------- */

/* Places of the arena's segments, from its base; as many as the plan has. The plan is the Guide's from here on, unless it fails. */
enum kerr guide_register(struct guide *guide, struct plan *plan, uint32_t owner,
                         uint64_t arena_base, const uint64_t *segment_offsets, uint32_t *workflow);
#define GUIDE_WORKFLOW_INDEX(id) ((id) & 0xffu)
/* KERR_BAD_HANDLE when `owner` has no such workflow. */
enum kerr guide_check_owner(const struct guide *guide, uint32_t owner, uint32_t workflow);
/* End what waits with CANCELLED, what is in hand when it returns. */
void guide_cancel(struct guide *guide, uint32_t workflow, uint64_t now_ns);
/* The same for the events of this cookie that came through the ring and have not ended. Returns how many. */
uint32_t guide_cancel_event(struct guide *guide, const struct program_ring *ring, uint64_t cookie,
                            uint64_t now_ns);
/* A slot may have become free without an event of the Guide's own: those in line for a large one go on. After ring_abandon(). */
void guide_serve_line(struct guide *guide, uint64_t now_ns);
/* What stands came through a ring that goes: it would never end. Before ring_abandon(). */
void guide_cancel_standing(struct guide *guide, const struct program_ring *ring, uint64_t now_ns);
/* No more events; what is in flight is cancelled; port.workflow_gone() when the last has ended. */
void guide_unregister(struct guide *guide, uint32_t workflow, uint64_t now_ns);
/* Free what has drained, calling port.workflow_gone() for each. The nucleus calls it at the end of what it does. */
void guide_collect(struct guide *guide);
/* Counters; false: no such workflow. `stages` has room for the plan's. */
bool guide_status(const struct guide *guide, uint32_t workflow, struct kwe_workflow_status *status,
                  struct kwe_stage_status *stages);
/* The plan; false: no such workflow. `stages` has room for KWE_MAX_STAGES. */
bool guide_plan(const struct guide *guide, uint32_t workflow, struct kwe_plan *plan,
                struct kwe_plan_stage *stages);
/* A program has gone: its workflows are unregistered. Its rings must have been abandoned before (ring_abandon()). */
void guide_program_gone(struct guide *guide, uint32_t owner, uint64_t now_ns);

/* ---- instances ------------------------------------------------------------------------------------------------------ */

void guide_instance_state(struct guide *guide, uint32_t instance, enum guide_instance_state state,
                          uint64_t now_ns);
/*
 * The instance died. Every event in its hands, or with an output in its segment that is not yet used up, ends with DECK_FAULT; the rest goes on.
 */
void guide_instance_lost(struct guide *guide, uint32_t instance, uint64_t now_ns);
/* What was handed over. */
struct guide_vector {
    uint64_t cost_ns; /* what it takes by its operations' cost hints */
    uint64_t most_ns; /* ... if the outputs fill their rooms */
    uint32_t count;
    bool
        has_observations; /* there are many results that the instance, which observes, has not seen */
};
/*
 * Hand over ready stages, at most `room`: slots are placed in the WorkRing and not yet given, parameters and inputs go into
 * frames[ticket index]. Returns how many.
 */
uint32_t guide_take(struct guide *guide, uint32_t instance, uint64_t now_ns,
                    struct ring_producer *work, struct kwe_work_frame *frames, uint32_t room,
                    struct guide_vector *vector);
/* The same behind what is in the vector already, which counts for `room`. Returns how many more. Without observations. */
uint32_t guide_take_more(struct guide *guide, uint32_t instance, uint64_t now_ns,
                         struct ring_producer *work, struct kwe_work_frame *frames, uint32_t room,
                         struct guide_vector *vector);
/* Does the instance observe, and is there much to look at? `it_comes`: it looks in any case. */
bool guide_observe_due(struct guide *guide, uint32_t instance, bool it_comes);
/* Take the oldest `count` answers, which lie in the DoneRing. KERR_DECK_BROKE_RULES: one is none that this instance may give; restart it. */
enum kerr guide_harvest(struct guide *guide, uint32_t instance, struct ring_consumer *done,
                        uint32_t count, uint64_t now_ns);
/*
 * The same of those from `first` to before `end`, up to one that answers another Guide's stage, and they stay in the ring; *taken: how many.
 */
enum kerr guide_harvest_own(struct guide *guide, uint32_t instance,
                            const struct ring_consumer *done, uint32_t first, uint32_t end,
                            uint32_t *taken, uint64_t now_ns);
/* The Guide whose stage the instance has in its hands by this ticket; NULL: it has none. */
struct guide *guide_of_ticket(const struct guide_shared *shared, uint32_t instance,
                              const struct deck_spec *spec, uint32_t ticket);
/* One answer, copied out of the DoneRing once. KERR_DECK_BROKE_RULES as above. */
enum kerr guide_complete(struct guide *guide, uint32_t instance,
                         const struct kwe_completion *completion, uint64_t now_ns);
/* Where the deck that observes finds results (slots of struct kwe_result), until the next call; NULL: it is down. */
void guide_observe_into(struct guide *guide, struct ring_producer *ring);
/* What the stages that are ready for this deck are expected to take, by their operations' cost hints. */
uint64_t guide_ready_cost_ns(const struct guide *guide, uint8_t prefix);
/* From here on it is worth waking a second instance for them: a wake-up on another CPU costs about this. */
#define GUIDE_SHARE_NS 50000u

/* ---- time -------------------------------------------------------------------------------------------------------------- */

/* When guide_expire() has something to do; UINT64_MAX: never. */
uint64_t guide_next_deadline_ns(const struct guide *guide);
/* Fail what has had its time. */
void guide_expire(struct guide *guide, uint64_t now_ns);

/* ---- counters ------------------------------------------------------------------------------------------------------- */

/* Results that were published ever, and when the first was; 0: none has been. */
uint64_t guide_results(const struct guide *guide, uint64_t *first_ns);
/* visits, events, completions, copied_*; the rest of *out is left alone. */
void guide_deck_statistics(const struct guide *guide, uint8_t prefix,
                           struct kwe_deck_statistics *out);
/* Results that the deck that observes was not there to take. */
uint64_t guide_observe_dropped(const struct guide *guide);
