/* paging.c - page tables (Intel SDM 3A, 4.5): the nucleus's half, built once, and ring 3's halves. */
#include "kernel/arch/x86_64/arch.h"
#include "kernel/lib/string.h"

#define P_PRESENT   1ull
#define P_WRITE     2ull
#define P_USER      4ull
#define P_UNCACHED  0x18ull /* PWT, PCD */
#define P_LARGE     0x80ull
#define P_NX        (1ull << 63)
#define P_ADDRESS   0x000ffffffffff000ull
#define LARGE_BYTES (2ull << 20)
#define STACK_BYTES (32u << 10)

static uint64_t *table_at(uint64_t physical)
{
    return direct(physical & P_ADDRESS);
}

static unsigned index_at(uint64_t address, unsigned level)
{
    return (unsigned)(address >> (12 + 9 * level)) & 511;
}

/* The entry for `address` at `level` (0: 4 KiB pages) below `root`; missing tables come from `take`, or NULL. */
static uint64_t *walk(uint64_t root, uint64_t address, unsigned level, bool (*take)(paddr_t *),
                      uint64_t rights)
{
    uint64_t *table = table_at(root);
    for (unsigned at = 3; at > level; at--) {
        uint64_t *entry = &table[index_at(address, at)];
        if ((*entry & P_PRESENT) == 0) {
            paddr_t fresh;
            if (take == NULL || !take(&fresh)) {
                return NULL;
            }
            *entry = fresh.value | P_PRESENT | P_WRITE | rights;
        }
        table = table_at(*entry);
    }
    return &table[index_at(address, level)];
}

static bool take_early(paddr_t *frame)
{
    frame->value = early_frame();
    return true;
}

static void map_kernel(uint64_t address, uint64_t physical, uint64_t bytes, uint64_t flags)
{
    for (uint64_t at = 0; at < bytes; at += PAGE_SIZE) {
        *walk(arch.kernel_root, address + at, 0, take_early, 0) =
            (physical + at) | P_PRESENT | flags;
    }
}

static void map_section(const char *from, const char *to, uint64_t flags)
{
    uint64_t address = (uint64_t)(uintptr_t)from;
    map_kernel(address, address - KERNEL_BASE, (uint64_t)(to - from), flags);
}

void paging_build(void)
{
    arch.kernel_root = early_frame();
    uint64_t *top = table_at(arch.kernel_root);
    for (unsigned i = 256; i < 512; i++) {
        if (i == 256 || i == index_at(MMIO_BASE, 3) || i == index_at(STACKS_BASE, 3) || i == 511) {
            top[i] = early_frame() | P_PRESENT |
                     P_WRITE; /* all there ever are, so that spaces can share them */
        }
    }
    /* All memory below 4 GiB and all RAM above, never executable. */
    uint64_t end = 4ull << 30;
    for (uint32_t i = 0; i < arch.boot.usable_count; i++) {
        uint64_t range_end = arch.boot.usable[i].base + arch.boot.usable[i].size_bytes;
        end = range_end > end ? range_end : end;
    }
    for (uint64_t at = 0; at < end; at += LARGE_BYTES) {
        *walk(arch.kernel_root, DIRECT_MAP_BASE + at, 1, take_early, 0) =
            at | P_PRESENT | P_WRITE | P_LARGE | P_NX;
    }
    map_section(kernel_begin, kernel_text_end, 0);
    map_section(kernel_text_end, kernel_rodata_end, P_NX);
    map_section(kernel_rodata_end, kernel_end, P_WRITE | P_NX);
    arch.mmio_next = MMIO_BASE;
    arch.direct_end = end;
    write_cr3(arch.kernel_root);
}

volatile void *map_mmio(uint64_t physical, uint64_t bytes)
{
    uint64_t offset = physical % PAGE_SIZE;
    uint64_t address = arch.mmio_next;
    uint64_t length = round_up_u64(bytes + offset, PAGE_SIZE);
    arch.mmio_next += length + PAGE_SIZE;
    map_kernel(address, physical - offset, length, P_WRITE | P_NX | P_UNCACHED);
    return (volatile void *)(address + offset);
}

/* A stack with unmapped pages below; returns its top. */
static uint64_t make_stack(unsigned place)
{
    uint64_t bottom = STACKS_BASE + (uint64_t)place * 2 * STACK_BYTES + STACK_BYTES;
    for (uint64_t at = 0; at < STACK_BYTES; at += PAGE_SIZE) {
        map_kernel(bottom + at, early_frame(), PAGE_SIZE, P_WRITE | P_NX);
    }
    return bottom + STACK_BYTES;
}

