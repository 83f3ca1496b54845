/*
 * The firmware's tables: good ones, damaged ones, and 200,000 with random damage. What is read comes in memory of exactly the size that was asked for, so
 * that AddressSanitizer sees a byte too many.
 * uses: kernel/arch/x86_64/acpi_core.c
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/x86_64/acpi_core.h"

#define MEMORY_BYTES 4096u
#define RSDP         16u
#define XSDT         256u
#define RSDT         512u
#define MADT         1024u
#define DMAR         2048u
#define MUTATIONS    200000u

static uint8_t physical[MEMORY_BYTES];
static void *lent[4096];
static unsigned lent_count;

static const void *at(const void *context, uint64_t address, uint64_t bytes)
{
    (void)context;
    if (address > MEMORY_BYTES || bytes > MEMORY_BYTES - address) {
        return NULL;
    }
    void *copy = malloc(bytes);
    memcpy(copy, physical + address, bytes);
    assert(lent_count < 4096);
    lent[lent_count++] = copy;
    return copy;
}

static const struct acpi_memory memory = { .at = at };

static const char *parse(struct acpi_facts *facts)
{
    const char *why = acpi_parse(&memory, RSDP, facts);

    while (lent_count > 0) {
        free(lent[--lent_count]);
    }
    assert(facts->cpu_count <= ACPI_MAX_CPUS);
    return why;
}

/* ---- making tables ------------------------------------------------------------------------------------------------------ */

static void put(uint32_t where, uint64_t value, unsigned bytes)
{
    memcpy(physical + where, &value, bytes);
}

static void seal(uint32_t table, uint32_t length, uint32_t sum_at)
{
    uint8_t sum = 0;

    physical[table + sum_at] = 0;
    for (uint32_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + physical[table + i]);
    }
    physical[table + sum_at] = (uint8_t)(0u - sum);
}

static void begin_table(uint32_t table, const char *signature, uint32_t length)
{
    memcpy(physical + table, signature, 4);
    put(table + 4, length, 4);
}

static void add_cpu(uint32_t where, uint8_t apic_id, bool enabled)
{
    physical[where] = 0;
    physical[where + 1] = 8;
    physical[where + 3] = apic_id;
    put(where + 4, enabled ? 1 : 0, 4);
}

static void make_machine(bool with_xsdt)
{
    memset(physical, 0, sizeof(physical));
    memcpy(physical + RSDP, "RSD PTR ", 8);
    physical[RSDP + 15] = with_xsdt ? 2 : 0;
    put(RSDP + 16, RSDT, 4);
    put(RSDP + 24, with_xsdt ? XSDT : 0, 8);
    seal(RSDP, 20, 8);

    begin_table(RSDT, "RSDT", 36 + 2 * 4);
    put(RSDT + 36, MADT, 4);
    put(RSDT + 40, DMAR, 4);
    seal(RSDT, 36 + 2 * 4, 9);
    begin_table(XSDT, "XSDT", 36 + 2 * 8);
    put(XSDT + 36, MADT, 8);
    put(XSDT + 44, DMAR, 8);
    seal(XSDT, 36 + 2 * 8, 9);

    begin_table(MADT, "APIC", 44 + 3 * 8 + 12 + 10);
    put(MADT + 36, 0xfee00000, 4);
    add_cpu(MADT + 44, 0, true);
    add_cpu(MADT + 52, 7, false);
    add_cpu(MADT + 60, 1, true);
    physical[MADT + 68] = 1; /* I/O APIC */
    physical[MADT + 69] = 12;
    put(MADT + 72, 0xfec00000, 4);
    put(MADT + 76, 3, 4);
    physical[MADT + 80] = 2; /* interrupt 4 is wired elsewhere */
    physical[MADT + 81] = 10;
    physical[MADT + 83] = 4;
    put(MADT + 84, 20, 4);
    put(MADT + 88, 0xd, 2);
    seal(MADT, 44 + 3 * 8 + 12 + 10, 9);

    begin_table(DMAR, "DMAR", 48 + 16);
    put(DMAR + 48 + 2, 16, 2);
    put(DMAR + 48 + 8, 0xfed90000, 8);
    seal(DMAR, 48 + 16, 9);
}

/* ---- tests ---------------------------------------------------------------------------------------------------------------- */

