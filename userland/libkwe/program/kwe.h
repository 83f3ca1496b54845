/*
 * kwe.h - what a program is written against: build a workflow, register it, submit events, take results.
 *
 *   struct kwe_builder *builder = kwe_builder_create("digests");
 *   kwe_stage_t load = kwe_storage_read(builder, "load", &params);          typed stages: userland/libkwe/kwe_NAME.h (generated)
 *   kwe_stage_t digest = kwe_operations_sha256(builder, "digest", load);
 *   kwe_result(builder, digest);
 *   struct kwe_workflow_info workflow;
 *   if (kwe_register(builder, &workflow) < 0) { puts(kwe_builder_error(builder)); ... }
 *   struct kwe_rings rings;
 *   kwe_rings_create(&rings, 64);
 *   kwe_submit(&rings, events, count);                                       one call for the whole batch; returns at once
 *   while (kwe_wait(&rings, 1, UINT64_MAX) > 0 && kwe_result_next(&rings, &result)) { ... }
 *
 * Functions that answer an int answer >= 0, or a negative enum kerr (kerr_sentence() says it in words). Nothing here locks: a builder or
 * a pair of rings belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"
#include "kernel/abi/event.h"
#include "kernel/abi/statistics.h"
#include "kernel/abi/workflow.h"
#include "kernel/lib/ring.h"
#include "userland/libkwe/common/clock.h"

/* ---- building a workflow ------------------------------------------------------------------------------------------ */

typedef struct {
    uint16_t index;
} kwe_stage_t;

/* As an input: it is bound with kwe_input_event() or kwe_input_constant() afterwards. */
#define KWE_STAGE_NONE ((kwe_stage_t){ KWE_NO_STAGE })

struct kwe_builder;

/* NULL: no memory. All mistakes from here on stick in the builder and are told by kwe_register(): no call needs a check of its own. */
struct kwe_builder *kwe_builder_create(const char *workflow_name);
void kwe_builder_destroy(struct kwe_builder *builder);
/* What went wrong, as a sentence that names the stage; "" when nothing did. Valid as long as the builder. */
const char *kwe_builder_error(const struct kwe_builder *builder);

/* A stage: operation `op` of the deck with this prefix, with its parameter struct (copied; NULL, 0: none). Typed ones are generated. */
kwe_stage_t kwe_stage(struct kwe_builder *builder, const char *name, uint8_t deck, uint16_t op,
                      const void *params, size_t params_bytes);

/* An input is the output of `producer`, which must come before: `consumer` waits for it. */
void kwe_input_stage(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                     kwe_stage_t producer);
/* ... is the event's own buffer (kwe_event.input_offset, input_length). */
void kwe_input_event(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input);
/* ... are bytes that stay the same for all events (copied). */
void kwe_input_constant(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                        const void *data, size_t bytes);

/* A parameter field of 4 or 8 bytes is a value that `producer` answered: `consumer` waits for it. */
void kwe_param_value(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                     unsigned width, kwe_stage_t producer, unsigned value_index);
/* The same by the value's name. When the producer has no such value and the parameter is set by hand, that one stays. */
void kwe_param_from(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                    unsigned width, kwe_stage_t producer, const char *value_name);
/* Parameter bytes are those of the output of `producer`, from source_offset on: a path that it found, say. BAD_PARAMETER: it is shorter. */
void kwe_param_output(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                      size_t bytes, kwe_stage_t producer, size_t source_offset);
/* A parameter field is the length of the output of `producer`. */
void kwe_param_length(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                      unsigned width, kwe_stage_t producer);
/* ... is the status of `producer`, as enum kerr: for one that tolerates its failure. */
void kwe_param_status(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                      unsigned width, kwe_stage_t producer);
/* Parameter bytes are the event's block from block_offset on. */
void kwe_param_block(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                     size_t bytes, size_t block_offset);

/* `later` waits for `earlier` without taking anything from it. */
void kwe_after(struct kwe_builder *builder, kwe_stage_t later, kwe_stage_t earlier);
/* ---- more than a chain (graph.c) ---- */

/* `stage` runs only if this holds of `source`, which it waits for; several: all. In kwe_until(): when it is over, of a stage of its body. */
void kwe_if(struct kwe_builder *builder, kwe_stage_t stage, kwe_stage_t source,
            enum kwe_condition_what what, unsigned value_index, enum kwe_relation relation,
            uint64_t constant);
