/*
 * workflow.h - the wire format of a workflow: what workflow_register() reads, and what it and workflow_status() answer.
 *
 * One blob, little endian, no pointers, every part 8-byte aligned, in this order:
 *
 *   struct kwe_workflow                        header: counts and limits
 *   struct kwe_stage       [stage_count]       in a topological order: a stage waits only for earlier ones
 *   struct kwe_dependency  [dependency_count]  grouped by stage
 *   struct kwe_binding     [binding_count]     grouped by stage
 *   struct kwe_condition   [condition_count]   grouped by stage (`if`)
 *   struct kwe_manifest_entry [manifest_count]
 *   parameter bytes        [params_bytes]      each stage's static parameter struct (generated: kernel/abi/NAME.h)
 *   constant bytes         [constant_bytes]    workflow-wide inputs, copied where nobody in ring 3 can write
 *   names                  [names_bytes]       NUL-terminated: workflow, then stages (for logs and plans)
 *
 * The finish in Execution (the route's last 0) is implied and not a stage. Kinds that this kernel does not carry out yet are refused with
 * NOT_BUILT by stage; the format has place for all of them, so that it need not change.
 *
 * A stage runs when all that it waits for has answered OK (JOIN_ALL) or the first of it has (JOIN_FIRST: the others are cancelled), and its
 * conditions hold; else it is skipped, and so is what waits for it. A failed stage fails its event at once, unless a stage that waits for it
 * TOLERATES that, or joins FIRST. The output of a stage that failed or was skipped is empty, its values are 0.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KWE_WORKFLOW_MAGIC   0x3057464bu /* "KFW0" */
#define KWE_WORKFLOW_VERSION 1u
#define KWE_MAX_STAGES       64u
#define KWE_MAX_DEPENDENCIES 512u
#define KWE_MAX_BINDINGS     1024u
#define KWE_MAX_CONDITIONS   256u
#define KWE_MAX_MANIFEST     32u
#define KWE_MAX_BLOCK_BYTES  2048u
#define KWE_MAX_SLOTS        4096u
#define KWE_MAX_BLOB_BYTES   (1u << 20)
#define KWE_MAX_LOOPS        8u
#define KWE_MAX_WINDOW       16u
#define KWE_MAX_ROUNDS       0xffffffffu /* of UNTIL: at ten a second, in 13 years */
#define KWE_MAX_IDLE_ROUNDS  4096u /* ... one after the other, in none of which a stage is done */
#define KWE_MAX_PARTS        (1u << 16) /* of FOR_EACH */
#define KWE_MAX_VARIANTS     4u         /* decks that offer one operation */
#define KWE_NO_DECK          0xffu      /* of a loop */
#define KWE_ANY_STAGE                                                                              \
    0xfffeu /* in a binding of a stage that joins FIRST: whichever was the first */

struct kwe_workflow {
    uint32_t magic;
    uint16_t version;
    uint16_t flags; /* 0 */
    uint32_t total_bytes;
    uint16_t stage_count;
    uint16_t result_stage; /* whose output and value 0 the result carries; KWE_NO_STAGE: none */
    uint16_t dependency_count;
    uint16_t binding_count;
    uint16_t condition_count;
    uint16_t manifest_count;
    uint32_t params_bytes;
    uint32_t constant_bytes;
    uint32_t names_bytes;
    /* events admitted at once, 1..KWE_MAX_SLOTS; the kernel may give fewer, never none */
    uint32_t slots;
    /* events that may wait in the EventRing beyond the slots; 0: as many as the ring holds */
    uint32_t max_waiting;
    uint32_t block_bytes; /* each event's variables */
    /* beside the slots: of these, places in which each output has its out_most; 0: none */
    uint32_t large_slots;
    uint64_t program_bytes; /* size of the program's segment: where events' blocks and inputs lie */
    uint64_t timeout_ns;    /* of an event, from its intake on; 0: none */
};
_Static_assert(sizeof(struct kwe_workflow) == 72, "ABI");

enum kwe_stage_kind {
    KWE_STAGE_OP = 0, /* one operation of one deck */
    /*
     * The body's stages, which stand right behind this one, for each part; at most `bound` parts are under way at once. Its parameters are a
     * struct kwe_parts; its value 0 is the number of parts done. Stages of the body wait for each other, for this stage's start and for what
     * this one waited for; later stages wait for this one, and may then take what stages of the body left in the last part.
     */
    KWE_STAGE_FOR_EACH = 1,
    /*
     * The same, until its conditions (on stages of its body) hold; BOUND_REACHED after `bound` rounds, or after KWE_MAX_IDLE_ROUNDS in which
     * nothing is done: the kernel alone would go round in those. Its value 0: the rounds.
     */
    KWE_STAGE_UNTIL = 2,
    KWE_STAGE_TRIGGER = 3, /* a standing event's source: port, timer, interrupt; NOT_BUILT */
};
enum kwe_join {
    KWE_JOIN_ALL = 0,
    KWE_JOIN_FIRST = 1,
};

