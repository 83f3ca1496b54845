/* guides.c - see guides.h: which Guide it is about, its lock, and shares between programs. */
#include "kernel/nucleus/guide/guides.h"

#include "kernel/nucleus/guide/state.h"
#include "kernel/nucleus/port.h"

/* Event numbers are the trace's names for them: no two programs' are the same. */
#define NUMBERS_OF_PROGRAM_SHIFT 48u

/* One program's. */
struct part {
    _Alignas(64) struct port_lock lock;
    struct guide *guide; /* set once, before `opened` says so */
    /* What the lock's last holder left, for those who do not hold it. Atomics. */
    uint32_t ready_decks;
    uint64_t used_ns;
    uint64_t next_deadline_ns;
};

struct guides {
    struct guide_config config;
    struct guide_shared *shared;
    /* Atomics; bit n: */
    uint32_t opened;       /* program n has one */
    uint32_t must_collect; /* it has workflows that drain */
    struct ring_producer *observed;
    const struct deck_spec *spec_of[MAX_INSTANCES];
    bool is_down[MAX_INSTANCES];
    struct part part[MAX_PROGRAMS];
};

/* ---- locks --------------------------------------------------------------------------------------------------------------- */

static struct guide *lock(struct part *part)
{
    port_lock_acquire(&part->lock);
    return part->guide;
}

static void unlock(struct part *part)
{
    const struct guide *guide = part->guide;

    __atomic_store_n(&part->ready_decks, guide->ready_decks, __ATOMIC_RELAXED);
    __atomic_store_n(&part->used_ns, guide->used_ns, __ATOMIC_RELAXED);
    __atomic_store_n(&part->next_deadline_ns, guide_next_deadline_ns(guide), __ATOMIC_RELAXED);
    port_lock_release(&part->lock);
}

/* ... where nothing of that can have changed. */
static void unlock_unchanged(struct part *part)
{
    port_lock_release(&part->lock);
}

/* After what may have ended events: others may have waited for their slots. */
static void serve_and_unlock(struct part *part, uint64_t now_ns)
{
    guide_serve_starved(part->guide, now_ns);
    unlock(part);
}

static uint32_t opened(const struct guides *guides)
{
    /* Acquire: the Guide itself. Pairs with the release in guides_open(). */
    return __atomic_load_n(&guides->opened, __ATOMIC_ACQUIRE);
}

/* All that there are, one after the other: for_each_part (guides, part) { .. } */
#define for_each_part(guides, part)                                                                \
    for (uint32_t left_ = opened(guides); left_ != 0; left_ &= left_ - 1)                          \
        for (__auto_type part = &(guides)->part[__builtin_ctz(left_)]; part != NULL; part = NULL)

static struct part *part_of(struct guides *guides, uint32_t owner)
{
    return &guides->part[owner];
}

/* ---- made and opened -------------------------------------------------------------------------------------------------------- */

struct guides *guides_create(const struct guide_config *config)
{
    struct guides *guides = config->memory.alloc_zeroed(config->memory.context, sizeof(*guides));
    uint32_t count = 0;

    if (guides == NULL) {
        return NULL;
    }
    guides->config = *config;
    guides->shared = guide_shared_create(config);
    if (guides->shared == NULL) {
        config->memory.free(config->memory.context, guides, sizeof(*guides));
        return NULL;
    }
    for (uint32_t i = 0; i < config->spec_count; i++) {
        const struct deck_spec *spec = &config->specs[i];
        for (uint32_t n = spec->per_cpu ? config->per_cpu_instances : 1; n > 0; n--) {
            guides->spec_of[count++] = spec;
        }
    }
    return guides;
}

void guides_destroy(struct guides *guides)
{
    const struct guide_memory memory = guides->config.memory;

    for_each_part (guides, part) {
        guide_destroy(part->guide);
    }
    guide_shared_destroy(&guides->config, guides->shared);
    memory.free(memory.context, guides, sizeof(*guides));
}

bool guides_open(struct guides *guides, uint32_t owner)
{
    struct part *part = &guides->part[owner];

    if ((opened(guides) >> owner & 1) != 0) {
        return true;
    }
    part->guide = guide_create_among(&guides->config, guides->shared);
    if (part->guide == NULL) {
        return false;
    }
    part->guide->event_number = (uint64_t)owner << NUMBERS_OF_PROGRAM_SHIFT;
    if (guides->observed != NULL) {
        guide_observe_into(part->guide, &guides->observed[owner]);
    }
    for (uint32_t i = 0; i < MAX_INSTANCES; i++) {
        if (guides->is_down[i]) {
            guide_instance_state(part->guide, i, GUIDE_INSTANCE_DOWN, 0);
        }
    }
    (void)lock(part);
    unlock(part); /* which says how it stands */
    (void)__atomic_or_fetch(&guides->opened, 1u << owner, __ATOMIC_RELEASE);
    return true;
}