/* It runs as soon as the first stage that it waits for is done; the others are cancelled. */
void kwe_first(struct kwe_builder *builder, kwe_stage_t stage);
/* ... and its input is that one's output. */
void kwe_input_first(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input);
/* `later` waits for `earlier`, and goes on when that failed or was skipped: the event does not fail then. */
void kwe_tolerate(struct kwe_builder *builder, kwe_stage_t later, kwe_stage_t earlier);
/* Another deck that has the same operation may run it: whichever is expected to be done first, and the other when one cannot. */
void kwe_any_variant(struct kwe_builder *builder, kwe_stage_t stage);
/* It fails with TIMED_OUT when it is not over so long after it could run. */
void kwe_timeout(struct kwe_builder *builder, kwe_stage_t stage, uint64_t timeout_ns);
/* Each event ends with DEADLINE_PASSED when it is not over so long after it was taken. */
void kwe_event_timeout(struct kwe_builder *builder, uint64_t timeout_ns);

/*
 * The stages made until kwe_end() run for each part of `total_bytes`, `window` parts side by side (1..KWE_MAX_WINDOW). Both sizes can be
 * bound instead: kwe_param_length(builder, loop, offsetof(struct kwe_parts, total_bytes), 8, producer). Loops do not nest.
 */
kwe_stage_t kwe_for_each(struct kwe_builder *builder, const char *name, uint64_t total_bytes,
                         uint64_t part_bytes, uint32_t window);
/* The stages made until kwe_end() run again and again until the loop's kwe_if() hold; BOUND_REACHED after so many rounds. */
kwe_stage_t kwe_until(struct kwe_builder *builder, const char *name, uint32_t rounds);
void kwe_end(struct kwe_builder *builder, kwe_stage_t loop);
/* In a body: a parameter is KWE_PART_NUMBER, _OFFSET or _LENGTH of the part. */
void kwe_param_part(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                    unsigned width, unsigned what);
/* ... is a value that `producer` answered in the part before; in the first part the parameter stays as it was given. */
void kwe_param_previous(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                        unsigned width, kwe_stage_t producer, unsigned value_index);
/* In a body: an input is the output of `producer` in the part before; empty in the first. */
void kwe_input_previous(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                        kwe_stage_t producer);
/* ... is the part's piece of the output of `producer`, which comes before the loop; KWE_STAGE_NONE: of the event's buffer. */
void kwe_input_part(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                    kwe_stage_t producer);

/* Room for the stage's output, where its operation has no rule of its own or another one is wanted. */
void kwe_out_limit(struct kwe_builder *builder, kwe_stage_t stage, uint64_t bytes);
/*
 * ... and the most that it may become in an event that turns out larger: at least kwe_out_limit(). Few such places lie beside the others
 * (kwe_large_slots()); an event that had no effect yet begins again there, by itself. OUTPUT_TOO_LARGE: above the most, or after an effect.
 */
void kwe_out_most(struct kwe_builder *builder, kwe_stage_t stage, uint64_t bytes);
/* The workflow may touch the files in this directory and below. rights: KWE_MANIFEST_READ, KWE_MANIFEST_WRITE. */
void kwe_manifest_subtree(struct kwe_builder *builder, const char *path, uint32_t rights);
/* ... receive at this port of the system (KWE_MANIFEST_READ), send to this port of others (KWE_MANIFEST_WRITE). 0: any. */
void kwe_manifest_port(struct kwe_builder *builder, uint32_t port, uint32_t rights);
/* The stage whose output and first value an event's result carries. */
void kwe_result(struct kwe_builder *builder, kwe_stage_t stage);

/* Events admitted at once (64 unless told; the kernel may give fewer). */
void kwe_slots(struct kwe_builder *builder, uint32_t slots);
/* Beside them, places in which each output has its kwe_out_most(). 2 unless told, where a stage has one; the kernel may give one. */
void kwe_large_slots(struct kwe_builder *builder, uint32_t slots);
/* Events that may wait beyond them; more are OVERLOADED. 0, unless told: as many as the ring holds. */
void kwe_max_waiting(struct kwe_builder *builder, uint32_t events);
/* Each event's variables, for kwe_param_block(). 0 unless told. */
void kwe_block_bytes(struct kwe_builder *builder, uint32_t bytes);
/* The program's own part of the arena, where blocks and inputs lie. One page unless told. */
void kwe_program_bytes(struct kwe_builder *builder, uint64_t bytes);

