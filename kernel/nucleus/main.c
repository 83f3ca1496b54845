/*
 * main.c - the nucleus from its first C line to the first program, and every way in from the hardware.
 *
 * Each entry from ring 3 takes the lock, charges the thread that ran, acts, and ends in sched_leave(); a call of dispatch goes without the lock
 * as far as it can. An interrupt in port_idle() only notes what came: the idle loop looks again when it returns.
 */
#include "kernel/lib/fmt.h"
#include "kernel/nucleus/exit.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/options.h"
#include "kernel/nucleus/setup.h"
#include "kernel/nucleus/syscall/syscall.h"

#define PAGE_FAULT_VECTOR 14
#define FAULT_WHY_MAX     96

static struct cpu *cpu_for(struct nucleus *nucleus, unsigned index)
{
    struct cpu *cpu = &nucleus->cpu[index];
    cpu->head.self = cpu;
    cpu->nucleus = nucleus;
    cpu->index = index;
    return cpu;
}

static void start_programs(struct nucleus *nucleus, const char *command_line)
{
    char names[OPTIONS_NAMES_MAX];
    char *rest = names;
    char *name;

    options_programs(command_line, names);
    while ((name = options_next_word(&rest, ',')) != NULL) {
        if (!program_start(nucleus, name)) {
            nucleus->program_failed = true;
        }
    }
    for (unsigned i = 0; i < MAX_PROGRAMS; i++) {
        if (nucleus->program[i] != NULL) {
            return;
        }
    }
    nucleus_exit(EXIT_PROGRAM_FAILED, "no program could be started");
}

_Noreturn void nucleus_main(const struct boot_info *boot)
{
    struct nucleus *nucleus = setup_nucleus(boot);

    port_set_boot_cpu(cpu_for(nucleus, 0));
    nucleus->cpu[0].online = true;
    setup_services(nucleus, boot);

    /* The others wait for the lock in nucleus_ap_main() until everything below stands. */
    port_lock_acquire(&nucleus->lock);
    nucleus->cpu_count = port_cpu_count() < MAX_CPUS ? port_cpu_count() : MAX_CPUS;
    port_start_cpus(cpu_for, nucleus);
    setup_guide(nucleus);
    log_line("nucleus", "%u CPUs, %lu MiB of memory, %u PCI devices, IOMMU %s", nucleus->cpu_count,
             (unsigned long)(boot->total_bytes >> 20), port_pci_count(),
             port_iommu_present() ? "on" : "absent");
    deck_start_all(nucleus);
    start_programs(nucleus, boot->command_line);
    sched_leave(&nucleus->cpu[0]);
}

_Noreturn void nucleus_ap_main(struct cpu *cpu)
{
    port_lock_acquire(&cpu->nucleus->lock);
    cpu->online = true;
    sched_leave(cpu);
}

/* From ring 3 to the lock. The time spent waiting for it is nobody's. */
static void enter(struct cpu *cpu)
{
    uint64_t now_ns = port_now_ns();

    port_lock_acquire(&cpu->nucleus->lock);
    sched_enter(cpu, now_ns, port_now_ns());
}

_Noreturn void nucleus_on_syscall(struct cpu *cpu)
{
    struct thread *thread = cpu->current;

    if (!syscall_is_dispatch(thread)) {
        enter(cpu);
        syscall_dispatch(cpu, thread);
        sched_leave(cpu);
    }
    const uint64_t now_ns = port_now_ns();
    sched_enter(cpu, now_ns, now_ns);
    sched_forget_wake(thread);
    if (syscall_dispatch_unlocked(cpu, thread)) {
        sched_leave_unlocked(cpu);
    }
    port_lock_acquire(&cpu->nucleus->lock);
    sched_sleep(cpu->nucleus, thread, thread->resume, thread->wake_at_ns);
    sched_leave(cpu);
}

static void describe_fault(char *why, size_t room, const struct port_fault *fault)
{
    if (fault->vector == PAGE_FAULT_VECTOR) {
        const char *what = (fault->error & 16) != 0  ? "executing"
                           : (fault->error & 2) != 0 ? "writing"
                                                     : "reading";
        fmt_print(why, room, "%s %s 0x%llx, pc 0x%llx", fault->name, what,
                  (unsigned long long)fault->address, (unsigned long long)fault->pc);
        return;
    }
    fmt_print(why, room, "%s, error 0x%llx, pc 0x%llx", fault->name,
              (unsigned long long)fault->error, (unsigned long long)fault->pc);
}

_Noreturn void nucleus_on_fault(struct cpu *cpu, const struct port_fault *fault)
{
    char why[FAULT_WHY_MAX];
    struct nucleus *nucleus = cpu->nucleus;

    enter(cpu);
    struct thread *thread = cpu->current;
    describe_fault(why, sizeof(why), fault);
    if (thread->instance != NULL) {
        deck_fail(nucleus, thread->instance, why);
    } else {
        program_end(nucleus, thread->program, -1, why);
    }
    sched_leave(cpu);
}

_Noreturn void nucleus_on_kernel_fault(const struct port_fault *fault)
{
    panic("%s in the nucleus: pc 0x%llx, address 0x%llx, error 0x%llx", fault->name,
          (unsigned long long)fault->pc, (unsigned long long)fault->address,
          (unsigned long long)fault->error);
}

void nucleus_on_kick(struct cpu *cpu, bool from_user)
{
    if (!from_user) {
        return;
    }
    enter(cpu);
    sched_leave(cpu);
}

void nucleus_on_timer(struct cpu *cpu, bool from_user)
{
    sched_timer_fired(cpu);
    nucleus_on_kick(cpu, from_user); /* the rest is in sched_leave(), and in the idle loop */
}

/* An interrupt: from ring 3, or one that ends port_idle(). */
static void begin_interrupt(struct cpu *cpu, bool from_user)
{
    if (from_user) {
        enter(cpu);
    } else {
        cpu_lock_idle(cpu);
    }
}

static void end_interrupt(struct cpu *cpu, bool from_user)
{
    if (from_user) {
        sched_leave(cpu);
    }
    port_lock_release(&cpu->nucleus->lock);
}

void nucleus_on_interrupt(struct cpu *cpu, uint8_t vector, bool from_user)
{
    struct nucleus *nucleus = cpu->nucleus;
    unsigned index = vector - DEVICE_VECTOR_FIRST; /* huge for one below */

    begin_interrupt(cpu, from_user);
    /* One without an owner does no harm: a device can raise any, see docs/decisions/0009. */
    if (index < DEVICE_VECTOR_COUNT && nucleus->vector[index].instance != NULL) {
        deck_interrupted(nucleus, nucleus->vector[index].instance, nucleus->vector[index].bit);
    }
    end_interrupt(cpu, from_user);
}

void nucleus_on_iommu_fault(struct cpu *cpu, bool from_user)
{
    uint16_t source;
    uint64_t address;

    begin_interrupt(cpu, from_user);
    (void)port_iommu_fault_count(&source, &address); /* which logs what is new */
    end_interrupt(cpu, from_user);
}

void nucleus_on_control(struct cpu *cpu, bool from_user)
{
    begin_interrupt(cpu, from_user);
    syscall_control_arrived(cpu->nucleus);
    end_interrupt(cpu, from_user);
}
