/* apic.c - local APIC (xAPIC, Intel SDM 3A, 11), I/O APIC, timers, and starting the other CPUs. */
#include "kernel/abi/clock.h"
#include "kernel/arch/x86_64/arch.h"
#include "kernel/lib/string.h"

#define LAPIC_ID        0x020
#define LAPIC_TPR       0x080
#define LAPIC_EOI       0x0b0
#define LAPIC_SPURIOUS  0x0f0
#define LAPIC_ICR_LOW   0x300
#define LAPIC_ICR_HIGH  0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_INITIAL   0x380
#define LAPIC_CURRENT   0x390
#define LAPIC_DIVIDE    0x3e0
#define LVT_MASKED      (1u << 16)
#define ICR_PENDING     (1u << 12)
#define ICR_INIT        0x4500u
#define ICR_STARTUP     0x4600u
#define ICR_OTHERS      0xc0000u

#define PIT_HZ          1193182u
#define CALIBRATE_MS    4u
#define TRAMPOLINE      0x8000u
#define TIMER_MAX_TICKS 0xffffffffu

extern const char ap_trampoline[], ap_trampoline_end[], ap_parameters[];

static uint32_t lapic_read(unsigned reg)
{
    return arch.lapic[reg / 4];
}

static void lapic_write(unsigned reg, uint32_t value)
{
    arch.lapic[reg / 4] = value;
}

void apic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

void apic_setup_cpu(void)
{
    lapic_write(LAPIC_TPR, 0x1f); /* no interrupt passes for an exception */
    lapic_write(LAPIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, 0x400); /* NMI */
    lapic_write(LAPIC_DIVIDE, 0xb);      /* by 1 */
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
}

static void io_apic_route_com1(void)
{
    volatile uint32_t *io = map_mmio(arch.io_apic_physical, PAGE_SIZE);
    uint32_t pin = arch.com1_gsi - arch.io_apic_gsi_base;
    uint32_t low = VECTOR_CONTROL | ((arch.com1_flags & 3) == 3 ? 1u << 13 : 0) |
                   ((arch.com1_flags >> 2 & 3) == 3 ? 1u << 15 : 0);
    io[0] = 0x10 + 2 * pin + 1;
    io[4] = (uint32_t)arch.cpu[0].apic_id << 24;
    io[0] = 0x10 + 2 * pin;
    io[4] = low;
}

void apic_setup_boot(void)
{
    outb(0x21, 0xff); /* both PICs masked */
    outb(0xa1, 0xff);
    arch.lapic = map_mmio(arch.lapic_physical, PAGE_SIZE);
    apic_setup_cpu();
    uint8_t own = (uint8_t)(lapic_read(LAPIC_ID) >> 24);
    for (unsigned i = 1; i < arch.cpu_count; i++) { /* CPU 0 is the one that booted */
        if (arch.cpu[i].apic_id == own) {
            arch.cpu[i].apic_id = arch.cpu[0].apic_id;
            arch.cpu[0].apic_id = own;
        }
    }
    if (arch.io_apic_physical != 0) {
        io_apic_route_com1();
    }
}

void time_set_rate(uint64_t tsc_per_ms)
{
    arch.ns_per_tick = (1000000ull << 32) / tsc_per_ms;
}