/* Give it to the kernel, which checks and plans it. On failure nothing is registered and kwe_builder_error() says why. */
int kwe_register(struct kwe_builder *builder, struct kwe_workflow_info *info);
/* The same for a ready blob (kernel/abi/workflow.h), as `kwe` compiles them from YAML. info->stage and info->detail tell where it is wrong. */
int kwe_register_blob(const void *blob, size_t bytes, struct kwe_workflow_info *info);
/* End all its events: their results say CANCELLED. The only end of one that stands. */
int kwe_workflow_cancel(const struct kwe_workflow_info *info);
int kwe_unregister(const struct kwe_workflow_info *info);

/* ---- events that bring their own graph -------------------------------------------------------------------------------- */

/*
 * An arena for events of any graph of these decks (a bit for each prefix), at most `slots` at once, with so much room for the outputs that
 * one event leaves in one deck. The builder gives the manifest, program_bytes and max_waiting; it needs no stage. Given back by
 * kwe_unregister(). Answers 0 or a code (< 0).
 */
int kwe_arena_create(struct kwe_builder *builder, uint32_t decks, uint64_t room_bytes,
                     struct kwe_workflow_info *arena);
/*
 * Put the builder's graph into the arena's program memory, at `offset` (a multiple of 8), and have the event go by it: its workflow, flags
 * and block are set. The graph's program_bytes say how long the event's own buffer may be. Answers the graph's bytes, or a code (< 0).
 */
int kwe_route(struct kwe_builder *builder, const struct kwe_workflow_info *arena, uint32_t offset,
              struct kwe_event *event);

/* The program's own part of the arena: info->program_bytes, ours to write. Offsets in an event count from here. */
void *kwe_program_memory(const struct kwe_workflow_info *info);
/* A path as operations take it. False: too long; nothing was written. */
bool kwe_path(struct kwe_path *path, const char *text);

/* ---- events and results --------------------------------------------------------------------------------------------- */

/* One pair of rings, for one thread. */
struct kwe_rings {
    struct ring_producer events;
    struct ring_consumer results;
    uint32_t id;
    uint32_t end; /* up to here, counted as the EventRing's tail is, places are known to be free */
    /* up to here, counted as the ResultRing's head is, results are known to lie there */
    uint32_t known;
    bool polled;
    struct kwe_futures *futures; /* see future.c; NULL: none */
};

/* slots: a power of two, 8..4096; of both rings. */
int kwe_rings_create(struct kwe_rings *rings, uint32_t slots);
/*
 * The same, looked at by the kernel as long as it is awake: kwe_submit() then makes no call. Worth it with two CPUs, and for a program that
 * looks for results by kwe_result_next() and does not sleep in kwe_wait().
 */
int kwe_rings_create_polled(struct kwe_rings *rings, uint32_t slots);
int kwe_rings_destroy(struct kwe_rings *rings);

/* Put events into the ring, as many as there is room for, and tell the kernel once. Answers how many; does not wait. */
int kwe_submit(struct kwe_rings *rings, const struct kwe_event *events, uint32_t count);
/* Places in the EventRing, counted anew; for kwe_event_place(). */
uint32_t kwe_event_room(struct kwe_rings *rings);
/*
 * The same without a copy: write events into the ring where they go, then give them. kwe_event_place() says where: `ahead` behind those that
 * were given; NULL: the ring is full. All of it has to be written; what is not used is 0.
 */
static inline struct kwe_event *kwe_event_place(struct kwe_rings *rings, uint32_t ahead)
{
    /* Negative: more was given than was placed. */
    const int64_t left = (int32_t)(rings->end - rings->events.tail);

    return left > (int64_t)ahead || kwe_event_room(rings) > ahead ? ring_back(&rings->events, ahead)
                                                                  : NULL;
}
int kwe_event_give(struct kwe_rings *rings, uint32_t count);
/* The same, and kwe_wait(), in one call. */
int kwe_event_give_wait(struct kwe_rings *rings, uint32_t count, uint32_t min, uint64_t timeout_ns);
/* Tell the kernel of what is in the EventRing, if it has to be told. kwe_submit() does. 0 and above, or a code (< 0). */
int kwe_notify(struct kwe_rings *rings);
/*
 * Tell the kernel of what is in the EventRing, and sleep until `min` results lie there or the time is over (0: only look; UINT64_MAX: no
 * end). Answers how many results lie there. Ends the look at the result that kwe_result_next() gave last.
 */
