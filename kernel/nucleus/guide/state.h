/* state.h - the Guide's own records; only files of this room include it. */
#pragma once

#include "kernel/lib/string.h"
#include "kernel/nucleus/guide/intake.h"

#define GUIDE_MAX_WORKFLOWS MAX_WORKFLOWS
#define NO_SEGMENT          0xffu

enum run_state {
    RUN_WAITING,
    RUN_READY,
    RUN_IN_HAND,
    RUN_HELD,      /* answered, and what it waits for is not over yet: it was early or fused */
    RUN_LOOPING,   /* a loop whose body runs */
    RUN_ABANDONED, /* in hand still, but nobody waits for it any more */
    RUN_DONE,
    RUN_FAILED, /* and somebody tolerates that */
    RUN_SKIPPED,
};

/* Something to be done at a time, in the Guide's list while at_ns is not 0. */
struct deadline {
    struct deadline *next, *previous;
    uint64_t at_ns;
    struct event *event;
    struct stage_run *run; /* NULL: the whole event's */
};

/* One stage of one event; of a body, one in each lane. */
struct stage_run {
    struct event *event;
    const struct plan_stage *plan_stage;
    struct kwe_stage_status *counts; /* the workflow's, of its stage */
    struct stage_run *next,
        *previous; /* in its deck's ready queue; `next` of one that is over: in event->over_first's list */
    struct deadline deadline;
    uint64_t ready_ns;
    uint64_t cost_ns; /* what it is expected to take; since it is ready */
    uint64_t value[KWE_MAX_VALUES];
    uint64_t out_offset; /* where the output lies in the arena; once in hand */
    union {
        struct {
            uint8_t state;    /* enum run_state */
            uint8_t instance; /* in hand */
            uint8_t segment;  /* where the output lies */
            uint8_t lane;
            uint16_t waits; /* stages that it still waits for; early or fused: also while it runs */
            /* FAILED: why; SKIPPED: CANCELLED. In hand: not OK when it is to be given up, whatever it answers */
            uint16_t status;
        };
        uint32_t where; /* the first four at once */
        uint64_t step;  /* all of them: run_step() */
    };
    uint32_t length; /* of the output */
    uint32_t ticket; /* in hand */
    uint32_t
        size_bytes; /* what its cost goes by: its first input, or its output's room; since it is ready */
    uint16_t stage;
    uint16_t winner; /* JOIN_FIRST: the stage that was the first; FAILED: the one to blame */
    /* Of an open stage (variant.c): bit n, its n-th variant has been tried; in hand: of so many in that deck. */
    uint8_t tried, among;
};

/* A loop of one event that runs, or did. */
struct loop_run {
    struct kwe_parts parts;
    uint64_t count; /* parts altogether; UNTIL: rounds at most */
    uint64_t
        started;   /* parts [done, started) are under way, or over while one before them is not */
    uint64_t done; /* all parts before this one are over */
    uint32_t idle; /* parts begun since a stage of its body was done */
    bool pumping;  /* pump() is on the stack */
    struct {
        uint64_t part;
        uint16_t left; /* stages of its body not over yet */
    } lane[KWE_MAX_WINDOW + 1];
};

struct event {
    struct workflow *workflow;
    struct plan *plan; /* the workflow's, or its own */
    struct program_ring *ring;
    struct event *next_free;
    uint8_t *block;         /* its variables, the nucleus's copy */
    struct loop_run *loops; /* as many as the plan has */
    uint64_t cookie, number;
    uint64_t input_offset, deadline_ns, submitted_ns;
    struct deadline deadline;
    struct stage_run *over_first, *over_last; /* over, and those that wait for it not yet told */
    uint32_t input_length;
    uint32_t slot;  /* of the Guide's own records */
    uint32_t place; /* in the arena, among those of its size */
    bool is_large;  /* which size */
    bool has_place;
    bool waits_for_room; /* in line; it has no place */
    bool has_effect;     /* something of it may have been seen from outside */
    struct event *line_next;
    uint32_t pause_ns; /* standing: before the next run, should this one fail before it fires */
    uint32_t held_place;
    union {
        struct {
            uint16_t stages_left; /* not over yet */
            uint16_t in_hand;     /* stage runs in decks' hands */
            uint16_t status;      /* enum kerr: the verdict so far */
            bool was_standing;    /* is_standing as it was submitted */
            bool is_timed;        /* `deadline` is set */
        };
        uint64_t step; /* all of them: event_step() */
    };
    union {
        struct {
            bool live;        /* admitted and not ended */
            bool is_standing; /* starts again when it is over; cleared to end it */
            /* standing: it waits in a deck, and is counted in its workflow's status */
            bool is_armed;
            bool has_fired; /* standing: what it waited for has come */
            bool is_parked; /* standing: the next run starts at deadline.at_ns */
            bool holds;     /* ended; ring->held[held_place] keeps the slot */
            bool telling;   /* tell() is on the stack */
        };
        uint64_t flags; /* all of them: EVENT_LIVE */
    };
    uint16_t status_stage;  /* KWE_NO_STAGE while it goes well, and while the slot is free */
    struct stage_run run[]; /* plan->run_count */
};

