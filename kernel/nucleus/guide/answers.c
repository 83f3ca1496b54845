/*
 * answers.c - the short way of plain workflows' answers (see vector.c): DoneRing -> ResultRing, or ready again.
 *
 * Answers of one stage are looked at together (struct alike). An answer that ends its event or makes the one stage behind it ready takes its
 * part of a loop; one after which more, or less, has to be done is moved on alone; one that is not good, or whose event is not, goes the long way.
 */
#include "kernel/nucleus/guide/taking.h"

_Static_assert(offsetof(struct kwe_result, workflow) == 8 &&
                   offsetof(struct kwe_result, stage) == 14 &&
                   offsetof(struct kwe_result, step) == 17 &&
                   offsetof(struct kwe_result, length) == 20 &&
                   offsetof(struct kwe_result, offset) == 24 &&
                   offsetof(struct kwe_result, submitted_ns) == 40,
               "a result's words, as written below");

/* Where a result's buffer and value come from. */
enum source {
    SOURCE_NONE,
    SOURCE_SAME,  /* the stage that was answered */
    SOURCE_OTHER, /* one that is done */
};

/* What answers of one stage have in common, and what they come to. */
struct alike {
    const struct plan_stage *stage; /* NULL: none yet */
    struct workflow *workflow;
    struct kwe_stage_status *counts;
    uint64_t run_step; /* of a run of it that nobody has lost interest in */
    enum source source;
    /* The stage that waits for it alone, while it alone does; NULL: there is none, or there are more. */
    const struct plan_stage *next;
    struct ready_chain ready; /* runs of that stage */
};

/* Answers from one instance. */
struct answers {
    const struct guide_instance *instance;
    uint64_t now_ns;
    struct alike alike;
    uint64_t busy_ns, bytes_out; /* of the stage */
    uint32_t count;
    uint64_t copied_cache, copied_device; /* of the instance */
    /* Results that lie in a ring, and before who observes, and have not been given yet: they go together. */
    struct program_ring *ring; /* NULL: none yet */
    uint32_t given, observed;
};

/* Word by word: a vector may be short, and most of the rest is filled in when it is needed. */
static void open_answers(struct answers *answers, const struct guide_instance *instance,
                         uint64_t now_ns)
{
    answers->instance = instance;
    answers->now_ns = now_ns;
    answers->alike.stage = NULL;
    answers->alike.ready.count = 0;
    answers->busy_ns = 0;
    answers->bytes_out = 0;
    answers->count = 0;
    answers->copied_cache = 0;
    answers->copied_device = 0;
    answers->ring = NULL;
    answers->given = 0;
    answers->observed = 0;
}

/* ---- what they come to ----------------------------------------------------------------------------------------------------- */

static void give(struct guide *guide, struct answers *answers)
{
    struct program_ring *ring = answers->ring;

    if (answers->given != 0) {
        observe_give(guide, answers->observed);
        ring_give(&ring->results, answers->given);
        ring_tell(guide, ring, answers->given, answers->now_ns);
    }
    answers->given = 0;
    answers->observed = 0;
}

static void make_ready(struct guide *guide, struct alike *alike)
{
    if (alike->ready.count != 0) {
        ready_append(guide, &alike->ready);
        alike->ready.count = 0;
    }
}

static void count_alike(struct guide *guide, struct answers *answers)
{
    struct alike *alike = &answers->alike;

    make_ready(guide, alike);
    if (answers->count != 0) {
        alike->counts->events += answers->count;
        alike->counts->busy_ns += answers->busy_ns;
        alike->counts->bytes_out += answers->bytes_out;
        answers->count = 0;
        answers->busy_ns = 0;
        answers->bytes_out = 0;
    }
}

/* ---- what they have in common ------------------------------------------------------------------------------------------------ */

