/*
 * plan.h - a checked workflow and how it is laid out: made once, at registration, then only read.
 *
 * Checking knows nothing of rings or CPUs; it reads the blob of kernel/abi/workflow.h, believes nothing, and names the stage at fault.
 *
 * The arena's segments: 0 the nucleus's (manifest, constants; nobody in ring 3 writes it), 1 the program's, then one for each instance of each
 * deck on the route. A slot is an event's place: in segment s it is [slot * stride(s), + stride(s)), and each stage's output lies at a fixed
 * offset of it, in the segment of whichever instance ran the stage.
 */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/abi/event.h"
#include "kernel/abi/work.h"
#include "kernel/abi/workflow.h"
#include "kernel/nucleus/deck/spec.h"
#include "kernel/nucleus/guide/memory.h"

#define PLAN_MAX_SEGMENTS    32u
#define PLAN_SEGMENT_NUCLEUS 0u
#define PLAN_SEGMENT_PROGRAM 1u

#define PLAN_NO_LOOP    0xffu
#define PLAN_NO_BINDING 0xffffu

/* Of an output, in its deck's part of the slot. */
struct plan_place {
    uint32_t room;   /* bytes; 0: no output */
    uint64_t offset; /* in the slot's part of its deck's segment */
    uint64_t stride; /* from one lane's to the next */
};

struct plan_stage {
    const struct op_spec *op; /* NULL: a loop */
    uint8_t kind;             /* enum kwe_stage_kind */
    uint8_t join;             /* enum kwe_join */
    uint8_t deck;             /* KWE_NO_DECK: a loop */
    uint8_t loop; /* index of the loop whose body it belongs to, or that it is; PLAN_NO_LOOP */
    bool is_body;
    bool is_dropped; /* nobody uses what it makes, and it does nothing else: it never runs */
    bool
        is_certain; /* it runs in every event that goes well, has no effect, and its failure fails the event */
    bool is_open; /* any of its variants may run: itself, and others[other_first, + other_count) */
    uint8_t other_count;
    uint16_t other_first;
    bool is_alike;   /* what its runs are handed over with differs in nothing but what they take */
    bool is_early;   /* it starts before what it waits for, and is over when that is over too */
    uint8_t rank;    /* the highest goes first; unique */
    uint16_t number; /* the operation's */
    uint16_t index;  /* among the plan's stages */
    uint16_t dependency_first, dependency_count;
    uint16_t
        waits; /* of these, those it is told of: a body's stage starts when what lies outside is over */
    uint16_t successor_first, successor_count;
    uint16_t binding_first, binding_count;
    uint16_t condition_first, condition_count;
    uint16_t level;      /* longest way from a source, 0.. */
    uint16_t fused_next; /* may go with this one in one visit; KWE_NO_STAGE: none */
    uint16_t input_count;
    uint16_t size_binding;                /* of the first input; PLAN_NO_BINDING: it has none */
    uint32_t params_offset, params_bytes; /* in the blob's parameter bytes */
    uint32_t out_room;                    /* bytes; 0: no output */
    uint64_t out_offset;                  /* in the slot's part of its deck's segment */
    uint64_t out_stride;                  /* from one lane's to the next */
    struct plan_place large;              /* the same in a large slot, if there are any */
    uint64_t remaining_ns; /* the longest way from its start to the event's end, by hints */
    uint64_t timeout_ns;
};

struct plan_successor {
    uint16_t stage;
    bool tolerates;
};

/*
 * A loop's parts run in lanes: part n in lane n modulo their number, each lane with stage runs and output room of its own. With bindings to
 * the part before there is a lane more than parts under way, so that a part's outputs outlive it by one part.
 */
struct plan_loop {
    uint16_t stage;
    uint16_t body_first, body_count;
    uint16_t body_runs; /* of the body, those that are not dropped */
    uint16_t window, lanes;
    uint32_t rounds; /* UNTIL: at most */
    uint32_t
        extra_runs; /* index of lane 1's first run; lane 0 has those of the stages themselves */
};

struct plan_segment {
    uint8_t deck; /* prefix, when an instance's */
    bool is_instance;
    uint32_t ordinal;
    uint64_t stride;       /* bytes of one slot, whole pages, an odd number of them */
    uint64_t large_stride; /* the same of a large slot; they lie behind the others */
    uint64_t bytes;        /* whole pages */
};

struct plan {
    uint8_t *blob; /* the nucleus's own copy */
    uint32_t blob_bytes;
    const struct kwe_workflow *header;
    const struct kwe_dependency *dependencies;
    const struct kwe_binding *bindings;
    const struct kwe_condition *conditions;
    const struct kwe_manifest_entry *manifest;
    const uint8_t *params;
    const uint8_t *constants;
    const char *names;

    bool is_arena;    /* for events that bring their own plans */
    bool is_plain;    /* nothing can come of a stage that is done but those that wait for it all */
    uint64_t sources; /* bit n: stage n runs, and waits for none or is early */
    uint32_t stage_count;
    struct plan_stage *stages;
    /* Stages again, as other decks would run them. Only open ones ever do; of the rest, what is told of them is true. */
    struct plan_stage *others;
    uint32_t other_count, other_room;
    struct plan_successor *successors;
    uint16_t by_rank[KWE_MAX_STAGES];
    uint32_t loop_count;
    struct plan_loop loops[KWE_MAX_LOOPS];
    uint32_t run_count; /* stage runs of one event: stages, and bodies' further lanes */
    uint16_t route_length;
    uint8_t route[KWE_MAX_STAGES + 1]; /* prefixes in topological order, 0 last */