/* What is ready of one workflow for one deck. */
struct ready_set {
    struct workflow *workflow;
    struct ready_set *next; /* in its deck's list, while it has something */
    uint64_t ranks;         /* bit n: queue[n] is not empty */
    struct ready_queue {
        struct stage_run *first, *last;
    } queue[]; /* plan->stage_count, by the stage's rank */
};

/* Those that are free. */
struct place_stack {
    uint32_t *place;
    uint32_t count;
};

/* What a stage has taken of late (pace.c). */
struct stage_pace {
    uint64_t answers, busy_ns; /* its counts when they were last looked at */
    uint64_t cost_ns;          /* what each took before that; answers 0: not known */
};

struct workflow {
    uint32_t id;
    uint32_t owner;
    bool registered;     /* else it drains */
    uint32_t stage_room; /* stages that an event may have */
    struct plan *plan;
    uint64_t arena_base;
    uint64_t segment_offset[PLAN_MAX_SEGMENTS];
    uint8_t segment_of[MAX_INSTANCES]; /* NO_SEGMENT: not on its routes */
    size_t event_bytes;
    uint8_t *events; /* slots of event_bytes each */
    uint8_t *blocks;
    struct loop_run *loops;
    struct event *free;
    struct place_stack places[2];       /* [false]: slots, [true]: large ones */
    struct event *line_first;           /* those that wait for a large one */
    struct ready_set *ready[MAX_DECKS]; /* NULL: not on its routes */
    uint64_t used_ns;                   /* its share so far: see ready.c */
    uint32_t live_count;                /* admitted and not ended */
    uint32_t standing_count;            /* of these, those that were submitted to stand */
    struct kwe_workflow_status status;
    struct kwe_stage_status *stage_status;
    struct kwe_work *work; /* by stage: what is the same in each event's work; NULL: an arena */
    uint64_t
        visit_of[KWE_MAX_STAGES]; /* of its deck, the newest in which the stage was handed over */
    struct stage_pace pace[KWE_MAX_STAGES];
};

/* What one instance has in its hands, of all programs. Whoever runs the instance has this for itself; while it does not run, whoever buries it. */
struct guide_hands {
    uint32_t free_count;
    uint8_t free[KWE_MAX_DEPTH]; /* tickets' indices; the last is the next */
    /* By a ticket's index, as many as an answer can name: what it stands for and whose that is, unless it is free, ... */
    struct stage_run *run[KWE_TICKET_INDICES];
    struct guide *guide[KWE_TICKET_INDICES];
    /* ... and the first word of the answer that says it is done; free: one that no answer found here can have. */
    uint64_t done[KWE_TICKET_INDICES];
};

/* What the Guides of several programs have in common; each part says whose it is. */
struct guide_shared {
    /* the caller's of guide_register() and guide_collect(), of which there is one at a time: */
    uint32_t generation; /* of workflow ids */
    bool workflow_taken[GUIDE_MAX_WORKFLOWS];
    /* atomics: */
    uint32_t standing[MAX_DECKS]; /* stages in which standing events wait for their beginning */
    uint64_t
        floor_ns; /* the most that a program has been given: see ready.c; no more than a hint */
    struct guide_hands hands[]; /* by the instance's number */
};

