/*
 * port.h - everything the nucleus asks of the hardware, one short list.
 *
 * kernel/arch/x86_64/ implements it for the machine, tests/host/port_fake.c for host tests. No function here blocks.
 * Unless said otherwise: callers hold nucleus->lock and interrupts are off.
 */
#pragma once

#include "kernel/nucleus/types.h"

struct nucleus;
struct cpu;

/* ---- time and randomness -------------------------------------------------------------------------------------- */

uint64_t port_now_ns(void); /* monotonic, since boot, the same on every CPU; any context */
/* For kernel/abi/clock.h; *rate 0: ring 3 cannot read the counter. */
void port_clock(uint64_t *base, uint64_t *rate);
uint64_t port_random_u64(void); /* from RDRAND, mixed with the clock; any context */

/* ---- physical memory ------------------------------------------------------------------------------------------ */

/* Zeroed memory for struct nucleus, asked for once, at boot. Panics when the image has no room for it. */
void *port_nucleus_memory(size_t bytes);
/* The nucleus's window on a physical address (all RAM is mapped, never executable). */
void *port_direct(paddr_t address);

/* ---- address spaces: 4 KiB pages in the lower half, the nucleus in the upper half of each ---------------------- */

enum port_prot {
    PORT_READ = 1,
    PORT_WRITE = 2,
    PORT_EXEC = 4,     /* never together with PORT_WRITE: asserted */
    PORT_UNCACHED = 8, /* device registers */
};

/* A new table with the nucleus's half shared in. False: no memory. */
bool port_space_create(paddr_t *root);
/* Free the lower half's tables (not the frames they map). No CPU may have it loaded. */
void port_space_destroy(paddr_t root);
/* Map one page. False: no memory for a table. Mapping over a present page is a nucleus bug (asserted). */
bool port_space_map(paddr_t root, vaddr_t address, paddr_t frame, unsigned prot);
/* Unmap one page and return what it mapped in *frame; false when nothing was mapped. The caller sees to other CPUs' TLBs;
 * this CPU's entry is invalidated. */
bool port_space_unmap(paddr_t root, vaddr_t address, paddr_t *frame);
/* Change the rights of a present page; false when nothing is mapped there. */
bool port_space_protect(paddr_t root, vaddr_t address, unsigned prot);
/* Look one page up; false when nothing is mapped there. */
bool port_space_query(paddr_t root, vaddr_t address, paddr_t *frame, unsigned *prot);
/* Free the lower half's tables that map nothing any more. No other CPU may have it loaded; this one reloads it afterwards. */
void port_space_prune(paddr_t root);
/* Reload this CPU's current root, dropping its translations. */
void port_space_reload(void);

/* ---- threads: the saved state of one ring-3 thread ------------------------------------------------------------- */

/* Filled by the entry stubs before any nucleus_on_*() is called; layout private to arch (asserted to fit). */
struct port_context {
    _Alignas(64) uint8_t opaque[1024];
};

/* Start at `entry` in ring 3 with stack pointer `stack` (16-byte aligned), vector state reset, all other registers 0. */
void port_context_init(struct port_context *context, vaddr_t entry, vaddr_t stack);
uint64_t port_syscall_number(const struct port_context *context);
/* In the System V system-call order (rdi rsi rdx r10 r8 r9). */
void port_syscall_arguments(const struct port_context *context, uint64_t argument[6]);
/* What the thread finds in rax when it goes on. */
void port_syscall_return(struct port_context *context, uint64_t value);
/* A second result, found in rdx (deck_next's interrupt bits). */
void port_syscall_return_second(struct port_context *context, uint64_t value);
/*
 * Have the thread call `entry(argument)` next: on a stack that ends at `stack`, or on its own (0), below what the ABI's red zone keeps. Its
 * vector state is reset. What it was about is lost: keep a copy, vector state saved, and put it back by assignment.
 */
void port_context_call(struct port_context *context, uint64_t entry, uint64_t stack,
                       uint64_t argument);
void port_context_set_fs_base(struct port_context *context, uint64_t base);
uint64_t port_context_pc(const struct port_context *context);
uint64_t port_context_stack(const struct port_context *context);
uint64_t port_context_frame_pointer(const struct port_context *context);

/*
 * Vector state (x87, SSE). The nucleus itself never uses it, so the registers stay as the thread left them until told otherwise.
 * save: registers -> context, after which the context's copy is what port_resume() loads.
 * reset: forget the context's copy; port_resume() loads power-on defaults (nothing leaks between workflows).
 * A context that was neither saved nor reset since it last ran keeps the live registers: only right when the same thread resumes.
 */
void port_vector_save(struct port_context *context);
void port_vector_reset(struct port_context *context);

/* ---- CPUs ------------------------------------------------------------------------------------------------------ */

unsigned port_cpu_count(void);
struct cpu *port_this_cpu(void);
/*
 * Leave the nucleus for ring 3: loads `root` when it is not loaded yet, then the context. Called with nucleus->lock NOT held,
 * interrupts off. Never returns: the CPU comes back through a nucleus_on_*() entry on a fresh kernel stack.
 */
_Noreturn void port_resume(struct port_context *context, paddr_t root);
/* The root this CPU has loaded now; load another (the nucleus's own with port_space_kernel_root()). */
paddr_t port_space_loaded(void);
void port_space_load(paddr_t root);
paddr_t port_space_kernel_root(void);
/* Lock not held. Wait, interrupts on, until an interrupt has been taken; returns with interrupts off. */
void port_idle(void);
/* PAUSE. */
void port_relax(void);
/* Have nucleus_on_kick() called on another CPU, soon. */
void port_kick(unsigned cpu_index);
/* One-shot: nucleus_on_timer() on this CPU at `deadline_ns` (port_now_ns() time) or a little later. UINT64_MAX: no timer. */
void port_timer_set(uint64_t deadline_ns);