/* Against the PIT's channel 2, one shot: its output goes high when the count has run out. */
void time_calibrate(void)
{
    uint32_t count = PIT_HZ * CALIBRATE_MS / 1000;
    outb(0x61, (uint8_t)((inb(0x61) & ~2u) | 1u));
    outb(0x43, 0xb0);
    outb(0x42, (uint8_t)count);
    outb(0x42, (uint8_t)(count >> 8));
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    lapic_write(LAPIC_INITIAL, TIMER_MAX_TICKS);
    uint64_t tsc_from = rdtsc();
    uint32_t apic_from = lapic_read(LAPIC_CURRENT);
    uint64_t most = tsc_from + 1000000000u;
    while ((inb(0x61) & 0x20) == 0 && rdtsc() < most) {
    }
    uint64_t tsc_per_ms = (rdtsc() - tsc_from) / CALIBRATE_MS;
    arch.apic_per_ms = (apic_from - lapic_read(LAPIC_CURRENT)) / CALIBRATE_MS;
    lapic_write(LAPIC_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
    if (tsc_per_ms == 0 || arch.apic_per_ms == 0) {
        arch_stop("the timers cannot be calibrated");
    }
    time_set_rate(tsc_per_ms);
}

uint64_t port_now_ns(void)
{
    return kwe_clock_ns(rdtsc(), arch.tsc_base, arch.ns_per_tick);
}

void port_clock(uint64_t *base, uint64_t *rate)
{
    *base = arch.tsc_base;
    *rate = arch.ns_per_tick;
}

void port_timer_set(uint64_t deadline_ns)
{
    uint64_t now_ns = port_now_ns();
    uint64_t ticks = 1;
    if (deadline_ns == UINT64_MAX) {
        ticks = 0;
    } else if (deadline_ns > now_ns) {
        uint64_t wait_ns = deadline_ns - now_ns;
        wait_ns = wait_ns > 1000000000u ? 1000000000u : wait_ns;
        ticks = wait_ns * arch.apic_per_ms / 1000000u + 1;
        ticks = ticks > TIMER_MAX_TICKS ? TIMER_MAX_TICKS : ticks;
    }
    lapic_write(LAPIC_INITIAL, (uint32_t)ticks);
}

static void send(uint8_t apic_id, uint32_t command)
{
    while ((lapic_read(LAPIC_ICR_LOW) & ICR_PENDING) != 0) {
        port_relax();
    }
    lapic_write(LAPIC_ICR_HIGH, (uint32_t)apic_id << 24);
    lapic_write(LAPIC_ICR_LOW, command);
}

void port_kick(unsigned cpu_index)
{
    send(arch.cpu[cpu_index].apic_id, 0x4000u | VECTOR_KICK);
}

void port_stop_other_cpus(void)
{
    /* The first one that panics tells; another one that does so meanwhile is stopped like all others. */
    if (__atomic_exchange_n(&arch.stopping, true, __ATOMIC_SEQ_CST) &&
        arch.stopped_by != port_this_cpu()) {
        for (;;) {
            __asm__ volatile("cli; hlt");
        }
    }
    arch.stopped_by = port_this_cpu();
    if (arch.lapic != NULL && arch.cpu_count > 1) {
        send(0, ICR_OTHERS | 0x4000u | VECTOR_STOP);
    }
}

static void wait_ns(uint64_t wait)
{
    uint64_t until = port_now_ns() + wait;
    while (port_now_ns() < until) {
        port_relax();
    }
}

static _Noreturn void ap_main(uint64_t index)
{
    cpu_setup((unsigned)index);
    apic_setup_cpu();
    __atomic_add_fetch(&arch.cpus_started, 1, __ATOMIC_RELEASE);
    nucleus_ap_main(arch.cpu[index].cpu);
}

void port_start_cpus(struct cpu *(*cpu_for)(struct nucleus *nucleus, unsigned index),
                     struct nucleus *nucleus)
{
    uint8_t *page = direct(TRAMPOLINE);
    size_t bytes = (size_t)(ap_trampoline_end - ap_trampoline);

    if (arch.cpu_count < 2) {
        return;
    }
    /* The trampoline runs at its own address: a table for the first 2 MiB while the others start. */
    uint64_t *top = direct(arch.kernel_root);
    uint64_t pdpt = early_frame(), pd = early_frame();
    *(uint64_t *)direct(pdpt) = pd | 3;
    *(uint64_t *)direct(pd) = 0x83;
    top[0] = pdpt | 3;
    for (unsigned i = 1; i < arch.cpu_count; i++) {
        stacks_make(i);
        arch.cpu[i].cpu = cpu_for(nucleus, i);
        struct cpu_head *head = (struct cpu_head *)arch.cpu[i].cpu;
        head->arch_private[0] = arch.cpu[i].stack_top;
        memcpy(page, ap_trampoline, bytes);
        uint64_t *parameters = (uint64_t *)(void *)(page + (ap_parameters - ap_trampoline));
        parameters[0] = arch.kernel_root;
        parameters[1] = arch.cpu[i].stack_top;
        parameters[2] = i;
        parameters[3] = (uint64_t)(uintptr_t)ap_main;
        send(arch.cpu[i].apic_id, ICR_INIT);
        wait_ns(200000);
        for (unsigned tries = 0;
             tries < 2 && __atomic_load_n(&arch.cpus_started, __ATOMIC_ACQUIRE) < i; tries++) {
            send(arch.cpu[i].apic_id, ICR_STARTUP | TRAMPOLINE >> 12);
            uint64_t until = port_now_ns() + 100000000u;
            while (__atomic_load_n(&arch.cpus_started, __ATOMIC_ACQUIRE) < i &&
                   port_now_ns() < until) {
                port_relax();
            }
        }
        if (__atomic_load_n(&arch.cpus_started, __ATOMIC_ACQUIRE) < i) {
            arch_stop("a CPU does not start");
        }
    }
    top[0] = 0;
    port_space_reload();
}