static uint32_t bit_of(const struct guides *guides, const struct part *part)
{
    return 1u << (part - guides->part);
}

/* With the part's lock. */
static void note_draining(struct guides *guides, const struct part *part)
{
    if (part->guide->draining > 0) {
        (void)__atomic_or_fetch(&guides->must_collect, bit_of(guides, part), __ATOMIC_RELAXED);
    } else {
        (void)__atomic_and_fetch(&guides->must_collect, ~bit_of(guides, part), __ATOMIC_RELAXED);
    }
}

/* ---- a program's own ----------------------------------------------------------------------------------------------------------- */

enum kerr guides_register(struct guides *guides, struct plan *plan, uint32_t owner,
                          uint64_t arena_base, const uint64_t *segment_offsets, uint32_t *workflow)
{
    struct part *part = part_of(guides, owner);
    enum kerr result =
        guide_register(lock(part), plan, owner, arena_base, segment_offsets, workflow);

    unlock(part);
    return result;
}

enum kerr guides_check_owner(struct guides *guides, uint32_t owner, uint32_t workflow)
{
    struct part *part = part_of(guides, owner);
    enum kerr result = guide_check_owner(lock(part), owner, workflow);

    unlock_unchanged(part);
    return result;
}

void guides_cancel(struct guides *guides, uint32_t owner, uint32_t workflow, uint64_t now_ns)
{
    struct part *part = part_of(guides, owner);

    guide_cancel(lock(part), workflow, now_ns);
    serve_and_unlock(part, now_ns);
}

void guides_unregister(struct guides *guides, uint32_t owner, uint32_t workflow, uint64_t now_ns)
{
    struct part *part = part_of(guides, owner);

    guide_unregister(lock(part), workflow, now_ns);
    note_draining(guides, part);
    serve_and_unlock(part, now_ns);
}

bool guides_status(struct guides *guides, uint32_t owner, uint32_t workflow,
                   struct kwe_workflow_status *status, struct kwe_stage_status *stages)
{
    struct part *part = part_of(guides, owner);
    bool found = guide_status(lock(part), workflow, status, stages);

    unlock_unchanged(part);
    return found;
}

bool guides_plan(struct guides *guides, uint32_t owner, uint32_t workflow, struct kwe_plan *plan,
                 struct kwe_plan_stage *stages)
{
    struct part *part = part_of(guides, owner);
    bool found = guide_plan(lock(part), workflow, plan, stages);

    unlock_unchanged(part);
    return found;
}

void guides_program_gone(struct guides *guides, uint32_t owner, uint64_t now_ns)
{
    struct part *part = part_of(guides, owner);

    guide_program_gone(lock(part), owner, now_ns);
    note_draining(guides, part);
    unlock(part);
}

void guides_collect(struct guides *guides)
{
    for_each_part (guides, part) {
        if ((__atomic_load_n(&guides->must_collect, __ATOMIC_RELAXED) & bit_of(guides, part)) !=
            0) {
            guide_collect(lock(part));
            note_draining(guides, part);
            unlock(part);
        }
    }
}

bool guides_must_collect(const struct guides *guides)
{
    return __atomic_load_n(&guides->must_collect, __ATOMIC_RELAXED) != 0;
}

bool guides_ring_open(struct guides *guides, struct program_ring *ring, uint32_t owner)
{
    struct part *part = part_of(guides, owner);
    bool is_open = ring_open(lock(part), ring, owner);

    unlock(part);
    return is_open;
}

void guides_ring_close(struct guides *guides, struct program_ring *ring)
{
    struct part *part = part_of(guides, ring->owner);

    ring_close(lock(part), ring);
    unlock(part);
}

void guides_ring_abandon(struct guides *guides, struct program_ring *ring, uint64_t now_ns)
{
    struct part *part = part_of(guides, ring->owner);
    struct guide *guide = lock(part);

    guide_cancel_standing(guide, ring, now_ns);
    ring_abandon(guide, ring);
    guide_serve_line(guide, now_ns);
    serve_and_unlock(part, now_ns);
}