/* Parameters of FOR_EACH. The last part may be shorter; 0 bytes: no part. */
struct kwe_parts {
    uint64_t total_bytes;
    uint64_t part_bytes; /* at least 1 */
};

struct kwe_stage {
    uint8_t kind;  /* enum kwe_stage_kind */
    uint8_t join;  /* enum kwe_join */
    uint8_t deck;  /* prefix */
    uint8_t flags; /* KWE_STAGE_* */
    uint16_t op;
    uint16_t dependency_first, dependency_count;
    uint16_t binding_first, binding_count;
    uint16_t condition_first, condition_count;
    uint16_t body_first, body_count; /* FOR_EACH, UNTIL */
    uint16_t fallback; /* stage to run instead when this one fails; KWE_NO_STAGE; else NOT_BUILT */
    uint16_t compensation;  /* stage that undoes it; KWE_NO_STAGE; else NOT_BUILT */
    uint16_t retries;       /* 0; else NOT_BUILT */
    uint32_t params_offset; /* in the parameter bytes */
    uint32_t params_bytes;
    uint32_t bound;       /* UNTIL: rounds at most; FOR_EACH: window */
    uint32_t name_offset; /* in the names */
    uint32_t out_limit;   /* room for the output; 0: by the operation's own rule */
    uint32_t out_most;    /* the same in a large slot; 0: no more than out_limit */
    uint64_t timeout_ns;  /* from when it could run; 0: none */
    uint64_t backoff_ns;  /* between retries */
};
_Static_assert(sizeof(struct kwe_stage) == 72, "ABI");

/*
 * Another deck that has the same operation (`variant_of` in its deck.yaml) may run it, whichever is expected to be done first, event by event;
 * and runs it when this one is down, or gives an answer that the other cannot give, such as NO_DEVICE.
 */
#define KWE_STAGE_ANY_VARIANT 1u

struct kwe_dependency {
    uint16_t stage; /* waits for this earlier stage */
    uint16_t flags;
};
#define KWE_DEPENDENCY_TOLERATES 1u /* go on also when it failed or was skipped */

enum kwe_binding_kind {
    KWE_BIND_INPUT_STAGE = 0, /* input[target] is the output of `stage` */
    KWE_BIND_INPUT_EVENT = 1, /* input[target] is the event's own buffer */
    /* input[target] is constant bytes [source_offset, + source_bytes) */
    KWE_BIND_INPUT_CONSTANT = 2,
    /* parameter field at target, `width` bytes (4 or 8), is value[source_index] of `stage` */
    KWE_BIND_PARAM_VALUE = 3,
    KWE_BIND_PARAM_LENGTH = 4, /* ... is the output length of `stage` */
    KWE_BIND_PARAM_STATUS = 5, /* ... is the status of `stage` (CANCELLED: skipped) */
    KWE_BIND_PARAM_HANDLE = 6, /* ... is the handle that `stage` produced; NOT_BUILT */
    /* parameter bytes [target, + source_bytes) are the event's block [source_offset, + source_bytes) */
    KWE_BIND_PARAM_BLOCK = 7,
    /* In a body. Parameter field: the part's number, its offset or its length in bytes (source_index 0, 1, 2) */
    KWE_BIND_PARAM_PART = 8,
    /* input[target] is the output of `stage`, of the same body, in the part before; empty in the first. The parts go in order there. */
    KWE_BIND_INPUT_PREVIOUS = 9,
    /* Parameter field: value[source_index] of `stage`, of the same body, in the part before; in the first the static parameter stays. */
    KWE_BIND_PARAM_PREVIOUS = 10,
    /* input[target] is this part of the output of `stage`, or of the event's own buffer (KWE_NO_STAGE) */
    KWE_BIND_INPUT_PART = 11,
    /*
     * Parameter bytes [target, + source_bytes) are the output bytes [source_offset, + source_bytes) of `stage`: a path that it found, say.
     * The kernel takes a copy, once. BAD_PARAMETER: the output is shorter.
     */
    KWE_BIND_PARAM_OUTPUT = 12,
};