static const struct plan_stage *only_next(const struct guide *guide, const struct plan *plan,
                                          const struct plan_stage *stage)
{
    if (stage->successor_count != 1) {
        return NULL;
    }
    const struct plan_stage *next = &plan->stages[plan->successors[stage->successor_first].stage];
    return next->waits == 1 && !ready_deck_is_down(guide, &guide->deck[next->deck]) ? next : NULL;
}

static void open_alike(const struct guide *guide, struct answers *answers,
                       const struct stage_run *run)
{
    struct workflow *workflow = run->event->workflow;
    const struct plan *plan = workflow->plan;
    const struct plan_stage *stage = run_stage(run);
    const uint8_t index = (uint8_t)(answers->instance - guide->instance);
    const uint16_t result = plan->header->result_stage;

    struct alike *alike = &answers->alike;
    alike->stage = stage;
    alike->workflow = workflow;
    alike->counts = run->counts;
    alike->run_step = run_step(RUN_IN_HAND, index, workflow->segment_of[index], 0);
    alike->source = result == KWE_NO_STAGE   ? SOURCE_NONE
                    : result == stage->index ? SOURCE_SAME
                                             : SOURCE_OTHER;
    alike->next = only_next(guide, plan, stage);
}

/* Nothing can have happened but that it is done, and somebody still takes its event's result. */
static inline bool is_plain(const struct stage_run *run)
{
    const struct event *event = run->event;

    /* An event's own plan is none of the workflow's, which is an arena and not plain. */
    return event->workflow->plan->is_plain && event->status == KERR_OK && run->status == KERR_OK &&
           run->waits == 0 && run->state == RUN_IN_HAND && !event->was_standing &&
           !event->ring->abandoned && event->workflow->registered;
}

/* The run that the answer says is done, if it can be moved on here; NULL: it goes the long way. */
static struct stage_run *find_run(struct guide *guide, struct answers *answers,
                                  const struct kwe_completion *answer)
{
    const uint64_t head = read_once((const uint64_t *)(const void *)answer);
    const struct guide_hands *hands = answers->instance->hands;
    const uint32_t index = KWE_TICKET_INDEX(head);
    struct stage_run *run = hands->run[index];

    if (hands->done[index] != head || hands->guide[index] != guide || !is_plain(run) ||
        read_once_32(&answer->out_length) > run_stage(run)->out_room) {
        return NULL;
    }
    if (answers->ring != run->event->ring) {
        give(guide, answers);
        answers->ring = run->event->ring;
    }
    return run;
}

/* ---- events that end --------------------------------------------------------------------------------------------------------- */

/* Where results go, side by side: the program's ring, and that of who observes. */
struct lines {
    uint8_t *to;
    intptr_t
        seen; /* so many bytes behind; 0: nobody sees them, they are written to the same place twice */
    uint32_t most;
};

static void open_lines(struct guide *guide, const struct answers *answers, uint32_t most,
                       struct lines *lines)
{
    const struct ring_producer *results = &answers->ring->results;
    const uint32_t room = observe_room(guide, answers->observed);

    lines->to = ring_back(results, answers->given);
    lines->most = least(most, ring_back_to_wrap(results, answers->given));
    lines->seen = 0;
    if (room != 0) {
        lines->seen = (intptr_t)ring_back(guide->observed, answers->observed) - (intptr_t)lines->to;
        lines->most =
            least(lines->most, least(room, ring_back_to_wrap(guide->observed, answers->observed)));
    }
}

/* The rest of a good result: length, offset and value. */
struct outcome {
    uint64_t length, offset, value;
};

static inline struct outcome outcome_of(const struct alike *alike, const struct stage_run *run,
                                        const struct kwe_completion *answer, uint32_t length)
{
    if (alike->source == SOURCE_SAME) {
        return (struct outcome){
            .length = length,
            .offset = length == 0 ? 0 : run->out_offset,
            .value = run_stage(run)->op->value_count == 0 ? 0 : read_once(&answer->value[0]),
        };
    }
    const struct event *event = run->event;
    const struct stage_run *from = &event->run[event->plan->header->result_stage];
    return (struct outcome){
        .length = from->length,
        .offset = from->length == 0 ? 0 : from->out_offset,
        .value = from->value[0],
    };
}

