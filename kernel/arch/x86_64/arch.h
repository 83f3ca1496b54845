/* arch.h - what the files of this room share: one struct for all that is found at boot. */
#pragma once

#include "kernel/arch/x86_64/cpu.h"

#define MAX_IO_APICS 4

struct arch_cpu {
    uint64_t gdt[8];
    uint32_t tss[26];
    uint8_t apic_id;
    uint64_t stack_top;
    uint64_t fault_stack_top;
    struct cpu *cpu;
};

struct arch {
    uint64_t kernel_root; /* physical address of the top table */
    uint64_t tsc_base;
    uint64_t ns_per_tick; /* fixed point, 32 bits behind the point */
    uint64_t apic_per_ms;
    volatile uint32_t *lapic;
    uint64_t lapic_physical;
    uint64_t io_apic_physical;
    uint32_t io_apic_gsi_base;
    uint32_t com1_gsi, com1_flags;
    uint64_t dmar_register_base;
    uint64_t rsdp;
    unsigned cpu_count;
    struct arch_cpu cpu[MAX_CPUS];
    uint32_t cpus_started; /* atomic */
    bool boot_cpu_set;
    bool stopping; /* a panic: VECTOR_STOP means it */
    struct cpu *stopped_by;
    uint64_t mmio_next;
    uint64_t direct_end;            /* the direct map reaches so far */
    uint64_t early_next, early_end; /* early frames: physical range of the image's own reserve */
    struct boot_info boot;
};
extern struct arch arch;
extern char kernel_begin[], kernel_text_end[], kernel_rodata_end[], kernel_end[];

static inline void *direct(uint64_t physical)
{
    return (void *)(DIRECT_MAP_BASE + physical);
}

/* A zeroed frame before the nucleus's allocator stands; after it, nucleus_frame_take(). */
uint64_t early_frame(void);
/* Map device registers, uncached, for the nucleus. Only while booting. */
volatile void *map_mmio(uint64_t physical, uint64_t bytes);
/* Choose the canary of ring 0; before any function that has one returns. */
void stack_guard_set(void);
void paging_build(void);
/* The CPU's two stacks. */
void stacks_make(unsigned index);
/* Free the tables below `table` that hold no entry; looks at its first `count`. True: it holds none itself. IOMMU tables alike. */
bool tables_prune(uint64_t table, unsigned level, unsigned count);
void cpu_need_features(void);
void cpu_setup(unsigned index);
void traps_build(void);
void acpi_read(void);
void apic_setup_boot(void);
void apic_setup_cpu(void);
void apic_eoi(void);
void time_calibrate(void);
/* The clock runs at this rate from here on. */
void time_set_rate(uint64_t tsc_per_ms);
void pci_scan(void);
void serial_setup(void);
void iommu_setup(void);
/* Called by boot/entry.S. */
_Noreturn void arch_early_main(uint64_t start_info);
_Noreturn void arch_stop(const char *why);