struct guide_instance {
    const struct deck_spec *spec;
    uint32_t ordinal;
    bool down;
    struct guide_hands *hands;
};

/* What one size of an operation has been measured to take, beside what its hints say. */
struct variant_cost {
    uint32_t ratio;     /* measured to hinted, in units of 1 / 1024; 0: not measured yet */
    uint16_t samples;   /* up to as many as the average goes by */
    bool looked_at;     /* chosen at least once */
    uint64_t credit_ns; /* what may be spent to look at it again */
};

/* 4 KiB and less, 8 KiB, .. */
#define VARIANT_SIZES 16u

/* Of one operation that has variants. */
struct variant_op {
    struct variant_cost size[VARIANT_SIZES];
    uint32_t shunned;   /* so many choices yet go past it: it said that it cannot */
    uint32_t shun_next; /* ... the next time */
};

struct guide_deck {
    const struct deck_spec *spec;
    uint32_t first_instance, instance_count;
    struct ready_set *ready; /* those that have something */
    uint32_t ready_count;
    uint64_t ready_cost_ns; /* of all that is ready */
    struct kwe_deck_statistics statistics;
    struct variant_op *variants; /* by operation; NULL: none has any */
    uint64_t open_ns;    /* of open stages' runs in its hands, what they are expected to take */
    uint32_t open_count; /* how many these are */
};

struct guide {
    struct guide_config config;
    struct guide_shared *shared;
    bool owns_shared;
    uint64_t event_number;
    uint32_t events_in_line; /* that wait for large slots */
    uint32_t draining;       /* unregistered and not yet collected */
    struct workflow *workflow[GUIDE_MAX_WORKFLOWS];
    struct program_ring *rings; /* that are open, and have not been abandoned */
    uint32_t
        ready_decks; /* bit n: something is ready for the deck of prefix n, or to be observed */
    struct guide_deck deck[MAX_DECKS];
    uint32_t instance_count;
    struct guide_instance instance[MAX_INSTANCES];
    struct guide_deck *observer;    /* the deck that observes; NULL: none */
    struct ring_producer *observed; /* where it finds what was published; NULL: it is down */
    uint32_t observed_room;         /* places in that, as far as is known */
    uint32_t unobserved;            /* results since it was last about to look */
    uint64_t observe_dropped;
    uint64_t results, first_result_ns; /* published ever; when the first was, 0: none has been */
    uint64_t used_ns;                  /* what all decks together have been given of it */
    uint64_t workflow_floor_ns;
    struct deadline *first_deadline, *last_deadline; /* soonest first */
};

static inline void *guide_alloc(struct guide *guide, size_t bytes)
{
    return guide->config.memory.alloc_zeroed(guide->config.memory.context, bytes);
}

static inline void guide_free(struct guide *guide, void *block, size_t bytes)
{
    if (block != NULL) {
        guide->config.memory.free(guide->config.memory.context, block, bytes);
    }
}

static inline struct event *workflow_event(const struct workflow *workflow, uint32_t slot)
{
    return (struct event *)(void *)(workflow->events + (size_t)slot * workflow->event_bytes);
}

/* What stays the same while a slot's events go by this plan. */
void event_make_runs(struct event *event);
/* The workflow of this id, registered or draining; NULL: gone. */
struct workflow *workflow_find(const struct guide *guide, uint32_t id);

/* The run of a stage in a lane; lane 0 of all that is in no body. */
static inline struct stage_run *event_run(const struct event *event, uint16_t stage, unsigned lane)
{
    uint32_t index = stage;

    if (__builtin_expect(lane != 0, 0)) {
        const struct plan *plan = event->plan;
        const struct plan_loop *loop = &plan->loops[plan->stages[stage].loop];
        index = loop->extra_runs + (lane - 1) * loop->body_count + (stage - loop->body_first);
    }
    return (struct stage_run *)&event->run[index];
}

static inline const struct plan_stage *run_stage(const struct stage_run *run)
{
    return run->plan_stage;
}

/* Is there something that it waits for, whether it runs already or not? */
static inline bool run_waits(const struct stage_run *run)
{
    return run->state == RUN_WAITING || (run->waits != 0 && run->state < RUN_LOOPING);
}

