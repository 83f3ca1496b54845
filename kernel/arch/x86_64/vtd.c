/*
 * vtd.c - DMA remapping (Intel VT-d 3.3: 9.1 root entries, 9.3 context entries, 9.8 second-level tables, 11.4 registers).
 *
 * Translation is on from boot with every device blocked; a domain mirrors a deck instance's own addresses. Interrupt remapping stays off:
 * MSI writes go to 0xfee00000 untranslated, which is why the nucleus alone owns MSI-X tables.
 */
#include "kernel/arch/x86_64/arch.h"
#include "kernel/lib/string.h"
#include "kernel/nucleus/log.h"

#define REG_CAP       0x08
#define REG_ECAP      0x10
#define REG_GCMD      0x18
#define REG_GSTS      0x1c
#define REG_RTADDR    0x20
#define REG_CCMD      0x28
#define REG_FSTS      0x34
#define REG_FECTL     0x38
#define REG_FEDATA    0x3c
#define REG_FEADDR    0x40
#define GCMD_ENABLE   (1u << 31)
#define GCMD_ROOT     (1u << 30)
#define SAGAW_4_LEVEL (1ull << 10)
#define E_READ        1ull
#define E_WRITE       2ull
#define E_ADDRESS     0x000ffffffffff000ull
#define MAX_DOMAINS   256u
#define FAULT_LINES   8u

struct entry128 {
    uint64_t low, high;
};

struct vtd {
    volatile uint8_t *registers;
    struct entry128 *root;
    uint64_t table[MAX_DOMAINS]; /* top table of each domain, 0: free */
    unsigned fault_offset, fault_count, iotlb_offset;
    uint64_t faults;
    uint16_t last_source;
    uint64_t last_address;
};

static struct vtd vtd;

static uint32_t read32(unsigned offset)
{
    return *(volatile uint32_t *)(volatile void *)(vtd.registers + offset);
}
static uint64_t read64(unsigned offset)
{
    return *(volatile uint64_t *)(volatile void *)(vtd.registers + offset);
}
static void write32(unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(volatile void *)(vtd.registers + offset) = value;
}
static void write64(unsigned offset, uint64_t value)
{
    *(volatile uint64_t *)(volatile void *)(vtd.registers + offset) = value;
}

static void flush_contexts(void)
{
    write64(REG_CCMD, 1ull << 63 | 1ull << 61);
    while ((read64(REG_CCMD) >> 63) != 0) {
        port_relax();
    }
}

/* domain 0: all of them. */
static void flush_iotlb(unsigned domain)
{
    uint64_t what = domain == 0 ? 1ull << 60 : 2ull << 60 | (uint64_t)domain << 32;
    write64(vtd.iotlb_offset, 1ull << 63 | what | 3ull << 48);
    while ((read64(vtd.iotlb_offset) >> 63) != 0) {
        port_relax();
    }
}

void iommu_setup(void)
{
    if (arch.dmar_register_base == 0) {
        return;
    }
    vtd.registers = map_mmio(arch.dmar_register_base, PAGE_SIZE);
    uint64_t capabilities = read64(REG_CAP);
    if ((capabilities & SAGAW_4_LEVEL) == 0) {
        vtd.registers = NULL;
        arch_stop(
            "the IOMMU has no 4-level tables: start QEMU with -device intel-iommu,aw-bits=48");
    }
    vtd.fault_offset = (unsigned)(capabilities >> 24 & 0x3ff) * 16;
    vtd.fault_count = (unsigned)(capabilities >> 40 & 0xff) + 1;
    vtd.iotlb_offset = (unsigned)(read64(REG_ECAP) >> 8 & 0x3ff) * 16 + 8;
    uint64_t root = early_frame();
    vtd.root = direct(root);
    for (unsigned i = 0; i < port_pci_count(); i++) {
        uint8_t bus = port_pci_device(i)->bus;
        if (vtd.root[bus].low == 0) {
            vtd.root[bus].low = early_frame() | 1;
        }
    }
    write64(REG_RTADDR, root);
    write32(REG_GCMD, GCMD_ROOT);
    while ((read32(REG_GSTS) & GCMD_ROOT) == 0) {
        port_relax();
    }
    flush_contexts();
    flush_iotlb(0);
    write32(REG_FEDATA, VECTOR_FAULT);
    write32(REG_FEADDR, 0xfee00000u | (uint32_t)arch.cpu[0].apic_id << 12);
    write32(REG_FECTL, 0); /* unmasked */
    write32(REG_GCMD, GCMD_ENABLE);
    while ((read32(REG_GSTS) & GCMD_ENABLE) == 0) {
        port_relax();
    }
}

