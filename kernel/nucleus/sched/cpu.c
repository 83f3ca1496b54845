/* cpu.c - what one CPU wants of another: that it looks for work, that it lets go of pages. */
#include "kernel/nucleus/nucleus.h"

/* Somebody waits for this CPU to load other page tables than those of a space that goes. The records are theirs to change: they have the lock. */
static void leave_if_asked(struct cpu *cpu)
{
    if (__atomic_load_n(&cpu->must_leave, __ATOMIC_ACQUIRE)) {
        port_space_load(port_space_kernel_root());
        __atomic_store_n(&cpu->must_leave, false, __ATOMIC_RELEASE);
    }
}

/* On a CPU that may have somebody else's pages loaded. */
void cpu_lock_idle(struct cpu *cpu)
{
    while (!port_lock_try(&cpu->nucleus->lock)) {
        leave_if_asked(cpu);
        port_relax();
    }
}

void cpu_kick(struct cpu *cpu)
{
    if (__atomic_load_n(&cpu->wanted, __ATOMIC_RELAXED)) {
        return; /* it is on its way already */
    }
    __atomic_store_n(&cpu->wanted, true, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&cpu->current, __ATOMIC_RELAXED) != NULL ||
        __atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST)) {
        port_kick(cpu->index);
    }
}

void cpu_load_space(struct cpu *cpu, struct space *space)
{
    struct space *before = cpu->loaded;
    if (before == space && (space == NULL || !space_is_stale(space, cpu->index))) {
        return;
    }
    port_space_load(space == NULL ? port_space_kernel_root() : space->root);
    if (before == space) {
        space_reloaded(space, cpu->index);
        return;
    }
    cpu->loaded = space;
    if (before != NULL) {
        space_unloaded(before, cpu->index);
    }
    if (space != NULL) {
        space_loaded(space, cpu->index);
    }
}

/*
 * Have another CPU let go of its pages, which it has kept from a thread that it ran before: it is idle, or on its way to the next thread, and sees the
 * flag in cpu_lock_idle(), before it takes the lock.
 */
static void fetch_out(struct cpu *cpu)
{
    struct space *space = cpu->loaded;

    KASSERT(cpu->current == NULL || cpu->current->space != space, "cpu%u runs %s in a dead space",
            cpu->index, cpu->current->name);
    __atomic_store_n(&cpu->must_leave, true, __ATOMIC_RELEASE);
    cpu_kick(cpu);
    while (__atomic_load_n(&cpu->must_leave, __ATOMIC_ACQUIRE)) {
        port_relax();
    }
    cpu->loaded = NULL;
    space_unloaded(space, cpu->index);
}

void cpus_leave_space(struct nucleus *nucleus, struct space *space)
{
    for (unsigned i = 0; i < nucleus->cpu_count; i++) {
        struct cpu *cpu = &nucleus->cpu[i];
        if (cpu->loaded != space) {
            continue;
        }
        if (cpu == port_this_cpu()) {
            cpu_load_space(cpu, NULL);
        } else {
            fetch_out(cpu);
        }
    }
}