static inline bool run_is_over(const struct stage_run *run)
{
    return run->state >= RUN_ABANDONED;
}

/* 0 until it is done: the field may hold another event's. */
static inline uint64_t run_value(const struct stage_run *run, uint32_t index)
{
    return run->state == RUN_DONE ? run->value[index] : 0;
}

/* The part that a body's run belongs to. */
static inline uint64_t run_part(const struct stage_run *run)
{
    return run->event->loops[run_stage(run)->loop].lane[run->lane].part;
}

/*
 * Functions that move an event on may decide it, and never end it: whoever called the first of them calls event_settle() last, after
 * which the event may be gone.
 */

/* ---- observe.c ---- */
void trace_event_kept(const struct guide *guide, enum kwe_trace_kind kind,
                      const struct event *event, uint64_t value);
void trace_run_kept(const struct guide *guide, enum kwe_trace_kind kind,
                    const struct stage_run *run, const struct kwe_completion *completion,
                    uint64_t now_ns);

/* For a trace: something of an event ... */
static inline void trace_event(const struct guide *guide, enum kwe_trace_kind kind,
                               const struct event *event, uint64_t value)
{
    if (__builtin_expect(guide->config.port.trace != NULL, 0)) {
        trace_event_kept(guide, kind, event, value);
    }
}

/* ... of one of its stages; completion NULL: it has none yet. */
static inline void trace_run(const struct guide *guide, enum kwe_trace_kind kind,
                             const struct stage_run *run, const struct kwe_completion *completion,
                             uint64_t now_ns)
{
    if (__builtin_expect(guide->config.port.trace != NULL, 0)) {
        trace_run_kept(guide, kind, run, completion, now_ns);
    }
}

/* Off the critical path: who observes is woken for so many results, not for each; until then it looks when it has other work. */
#define OBSERVE_BATCH 512u
/* Look again, for observe_room(). */
uint32_t observe_look(struct guide *guide, uint32_t ahead);
void observe(struct guide *guide, const struct kwe_result *result);
/* How many results more can be observed, `ahead` behind the newest; 0: nobody looks, or there is no room: they are dropped. */
static inline uint32_t observe_room(struct guide *guide, uint32_t ahead)
{
    return guide->observed_room > ahead ? guide->observed_room - ahead : observe_look(guide, ahead);
}
/* So many are not observed: counted, if anybody was to. */
void observe_drop(struct guide *guide, uint32_t count);
void observe_give(struct guide *guide, uint32_t count);

/* ---- event.c ---- */
/* Begin: sources become ready. The event's fields are filled. */
void event_start(struct guide *guide, struct event *event, uint64_t now_ns);
/* The verdict, if there is none yet: what is not in hand is skipped, decks are asked to give back what is. */
void event_fail(struct guide *guide, struct event *event, uint16_t stage, enum kerr status,
                uint64_t now_ns);
/* End it, if it is decided and nothing of it is in hand. */
void event_settle(struct guide *guide, struct event *event, uint64_t now_ns);
/* The slot goes back, and an own plan. */
void event_release(struct guide *guide, struct event *event);

/* Whatever it does: it is to end. */
void event_cancel(struct guide *guide, struct event *event, uint64_t now_ns);
/* Its run begins: sources become ready. */
void event_run_start(struct guide *guide, struct event *event, uint64_t now_ns);

/* ---- room.c ---- */
static inline bool has_two_sizes(const struct plan *plan)
{
    return plan->large_slots != 0;
}
/* There is one free of that size. */
void room_take_place(struct event *event, bool is_large);
/* It holds its place, or stands in line for one, no longer. */
void room_release(struct guide *guide, struct event *event);
/* The run was answered, or lost in a deck's hands. */
void room_note_effect(struct stage_run *run);
/* Its output needs so much. True: the event begins again in a large slot when all of it has come back; false: it cannot. */
bool room_ask(struct guide *guide, struct stage_run *run, uint64_t bytes, uint64_t now_ns);
/* All has come back. */
void room_wait(struct guide *guide, struct event *event, uint64_t now_ns);

/* How much the run's output may be. */
static inline uint32_t run_room(const struct stage_run *run)
{
    return run->event->is_large ? run_stage(run)->large.room : run_stage(run)->out_room;
}

