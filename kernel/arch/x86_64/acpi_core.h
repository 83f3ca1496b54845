/*
 * acpi_core.h - what the firmware's tables say of CPUs, APICs and the IOMMU (ACPI 6.3, 5.2.5-5.2.12; VT-d 3.3, 8). Pure: also tested on the host. Tables are
 * believed as far as their lengths and sums go: one that is damaged is as good as absent.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ACPI_MAX_CPUS 64u

/* Physical memory, read-only. NULL: not all of [physical, physical + bytes) is there. */
struct acpi_memory {
    const void *(*at)(const void *context, uint64_t physical, uint64_t bytes);
    const void *context;
};

struct acpi_facts {
    uint64_t lapic_physical;
    uint64_t io_apic_physical; /* 0: none; as below */
    uint64_t dmar_register_base;
    uint32_t io_apic_gsi_base;
    uint32_t com1_gsi,
        com1_flags; /* COM1's interrupt: input of the I/O APIC, polarity and trigger as the MADT has them */
    unsigned cpu_count; /* enabled ones; no more than ACPI_MAX_CPUS are kept */
    uint8_t apic_id[ACPI_MAX_CPUS];
};

/* NULL, or what is wrong. */
const char *acpi_parse(const struct acpi_memory *memory, uint64_t rsdp, struct acpi_facts *facts);