enum kerr guides_intake(struct guides *guides, struct program_ring *ring, uint64_t now_ns)
{
    struct part *part = part_of(guides, ring->owner);
    const struct guide *guide = lock(part);
    enum kerr result = ring_intake(part->guide, ring, now_ns);

    if (guide->rings->next != NULL) {
        serve_and_unlock(
            part,
            now_ns); /* slots of results that were read may be what its other rings wait for */
    } else {
        unlock(part);
    }
    return result;
}

bool guides_listen(struct guides *guides, struct program_ring *ring, uint32_t least, bool each,
                   uint32_t *count)
{
    struct part *part = part_of(guides, ring->owner);

    (void)lock(part);
    bool there = ring_listen(ring, least, each, count);
    unlock_unchanged(part);
    return there;
}

uint32_t guides_cancel_event(struct guides *guides, const struct program_ring *ring,
                             uint64_t cookie, uint64_t now_ns)
{
    struct part *part = part_of(guides, ring->owner);
    uint32_t count = guide_cancel_event(lock(part), ring, cookie, now_ns);

    serve_and_unlock(part, now_ns);
    return count;
}

/* ---- instances ------------------------------------------------------------------------------------------------------------------- */

void guides_instance_state(struct guides *guides, uint32_t instance,
                           enum guide_instance_state state, uint64_t now_ns)
{
    guides->is_down[instance] = state == GUIDE_INSTANCE_DOWN;
    for_each_part (guides, part) {
        guide_instance_state(lock(part), instance, state, now_ns);
        serve_and_unlock(part, now_ns);
    }
}

void guides_instance_lost(struct guides *guides, uint32_t instance, uint64_t now_ns)
{
    for_each_part (guides, part) {
        guide_instance_lost(lock(part), instance, now_ns);
        serve_and_unlock(part, now_ns);
    }
}

/* Programs that have something for the deck; a bit for each. */
static uint32_t ready_for(const struct guides *guides, uint8_t prefix)
{
    uint32_t ready = 0;

    for (uint32_t left = opened(guides); left != 0; left &= left - 1) {
        const uint32_t index = (uint32_t)__builtin_ctz(left);
        const uint32_t decks = __atomic_load_n(&guides->part[index].ready_decks, __ATOMIC_RELAXED);
        ready |= (decks >> prefix & 1) << index;
    }
    return ready;
}

bool guides_have_ready(const struct guides *guides, uint8_t prefix)
{
    return ready_for(guides, prefix) != 0;
}

/* Of these programs the one that has been given least. */
static uint32_t least_used(const struct guides *guides, uint32_t programs)
{
    uint32_t best = (uint32_t)__builtin_ctz(programs);
    uint64_t best_ns = __atomic_load_n(&guides->part[best].used_ns, __ATOMIC_RELAXED);

    for (uint32_t left = programs & (programs - 1); left != 0; left &= left - 1) {
        const uint32_t index = (uint32_t)__builtin_ctz(left);
        const uint64_t used_ns = __atomic_load_n(&guides->part[index].used_ns, __ATOMIC_RELAXED);
        if (used_ns < best_ns) {
            best = index;
            best_ns = used_ns;
        }
    }
    return best;
}

static bool observe_due(struct guides *guides, uint32_t instance, bool it_comes)
{
    bool is_due = false;

    const uint8_t prefix = guides->spec_of[instance]->prefix;

    for_each_part (guides, part) {
        const uint32_t decks = __atomic_load_n(&part->ready_decks, __ATOMIC_RELAXED);
        if (it_comes || (decks >> prefix & 1) != 0) {
            is_due = guide_observe_due(lock(part), instance, it_comes) || is_due;
            unlock(part);
        }
    }
    return is_due;
}

uint32_t guides_take(struct guides *guides, uint32_t instance, uint64_t now_ns,
                     struct ring_producer *work, struct kwe_work_frame *frames, uint32_t room,
                     struct guide_vector *vector)
{
    const struct deck_spec *spec = guides->spec_of[instance];
    uint32_t left = ready_for(guides, spec->prefix);

    *vector = (struct guide_vector){ .cost_ns = 0 };
    while (left != 0 && vector->count < room) {
        const uint32_t index = least_used(guides, left);
        struct part *part = &guides->part[index];
        (void)guide_take_more(lock(part), instance, now_ns, work, frames, room, vector);
        unlock(part);
        left &= ~(1u << index); /* whatever it has left: the vector is long enough, or full */
    }
    if (spec->observes) {
        vector->has_observations = observe_due(guides, instance, vector->count > 0);
    }
    return vector->count;
}

