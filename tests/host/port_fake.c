/* port_fake.c - a machine of plain memory: see port_fake.h. */
#include "tests/host/port_fake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAP_SLOTS  (1u << 18)
#define MAX_TABLES 4096u

/* One mapped page: open addressing by (root or domain, page). */
struct fake_page {
    uint64_t owner; /* 0: empty; 1: was deleted */
    uint64_t address, frame;
    unsigned prot;
};

/* What a real page table would have taken: the root, and a frame for each 2 MiB. */
struct fake_table {
    uint64_t owner, area;
    paddr_t frame;
};

static struct {
    struct frames *frames;
    struct heap *heap;
    uint8_t *ram;
    int ram_fd;
    size_t ram_bytes;
    struct fake_page *page;
    struct fake_table *table;
    uint32_t table_count;
    uint64_t maps_left, now_ns, random, flushes, reloads, loaded;
} fake;

#define DELETED    1ull
#define ROOT_AREA  UINT64_MAX
#define DOMAIN(id) (((uint64_t)(id) << 12) | 2)

void fake_machine_start(struct fake_machine *machine, uint32_t frame_count, uint64_t seed)
{
    memset(machine, 0, sizeof(*machine));
    memset(&fake, 0, sizeof(fake));
    /* Frame 0 is there but not usable, as below 1 MiB of a real machine. */
    fake.ram_bytes = ((size_t)frame_count + 1) * PAGE_SIZE;
    fake.ram_fd = memfd_create("ram", 0);
    assert(fake.ram_fd >= 0 && ftruncate(fake.ram_fd, (off_t)fake.ram_bytes) == 0);
    fake.ram = mmap(NULL, fake.ram_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fake.ram_fd, 0);
    assert(fake.ram != MAP_FAILED);
    memset(fake.ram, 0xa5, fake.ram_bytes); /* what was there before is never zero */
    fake.page = calloc(MAP_SLOTS, sizeof(*fake.page));
    fake.table = calloc(MAX_TABLES, sizeof(*fake.table));
    assert(fake.page != NULL && fake.table != NULL);
    fake.maps_left = UINT64_MAX;
    fake.random = seed * 2 + 1;
    fake.frames = &machine->frames;
    fake.heap = &machine->heap;
    machine->boot.usable[0] =
        (struct boot_range){ .base = PAGE_SIZE, .size_bytes = (uint64_t)frame_count * PAGE_SIZE };
    machine->boot.usable_count = 1;
    machine->boot.total_bytes = fake.ram_bytes;
    frames_init(&machine->frames, &machine->boot);
    heap_init(&machine->heap, &machine->frames);
}

void fake_unlock(void)
{
    fake.frames->lock = (struct port_lock){ .held = 0 };
    fake.heap->lock = (struct port_lock){ .held = 0 };
}

void fake_machine_stop(struct fake_machine *machine)
{
    (void)machine;
    munmap(fake.ram, fake.ram_bytes);
    close(fake.ram_fd);
    free(fake.page);
    free(fake.table);
    memset(&fake, 0, sizeof(fake));
}

int fake_ram_fd(void)
{
    return fake.ram_fd;
}

void fake_maps_left(uint64_t count)
{
    fake.maps_left = count;
}

void fake_set_now_ns(uint64_t now_ns)
{
    fake.now_ns = now_ns;
}

uint64_t fake_iommu_flushes(void)
{
    return fake.flushes;
}

uint64_t fake_reloads(void)
{
    return fake.reloads;
}

/* ---- pages ---- */

static struct fake_page *slot_of(uint64_t owner, uint64_t address, bool make)
{
    uint64_t hash = (owner * 0x9e3779b97f4a7c15ull) ^ (address >> 12) * 0xc2b2ae3d27d4eb4full;
    struct fake_page *reusable = NULL;
    for (uint32_t i = 0; i < MAP_SLOTS; i++) {
        struct fake_page *page = &fake.page[(hash >> 20 ^ hash) % MAP_SLOTS];
        if (page->owner == owner && page->address == address) {
            return page;
        }
        if (page->owner == DELETED && reusable == NULL) {
            reusable = page;
        }
        if (page->owner == 0) {
            return make ? (reusable != NULL ? reusable : page) : NULL;
        }
        hash++;
    }
    abort();
}

/* The frames of tables: taken on first need, given back with the root. */
static bool need_table(uint64_t owner, uint64_t area)
{
    for (uint32_t i = 0; i < fake.table_count; i++) {
        if (fake.table[i].owner == owner && fake.table[i].area == area) {
            return true;
        }
    }
    assert(fake.table_count < MAX_TABLES);
    struct fake_table table = { .owner = owner, .area = area };
    if (!frames_take_zeroed(fake.frames, &table.frame)) {
        return false;
    }
    fake.table[fake.table_count++] = table;
    return true;
}

static void drop_owner(uint64_t owner)
{
    for (uint32_t i = 0; i < MAP_SLOTS; i++) {
        if (fake.page[i].owner == owner) {
            fake.page[i] = (struct fake_page){ .owner = DELETED };
        }
    }
    for (uint32_t i = 0; i < fake.table_count;) {
        if (fake.table[i].owner == owner) {
            frames_give(fake.frames, fake.table[i].frame);
            fake.table[i] = fake.table[--fake.table_count];
        } else {
            i++;
        }
    }
}