/*
 * Answers after which nothing is left of their events. Returns how many there were. `has_outcome`, whether results say more than that it is
 * done, is known where this is compiled.
 */
__attribute__((always_inline)) static inline uint32_t
end_events(struct guide *guide, struct answers *answers, const struct kwe_completion *answer,
           uint32_t most, const bool has_outcome)
{
    const struct alike *alike = &answers->alike;
    const struct plan_stage *const stage = alike->stage;
    const uint64_t step = alike->run_step;
    const uint32_t out_room = stage->out_room;
    struct guide_hands *hands = answers->instance->hands;
    struct workflow *workflow = alike->workflow;
    struct program_ring *const ring = answers->ring;
    const uint64_t now_ns = answers->now_ns;
    const uint64_t names = workflow->id | (uint64_t)KWE_NO_STAGE << 48;
    const uint64_t steps = (uint64_t)(uint8_t)workflow->plan->stage_count << 8;
    uint8_t *free_index = &hands->free[hands->free_count];
    struct event *free_event = workflow->free;
    struct lines lines;

    open_lines(guide, answers, most, &lines);
    uint8_t *at = lines.to;
    const intptr_t apart = lines.seen;
    const struct kwe_completion *const first = answer, *const end = answer + lines.most;
    for (; answer != end; answer++) {
        const uint64_t head = read_once((const uint64_t *)(const void *)answer);
        const uint32_t length = read_once_32(&answer->out_length);
        const uint32_t index = KWE_TICKET_INDEX(head);
        const struct stage_run *run = hands->run[index];
        if (hands->done[index] != head || run->plan_stage != stage || run->step != step) {
            break;
        }
        struct event *event = run->event;
        if (event->step != event_step(1, 1) || event->ring != ring || length > out_room) {
            break;
        }
        const struct outcome outcome =
            has_outcome ? outcome_of(alike, run, answer, length) : (struct outcome){ .length = 0 };
        *free_index++ = (uint8_t)index;
        ticket_end(hands, index);
        answers->bytes_out += length;
        answers->copied_cache += read_once_32(&answer->copied_cache);
        answers->copied_device += read_once_32(&answer->copied_device);
        answers->busy_ns += read_once(&answer->elapsed_ns);
        uint64_t *to = (uint64_t *)(void *)at, *seen = (uint64_t *)(void *)(at + apart);
        to[0] = seen[0] = event->cookie;
        to[1] = seen[1] = names;
        to[2] = seen[2] = steps | outcome.length << 32;
        to[3] = outcome.offset;
        to[4] = outcome.value;
        to[5] = seen[5] = event->submitted_ns;
        to[6] = seen[6] = now_ns;
        to[7] = 0;
        at += RING_SLOT_BYTES;
        event->flags = 0;
        if (has_outcome && outcome.length != 0) {
            const uint32_t count = (uint32_t)(answer - first);
            ring_hold(ring, event,
                      (ring->results.tail + answers->given + count) & ring->results.mask);
        } else {
            event->next_free = free_event;
            free_event = event;
        }
    }
    const uint32_t count = (uint32_t)(answer - first);
    hands->free_count += count;
    workflow->free = free_event;
    workflow->status.completed += count;
    workflow->live_count -= count;
    ring->reserved -= count;
    answers->count += count;
    answers->given += count;
    if (apart != 0) {
        answers->observed += count;
    } else {
        observe_drop(guide, count);
    }
    return count;
}

__attribute__((noinline)) static uint32_t end_plainly(struct guide *guide, struct answers *answers,
                                                      const struct kwe_completion *answer,
                                                      uint32_t most)
{
    return end_events(guide, answers, answer, most, false);
}

