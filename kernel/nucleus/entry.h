/*
 * entry.h - what arch calls in the nucleus. All but nucleus_main() and nucleus_ap_main(): on the CPU's kernel stack (its top),
 * interrupts off, lock not held. The ones marked "from ring 3" get the context that the stub has filled, and do not return:
 * they end in port_resume() of some thread, or idle.
 */
#pragma once

#include "kernel/nucleus/port.h"

struct port_fault {
    uint8_t vector;   /* x86 exception number */
    uint64_t error;   /* the CPU's error code */
    uint64_t pc;      /* faulting instruction */
    uint64_t address; /* CR2 for page faults, else 0 */
    const char *name; /* "page fault", "general protection", ... */
};

/* Memory as the firmware tells it, filled by boot/ before nucleus_main(). */
#define BOOT_MAX_RANGES 64
struct boot_range {
    uint64_t base,
        size_bytes; /* usable RAM only: the nucleus's image, modules, low 1 MiB and early tables are cut out already */
};
struct boot_info {
    struct boot_range usable[BOOT_MAX_RANGES];
    uint32_t usable_count;
    uint64_t total_bytes; /* all RAM the firmware named */
    paddr_t payload;      /* module 0: decks and programs (kpak); page aligned */
    uint64_t payload_bytes;
    char command_line[1024]; /* NUL terminated */
    /* port_now_ns() epoch note: time since the CPU's reset, as well as it can be known, at the nucleus's first instruction */
    uint64_t entry_tsc_ns;
};

/*
 * CPU 0, own stack, paging as it shall stay, interrupts off, exceptions caught (they panic), timers calibrated, PCI and IOMMU
 * found, other CPUs still off. Memory: arch took its own early needs from the ranges already.
 */
_Noreturn void nucleus_main(const struct boot_info *boot);

/* nucleus_main() -> arch: start the others. Each gets the struct cpu that `cpu_for` returns and calls nucleus_ap_main(). */
void port_start_cpus(struct cpu *(*cpu_for)(struct nucleus *nucleus, unsigned index),
                     struct nucleus *nucleus);
/* CPU 0 tells arch its struct cpu (port_this_cpu() works from here on). */
void port_set_boot_cpu(struct cpu *cpu);
_Noreturn void nucleus_ap_main(struct cpu *cpu);

/* How arch finds the running thread's context: the first word of struct cpu. */
struct cpu_head {
    /* where the stubs save ring 3's registers; set by the nucleus before port_resume() */
    struct port_context *running;
    struct cpu *self;
    uint64_t arch_private[6]; /* kernel stack top, scratch, ...: offsets belong to arch */
};

_Noreturn void nucleus_on_syscall(struct cpu *cpu); /* from ring 3 */
_Noreturn void
nucleus_on_fault(struct cpu *cpu,
                 const struct port_fault *fault); /* from ring 3; vector registers are live */
_Noreturn void nucleus_on_kernel_fault(const struct port_fault *fault); /* from ring 0: panics */
/*
 * Interrupts. `from_user`: ends in nucleus_leave(), does not return to the stub. Else (the CPU was in port_idle()): handles and
 * returns, and port_idle() then returns.
 */
void nucleus_on_timer(struct cpu *cpu, bool from_user);
void nucleus_on_kick(struct cpu *cpu, bool from_user);
void nucleus_on_iommu_fault(struct cpu *cpu, bool from_user);
void nucleus_on_interrupt(struct cpu *cpu, uint8_t vector, bool from_user);
void nucleus_on_control(struct cpu *cpu,
                        bool from_user); /* bytes have arrived on the control channel (CPU 0) */

/* Frames for page tables (CPU and IOMMU): zeroed, lock held. False: none left. Implemented by mem/ on port_this_cpu()'s nucleus. */
bool nucleus_frame_take(paddr_t *frame);
void nucleus_frame_give(paddr_t frame);

/* The one line of last resort: prints, with a backtrace, stops the other CPUs and ends the machine with the panic status. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define KASSERT(condition, ...)                                                                    \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            panic(__FILE__ ": believed " #condition ": " __VA_ARGS__);                             \
        }                                                                                          \
    } while (0)