int kwe_wait(struct kwe_rings *rings, uint32_t min, uint64_t timeout_ns);
/* Look for more results than are known; for kwe_result_look(). False: there are none. */
bool kwe_results_look(struct kwe_rings *rings);
/* The program is done with the results that it was shown; for kwe_result_look() and kwe_wait(). */
static inline void kwe_result_release(struct kwe_rings *rings)
{
    ring_take(&rings->results, 0);
}
/*
 * The next result, where it lies in the ring; NULL: there is none. It and its buffer (kwe_result_bytes()) are valid until the next call of this
 * function, of kwe_result_next() or of kwe_wait(): then the kernel may use their places for another event.
 */
static inline const struct kwe_result *kwe_result_look(struct kwe_rings *rings)
{
    kwe_result_release(rings);
    if (rings->known == rings->results.head && !kwe_results_look(rings)) {
        return NULL;
    }
    const struct kwe_result *result = ring_front(&rings->results, 0);
    ring_pass(&rings->results, 1);
    return result;
}
/* The same, copied out. */
static inline bool kwe_result_next(struct kwe_rings *rings, struct kwe_result *result)
{
    const struct kwe_result *next = kwe_result_look(rings);

    if (next != NULL) {
        ring_copy_slot(result, next);
    }
    return next != NULL;
}
/* End what came through these rings with this cookie and has not ended: its result says CANCELLED. Answers how many there were. */
int kwe_cancel(struct kwe_rings *rings, uint64_t cookie);
/* ---- futures ---------------------------------------------------------------------------------------------------------- */

/*
 * One event's answer, to come: completed by an upcall, whatever the program's thread is doing. The program's own memory; it stays where it is
 * until it was released.
 */
struct kwe_future {
    struct kwe_result result; /* once done; its cookie is the kernel's and ours, not the event's */
    uint32_t place;           /* in the ResultRing */
    bool done;                /* kwe_future_done() looks */
};

/* From now on results of these rings complete futures; kwe_wait() and kwe_result_next() are not for them any more. 0, or a code (< 0). */
int kwe_futures_begin(struct kwe_rings *rings);
/* Submit events, each with a future; their cookies are not kept. Answers how many there was room for. */
int kwe_submit_futures(struct kwe_rings *rings, const struct kwe_event *events,
                       struct kwe_future *futures, uint32_t count);
/* Without a call. */
bool kwe_future_done(const struct kwe_future *future);
/* Sleep until it is done. False: the time is over (UINT64_MAX: none). */
bool kwe_future_wait(struct kwe_rings *rings, struct kwe_future *future, uint64_t timeout_ns);
/* Done with its bytes: their place goes back, when all that were answered before it went back too. Each future, once. */
void kwe_future_release(struct kwe_rings *rings, struct kwe_future *future);
void kwe_futures_end(struct kwe_rings *rings);

/* The result's buffer of result->length bytes, in the arena; NULL when it has none. */
const void *kwe_result_bytes(const struct kwe_workflow_info *info, const struct kwe_result *result);

/* ---- the rest -------------------------------------------------------------------------------------------------------- */

/* Counts and times of the workflow and of up to stage_capacity of its stages. */
int kwe_workflow_status(const struct kwe_workflow_info *info, struct kwe_workflow_status *status,
                        struct kwe_stage_status *stages, uint32_t stage_capacity);
/* How the kernel means to carry it out. `stages` has room for KWE_MAX_STAGES. */
int kwe_workflow_plan(const struct kwe_workflow_info *info, struct kwe_plan *plan,
                      struct kwe_plan_stage *stages);
int kwe_statistics(struct kwe_statistics *statistics);
/* A line on the debug console. */
void kwe_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Marks for QEMU's instruction-counting plugin: begin and end of what is counted. A no-op instruction each, without the plugin too. */
void kwe_mark_begin(void);
void kwe_mark_end(void);