__attribute__((noinline)) static uint32_t end_with_outcome(struct guide *guide,
                                                           struct answers *answers,
                                                           const struct kwe_completion *answer,
                                                           uint32_t most)
{
    return end_events(guide, answers, answer, most, true);
}

/* ---- events that go on ------------------------------------------------------------------------------------------------------- */

/* A run is done: what it has left. */
static inline void keep_output(struct stage_run *run, const struct kwe_completion *answer,
                               uint32_t length)
{
    run->length = length;
    for (unsigned i = 0; i < run_stage(run)->op->value_count; i++) {
        run->value[i] = read_once(&answer->value[i]);
    }
}

/*
 * Answers after which one stage of their events is ready. Returns how many there were. `is_sized` is known where it is compiled: what is not
 * goes without a call.
 */
__attribute__((always_inline)) static inline uint32_t pass_on(const struct guide *guide,
                                                              struct answers *answers,
                                                              const struct kwe_completion *answer,
                                                              uint32_t most, const bool is_sized)
{
    struct alike *alike = &answers->alike;
    const struct plan_stage *const stage = alike->stage, *const next_stage = alike->next;
    struct guide_hands *hands = answers->instance->hands;
    const uint64_t now_ns = answers->now_ns, next_step = run_step(RUN_WAITING, 0, 0, 1);
    const uint64_t next_cost_ns =
        is_sized ? 0 : pace_cost_ns(guide, alike->workflow, next_stage, next_stage->out_room);
    const size_t next_at =
        offsetof(struct event, run) + next_stage->index * sizeof(struct stage_run);
    const struct kwe_completion *const first = answer, *const end = answer + most;
    const uint64_t step = alike->run_step;
    const uint32_t out_room = stage->out_room;
    uint8_t *free_index = &hands->free[hands->free_count];
    struct ready_links links;
    uint64_t sum_ns = 0;

    ready_links_begin(&links, &alike->ready);
    for (; answer != end; answer++) {
        const uint64_t head = read_once((const uint64_t *)(const void *)answer);
        const uint32_t length = read_once_32(&answer->out_length);
        const uint32_t index = KWE_TICKET_INDEX(head);
        struct stage_run *run = hands->run[index];
        if (hands->done[index] != head || run->plan_stage != stage || run->step != step) {
            break;
        }
        struct event *event = run->event;
        struct stage_run *next = (struct stage_run *)(void *)((uint8_t *)event + next_at);
        if ((event->step & EVENT_STEP_ODD) != 0 || next->step != next_step || length > out_room) {
            break;
        }
        *free_index++ = (uint8_t)index;
        ticket_end(hands, index);
        answers->bytes_out += length;
        answers->copied_cache += read_once_32(&answer->copied_cache);
        answers->copied_device += read_once_32(&answer->copied_device);
        answers->busy_ns += read_once(&answer->elapsed_ns);
        keep_output(run, answer, length);
        run->state = RUN_DONE;
        event->step -= event_step(1, 1) - event_step(0, 0);
        next->step = run_step(RUN_READY, 0, 0, 0);
        next->size_bytes = is_sized ? bind_size_bytes(next) : next_stage->out_room;
        next->cost_ns = is_sized
                            ? pace_cost_ns(guide, alike->workflow, next_stage, next->size_bytes)
                            : next_cost_ns;
        sum_ns += is_sized ? next->cost_ns : 0;
        ready_links_add(&links, next, now_ns);
    }
    const uint32_t count = (uint32_t)(answer - first);
    ready_links_end(&links, &alike->ready, count, is_sized ? sum_ns : count * next_cost_ns);
    hands->free_count += count;
    answers->count += count;
    return count;
}

__attribute__((noinline)) static uint32_t pass_on_sized(const struct guide *guide,
                                                        struct answers *answers,
                                                        const struct kwe_completion *answer,
                                                        uint32_t most)
{
    return pass_on(guide, answers, answer, most, true);
}