static void test_both_lists_of_tables_are_understood(void)
{
    for (unsigned with_xsdt = 0; with_xsdt < 2; with_xsdt++) {
        struct acpi_facts facts;
        make_machine(with_xsdt != 0);

        assert(parse(&facts) == NULL);

        assert(facts.cpu_count == 2 && facts.apic_id[0] == 0 && facts.apic_id[1] == 1);
        assert(facts.lapic_physical == 0xfee00000);
        assert(facts.io_apic_physical == 0xfec00000 && facts.io_apic_gsi_base == 3);
        assert(facts.com1_gsi == 20 && facts.com1_flags == 0xd);
        assert(facts.dmar_register_base == 0xfed90000);
    }
}

static void test_without_an_override_com1_is_where_it_always_was(void)
{
    struct acpi_facts facts;
    make_machine(true);
    physical[MADT + 83] = 9;
    seal(MADT, 44 + 3 * 8 + 12 + 10, 9);

    assert(parse(&facts) == NULL && facts.com1_gsi == 4);
}

static void test_a_table_with_a_wrong_sum_is_as_good_as_absent(void)
{
    struct acpi_facts facts;
    make_machine(true);
    physical[DMAR + 60] ^= 1;

    assert(parse(&facts) == NULL && facts.dmar_register_base == 0);

    physical[MADT + 60] ^= 1;
    assert(strcmp(parse(&facts), "the ACPI tables name no CPU") == 0);
    make_machine(true);
    physical[XSDT + 30] ^= 1;
    assert(strcmp(parse(&facts), "the list of ACPI tables is damaged") == 0);
    make_machine(true);
    physical[RSDP + 9] ^= 1;
    assert(strcmp(parse(&facts), "the firmware gives no ACPI tables") == 0);
}

static void test_lengths_that_lie_lead_nowhere(void)
{
    static const uint32_t lengths[] = { 0, 1, 35, 36, 43, 44, 45, 4096, 1u << 20, UINT32_MAX };
    static const uint32_t tables[] = { XSDT, MADT, DMAR };
    struct acpi_facts facts;

    for (unsigned t = 0; t < 3; t++) {
        for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            make_machine(true);
            put(tables[t] + 4, lengths[i], 4);
            if (lengths[i] >= 36 && lengths[i] < 1024) {
                seal(tables[t], lengths[i], 9);
            }
            parse(&facts);
        }
    }
    for (unsigned bytes = 0; bytes < 256; bytes++) { /* of an entry */
        make_machine(true);
        physical[MADT + 53] = (uint8_t)bytes;
        seal(MADT, 44 + 3 * 8 + 12 + 10, 9);
        assert(parse(&facts) == NULL && facts.cpu_count >= 1);
        make_machine(true);
        put(DMAR + 50, bytes, 2);
        seal(DMAR, 64, 9);
        assert(parse(&facts) == NULL);
    }
}

static void test_more_cpus_than_there_is_room_for_are_left_out(void)
{
    struct acpi_facts facts;
    make_machine(true);
    begin_table(MADT, "APIC", 44 + 100 * 8);
    for (unsigned i = 0; i < 100; i++) {
        add_cpu(MADT + 44 + 8 * i, (uint8_t)i, true);
    }
    seal(MADT, 44 + 100 * 8, 9);

    assert(parse(&facts) == NULL && facts.cpu_count == ACPI_MAX_CPUS);
}

static void test_random_damage_does_no_harm(void)
{
    static const struct {
        uint32_t table, length;
    } sums[] = { { XSDT, 52 }, { RSDT, 44 }, { MADT, 90 }, { DMAR, 64 } };
    uint64_t state = 88172645463325252ull;
    struct acpi_facts facts;

    for (unsigned i = 0; i < MUTATIONS; i++) {
        make_machine(i % 2 == 0);
        for (unsigned hits = 0; hits < 1 + i % 5; hits++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            unsigned which = (unsigned)(state >> 8) % 4;
            physical[sums[which].table + (state >> 16) % sums[which].length] = (uint8_t)state;
        }
        for (unsigned t = 0; t < 4 && i % 3 != 0; t++) { /* mostly with sums that fit */
            seal(sums[t].table, sums[t].length, 9);
        }
        parse(&facts);
    }
}

int main(void)
{
    test_both_lists_of_tables_are_understood();
    test_without_an_override_com1_is_where_it_always_was();
    test_a_table_with_a_wrong_sum_is_as_good_as_absent();
    test_lengths_that_lie_lead_nowhere();
    test_more_cpus_than_there_is_room_for_are_left_out();
    test_random_damage_does_no_harm();
    return 0;
}
