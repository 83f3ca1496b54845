/* deck.c - visits: what deck_next() does, waking, time budgets, and how a deck's death is told. Starting and tearing down: life.c. */
#include "kernel/nucleus/deck/deck.h"

#include "kernel/lib/fmt.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/syscall/syscall.h"

#define BUDGET_MIN_NS 1000000000u
#define BUDGET_FACTOR 20u

const char *deck_instance_name(const struct instance *instance)
{
    return instance->thread->name;
}

/* ---- harvesting and handing over -------------------------------------------------------------------------------- */

static void fail(struct cpu *cpu, struct instance *instance, const char *why)
{
    cpu_lock_idle(cpu);
    deck_fail(cpu->nucleus, instance, why);
    port_lock_release(&cpu->nucleus->lock);
}

/* Take what lies in the DoneRing. False: the instance broke a rule and has been failed. */
static bool harvest(struct cpu *cpu, struct instance *instance, uint64_t now_ns)
{
    uint32_t count;

    if (ring_used(&instance->done, &count) != RING_OK) {
        fail(cpu, instance, "corrupted its DoneRing");
        return false;
    }
    if (guides_harvest(cpu->nucleus->guides, instance->index, &instance->done, count, now_ns) !=
        KERR_OK) {
        fail(cpu, instance, "answered what it may not");
        return false;
    }
    return true;
}

/* Tell what is recalled, as far as there is room. Returns how many. */
static uint32_t hand_recalls(struct instance *instance, uint32_t room)
{
    if (__atomic_load_n(&instance->recall_count, __ATOMIC_RELAXED) == 0) {
        return 0;
    }
    port_lock_acquire(&instance->recall_lock);
    uint32_t count = instance->recall_count < room ? instance->recall_count : room;

    for (uint32_t i = 0; i < count; i++) {
        const struct kwe_work recall = { .ticket = instance->recall[--instance->recall_count],
                                         .op = KWE_OP_RECALL };
        enum ring_status status = ring_push(&instance->work, &recall);
        KASSERT(status == RING_OK, "room was %u, push %u of %u failed", room, i, count);
    }
    port_lock_release(&instance->recall_lock);
    return count;
}

/* Put a vector of ready work into the WorkRing. Returns how many, or -1: the instance lied about its ring and has been failed. */
static int hand_over(struct cpu *cpu, struct instance *instance, uint64_t now_ns,
                     struct guide_vector *vector)
{
    uint32_t room;

    if (ring_room(&instance->work, &room) != RING_OK) {
        fail(cpu, instance, "corrupted its WorkRing");
        return -1;
    }
    uint32_t recalls = hand_recalls(instance, room);
    room = room - recalls < KWE_MAX_DEPTH ? room - recalls : KWE_MAX_DEPTH;
    uint32_t count = guides_take(cpu->nucleus->guides, instance->index, now_ns, &instance->work,
                                 instance->frames, room, vector);
    if (count > 0) {
        ring_give(&instance->work, count);
        instance->budget_ns = BUDGET_MIN_NS;
        if (vector->most_ns * BUDGET_FACTOR > BUDGET_MIN_NS) {
            instance->budget_ns = vector->most_ns * BUDGET_FACTOR;
        }
    }
    return (int)(count + recalls);
}

/* When there is much more ready work than this instance took: let a sleeping sibling come for it. */
static void wake_sibling(struct nucleus *nucleus, const struct instance *instance, struct cpu *here)
{
    if (instance->spec->per_cpu &&
        guides_ready_cost_ns(nucleus->guides, instance->spec->prefix) >= GUIDE_SHARE_NS) {
        told_deck_ready(here, instance->spec->prefix);
    }
}