__attribute__((noinline)) static uint32_t pass_on_unsized(const struct guide *guide,
                                                          struct answers *answers,
                                                          const struct kwe_completion *answer,
                                                          uint32_t most)
{
    return pass_on(guide, answers, answer, most, false);
}

/* ---- others -------------------------------------------------------------------------------------------------------------------- */

/* One answer, whatever waits for its stage. False: it goes the long way. */
static bool move_on(struct guide *guide, struct answers *answers, struct stage_run *run,
                    const struct kwe_completion *answer)
{
    const uint32_t length = read_once_32(&answer->out_length);
    struct event *event = run->event;

    if (length > run_stage(run)->out_room) {
        return false;
    }
    make_ready(guide, &answers->alike); /* before others get in line behind them */
    ticket_give(answers->instance->hands, KWE_TICKET_INDEX(run->ticket));
    run->counts->events++;
    run->counts->busy_ns += read_once(&answer->elapsed_ns);
    run->counts->bytes_out += length;
    answers->copied_cache += read_once_32(&answer->copied_cache);
    answers->copied_device += read_once_32(&answer->copied_device);
    keep_output(run, answer, length);
    event->in_hand--;
    stage_done_plainly(guide, run, answers->now_ns);
    if (event->status != KERR_OK || event->stages_left == 0) {
        give(guide, answers); /* before others take the places behind them */
        event_settle(guide, event, answers->now_ns);
    }
    return true;
}

static uint32_t end_alike(struct guide *guide, struct answers *answers, struct stage_run *run,
                          const struct kwe_completion *answer, uint32_t most)
{
    deadline_set(guide, &run->event->deadline, 0);
    return answers->alike.source == SOURCE_NONE ? end_plainly(guide, answers, answer, most)
                                                : end_with_outcome(guide, answers, answer, most);
}

static uint32_t pass_on_alike(const struct guide *guide, struct answers *answers,
                              const struct kwe_completion *answer, uint32_t most)
{
    const struct plan_stage *next = answers->alike.next;

    return next == NULL                            ? 0
           : next->size_binding == PLAN_NO_BINDING ? pass_on_unsized(guide, answers, answer, most)
                                                   : pass_on_sized(guide, answers, answer, most);
}

/* Move on the oldest of `most` answers, and those behind it that are like it. Returns how many; 0: it goes the long way. */
static uint32_t move_alike(struct guide *guide, struct answers *answers,
                           const struct kwe_completion *answer, uint32_t most)
{
    struct stage_run *run = find_run(guide, answers, answer);
    uint32_t count = 0;

    if (run == NULL) {
        return 0;
    }
    const bool ends = run->event->stages_left == 1;
    /* What may have gone along with it is not waiting to be made ready. */
    if (ends || run_stage(run)->fused_next == KWE_NO_STAGE) {
        if (run_stage(run) != answers->alike.stage) {
            count_alike(guide, answers);
            open_alike(guide, answers, run);
        }
        count = ends ? end_alike(guide, answers, run, answer, most)
                     : pass_on_alike(guide, answers, answer, most);
    }
    return count != 0 ? count : move_on(guide, answers, run, answer) ? 1 : 0;
}

uint32_t vector_complete(struct guide *guide, uint32_t instance_index,
                         const struct ring_consumer *done, uint32_t first, uint32_t end,
                         uint64_t now_ns)
{
    struct answers answers;
    struct kwe_deck_statistics *statistics =
        &guide->deck[guide->instance[instance_index].spec->prefix].statistics;
    uint32_t at = first, count = is_traced(guide) ? 0 : 1;

    open_answers(&answers, &guide->instance[instance_index], now_ns);
    for (; at < end && count != 0; at += count) {
        count = move_alike(guide, &answers, ring_front(done, at),
                           least(end - at, ring_front_to_wrap(done, at)));
    }
    count_alike(guide, &answers);
    give(guide, &answers);
    statistics->completions += at - first;
    statistics->copied_cache += answers.copied_cache;
    statistics->copied_device += answers.copied_device;
    return at - first;
}
