/* acpi.c - the firmware's tables as they lie in this machine's memory; what they say is acpi_core.c's. */
#include "kernel/arch/x86_64/acpi_core.h"
#include "kernel/arch/x86_64/arch.h"

static const void *mapped_at(const void *context, uint64_t physical, uint64_t bytes)
{
    (void)context;
    return physical <= arch.direct_end && bytes <= arch.direct_end - physical ? direct(physical)
                                                                              : NULL;
}

void acpi_read(void)
{
    const struct acpi_memory memory = { .at = mapped_at };
    struct acpi_facts facts;

    const char *why = acpi_parse(&memory, arch.rsdp, &facts);
    if (why != NULL) {
        arch_stop(why);
    }
    arch.lapic_physical = facts.lapic_physical;
    arch.io_apic_physical = facts.io_apic_physical;
    arch.io_apic_gsi_base = facts.io_apic_gsi_base;
    arch.com1_gsi = facts.com1_gsi;
    arch.com1_flags = facts.com1_flags;
    arch.dmar_register_base = facts.dmar_register_base;
    for (unsigned i = 0; i < facts.cpu_count && i < MAX_CPUS; i++) {
        arch.cpu[arch.cpu_count++].apic_id = facts.apic_id[i];
    }
}
