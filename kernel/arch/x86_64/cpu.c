/* cpu.c - a CPU as ring 0 wants it: segments, TSS, SYSCALL, protections; ring-3 contexts in and out. Intel SDM 3A, 2, 5.8, 7. */
#include "kernel/arch/x86_64/arch.h"
#include "kernel/lib/string.h"

#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_FMASK          0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define CR4_BITS                                                                                   \
    ((1u << 5) | (1u << 7) | (1u << 9) | (1u << 10) |                                              \
     (1u << 11)) /* PAE PGE OSFXSR OSXMMEXCPT UMIP */
#define CR4_SMEP    (1u << 20)
#define CR4_SMAP    (1u << 21)
#define RFLAGS_USER 0x202u /* interrupts on */
/* below a stack pointer: a leaf function's, System V ABI, x86-64 supplement, 3.2.2 */
#define RED_ZONE_BYTES 128u

struct idt_gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static struct idt_gate idt[256];
static _Alignas(16) uint8_t fx_defaults[512];

extern const char trap_stubs[];
void syscall_entry(void);
_Noreturn void resume_user(struct context *context, int by_syscall);
void trap_from_user(void);
void trap_from_kernel(struct trap_frame *frame);

/* Not the doing of the thread that ran: NMI, double fault, machine check. They have a stack of their own. */
static bool is_machines_own(uint64_t vector)
{
    return vector == 2 || vector == 8 || vector == 18;
}

void traps_build(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t at = (uint64_t)(uintptr_t)trap_stubs + i * 16u;
        idt[i] = (struct idt_gate){
            .offset_low = (uint16_t)at,
            .selector = SELECTOR_KERNEL_CODE,
            .ist = is_machines_own(i) ? 1 : 0,
            .type = 0x8e,
            .offset_middle = (uint16_t)(at >> 16),
            .offset_high = (uint32_t)(at >> 32),
        };
    }
    /* x87 control word 0x37f, MXCSR 0x1f80: as the System V ABI starts a process. */
    fx_defaults[0] = 0x7f;
    fx_defaults[1] = 0x03;
    fx_defaults[24] = 0x80;
    fx_defaults[25] = 0x1f;
}

void cpu_need_features(void)
{
    uint32_t leaf1[4], leaf7[4], leaf1x[4];
    cpuid(1, 0, leaf1);
    cpuid(7, 0, leaf7);
    cpuid(0x80000001u, 0, leaf1x);
    if ((leaf7[1] & (1u << 7)) == 0 || (leaf7[1] & (1u << 20)) == 0 ||
        (leaf7[2] & (1u << 2)) == 0) {
        arch_stop("the CPU lacks SMEP, SMAP or UMIP");
    }
    if ((leaf1x[3] & (1u << 20)) == 0 || (leaf1[2] & (1u << 30)) == 0) {
        arch_stop("the CPU lacks NX or RDRAND");
    }
}

void cpu_setup(unsigned index)
{
    struct arch_cpu *cpu = &arch.cpu[index];
    uint64_t tss = (uint64_t)(uintptr_t)cpu->tss;

    cpu->gdt[1] = 0x00af9a000000ffff;
    cpu->gdt[2] = 0x00cf92000000ffff;
    cpu->gdt[3] = 0x00cff2000000ffff;
    cpu->gdt[4] = 0x00affa000000ffff;
    cpu->gdt[5] = 0x0000890000000000 | (sizeof(cpu->tss) - 1) | (tss & 0xffffff) << 16 |
                  (tss >> 24 & 0xff) << 56;
    cpu->gdt[6] = tss >> 32;
    memcpy(&cpu->tss[1], &cpu->stack_top, sizeof(uint64_t));       /* rsp0 */
    memcpy(&cpu->tss[9], &cpu->fault_stack_top, sizeof(uint64_t)); /* IST 1 */
    cpu->tss[25] = sizeof(cpu->tss) << 16;                         /* no I/O permission bitmap */

    struct table_pointer gdt = { .limit = sizeof(cpu->gdt) - 1,
                                 .base = (uint64_t)(uintptr_t)cpu->gdt };
    struct table_pointer idt_at = { .limit = sizeof(idt) - 1, .base = (uint64_t)(uintptr_t)idt };
    __asm__ volatile("lgdt %0; lidt %1" : : "m"(gdt), "m"(idt_at));
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss"
                     :
                     : "r"((uint16_t)SELECTOR_KERNEL_DATA));
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     : "i"(SELECTOR_KERNEL_CODE)
                     : "rax", "memory");
    __asm__ volatile("ltr %0" : : "r"((uint16_t)SELECTOR_TSS));

    uint64_t cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 |= CR4_BITS | CR4_SMEP | CR4_SMAP;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    uint64_t cr0;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 = (cr0 & ~0x4ull) | 0x10022; /* EM off; WP, NE, MP on */
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));

    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1);
    wrmsr(MSR_STAR, (uint64_t)0x10 << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
    wrmsr(MSR_LSTAR, (uint64_t)(uintptr_t)syscall_entry);
    wrmsr(MSR_FMASK, 0x47700); /* AC, NT, IOPL, DF, IF, TF */
    wrmsr(MSR_GS_BASE, (uint64_t)(uintptr_t)cpu->cpu);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
}