    uint32_t slots;
    uint32_t large_slots;
    uint64_t slot_bytes;    /* of one event over all decks' segments */
    uint64_t outputs_bytes; /* what its outputs would take if none shared a place with another */
    uint64_t shared_bytes;  /* what they take */
    uint32_t segment_count;
    struct plan_segment segment[PLAN_MAX_SEGMENTS];
    uint32_t manifest_offset; /* in segment 0 */
    uint32_t constant_offset;
    struct guide_memory memory;
};

/* Events that may be there at once: one a slot, whichever size. */
static inline uint32_t plan_events(const struct plan *plan)
{
    return plan->slots + plan->large_slots;
}

static inline bool plan_binds_input(const struct kwe_binding *binding)
{
    return binding->kind <= KWE_BIND_INPUT_CONSTANT || binding->kind == KWE_BIND_INPUT_PREVIOUS ||
           binding->kind == KWE_BIND_INPUT_PART;
}

/* Does it take something of binding->stage? (KWE_NO_STAGE of a part: of the event's own buffer.) */
static inline bool plan_binds_stage(const struct kwe_binding *binding)
{
    return binding->kind != KWE_BIND_INPUT_EVENT && binding->kind != KWE_BIND_INPUT_CONSTANT &&
           binding->kind != KWE_BIND_PARAM_BLOCK && binding->kind != KWE_BIND_PARAM_PART;
}

/* How many stages are over when it is: a loop takes its body along. */
static inline uint16_t plan_stages_of(const struct plan *plan, const struct plan_stage *stage)
{
    return (uint16_t)(1u + (stage->op == NULL ? plan->loops[stage->loop].body_count : 0u));
}

/* Range checks of a stage's parameters, those of a loop among them. KERR_BAD_PARAMETER, and which field. */
enum kerr plan_validate(const struct plan_stage *stage, const void *params, uint32_t *bad_offset);

/* What it may take at most, by these hints. */
static inline uint64_t plan_most_ns(const struct plan_stage *stage, uint64_t bytes)
{
    const uint32_t per_kib = stage->op->cost_most_ns_per_kib > stage->op->cost_ns_per_kib
                                 ? stage->op->cost_most_ns_per_kib
                                 : stage->op->cost_ns_per_kib;
    return stage->op->cost_fixed_ns + bytes * per_kib / 1024;
}

/* What the stage takes for so many bytes, by its operation's hints. */
static inline uint64_t plan_cost_ns(const struct plan_stage *stage, uint64_t bytes)
{
    return stage->op->cost_fixed_ns + bytes * stage->op->cost_ns_per_kib / 1024;
}

/* The stage as this deck runs it; NULL: it does not. */
static inline const struct plan_stage *plan_stage_in(const struct plan *plan, uint32_t index,
                                                     uint8_t deck)
{
    const struct plan_stage *stage = &plan->stages[index];

    if (stage->deck == deck) {
        return stage;
    }
    for (uint32_t i = 0; stage->is_open && i < stage->other_count; i++) {
        if (plan->others[stage->other_first + i].deck == deck) {
            return &plan->others[stage->other_first + i];
        }
    }
    return NULL;
}

/* The most that the first input can have, or the output's room when there is none: what the stage's cost is known by before it runs. */
uint64_t plan_size_bytes(const struct plan *plan, const struct plan_stage *stage);

struct plan_error {
    uint16_t stage;  /* KWE_NO_STAGE: none in particular */
    uint32_t detail; /* byte offset in the blob */
};

/*
 * Check a blob and lay it out. `blob` is copied. `instances`: how many a per-CPU deck has.
 * Answers the code of what is wrong, with *error saying where; *plan is then NULL.
 */
enum kerr plan_create(const struct guide_memory *memory, const struct deck_spec *specs,
                      uint32_t spec_count, unsigned instances, const void *blob, size_t bytes,
                      struct plan **plan, struct plan_error *error);
/*
 * The plan of an arena (struct kwe_arena, `bytes` with its manifest): segments and no stages. BAD_WORKFLOW, UNKNOWN_DECK, OVER_LIMITS,
 * NO_MEMORY.
 */
enum kerr plan_create_arena(const struct guide_memory *memory, const struct deck_spec *specs,
                            uint32_t spec_count, unsigned instances, const void *arena,
                            size_t bytes, struct plan **plan);
/* Can this plan, an event's own, be carried out in that arena, with a buffer of so many bytes? */
bool plan_fits_arena(const struct plan *plan, const struct plan *arena, uint64_t input_bytes);
/* Lower the number of slots until all segments together take at most `most_bytes`. KERR_NO_MEMORY: not even one does. */
enum kerr plan_fit(struct plan *plan, uint64_t most_bytes);
void plan_destroy(struct plan *plan);
/* The arena segment of an instance; -1: it is not on the routes. */
int plan_segment_of(const struct plan *plan, uint8_t deck, uint32_t ordinal);