/* ---- standing.c ---- */
/* TOO_MANY: as many wait in that deck as may. */
enum kerr standing_open(struct guide *guide, struct event *event);
void standing_close(struct guide *guide, struct event *event);
/* This stage has been handed over: if it is the one that waits, and no trigger, the event is armed. */
void standing_stage_handed(const struct stage_run *run);
/* Its deck says that what it waits for can come: if it is the one that waits, the event is armed. */
void standing_stage_armed(const struct stage_run *run);
void standing_disarm(struct event *event);
/* This stage is done: if it is what the event has waited for, time begins to count. */
void standing_stage_done(struct guide *guide, const struct stage_run *run, uint64_t now_ns);
/* A run is over. True: there will be another; false: the event ends with *status. */
bool standing_again(struct guide *guide, struct event *event, uint16_t *status, uint64_t now_ns);
/* The pause is over. */
void standing_resume(struct guide *guide, struct event *event, uint64_t now_ns);

/* ---- stage.c ---- */
/* All that it waits for is over well enough. */
void stage_start(struct guide *guide, struct stage_run *run, uint64_t now_ns);
void stage_done(struct guide *guide, struct stage_run *run, uint64_t now_ns);
/* The same for one that waits for nothing, of a plain workflow. */
void stage_done_plainly(struct guide *guide, struct stage_run *run, uint64_t now_ns);
/* It fails; the event too, naming `blame`, unless somebody tolerates it. */
void stage_fail(struct guide *guide, struct stage_run *run, enum kerr status, uint16_t blame,
                uint64_t now_ns);
/* Nobody needs it any more: out of the queue, or given up in a deck's hands. */
void stage_drop(struct guide *guide, struct stage_run *run, uint64_t now_ns);
/* One that was given up in a deck's hands has come back. */
void stage_returned(struct guide *guide, struct stage_run *run, uint64_t now_ns);
/* It was lost in a deck's hands behind one that it waited for, which has failed. */
void stage_lost_behind(struct guide *guide, struct stage_run *run, uint64_t now_ns);
/* Ask the deck that has it to answer now; whatever it says, `status` it is, if nothing was before. */
void stage_recall(struct guide *guide, struct stage_run *run, enum kerr status, uint64_t now_ns);
/* Do its conditions hold? Those of a loop are about the lane of its body. */
bool stage_conditions_hold(const struct stage_run *run, unsigned lane);

/* ---- loop.c ---- */
void loop_start(struct guide *guide, struct stage_run *run, uint64_t now_ns);
/* A stage of the loop's body is over: DONE, FAILED or SKIPPED. */
void loop_stage_over(struct guide *guide, struct stage_run *run, uint64_t now_ns);
/* Give up all that runs of its body. */
void loop_drop_body(struct guide *guide, struct stage_run *run, uint64_t now_ns);

/* ---- bind.c ---- */
/* The run that `reader` takes something of `stage` from; KWE_ANY_STAGE: of the one that was the first. */
const struct stage_run *bind_source(const struct stage_run *reader, uint16_t stage);
/* The same, at once where it is of no body. */
static inline const struct stage_run *bind_from(const struct stage_run *reader, uint16_t stage)
{
    const struct stage_run *run = &reader->event->run[stage == KWE_ANY_STAGE ? 0 : stage];

    return stage == KWE_ANY_STAGE || run_stage(run)->is_body ? bind_source(reader, stage) : run;
}
/* The run that stands for a stage when all is over: of a body the last part's. */
const struct stage_run *bind_last(const struct event *event, uint16_t stage);
/* Its output will lie in this segment. */
void bind_output(struct stage_run *run, uint8_t segment);
/* What the first input will be, or the output's room when there is none: the size that costs go by. */
uint32_t bind_size_bytes(const struct stage_run *run);
enum kerr bind_frame(const struct guide *guide, const struct stage_run *run,
                     struct kwe_work_frame *frame);
/* A loop's parameters. KERR_BAD_PARAMETER: they cannot be. */
enum kerr bind_parts(const struct guide *guide, const struct stage_run *run,
                     struct kwe_parts *parts);