/* source_index of KWE_BIND_PARAM_PART */
#define KWE_PART_NUMBER 0u
#define KWE_PART_OFFSET 1u
#define KWE_PART_LENGTH 2u

struct kwe_binding {
    uint8_t kind; /* enum kwe_binding_kind */
    uint8_t width;
    uint16_t stage;
    uint16_t target; /* input index, or offset in the parameter struct */
    uint16_t source_index;
    uint32_t source_offset;
    uint32_t source_bytes;
};
_Static_assert(sizeof(struct kwe_binding) == 16, "ABI");

enum kwe_condition_what {
    KWE_IF_STATUS = 0,
    KWE_IF_VALUE = 1,
    KWE_IF_LENGTH = 2,
};
enum kwe_relation {
    KWE_EQUAL = 0,
    KWE_NOT_EQUAL = 1,
    KWE_BELOW = 2,
    KWE_AT_MOST = 3,
    KWE_ABOVE = 4,
    KWE_AT_LEAST = 5,
};

struct kwe_condition { /* `if`, `until`: all of a stage's must hold; unsigned */
    uint16_t stage;
    uint8_t what;     /* enum kwe_condition_what */
    uint8_t relation; /* enum kwe_relation */
    uint32_t source_index;
    uint64_t constant;
};
_Static_assert(sizeof(struct kwe_condition) == 16, "ABI");

enum kwe_manifest_kind {
    KWE_MANIFEST_SUBTREE = 0,
    KWE_MANIFEST_PORT = 1,
    KWE_MANIFEST_DEVICE = 2,
};
#define KWE_MANIFEST_READ  1u
#define KWE_MANIFEST_WRITE 2u

struct kwe_path {
    uint16_t length; /* bytes, without a NUL */
    char bytes[254];
};
_Static_assert(sizeof(struct kwe_path) == 256, "ABI");

struct kwe_manifest_entry {
    uint32_t kind;        /* enum kwe_manifest_kind */
    uint32_t rights;      /* KWE_MANIFEST_* */
    uint64_t number;      /* port or device */
    struct kwe_path path; /* subtree: absolute, "/" is all */
};
_Static_assert(sizeof(struct kwe_manifest_entry) == 272, "ABI");

/*
 * What arena_create() reads: an arena for events that bring their own graph, followed by its manifest. Such a graph is a blob as above with
 * at most KWE_MAX_ROUTE_STAGES stages of the arena's decks, without loops, constants, a manifest or a block of its own; its header's
 * program_bytes say how long the event's own buffer may be, its slots must be 1.
 */
#define KWE_ARENA_MAGIC      0x3041574bu /* "KWA0" */
#define KWE_MAX_ROUTE_STAGES 16u
#define KWE_MAX_ROUTE_BYTES  8192u

struct kwe_arena {
    uint32_t magic;
    uint32_t decks; /* bit mask of prefixes */
    uint32_t slots; /* events at once, 1..KWE_MAX_SLOTS; the kernel may give fewer, never none */
    uint32_t max_waiting;   /* as a workflow's */
    uint64_t program_bytes; /* the program's segment: where graphs and inputs lie */
    uint64_t room_bytes;    /* for the outputs that one event leaves in one deck */
    uint32_t manifest_count;
    uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct kwe_arena) == 40, "ABI");

/* Answer of workflow_register() and arena_create(). */
struct kwe_workflow_info {
    uint32_t workflow;   /* its id, 0 when refused */
    uint16_t stage;      /* refused: the stage at fault or KWE_NO_STAGE */
    uint16_t status;     /* enum kerr, as returned */
    uint32_t detail;     /* refused: byte offset in the blob */
    uint32_t slots;      /* admitted at once */
    uint64_t arena_base; /* its address, the same in every address space */
    uint64_t arena_bytes;
    uint64_t program_offset; /* the program's segment, in the arena */
    uint64_t program_bytes;
    uint64_t slot_bytes; /* room of one event over all decks' segments */
};
_Static_assert(sizeof(struct kwe_workflow_info) == 56, "ABI");

/* Answer of workflow_status(), followed by stage_count of the second. */
struct kwe_workflow_status {
    uint32_t workflow;
    uint32_t stage_count;
    uint64_t submitted; /* taken from EventRings */
    uint64_t completed; /* ended with OK */
    uint64_t failed;    /* ended with anything else */
    uint64_t in_flight; /* admitted and not ended */
    /* times an event was left in its EventRing for want of a slot or of room for its result */
    uint64_t waiting;
    uint64_t
        armed; /* events that stand, and are in a deck's hands to wait for what they are about */
};
/* Of a stage's events, those that ran as another variant than the one that is named. */
struct kwe_variant_status {
    uint64_t events; /* answers with OK */
    uint64_t busy_ns;
};

