/* state.h - the Guide's own records; only files of this room include it. */
#pragma once

#include "kernel/lib/string.h"
#include "kernel/nucleus/guide/intake.h"

#define GUIDE_MAX_WORKFLOWS MAX_WORKFLOWS
#define OBSERVE_QUEUE       512u
#define NO_SEGMENT          0xffu

enum run_state {
    RUN_WAITING,
    RUN_READY,
    RUN_IN_HAND,
    RUN_DONE,
    RUN_SKIPPED,
};

/* One stage of one event. */
struct stage_run {
    struct event *event;
    struct stage_run *next, *previous; /* in its deck's ready queue */
    uint64_t ready_ns;
    uint64_t cost_ns; /* what it is expected to take; since it is ready */
    uint64_t value[KWE_MAX_VALUES];
    uint32_t length; /* of the output */
    uint16_t stage;
    uint16_t waits;  /* stages that it still waits for */
    uint8_t state;   /* enum run_state */
    uint8_t segment; /* where the output lies */
};

struct event {
    struct workflow *workflow;
    struct program_ring *ring;
    struct event *next_free;
    uint8_t *block; /* its variables, the nucleus's copy */
    uint64_t cookie, number;
    uint64_t input_offset, deadline_ns, submitted_ns;
    uint32_t input_length;
    uint32_t slot;
    uint16_t stages_left; /* not yet done */
    uint16_t in_hand;     /* stages in decks' hands */
    uint16_t status;      /* enum kerr: the verdict so far */
    uint16_t status_stage;
    bool live;  /* admitted and not ended */
    bool holds; /* ended; ring->held[held_place] keeps the slot */
    uint32_t held_place;
    struct stage_run run[];
};

struct workflow {
    uint32_t id;
    uint32_t owner;
    bool registered; /* else it drains */
    struct plan *plan;
    uint64_t arena_base;
    uint64_t segment_offset[PLAN_MAX_SEGMENTS];
    uint8_t segment_of[MAX_INSTANCES]; /* NO_SEGMENT: not on its routes */
    size_t event_bytes;
    uint8_t *events; /* slots of event_bytes each */
    uint8_t *blocks;
    struct event *free;
    uint32_t live_count; /* admitted and not ended */
    struct kwe_workflow_status status;
    struct kwe_stage_status *stage_status;
};

struct in_hand {
    struct stage_run *run; /* NULL: free */
    uint32_t generation;   /* 24 bits in the ticket */
    uint32_t next_free;
};

struct guide_instance {
    const struct deck_spec *spec;
    uint32_t ordinal;
    bool down;
    uint32_t first_free; /* KWE_MAX_DEPTH: none */
    struct in_hand in_hand[KWE_MAX_DEPTH];
};

struct ready_queue {
    struct stage_run *first, *last;
};

struct guide_deck {
    const struct deck_spec *spec;
    uint32_t first_instance, instance_count;
    /* Ready stages by their level in the plan. The deepest goes first: events that are far are finished before others begin, so that
     * few slots are warm at a time and the first result does not wait for the last event's first stage. */
    struct ready_queue ready[KWE_MAX_STAGES];
    uint64_t ready_levels; /* bit n: ready[n] is not empty */
    uint32_t ready_count;
    uint64_t ready_cost_ns; /* of all that is ready */
    struct kwe_deck_statistics statistics;
};

struct guide {
    struct guide_config config;
    uint64_t event_number;
    uint32_t generation; /* of workflow ids */
    uint32_t draining;   /* unregistered and not yet collected */
    struct workflow *workflow[GUIDE_MAX_WORKFLOWS];
    struct guide_deck deck[MAX_DECKS];
    uint32_t instance_count;
    struct guide_instance instance[MAX_INSTANCES];
    struct guide_deck *observer; /* the deck that observes; NULL: none */
    struct kwe_observation observed[OBSERVE_QUEUE];
    uint32_t observed_head, observed_tail;
    uint64_t observe_dropped;
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

/* The workflow of this id, registered or draining; NULL: gone. */
struct workflow *workflow_find(const struct guide *guide, uint32_t id);

/* ---- event.c ---- */
/* Begin: sources become ready. The event's fields are filled. */
void event_start(struct guide *guide, struct event *event, uint64_t now_ns);
/* A stage has answered. */
void event_advance(struct guide *guide, struct stage_run *run, uint64_t now_ns);
/* The event fails at this stage, if it has not failed before; it ends as soon as nothing of it is in hand. */
void event_fail(struct guide *guide, struct event *event, uint16_t stage, enum kerr status,
                uint64_t now_ns);
/* It has failed: end it if nothing of it is in hand. */
void event_settle(struct guide *guide, struct event *event, uint64_t now_ns);
/* The slot goes back; a workflow that drains may be gone after this. */
void event_release(struct event *event);

/* ---- ready queues ---- */
/* False: the deck is down, so the event has failed and may have ended: do not touch it any more. */
bool ready_push(struct guide *guide, struct stage_run *run, uint64_t now_ns);
void ready_remove(struct guide *guide, struct stage_run *run);

_Static_assert(KWE_MAX_STAGES == 64, "one bit of ready_levels a level");

/* The stage that goes next; NULL: none is ready. */
static inline struct stage_run *ready_first(const struct guide_deck *deck)
{
    return deck->ready_levels == 0 ? NULL
                                   : deck->ready[63 - __builtin_clzll(deck->ready_levels)].first;
}

/* ---- intake.c ---- */
/* The one result. Uses the reserved place. */
void ring_publish(struct guide *guide, struct program_ring *ring, const struct kwe_result *result,
                  struct event *holder);

/* ---- observe.c ---- */
void observe(struct guide *guide, const struct kwe_result *result);
uint32_t observe_take(struct guide *guide, struct kwe_work *work, uint32_t room);