/* ---- deadline.c ---- */
/* In a list: begin over. at_ns 0: none. */
void deadline_set(struct guide *guide, struct deadline *deadline, uint64_t at_ns);

/* ---- ready.c ---- */
/* Whether something is ready for this deck may have changed: guide->ready_decks is to say so. */
static inline void ready_note(struct guide *guide, const struct guide_deck *deck)
{
    const uint32_t bit = 1u << deck->spec->prefix;
    const bool is_ready =
        deck->ready_count != 0 || (deck == guide->observer && guide->unobserved >= OBSERVE_BATCH);

    guide->ready_decks = is_ready ? guide->ready_decks | bit : guide->ready_decks & ~bit;
}
/* A workflow's sets. False: no memory; what was made goes with ready_close(). */
bool ready_open(struct guide *guide, struct workflow *workflow);
void ready_close(struct guide *guide, struct workflow *workflow);
void ready_push(struct guide *guide, struct stage_run *run, uint64_t now_ns);
bool ready_deck_is_down(const struct guide *guide, const struct guide_deck *deck);
/* Runs of one stage that become ready together, linked one by one and appended at once. */
struct ready_chain {
    struct stage_run *first, *last;
    uint32_t count;
    uint64_t cost_ns;
};
void ready_append(struct guide *guide, const struct ready_chain *chain);
void ready_remove(struct guide *guide, struct stage_run *run);
/*
 * When all that is ready for the deck is one workflow's, and alike: the first of its runs that go next, all of one stage, linked by `next`;
 * NULL: look with ready_first(). Those that are taken are then cut off, up to `left` (NULL: all).
 */
struct stage_run *ready_alike(const struct guide_deck *deck);
/* Is it worth while to ask? */
static inline bool ready_may_be_alike(const struct guide_deck *deck)
{
    return deck->ready != NULL && deck->ready->next == NULL;
}
void ready_cut(struct guide *guide, struct guide_deck *deck, struct stage_run *first,
               struct stage_run *left, uint32_t count, uint64_t cost_ns);
/* The stage that goes next; NULL: none is ready. */
struct stage_run *ready_first(const struct guide_deck *deck);
/* Work of it goes: the workflow and its program have had so much. */
void ready_charge(struct guide *guide, struct workflow *workflow, uint64_t cost_ns);

/* ---- pace.c ---- */
/* What a stage that is not open is expected to take for so many bytes. */
uint64_t pace_cost_ns(const struct guide *guide, struct workflow *workflow,
                      const struct plan_stage *stage, uint64_t bytes);

/* ---- variant.c ---- */
/* False: no memory; what was made goes with variant_close(). */
bool variant_open(struct guide *guide);
void variant_close(struct guide *guide);
/* Have the run's stage be that of the deck expected to be done first, among those that are there and were not tried. */
void variant_choose(struct guide *guide, struct stage_run *run);
/* What the run is expected to take there. */
uint64_t variant_cost_ns(const struct guide *guide, const struct plan_stage *stage, uint64_t bytes);
/* It goes into the deck's hands; it comes back from there, answered (`elapsed_ns` as the deck says) or not. */
void variant_handed(struct guide *guide, struct stage_run *run);
void variant_answered(struct guide *guide, const struct stage_run *run,
                      const struct kwe_completion *completion);
void variant_returned(struct guide *guide, const struct stage_run *run);
/* It has failed there, or cannot begin there. True: another variant will run it. */
bool variant_again(struct guide *guide, struct stage_run *run, enum kerr status, uint64_t now_ns);

/* ---- intake.c ---- */
/* The result in this place holds its event's slot no longer. */
void ring_let_go(struct guide *guide, struct program_ring *ring, uint32_t place);
/* So many results lie in the ring that have not been told of. */
void ring_tell(struct guide *guide, struct program_ring *ring, uint32_t count, uint64_t now_ns);
/* The result in this place holds its event's slot. */
static inline void ring_hold(struct program_ring *ring, struct event *event, uint32_t place)
{
    ring->held[place] = event;
    ring->held_count++;
    event->holds = true;
    event->held_place = place;
}
/* The one result. Uses the reserved place. */
void ring_publish(struct guide *guide, struct program_ring *ring, const struct kwe_result *result,
                  struct event *holder);