/* ---- locks (implemented in terms of C11 atomics, inline on every port) ------------------------------------------ */

/*
 * Not a ticket lock on purpose: under QEMU a waiting CPU may itself be off its host CPU for milliseconds, and a queue of tickets would make
 * all others wait for it. Holders are short, so whoever runs takes it.
 */
struct port_lock {
    uint32_t held;
};

static inline void port_lock_acquire(struct port_lock *lock)
{
    /* Acquire: what the last holder wrote is visible. Pairs with the release in port_lock_release(). */
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0) {
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0) {
            port_relax();
        }
    }
}

/* False: somebody else holds it. */
static inline bool port_lock_try(struct port_lock *lock)
{
    /* As above. */
    return __atomic_load_n(&lock->held, __ATOMIC_RELAXED) == 0 &&
           __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void port_lock_release(struct port_lock *lock)
{
    /* Release pairs with the acquire above. */
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

#define PORT_PCI_BARS 6

struct port_pci_bar {
    paddr_t base;
    uint64_t size_bytes; /* 0: absent, or an I/O BAR */
    bool has_msix_table; /* the table or the pending bits lie in it: never mapped to ring 3 */
    /* half-open byte range inside the BAR, whole pages, that ring 3 must not get */
    uint64_t msix_begin;
    uint64_t msix_end;
};

struct port_pci_device {
    uint16_t vendor, device, subsystem;
    uint8_t bus, slot, function;
    uint8_t config[256]; /* a copy taken at boot, BARs assigned */
    struct port_pci_bar bar[PORT_PCI_BARS];
    uint16_t msix_count; /* table entries, 0: none */
};

/* Devices found at boot, at most MAX_PCI_DEVICES, in bus order. */
unsigned port_pci_count(void);
const struct port_pci_device *port_pci_device(unsigned device_index);
/* Bus mastering (DMA and MSI) and memory decoding. Bus-master off also means no more MSIs. */
void port_pci_set_bus_master(unsigned device_index, bool on);
/* Program MSI-X entry `entry` so that nucleus_on_interrupt(vector) is called on `cpu_index`; vector 64..223, chosen by the caller. */
void port_pci_set_msix(unsigned device_index, unsigned entry, uint8_t vector, unsigned cpu_index);
/* Mask all entries and disable MSI-X. */
void port_pci_disable_msix(unsigned device_index);

enum port_quiesce {
    PORT_QUIESCE_NONE,   /* bus-master off is all the device has */
    PORT_QUIESCE_VIRTIO, /* virtio 1.2, 4.1.4.3: write 0 to device_status through the common configuration, wait until it reads 0 */
};
/* Stop the device: bus-master off, MSI-X off, then its own reset, confirmed. False: it does not confirm within 100 ms. */
bool port_pci_quiesce(unsigned device_index, enum port_quiesce how);

/* ---- IOMMU: one domain a deck instance; I/O addresses are the instance's virtual addresses ----------------------- */

bool port_iommu_present(void);
/* A new empty domain; *domain in 1..255. False: none left or no memory. */
bool port_iommu_domain_create(unsigned *domain);
/* Free the domain's tables; no device may be attached. */
void port_iommu_domain_destroy(unsigned domain);
/* Put a device into a domain, or (domain 0) back into the empty one that blocks everything. Flushes what the IOMMU cached for it. */
void port_iommu_attach(unsigned device_index, unsigned domain);
/* Map one page for DMA. False: no memory for a table. */
bool port_iommu_map(unsigned domain, uint64_t io_address, paddr_t frame, bool writable);
/* Unmap one page; call port_iommu_flush() before the frame is used for anything else. */
void port_iommu_unmap(unsigned domain, uint64_t io_address);
/* Drop what the IOMMU has cached of the domain, and the tables that map nothing any more. */
void port_iommu_flush(unsigned domain);
/* Faults that the IOMMU recorded since boot; the newest one's device (bus << 8 | slot << 3 | function) and address. */
uint64_t port_iommu_fault_count(uint16_t *source, uint64_t *address);

/* ---- firmware and consoles ---------------------------------------------------------------------------------------- */

/* Bytes to the debug console; any context, lock not needed. */
void port_log(const char *text, size_t length);
/* The serial control channel: all bytes are taken (polls the transmitter). */
void port_control_write(const void *data, size_t length_bytes);
/* What has arrived, at most `capacity`; 0: nothing now. Arrival also raises nucleus_on_control(). */
size_t port_control_read(void *data, size_t capacity_bytes);
/* A named fw_cfg file's size, 0 when there is none; then its bytes [offset, offset + length) into memory. */
uint64_t port_firmware_file_size(const char *name);
bool port_firmware_file_read(const char *name, uint64_t offset, void *buffer, size_t length_bytes);
/* End the machine (isa-debug-exit `code`, QEMU's status is code << 1 | 1). */
_Noreturn void port_exit(uint8_t code);
/* Stop the other CPUs, for panic(): they never come back. */
void port_stop_other_cpus(void);
/* Return addresses of the calling nucleus code by its frame pointers; returns how many. */
size_t port_backtrace(uint64_t *addresses, size_t capacity);

/* ---- what arch calls: kernel/nucleus/entry.h ------------------------------------------------------------------------ */