/* Answer deck_next() when there is something to answer. wait_argument[0]: the deadline. */
static bool look_for_work(struct cpu *cpu, struct thread *thread, uint64_t now_ns)
{
    struct nucleus *nucleus = cpu->nucleus;
    struct instance *instance = thread->instance;

    struct guide_vector vector = { .has_observations = false };

    int count = hand_over(cpu, instance, now_ns, &vector);
    if (count < 0) {
        return true; /* it has been failed; whoever called looks at that first */
    }
    const uint32_t interrupts = __atomic_load_n(&instance->pending_interrupts, __ATOMIC_RELAXED);
    if (count == 0 && interrupts == 0 && !vector.has_observations &&
        now_ns < thread->wait_argument[0]) {
        return false;
    }
    if (count == 0 && interrupts != 0) {
        (void)__atomic_add_fetch(&nucleus->deck[instance->spec->prefix].interrupt_entries, 1,
                                 __ATOMIC_RELAXED);
    }
    if (interrupts != 0) { /* others that have come since stay */
        (void)__atomic_and_fetch(&instance->pending_interrupts, ~interrupts, __ATOMIC_ACQUIRE);
    }
    port_syscall_return(&thread->context, (uint64_t)count);
    port_syscall_return_second(&thread->context, interrupts);
    trace_instance(nucleus, KWE_TRACE_VISIT, instance, (uint64_t)count);
    if (count > 0) {
        instance->ran_ns = 0;
        wake_sibling(nucleus, instance, cpu);
    }
    return true;
}

static bool deck_next_resume(struct cpu *cpu, struct thread *thread)
{
    return look_for_work(cpu, thread, port_now_ns());
}

bool syscall_deck_next(struct syscall *call)
{
    const uint64_t now_ns = call->cpu->run_start_ns; /* it has just come in */
    struct thread *thread = call->thread;
    struct instance *instance = thread->instance;
    struct nucleus *nucleus = call->nucleus;

    trace_instance(nucleus, KWE_TRACE_BACK, instance, 0);
    /* Nothing of one workflow stays in vector registers for the next. */
    port_vector_reset(&thread->context);
    thread->vectors_reset = true;
    if (__atomic_load_n(&instance->crash_next, __ATOMIC_RELAXED)) {
        fail(call->cpu, instance, "crashed by injection");
        return true;
    }
    if (!harvest(call->cpu, instance, now_ns)) {
        return true;
    }
    thread->wait_argument[0] = call->argument[0];
    if (look_for_work(call->cpu, thread, now_ns)) {
        return true;
    }
    instance->ran_ns = 0; /* it has come to rest; one that only polls has not */
    return sched_will_sleep(thread, deck_next_resume, call->argument[0]);
}

/* ---- waking ------------------------------------------------------------------------------------------------------ */

static bool is_asleep(const struct instance *instance)
{
    return instance->state == DECK_UP && instance->thread->state == THREAD_SLEEPING;
}

/* Can the thread run at all? At boot the other CPUs come one by one. */
static bool has_cpu(const struct nucleus *nucleus, const struct thread *thread)
{
    return thread->pinned_cpu < 0 || nucleus->cpu[thread->pinned_cpu].online;
}

/* It will call for work without being woken, soon: woken already, or just answering (and not gone to sleep since). */
static bool is_on_its_way(const struct nucleus *nucleus, const struct instance *instance,
                          const struct cpu *here)
{
    const struct thread *thread = instance->thread;
    return instance->state == DECK_UP && !instance->failing && has_cpu(nucleus, thread) &&
           (thread->state == THREAD_READY ||
            (thread == here->current && thread->state == THREAD_RUNNING));
}

/*
 * The work is warm on this CPU; but one whose program looks for results without sleeping keeps an instance here waiting, so that an idle CPU
 * is better.
 */
static bool is_better_place(const struct nucleus *nucleus, const struct instance *instance,
                            const struct cpu *here)
{
    const int index = instance->thread->pinned_cpu;
    const struct thread *current = here == NULL ? NULL : here->current;

    if (current != NULL && current->program != NULL && current->program->looks &&
        current->state == THREAD_RUNNING) {
        return index >= 0 && nucleus->cpu[index].current == NULL;
    }
    return here != NULL && index == (int)here->index;
}

/* Nobody is asleep: those that run now look again before they sleep. */
static void wake_running(struct nucleus *nucleus, const struct deck *deck, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct instance *instance = nucleus->instance[deck->first_instance + i];
        if (instance->state == DECK_UP && instance->thread->state == THREAD_RUNNING) {
            sched_ready(nucleus, instance->thread);
        }
    }
}

