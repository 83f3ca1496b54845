/* acpi.c - the CPUs, the I/O APIC and the DMA remapping unit, from the firmware's tables (ACPI 6.3, 5.2.5-5.2.12; VT-d 3.3, 8). */
#include "kernel/arch/x86_64/arch.h"
#include "kernel/lib/string.h"

struct sdt {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

#define MADT_ENTRIES 44u
#define DMAR_ENTRIES 48u

static bool sums_to_zero(const uint8_t *bytes, uint32_t length)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    return sum == 0;
}

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

static void read_madt(const uint8_t *table, uint32_t length)
{
    arch.lapic_physical = u32_at(table + 36);
    for (uint32_t at = MADT_ENTRIES;
         at + 2 <= length && table[at + 1] >= 2 && at + table[at + 1] <= length;
         at += table[at + 1]) {
        const uint8_t *entry = table + at;
        if (entry[0] == 0 && entry[1] >= 8 && (u32_at(entry + 4) & 1) != 0 &&
            arch.cpu_count < MAX_CPUS) {
            arch.cpu[arch.cpu_count++].apic_id = entry[3];
        } else if (entry[0] == 1 && entry[1] >= 12 && arch.io_apic_physical == 0) {
            arch.io_apic_physical = u32_at(entry + 4);
            arch.io_apic_gsi_base = u32_at(entry + 8);
        } else if (entry[0] == 2 && entry[1] >= 10 && entry[3] == 4) {
            arch.com1_gsi = u32_at(entry + 4);
            arch.com1_flags = (uint32_t)entry[8] | (uint32_t)entry[9] << 8;
        }
    }
}

static void read_dmar(const uint8_t *table, uint32_t length)
{
    for (uint32_t at = DMAR_ENTRIES; at + 4 <= length;) {
        uint32_t type = (uint32_t)table[at] | (uint32_t)table[at + 1] << 8;
        uint32_t bytes = (uint32_t)table[at + 2] | (uint32_t)table[at + 3] << 8;
        if (bytes < 4 || at + bytes > length) {
            return;
        }
        if (type == 0 && bytes >= 16 && arch.dmar_register_base == 0) {
            arch.dmar_register_base = u64_at(table + at + 8);
        }
        at += bytes;
    }
}

static void read_table(uint64_t physical)
{
    const struct sdt *table = direct(physical);
    if (table->length < sizeof(*table) || table->length > (1u << 20) ||
        !sums_to_zero((const uint8_t *)table, table->length)) {
        return;
    }
    if (memcmp(table->signature, "APIC", 4) == 0 && table->length >= MADT_ENTRIES) {
        read_madt((const uint8_t *)table, table->length);
    } else if (memcmp(table->signature, "DMAR", 4) == 0 && table->length >= DMAR_ENTRIES) {
        read_dmar((const uint8_t *)table, table->length);
    }
}

void acpi_read(void)
{
    arch.com1_gsi = 4;
    const uint8_t *rsdp = direct(arch.rsdp);
    if (arch.rsdp == 0 || memcmp(rsdp, "RSD PTR ", 8) != 0) {
        arch_stop("the firmware gives no ACPI tables");
    }
    bool extended = rsdp[15] >= 2 && u64_at(rsdp + 24) != 0;
    uint64_t root = extended ? u64_at(rsdp + 24) : u32_at(rsdp + 16);
    const struct sdt *list = direct(root);
    uint32_t entry_bytes = extended ? 8 : 4;
    for (uint32_t at = sizeof(*list); at + entry_bytes <= list->length; at += entry_bytes) {
        const uint8_t *entry = (const uint8_t *)list + at;
        read_table(extended ? u64_at(entry) : u32_at(entry));
    }
    if (arch.cpu_count == 0 || arch.lapic_physical == 0) {
        arch_stop("the ACPI tables name no CPU");
    }
}