void port_set_boot_cpu(struct cpu *cpu)
{
    struct cpu_head *head = (struct cpu_head *)cpu;
    head->self = cpu;
    head->arch_private[0] = arch.cpu[0].stack_top;
    arch.cpu[0].cpu = cpu;
    arch.boot_cpu_set = true;
    wrmsr(MSR_GS_BASE, (uint64_t)(uintptr_t)cpu);
}

struct cpu *port_this_cpu(void)
{
    struct cpu *cpu;
    if (!arch.boot_cpu_set) {
        return NULL;
    }
    __asm__("movq %%gs:8, %0" : "=r"(cpu));
    return cpu;
}

/* ---- contexts --------------------------------------------------------------------------------------------------- */

void port_context_init(struct port_context *opaque, vaddr_t entry, vaddr_t stack)
{
    struct context *context = context_of(opaque);
    memset(opaque, 0, sizeof(*opaque));
    context->frame.rip = entry.value;
    context->frame.rsp = stack.value;
    context->frame.cs = SELECTOR_USER_CODE | 3;
    context->frame.ss = SELECTOR_USER_DATA | 3;
    context->frame.rflags = RFLAGS_USER;
    port_vector_reset(opaque);
}

void port_context_call(struct port_context *opaque, uint64_t entry, uint64_t stack,
                       uint64_t argument)
{
    struct context *context = context_of(opaque);
    uint64_t top = stack != 0 ? stack : context->frame.rsp - RED_ZONE_BYTES;

    context->frame.rip = entry;
    context->frame.rsp = (top & ~15ull) - 8; /* as if a call had pushed its return address */
    context->frame.rdi = argument;
    context->frame.rflags = RFLAGS_USER;
    context->by_syscall = 0;
    port_vector_reset(opaque);
}

uint64_t port_syscall_number(const struct port_context *opaque)
{
    return context_of_const(opaque)->frame.rax;
}

void port_syscall_arguments(const struct port_context *opaque, uint64_t argument[6])
{
    const struct trap_frame *frame = &context_of_const(opaque)->frame;

    argument[0] = frame->rdi;
    argument[1] = frame->rsi;
    argument[2] = frame->rdx;
    argument[3] = frame->r10;
    argument[4] = frame->r8;
    argument[5] = frame->r9;
}

void port_syscall_return(struct port_context *opaque, uint64_t value)
{
    context_of(opaque)->frame.rax = value;
}

void port_syscall_return_second(struct port_context *opaque, uint64_t value)
{
    context_of(opaque)->frame.rdx = value;
}

void port_context_set_fs_base(struct port_context *opaque, uint64_t base)
{
    context_of(opaque)->fs_base = base;
}

uint64_t port_context_pc(const struct port_context *opaque)
{
    return context_of_const(opaque)->frame.rip;
}

uint64_t port_context_stack(const struct port_context *opaque)
{
    return context_of_const(opaque)->frame.rsp;
}

uint64_t port_context_frame_pointer(const struct port_context *opaque)
{
    return context_of_const(opaque)->frame.rbp;
}

void port_vector_save(struct port_context *opaque)
{
    struct context *context = context_of(opaque);
    if (context->vector_valid != 0) {
        return; /* the copy is the newest: the registers were not loaded since */
    }
    __asm__ volatile("fxsave64 %0" : "=m"(*(uint8_t(*)[512])context->fx));
    context->vector_valid = VECTOR_SAVED;
}

void port_vector_reset(struct port_context *opaque)
{
    struct context *context = context_of(opaque);
    context->vector_valid = VECTOR_DEFAULTS;
}