void stacks_make(unsigned index)
{
    arch.cpu[index].stack_top = make_stack(2 * index);
    arch.cpu[index].fault_stack_top = make_stack(2 * index + 1);
}

/* In the image's .bss: in the direct map too, but part of the nucleus's own guarded half. */
static _Alignas(64) uint8_t nucleus_memory[256u << 10];

void *port_nucleus_memory(size_t bytes)
{
    KASSERT(bytes <= sizeof(nucleus_memory), "struct nucleus has %zu bytes", bytes);
    return nucleus_memory;
}

void *port_direct(paddr_t address)
{
    return direct(address.value);
}

bool port_space_create(paddr_t *root)
{
    if (!nucleus_frame_take(root)) {
        return false;
    }
    memcpy(table_at(root->value) + 256, table_at(arch.kernel_root) + 256, 256 * sizeof(uint64_t));
    return true;
}

static void free_tables(uint64_t table, unsigned level, unsigned count)
{
    uint64_t *entries = table_at(table);
    for (unsigned i = 0; i < count; i++) {
        if ((entries[i] & P_PRESENT) != 0 && level > 0) {
            if (level > 1) {
                free_tables(entries[i], level - 1, 512);
            }
            nucleus_frame_give(paddr(entries[i] & P_ADDRESS));
        }
    }
}

void port_space_destroy(paddr_t root)
{
    free_tables(root.value, 3, 256);
    nucleus_frame_give(root);
}

bool tables_prune(uint64_t table, unsigned level, unsigned count)
{
    uint64_t *entries = table_at(table);
    bool empty = true;
    for (unsigned i = 0; i < count && (empty || level > 0); i++) {
        if (entries[i] == 0) {
            continue;
        }
        if (level > 0 && tables_prune(entries[i], level - 1, 512)) {
            nucleus_frame_give(paddr(entries[i] & P_ADDRESS));
            entries[i] = 0;
        } else {
            empty = false;
        }
    }
    return empty;
}

void port_space_prune(paddr_t root)
{
    tables_prune(root.value, 3, 256);
}

static uint64_t flags_of(unsigned prot)
{
    KASSERT((prot & (PORT_WRITE | PORT_EXEC)) != (PORT_WRITE | PORT_EXEC),
            "writable and executable");
    uint64_t flags = P_PRESENT | P_USER;
    flags |= (prot & PORT_WRITE) != 0 ? P_WRITE : 0;
    flags |= (prot & PORT_EXEC) != 0 ? 0 : P_NX;
    flags |= (prot & PORT_UNCACHED) != 0 ? P_UNCACHED : 0;
    return flags;
}

bool port_space_map(paddr_t root, vaddr_t address, paddr_t frame, unsigned prot)
{
    uint64_t *entry = walk(root.value, address.value, 0, nucleus_frame_take, P_USER);
    if (entry == NULL) {
        return false;
    }
    KASSERT((*entry & P_PRESENT) == 0, "0x%llx is mapped already",
            (unsigned long long)address.value);
    *entry = frame.value | flags_of(prot);
    return true;
}

bool port_space_unmap(paddr_t root, vaddr_t address, paddr_t *frame)
{
    uint64_t *entry = walk(root.value, address.value, 0, NULL, 0);
    if (entry == NULL || (*entry & P_PRESENT) == 0) {
        return false;
    }
    frame->value = *entry & P_ADDRESS;
    *entry = 0;
    invlpg(address.value);
    return true;
}

bool port_space_protect(paddr_t root, vaddr_t address, unsigned prot)
{
    uint64_t *entry = walk(root.value, address.value, 0, NULL, 0);
    if (entry == NULL || (*entry & P_PRESENT) == 0) {
        return false;
    }
    *entry = (*entry & P_ADDRESS) | flags_of(prot);
    invlpg(address.value);
    return true;
}

bool port_space_query(paddr_t root, vaddr_t address, paddr_t *frame, unsigned *prot)
{
    const uint64_t *entry = walk(root.value, address.value, 0, NULL, 0);
    if (entry == NULL || (*entry & P_PRESENT) == 0) {
        return false;
    }
    frame->value = *entry & P_ADDRESS;
    *prot = PORT_READ | ((*entry & P_WRITE) != 0 ? PORT_WRITE : 0u) |
            ((*entry & P_NX) != 0 ? 0u : PORT_EXEC) |
            ((*entry & P_UNCACHED) != 0 ? PORT_UNCACHED : 0u);
    return true;
}

void port_space_reload(void)
{
    write_cr3(read_cr3());
}

paddr_t port_space_loaded(void)
{
    return paddr(read_cr3());
}

void port_space_load(paddr_t root)
{
    write_cr3(root.value);
}

paddr_t port_space_kernel_root(void)
{
    return paddr(arch.kernel_root);
}
