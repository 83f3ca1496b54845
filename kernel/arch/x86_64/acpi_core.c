/* acpi_core.c - see acpi_core.h. */
#include "kernel/arch/x86_64/acpi_core.h"

#include <stdbool.h>

#include "kernel/lib/string.h"

/* Offsets; the tables are not aligned. */
#define SDT_LENGTH      4u
#define SDT_BYTES       36u
#define SDT_MOST_BYTES  (1u << 20)
#define RSDP_REVISION   15u
#define RSDP_RSDT       16u
#define RSDP_BYTES      20u
#define RSDP_XSDT       24u
#define RSDP_LONG_BYTES 36u
#define MADT_LAPIC      36u
#define MADT_ENTRIES    44u
#define DMAR_ENTRIES    48u
#define COM1_ISA_IRQ    4u

static uint32_t u32_at(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t u64_at(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static bool sums_to_zero(const uint8_t *bytes, uint32_t length)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    return sum == 0;
}

/* A whole table whose length and sum are right; NULL: none. */
static const uint8_t *table_at(const struct acpi_memory *memory, uint64_t physical,
                               uint32_t *length)
{
    const uint8_t *head = memory->at(memory->context, physical, SDT_BYTES);
    if (head == NULL) {
        return NULL;
    }
    *length = u32_at(head + SDT_LENGTH);
    if (*length < SDT_BYTES || *length > SDT_MOST_BYTES) {
        return NULL;
    }
    const uint8_t *table = memory->at(memory->context, physical, *length);
    return table != NULL && sums_to_zero(table, *length) ? table : NULL;
}

static void read_madt(const uint8_t *table, uint32_t length, struct acpi_facts *facts)
{
    facts->lapic_physical = u32_at(table + MADT_LAPIC);
    for (uint32_t at = MADT_ENTRIES;
         at + 2 <= length && table[at + 1] >= 2 && at + table[at + 1] <= length;
         at += table[at + 1]) {
        const uint8_t *entry = table + at;
        uint8_t type = entry[0], bytes = entry[1];
        if (type == 0 && bytes >= 8 && (u32_at(entry + 4) & 1) != 0 &&
            facts->cpu_count < ACPI_MAX_CPUS) {
            facts->apic_id[facts->cpu_count++] = entry[3];
        } else if (type == 1 && bytes >= 12 && facts->io_apic_physical == 0) {
            facts->io_apic_physical = u32_at(entry + 4);
            facts->io_apic_gsi_base = u32_at(entry + 8);
        } else if (type == 2 && bytes >= 10 && entry[3] == COM1_ISA_IRQ) {
            facts->com1_gsi = u32_at(entry + 4);
            facts->com1_flags = (uint32_t)entry[8] | (uint32_t)entry[9] << 8;
        }
    }
}

static void read_dmar(const uint8_t *table, uint32_t length, struct acpi_facts *facts)
{
    for (uint32_t at = DMAR_ENTRIES; at + 4 <= length;) {
        uint32_t type = (uint32_t)table[at] | (uint32_t)table[at + 1] << 8;
        uint32_t bytes = (uint32_t)table[at + 2] | (uint32_t)table[at + 3] << 8;
        if (bytes < 4 || at + bytes > length) {
            return;
        }
        if (type == 0 && bytes >= 16 && facts->dmar_register_base == 0) {
            facts->dmar_register_base = u64_at(table + at + 8);
        }
        at += bytes;
    }
}

static void read_table(const struct acpi_memory *memory, uint64_t physical,
                       struct acpi_facts *facts)
{
    uint32_t length;
    const uint8_t *table = table_at(memory, physical, &length);

    if (table == NULL) {
        return;
    }
    if (memcmp(table, "APIC", 4) == 0 && length >= MADT_ENTRIES) {
        read_madt(table, length, facts);
    } else if (memcmp(table, "DMAR", 4) == 0 && length >= DMAR_ENTRIES) {
        read_dmar(table, length, facts);
    }
}

const char *acpi_parse(const struct acpi_memory *memory, uint64_t rsdp, struct acpi_facts *facts)
{
    *facts = (struct acpi_facts){ .com1_gsi = COM1_ISA_IRQ };
    const uint8_t *pointer = rsdp == 0 ? NULL : memory->at(memory->context, rsdp, RSDP_BYTES);
    if (pointer == NULL || memcmp(pointer, "RSD PTR ", 8) != 0 ||
        !sums_to_zero(pointer, RSDP_BYTES)) {
        return "the firmware gives no ACPI tables";
    }
    uint64_t root = u32_at(pointer + RSDP_RSDT);
    uint32_t entry_bytes = 4;
    if (pointer[RSDP_REVISION] >= 2 &&
        (pointer = memory->at(memory->context, rsdp, RSDP_LONG_BYTES)) != NULL &&
        u64_at(pointer + RSDP_XSDT) != 0) {
        root = u64_at(pointer + RSDP_XSDT);
        entry_bytes = 8;
    }
    uint32_t length;
    const uint8_t *list = table_at(memory, root, &length);
    if (list == NULL) {
        return "the list of ACPI tables is damaged";
    }
    for (uint32_t at = SDT_BYTES; at + entry_bytes <= length; at += entry_bytes) {
        read_table(memory, entry_bytes == 8 ? u64_at(list + at) : u32_at(list + at), facts);
    }
    return facts->cpu_count == 0 || facts->lapic_physical == 0 ? "the ACPI tables name no CPU"
                                                               : NULL;
}
