/* told.c - see told.h. */
#include "kernel/nucleus/told.h"

#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/rings.h"
#include "kernel/nucleus/program/workflows.h"

_Static_assert(MAX_DECKS <= 32 && MAX_RINGS <= 32 && MAX_INSTANCES <= 32, "a bit for each");

/* ---- noted ------------------------------------------------------------------------------------------------------------- */

static struct told *here(void)
{
    struct told *told = &port_this_cpu()->told;

    told->anything = true;
    return told;
}

static struct told *here_rarely(void)
{
    struct told *told = here();

    told->anything_rare = true;
    return told;
}

void told_deck_ready(struct cpu *cpu, uint8_t prefix)
{
    cpu->told.anything = true;
    cpu->told.decks |= 1u << prefix;
}

static void on_deck_ready(void *context, uint8_t prefix)
{
    (void)context;
    told_deck_ready(port_this_cpu(), prefix);
}

static void on_result_published(void *context, struct program_ring *ring)
{
    (void)context;
    here()->published |= 1u << program_rings_index(ring);
}

static void on_ring_drained(void *context, struct program_ring *ring)
{
    (void)context;
    here_rarely()->drained |= 1u << program_rings_index(ring);
}

static void on_ring_broken(void *context, struct program_ring *ring)
{
    (void)context;
    here_rarely()->broken |= 1u << program_rings_index(ring);
}

static void on_recall(void *context, uint32_t instance, uint32_t ticket)
{
    struct nucleus *nucleus = context;

    deck_recall(nucleus->instance[instance], ticket);
    here_rarely()->recalled |= 1u << instance;
}

static void on_instance_stuck(void *context, uint32_t instance)
{
    (void)context;
    here_rarely()->stuck |= 1u << instance;
}

/* From guides_collect(): nucleus->lock is held. */
static void on_workflow_gone(void *context, uint32_t workflow)
{
    workflows_gone(context, workflow);
}

/*
 * The workflow is registered as long as its Guide's lock is held, and so its arena stands; but an event may name one that is just being registered,
 * by guessing.
 */
static bool read_segment(void *context, uint32_t id, uint32_t segment, uint64_t offset, void *to,
                         size_t bytes)
{
    const struct nucleus *nucleus = context;
    /* Acquire: what it says. Pairs with the release in workflows.c. */
    const struct workflow_arena *workflow =
        __atomic_load_n(&nucleus->workflow[GUIDE_WORKFLOW_INDEX(id)], __ATOMIC_ACQUIRE);

    return workflow != NULL && workflow->id == id &&
           arena_read(workflow->arena, segment, offset, to, bytes);
}

static void on_trace(void *context, const struct kwe_trace_record *record)
{
    trace_keep(context, record);
}

struct guide_port told_port(struct nucleus *nucleus)
{
    return (struct guide_port){
        .deck_ready = on_deck_ready,
        .result_published = on_result_published,
        .ring_drained = on_ring_drained,
        .ring_broken = on_ring_broken,
        .workflow_gone = on_workflow_gone,
        .recall = on_recall,
        .instance_stuck = on_instance_stuck,
        .read_segment = read_segment,
        .trace = nucleus->trace.records == NULL ? NULL : on_trace,
        .context = nucleus,
    };
}

/* ---- done ---------------------------------------------------------------------------------------------------------------- */

static void do_what_is_rare(struct nucleus *nucleus, struct told *own)
{
    const struct told taken = *own, *told = &taken;

    own->drained = own->broken = own->recalled = own->stuck = 0;
    own->anything_rare = false;
    for (uint32_t left = told->broken; left != 0; left &= left - 1) {
        struct program_rings *rings = nucleus->ring[__builtin_ctz(left)];
        if (rings != NULL &&
            rings->ring.broken) { /* else it has gone, and this is another of its index */
            program_rings_broken(nucleus, rings);
        }
    }
    for (uint32_t left = told->drained; left != 0; left &= left - 1) {
        program_rings_drained(nucleus, nucleus->ring[__builtin_ctz(left)]);
    }
    for (uint32_t left = told->stuck; left != 0; left &= left - 1) {
        deck_fail(nucleus, nucleus->instance[__builtin_ctz(left)],
                  "did not give back what it was asked for");
    }
    for (uint32_t left = told->recalled; left != 0; left &= left - 1) {
        const struct instance *instance = nucleus->instance[__builtin_ctz(left)];
        if (instance->state == DECK_UP) {
            sched_ready(nucleus, instance->thread);
        }
    }
}

void told_do_all(struct nucleus *nucleus, struct cpu *cpu)
{
    struct told *told = &cpu->told;

    while (told->anything) {
        uint32_t published = told->published, decks = told->decks;
        told->published = 0;
        told->decks = 0;
        told->anything = false;
        for (; published != 0; published &= published - 1) {
            program_rings_published(nucleus, nucleus->ring[__builtin_ctz(published)]);
        }
        if (told->anything_rare) {
            do_what_is_rare(nucleus, told);
        }
        for (; decks != 0; decks &= decks - 1) {
            deck_wake(nucleus, (uint8_t)__builtin_ctz(decks), cpu);
        }
    }
}
