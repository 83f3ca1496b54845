/* boot_main.c - from boot/entry.S to nucleus_main(): read what the firmware says, take the machine over, in a straight line. */
#include "kernel/arch/x86_64/arch.h"
#include "kernel/lib/string.h"
#include "kernel/nucleus/exit.h"

/* PVH's hvm_start_info, version 1. */
struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map;
    uint32_t memory_entries, reserved;
};
struct module {
    uint64_t address, bytes, command_line, reserved;
};
struct memory_entry {
    uint64_t address, bytes;
    uint32_t type, reserved;
};
#define START_INFO_MAGIC 0x336ec578u
#define MEMORY_RAM       1u
#define LOW_RESERVED     0x100000u

struct arch arch;

void arch_stop(const char *why)
{
    port_log(why, strlen(why));
    port_log("\n", 1);
    nucleus_exit(EXIT_MACHINE, why);
}

static void add_range(uint64_t from, uint64_t to)
{
    from = round_up_u64(from, PAGE_SIZE);
    to &= ~(uint64_t)(PAGE_SIZE - 1);
    if (from < to && arch.boot.usable_count < BOOT_MAX_RANGES) {
        arch.boot.usable[arch.boot.usable_count++] =
            (struct boot_range){ .base = from, .size_bytes = to - from };
    }
}

/* Add [from, to) without [hole_from, hole_to), recursively over the list of holes. */
static void add_without(uint64_t from, uint64_t to, const uint64_t (*holes)[2], unsigned count)
{
    if (from >= to) {
        return;
    }
    if (count == 0) {
        add_range(from, to);
        return;
    }
    uint64_t hole_from = (*holes)[0], hole_to = (*holes)[1];
    if (hole_to <= from || hole_from >= to) {
        add_without(from, to, holes + 1, count - 1);
        return;
    }
    if (hole_from > from) {
        add_without(from, hole_from, holes + 1, count - 1);
    }
    add_without(hole_to, to, holes + 1, count - 1);
}

#define EARLY_BYTES (2u << 20)

static void read_start_info(const struct start_info *info)
{
    if (info->magic != START_INFO_MAGIC || info->version < 1) {
        arch_stop("not started by PVH with a memory map");
    }
    struct boot_info *boot = &arch.boot;
    arch.rsdp = info->rsdp;
    uint64_t image_end = round_up_u64((uint64_t)(uintptr_t)kernel_end - KERNEL_BASE, 2u << 20);
    arch.early_next = image_end;
    arch.early_end = image_end + EARLY_BYTES;
    if (info->module_count > 0) {
        const struct module *module = direct(info->modules);
        boot->payload = paddr(module->address);
        boot->payload_bytes = module->bytes;
    }
    if (info->command_line != 0) {
        const char *line = direct(info->command_line);
        size_t length = strnlen(line, sizeof(boot->command_line) - 1);
        memcpy(boot->command_line, line, length);
    }
    const uint64_t holes[][2] = {
        { 0, LOW_RESERVED },
        { (uint64_t)(uintptr_t)kernel_begin - KERNEL_BASE, arch.early_end },
        { boot->payload.value & ~(uint64_t)(PAGE_SIZE - 1),
          round_up_u64(boot->payload.value + boot->payload_bytes, PAGE_SIZE) },
    };
    const struct memory_entry *entry = direct(info->memory_map);
    for (uint32_t i = 0; i < info->memory_entries; i++, entry++) {
        if (entry->type == MEMORY_RAM) {
            boot->total_bytes += entry->bytes;
            add_without(entry->address, entry->address + entry->bytes, holes,
                        sizeof(holes) / sizeof(holes[0]));
        }
    }
    if (boot->payload.value < arch.early_end && boot->payload_bytes != 0) {
        arch_stop("the payload overlaps the nucleus");
    }
}

uint64_t early_frame(void)
{
    if (arch.early_next >= arch.early_end) {
        arch_stop("early memory is used up");
    }
    uint64_t frame = arch.early_next;
    arch.early_next += PAGE_SIZE;
    memset(direct(frame), 0, PAGE_SIZE);
    return frame;
}

static _Noreturn void on_own_stack(void)
{
    nucleus_main(&arch.boot);
}

__attribute__((optimize("no-stack-protector"))) _Noreturn void arch_early_main(uint64_t start_info)
{
    arch.tsc_base = rdtsc();
    cpu_need_features();
    stack_guard_set();
    time_set_rate(2000000); /* until it is measured: log lines have times from the first on */
    read_start_info(direct(start_info));
    paging_build();
    stacks_make(0);
    traps_build();
    cpu_setup(0);
    acpi_read();
    apic_setup_boot();
    time_calibrate();
    serial_setup();
    pci_scan();
    iommu_setup();
    __asm__ volatile("mov %0, %%rsp; xor %%ebp, %%ebp; call *%1"
                     :
                     : "r"(arch.cpu[0].stack_top), "r"(on_own_stack)
                     : "memory");
    __builtin_unreachable();
}