/* Whose stage the answer is about that lies `ahead` behind the oldest; NULL: none that the instance has in its hands. */
static struct part *whose(struct guides *guides, uint32_t instance,
                          const struct ring_consumer *done, uint32_t ahead)
{
    const uint64_t *word = ring_front(done, ahead);
    /* Once; guide_harvest_own() reads it again, and looks for itself whose it is then. */
    const uint32_t ticket = (uint32_t)__atomic_load_n(word, __ATOMIC_RELAXED);
    const struct guide *guide =
        guide_of_ticket(guides->shared, instance, guides->spec_of[instance], ticket);

    for_each_part (guides, part) {
        if (part->guide == guide) {
            return part;
        }
    }
    return NULL;
}

enum kerr guides_harvest(struct guides *guides, uint32_t instance, struct ring_consumer *done,
                         uint32_t count, uint64_t now_ns)
{
    uint32_t at = 0;

    while (at < count) {
        uint32_t taken;
        struct part *part = whose(guides, instance, done, at);
        if (part == NULL) {
            return KERR_DECK_BROKE_RULES;
        }
        enum kerr answer = guide_harvest_own(lock(part), instance, done, at, count, &taken, now_ns);
        serve_and_unlock(part, now_ns);
        if (answer != KERR_OK || taken == 0) {
            return KERR_DECK_BROKE_RULES; /* none taken: it changed the ticket under our hands */
        }
        at += taken;
    }
    ring_take(done, count);
    return KERR_OK;
}

void guides_observe_into(struct guides *guides, struct ring_producer *rings)
{
    guides->observed = rings;
    for_each_part (guides, part) {
        guide_observe_into(lock(part), rings == NULL ? NULL : &rings[part - guides->part]);
        unlock(part);
    }
}

uint64_t guides_ready_cost_ns(struct guides *guides, uint8_t prefix)
{
    uint64_t cost_ns = 0;

    for (uint32_t left = ready_for(guides, prefix); left != 0; left &= left - 1) {
        struct part *part = &guides->part[__builtin_ctz(left)];
        cost_ns += guide_ready_cost_ns(lock(part), prefix);
        unlock_unchanged(part);
    }
    return cost_ns;
}

/* ---- time and counters ------------------------------------------------------------------------------------------------------------ */

uint64_t guides_next_deadline_ns(const struct guides *guides)
{
    uint64_t next_ns = UINT64_MAX;

    for_each_part (guides, part) {
        const uint64_t at_ns = __atomic_load_n(&part->next_deadline_ns, __ATOMIC_RELAXED);
        next_ns = at_ns < next_ns ? at_ns : next_ns;
    }
    return next_ns;
}

void guides_expire(struct guides *guides, uint64_t now_ns)
{
    for_each_part (guides, part) {
        if (__atomic_load_n(&part->next_deadline_ns, __ATOMIC_RELAXED) <= now_ns) {
            guide_expire(lock(part), now_ns);
            serve_and_unlock(part, now_ns);
        }
    }
}

uint64_t guides_results(struct guides *guides, uint64_t *first_ns)
{
    uint64_t count = 0;

    *first_ns = 0;
    for_each_part (guides, part) {
        uint64_t its_first_ns;
        count += guide_results(lock(part), &its_first_ns);
        unlock_unchanged(part);
        if (its_first_ns != 0 && (*first_ns == 0 || its_first_ns < *first_ns)) {
            *first_ns = its_first_ns;
        }
    }
    return count;
}

void guides_deck_statistics(struct guides *guides, uint8_t prefix, struct kwe_deck_statistics *out)
{
    for_each_part (guides, part) {
        struct kwe_deck_statistics own = { .visits = 0 };
        guide_deck_statistics(lock(part), prefix, &own);
        unlock_unchanged(part);
        out->visits += own.visits;
        out->events += own.events;
        out->completions += own.completions;
        out->copied_cache += own.copied_cache;
        out->copied_device += own.copied_device;
    }
}

uint64_t guides_observe_dropped(struct guides *guides)
{
    uint64_t dropped = 0;

    for_each_part (guides, part) {
        dropped += guide_observe_dropped(lock(part));
        unlock_unchanged(part);
    }
    return dropped;
}