bool port_iommu_present(void)
{
    return vtd.registers != NULL;
}

bool port_iommu_domain_create(unsigned *domain)
{
    for (unsigned i = 1; i < MAX_DOMAINS; i++) {
        paddr_t table;
        if (vtd.table[i] == 0) {
            if (!nucleus_frame_take(&table)) {
                return false;
            }
            vtd.table[i] = table.value;
            *domain = i;
            return true;
        }
    }
    return false;
}

static void free_tables(uint64_t table, unsigned level)
{
    uint64_t *entries = direct(table);
    for (unsigned i = 0; i < 512 && level > 0; i++) {
        if (entries[i] != 0) {
            free_tables(entries[i] & E_ADDRESS, level - 1);
        }
    }
    nucleus_frame_give(paddr(table));
}

void port_iommu_domain_destroy(unsigned domain)
{
    uint64_t table = vtd.table[domain];
    KASSERT(table != 0, "domain %u", domain);
    vtd.table[domain] = 0;
    flush_iotlb(domain);
    free_tables(table, 3);
}

void port_iommu_attach(unsigned device_index, unsigned domain)
{
    if (vtd.registers == NULL) {
        return;
    }
    const struct port_pci_device *device = port_pci_device(device_index);
    struct entry128 *contexts = direct(vtd.root[device->bus].low & E_ADDRESS);
    struct entry128 *entry = &contexts[device->slot * 8u + device->function];
    entry->low = 0; /* not present while it changes */
    flush_contexts();
    flush_iotlb(0);
    if (domain != 0) {
        entry->high = (uint64_t)domain << 8 | 2; /* 4 levels */
        __atomic_store_n(&entry->low, vtd.table[domain] | 1, __ATOMIC_RELEASE);
        flush_contexts();
    }
}

/* The last-level entry; missing tables are made when `make`. */
static uint64_t *find(unsigned domain, uint64_t address, bool make)
{
    uint64_t *table = direct(vtd.table[domain]);
    for (unsigned level = 3; level > 0; level--) {
        uint64_t *entry = &table[address >> (12 + 9 * level) & 511];
        if (*entry == 0) {
            paddr_t fresh;
            if (!make || !nucleus_frame_take(&fresh)) {
                return NULL;
            }
            *entry = fresh.value | E_READ | E_WRITE;
        }
        table = direct(*entry & E_ADDRESS);
    }
    return &table[address >> 12 & 511];
}

bool port_iommu_map(unsigned domain, uint64_t io_address, paddr_t frame, bool writable)
{
    uint64_t *entry = find(domain, io_address, true);
    if (entry == NULL) {
        return false;
    }
    KASSERT(*entry == 0, "0x%llx is mapped for DMA already", (unsigned long long)io_address);
    __atomic_store_n(entry, frame.value | E_READ | (writable ? E_WRITE : 0), __ATOMIC_RELEASE);
    return true;
}

void port_iommu_unmap(unsigned domain, uint64_t io_address)
{
    uint64_t *entry = find(domain, io_address, false);
    if (entry != NULL) {
        __atomic_store_n(entry, 0, __ATOMIC_RELEASE);
    }
}

void port_iommu_flush(unsigned domain)
{
    tables_prune(vtd.table[domain], 3, 512);
    flush_iotlb(domain);
}

static void collect_faults(void)
{
    if ((read32(REG_FSTS) & 3) == 0) {
        return;
    }
    for (unsigned i = 0; i < vtd.fault_count; i++) {
        unsigned at = vtd.fault_offset + 16 * i;
        uint64_t high = read64(at + 8);
        if (high >> 63 == 0) {
            continue;
        }
        vtd.last_address = read64(at) & ~0xfffull;
        vtd.last_source = (uint16_t)high;
        vtd.faults++;
        if (vtd.faults <= FAULT_LINES) {
            log_line("iommu", "fault: device %02x:%02x.%u %s 0x%llx, reason %u",
                     vtd.last_source >> 8, vtd.last_source >> 3 & 31, vtd.last_source & 7,
                     (high >> 62 & 1) != 0 ? "reading" : "writing",
                     (unsigned long long)vtd.last_address, (unsigned)(high >> 32 & 0xff));
        }
        write32(at + 12, 1u << 31);
    }
    write32(REG_FSTS, 1);
}

uint64_t port_iommu_fault_count(uint16_t *source, uint64_t *address)
{
    if (vtd.registers != NULL) {
        collect_faults();
    }
    *source = vtd.last_source;
    *address = vtd.last_address;
    return vtd.faults;
}