struct kwe_stage_status {
    uint64_t events; /* answers with OK */
    uint64_t failed; /* other answers */
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t busy_ns;   /* sum of elapsed_ns */
    uint64_t queued_ns; /* ready until handed over */
    uint64_t visits;    /* vectors in which it was handed over */
    uint64_t fused; /* times it went right behind a stage that it waited for, in the same vector */
    uint8_t deck;
    uint8_t reserved[7];
    struct kwe_variant_status other[KWE_MAX_VARIANTS - 1]; /* in kwe_plan_stage's order */
};
_Static_assert(sizeof(struct kwe_stage_status) == 120, "ABI");

/* Answer of workflow_plan(), followed by stage_count of the second: how the kernel means to carry the workflow out. */
struct kwe_plan {
    uint32_t workflow;
    uint32_t stage_count;
    uint32_t slots;
    uint32_t levels;     /* stages on the longest way */
    uint64_t slot_bytes; /* room of one event, over all instances that may run its stages */
    uint64_t
        outputs_bytes; /* what its outputs would take if each had a place of its own, in one instance of each deck */
    uint64_t shared_bytes; /* what they take, sharing places */
    uint64_t total_ns; /* all stages one after the other, by the operations' hints at full rooms */
    uint64_t critical_ns; /* the longest way alone */
};
_Static_assert(sizeof(struct kwe_plan) == 56, "ABI");

#define KWE_PLAN_DROPPED  1u /* nobody uses what it makes: it does not run */
#define KWE_PLAN_CRITICAL 2u /* on the longest way */
#define KWE_PLAN_BODY     4u /* of a loop */
#define KWE_PLAN_EARLY    8u /* starts at once: it takes nothing from what it waits for */

#define KWE_PLAN_OPEN 16u /* any of its variants may run */

/* Why a stage waits, or goes by itself: the choice that the planner had, and did not take. */
enum kwe_plan_why {
    KWE_WHY_NONE = 0,    /* there was no choice: it waits for nothing, or the choice was taken */
    KWE_WHY_TAKES = 1,   /* it takes something that is not there earlier */
    KWE_WHY_CHANGES = 2, /* it, or what comes before it, changes something that others may see */
    KWE_WHY_UNSURE = 3,  /* it, or what comes before it, need not come to pass */
    KWE_WHY_BODY = 4,    /* it is in a loop, and the other is not; or it is a loop */
    KWE_WHY_SHORT = 5,   /* it takes too little time to gain by it */
    KWE_WHY_DECK = 6,    /* the two are different decks' */
    KWE_WHY_OPEN = 7,    /* which deck runs it is only known when it can run */
    KWE_WHY_TIMEOUT = 8, /* it has a timeout of its own */
    KWE_WHY_ONE = 9,     /* another goes along with that already */
};

/* The same operation in another deck. */
struct kwe_plan_variant {
    uint64_t cost_ns; /* by that one's hints */
    uint16_t op;
    uint8_t deck;
    uint8_t reserved[5];
};
_Static_assert(sizeof(struct kwe_plan_variant) == 16, "ABI");

struct kwe_plan_stage {
    uint64_t out_offset; /* in its deck's part of the slot */
    uint64_t out_room;   /* 0: no output */
    uint64_t cost_ns;    /* by the operation's hints, with its output's room full */
    uint64_t before_ns;  /* the longest way to it */
    uint16_t level;
    uint16_t flags;       /* KWE_PLAN_* */
    uint8_t deck;         /* KWE_NO_DECK: a loop */
    uint8_t lanes;        /* a body's parts under way at once; else 1 */
    uint16_t place_of;    /* an earlier stage whose place its output takes; KWE_NO_STAGE: none */
    uint16_t fused_after; /* a stage in whose visit it may go along; KWE_NO_STAGE: none */
    uint8_t not_early;    /* enum kwe_plan_why: it could have started before what it waits for */
    uint8_t not_fused;    /* enum kwe_plan_why: it could have gone along with one of these */
    uint8_t variant_count;
    uint8_t reserved[3];
    struct kwe_plan_variant variant[KWE_MAX_VARIANTS - 1];
};
_Static_assert(sizeof(struct kwe_plan_stage) == 96, "ABI");