void deck_wake(struct nucleus *nucleus, uint8_t prefix, const struct cpu *here)
{
    const struct deck *deck = &nucleus->deck[prefix];
    const uint32_t count = nucleus->deterministic ? 1 : deck->instance_count;
    struct instance *chosen = NULL;

    if (!guides_have_ready(nucleus->guides, prefix)) {
        return; /* somebody has taken it since */
    }
    for (uint32_t i = 0; i < count; i++) {
        struct instance *instance = nucleus->instance[deck->first_instance + i];
        if (is_on_its_way(nucleus, instance, here) &&
            guides_ready_cost_ns(nucleus->guides, prefix) < GUIDE_SHARE_NS) {
            return; /* it takes what is ready */
        }
        if (!is_asleep(instance) || !has_cpu(nucleus, instance->thread)) {
            continue;
        }
        if (chosen == NULL || is_better_place(nucleus, instance, here)) {
            chosen = instance;
        }
    }
    if (chosen != NULL) {
        sched_ready(nucleus, chosen->thread);
    } else {
        wake_running(nucleus, deck, count);
    }
}

void deck_interrupted(struct nucleus *nucleus, struct instance *instance, uint8_t bit)
{
    if (instance->state != DECK_UP) {
        return;
    }
    trace_instance(nucleus, KWE_TRACE_INTERRUPT, instance, bit);
    (void)__atomic_or_fetch(&instance->pending_interrupts, 1u << bit, __ATOMIC_RELEASE);
    sched_ready(nucleus, instance->thread);
}

void deck_recall(struct instance *instance, uint32_t ticket)
{
    /* One that has come too late, for an instance that was started again meanwhile, names nothing that this one has in hand. */
    port_lock_acquire(&instance->recall_lock);
    if (instance->recall_count < KWE_MAX_DEPTH) {
        instance->recall[instance->recall_count++] = ticket;
    }
    port_lock_release(&instance->recall_lock);
}

/* ---- time budget ------------------------------------------------------------------------------------------------- */

void deck_charge(struct instance *instance, uint64_t ran_ns)
{
    instance->ran_ns += ran_ns;
    instance->cpu_ns += ran_ns;
}

bool deck_over_budget(struct instance *instance)
{
    /* Only news from ring 3, believed no further than this: a mark that moves puts the clock back. */
    const struct ring *ring = instance->done.shared;
    uint64_t mark = __atomic_load_n(&ring->progress, __ATOMIC_RELAXED) +
                    __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
    if (mark != instance->progress) {
        instance->progress = mark;
        instance->ran_ns = 0;
    }
    uint64_t budget_ns = instance->budget_ns < BUDGET_MIN_NS ? BUDGET_MIN_NS : instance->budget_ns;
    return instance->ran_ns > budget_ns;
}

/* ---- dying ------------------------------------------------------------------------------------------------------- */

void deck_fail(struct nucleus *nucleus, struct instance *instance, const char *why)
{
    if (instance->failing || instance->state != DECK_UP) {
        return;
    }
    instance->failing = true;
    trace_instance(nucleus, KWE_TRACE_DEATH, instance, 0);
    log_line(deck_instance_name(instance), "FAULT %s", why);
    thread_log_backtrace(instance->thread, "deck", instance->spec->name);
    if (sched_condemn(nucleus, instance->thread)) {
        deck_reap(nucleus, instance);
    }
}

void syscall_deck_die(struct syscall *call)
{
    char reason[LOG_LINE_MAX / 2];
    char why[LOG_LINE_MAX / 2 + 16];
    uint64_t length =
        call->argument[1] < sizeof(reason) - 1 ? call->argument[1] : sizeof(reason) - 1;

    if (space_copy_in(call->thread->space, reason, (uaddr_t){ call->argument[0] }, length) !=
        KERR_OK) {
        length = 0;
    }
    reason[length] = '\0';
    for (uint64_t i = 0; i < length; i++) {
        if (reason[i] < ' ' || reason[i] > '~') {
            reason[i] = '?';
        }
    }
    fmt_print(why, sizeof(why), "gave up: %s", reason);
    deck_fail(call->nucleus, call->thread->instance, why);
}