static bool map_page(uint64_t owner, uint64_t address, paddr_t frame, unsigned prot)
{
    assert(address % PAGE_SIZE == 0 && frame.value % PAGE_SIZE == 0);
    if (fake.maps_left == 0 || !need_table(owner, address >> 21)) {
        return false;
    }
    fake.maps_left -= fake.maps_left == UINT64_MAX ? 0 : 1;
    struct fake_page *page = slot_of(owner, address, true);
    assert(page->owner != owner); /* mapping over a present page is a bug */
    *page = (struct fake_page){
        .owner = owner, .address = address, .frame = frame.value, .prot = prot
    };
    return true;
}

void *port_direct(paddr_t address)
{
    assert(address.value < fake.ram_bytes);
    return fake.ram + address.value;
}

bool port_space_create(paddr_t *root)
{
    if (!frames_take_zeroed(fake.frames, root)) {
        return false;
    }
    assert(fake.table_count < MAX_TABLES);
    fake.table[fake.table_count++] =
        (struct fake_table){ .owner = root->value, .area = ROOT_AREA, .frame = *root };
    return true;
}

void port_space_destroy(paddr_t root)
{
    assert(fake.loaded != root.value);
    drop_owner(root.value);
}

bool port_space_map(paddr_t root, vaddr_t address, paddr_t frame, unsigned prot)
{
    assert((prot & PORT_READ) != 0);
    assert((prot & PORT_WRITE) == 0 || (prot & PORT_EXEC) == 0);
    return map_page(root.value, address.value, frame, prot);
}

bool port_space_unmap(paddr_t root, vaddr_t address, paddr_t *frame)
{
    struct fake_page *page = slot_of(root.value, address.value, false);
    if (page == NULL) {
        return false;
    }
    *frame = paddr(page->frame);
    *page = (struct fake_page){ .owner = DELETED };
    return true;
}

void port_space_prune(paddr_t root)
{
    (void)root; /* tables are no frames here */
}

bool port_space_protect(paddr_t root, vaddr_t address, unsigned prot)
{
    struct fake_page *page = slot_of(root.value, address.value, false);
    assert((prot & PORT_WRITE) == 0 || (prot & PORT_EXEC) == 0);
    if (page == NULL) {
        return false;
    }
    page->prot = prot;
    return true;
}

bool port_space_query(paddr_t root, vaddr_t address, paddr_t *frame, unsigned *prot)
{
    const struct fake_page *page = slot_of(root.value, address.value, false);
    if (page == NULL) {
        return false;
    }
    *frame = paddr(page->frame);
    *prot = page->prot;
    return true;
}

void port_space_reload(void)
{
    fake.reloads++;
}

void port_space_load(paddr_t root)
{
    fake.loaded = root.value;
}

paddr_t port_space_loaded(void)
{
    return paddr(fake.loaded);
}

paddr_t port_space_kernel_root(void)
{
    return paddr(0);
}

/* ---- IOMMU: domains are made by being mapped into ---- */

bool port_iommu_map(unsigned domain, uint64_t io_address, paddr_t frame, bool writable)
{
    return map_page(DOMAIN(domain), io_address, frame,
                    writable ? PORT_READ | PORT_WRITE : PORT_READ);
}

void port_iommu_unmap(unsigned domain, uint64_t io_address)
{
    struct fake_page *page = slot_of(DOMAIN(domain), io_address, false);
    if (page != NULL) {
        *page = (struct fake_page){ .owner = DELETED };
    }
}

void port_iommu_flush(unsigned domain)
{
    (void)domain;
    fake.flushes++;
}

void port_iommu_domain_destroy(unsigned domain)
{
    drop_owner(DOMAIN(domain));
}

uint64_t fake_iommu_pages(unsigned domain)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < MAP_SLOTS; i++) {
        count += fake.page[i].owner == DOMAIN(domain);
    }
    return count;
}

unsigned fake_iommu_rights(unsigned domain, uint64_t address)
{
    const struct fake_page *page = slot_of(DOMAIN(domain), address, false);
    return page == NULL ? 0 : page->prot;
}

/* ---- time, randomness, contexts ---- */

uint64_t port_now_ns(void)
{
    return fake.now_ns;
}

/* Real programs run on it: their counter is not the fake's. */
void port_clock(uint64_t *base, uint64_t *rate)
{
    *base = 7000;
    *rate = 0;
}

uint64_t port_random_u64(void)
{
    /* splitmix64: repeats for the same seed */
    uint64_t value = fake.random += 0x9e3779b97f4a7c15ull;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ value >> 27) * 0x94d049bb133111ebull;
    return value ^ value >> 31;
}

/* The words of a fake context: the stack pointer, then the FS base. */
void port_context_init(struct port_context *context, vaddr_t entry, vaddr_t stack)
{
    uint64_t words[3] = { stack.value, 0, entry.value };
    memcpy(context->opaque, words, sizeof(words));
}

void port_context_call(struct port_context *context, uint64_t entry, uint64_t stack,
                       uint64_t argument)
{
    (void)argument;
    port_context_init(context, vaddr(entry), vaddr(stack));
}

void port_context_set_fs_base(struct port_context *context, uint64_t base)
{
    memcpy(context->opaque + 8, &base, sizeof(base));
}

uint64_t port_context_stack(const struct port_context *context)
{
    uint64_t stack;
    memcpy(&stack, context->opaque, sizeof(stack));
    return stack;
}