_Noreturn void port_resume(struct port_context *opaque, paddr_t root)
{
    struct context *context = context_of(opaque);
    if (read_cr3() != root.value) {
        write_cr3(root.value);
    }
    if (context->vector_valid != 0) {
        const uint8_t *from = context->vector_valid == VECTOR_SAVED ? context->fx : fx_defaults;
        __asm__ volatile("fxrstor64 %0" : : "m"(*(const uint8_t(*)[512])from));
        context->vector_valid = 0;
    }
    wrmsr(MSR_FS_BASE, context->fs_base);
    /* SYSRET to a non-canonical address would fault in ring 0: only addresses of the lower half go that way. */
    bool fast = context->by_syscall != 0 && context->frame.rip >> 47 == 0;
    resume_user(context, fast);
}

/* ---- traps -------------------------------------------------------------------------------------------------------- */

static const char *const names[] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "no coprocessor",
    "double fault",
    "coprocessor overrun",
    "invalid TSS",
    "segment not present",
    "stack fault",
    "general protection",
    "page fault",
    "reserved",
    "x87 error",
    "alignment check",
    "machine check",
    "SIMD error",
};

static void describe(const struct trap_frame *frame, struct port_fault *fault)
{
    *fault = (struct port_fault){
        .vector = (uint8_t)frame->vector,
        .error = frame->error,
        .pc = frame->rip,
        .address = frame->vector == 14 ? read_cr2() : 0,
        .name =
            frame->vector < sizeof(names) / sizeof(names[0]) ? names[frame->vector] : "exception",
    };
}

static void interrupt(struct cpu *cpu, uint64_t vector, bool from_user)
{
    if (vector != VECTOR_SPURIOUS) {
        apic_eoi();
    }
    switch (vector) {
    case VECTOR_TIMER:
        nucleus_on_timer(cpu, from_user);
        break;
    case VECTOR_KICK:
        nucleus_on_kick(cpu, from_user);
        break;
    case VECTOR_CONTROL:
        nucleus_on_control(cpu, from_user);
        break;
    case VECTOR_FAULT:
        nucleus_on_iommu_fault(cpu, from_user);
        break;
    case VECTOR_STOP:
        while (arch.stopping) {
            __asm__ volatile("cli; hlt");
        }
        nucleus_on_kick(cpu, from_user);
        break;
    default:
        nucleus_on_interrupt(cpu, (uint8_t)vector, from_user);
        break;
    }
}

void trap_from_user(void)
{
    struct cpu *cpu = port_this_cpu();
    struct cpu_head *head = (struct cpu_head *)cpu;
    const struct trap_frame *frame = &context_of(head->running)->frame;
    if (frame->vector >= 32) {
        interrupt(cpu, frame->vector, true);
        __builtin_unreachable();
    }
    struct port_fault fault;
    describe(frame, &fault);
    if (is_machines_own(frame->vector)) {
        nucleus_on_kernel_fault(&fault);
    }
    nucleus_on_fault(cpu, &fault);
}

void trap_from_kernel(struct trap_frame *frame)
{
    if (frame->vector >= 32) {
        interrupt(port_this_cpu(), frame->vector, false);
        return;
    }
    struct port_fault fault;
    describe(frame, &fault);
    nucleus_on_kernel_fault(&fault);
}

size_t port_backtrace(uint64_t *addresses, size_t capacity)
{
    const uint64_t *frame = __builtin_frame_address(0);
    uint64_t at = (uint64_t)(uintptr_t)frame;
    size_t count = 0;
    /* Within one stack's pages: no further than 32 KiB from here. */
    uint64_t end = at + (32u << 10);
    while (count < capacity && at != 0 && at < end && at >= KERNEL_BASE / 2 &&
           frame[1] >= KERNEL_BASE) {
        addresses[count++] = frame[1];
        if (frame[0] <= at) {
            break;
        }
        at = frame[0];
        frame = (const uint64_t *)at;
    }
    return count;
}

void port_idle(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

void port_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

unsigned port_cpu_count(void)
{
    return arch.cpu_count;
}

uint64_t port_random_u64(void)
{
    uint64_t value = 0;
    uint8_t ok = 0;
    for (unsigned tries = 0; tries < 16 && ok == 0; tries++) {
        __asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(ok));
    }
    uint64_t mixed = value ^ (rdtsc() * 0x9e3779b97f4a7c15ull);
    return mixed ^ mixed >> 29;
}
