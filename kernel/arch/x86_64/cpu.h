/* cpu.h - one-instruction wrappers, and the layout that trap.S shares with C. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/nucleus/entry.h"

#define DIRECT_MAP_BASE 0xffff800000000000ull
#define KERNEL_BASE     0xffffffff80000000ull
#define MMIO_BASE       0xffffa00000000000ull
#define STACKS_BASE     0xffffb00000000000ull

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA   0x18
#define SELECTOR_USER_CODE   0x20
#define SELECTOR_TSS         0x28

#define VECTOR_KICK     0xf0
#define VECTOR_STOP     0xf1
#define VECTOR_TIMER    0xf2
#define VECTOR_CONTROL  0xf3
#define VECTOR_FAULT    0xf4 /* the IOMMU has recorded one */
#define VECTOR_SPURIOUS 0xff

/* Lowest address first. The order is ABI with trap.S; the asserts below hold both to it. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(offsetof(struct trap_frame, vector) == 15 * 8, "trap.S pushes 15 registers");
_Static_assert(sizeof(struct trap_frame) == 22 * 8, "trap.S drops vector and error, then iretq");

enum {
    VECTOR_LIVE,     /* nothing: the registers are the thread's */
    VECTOR_SAVED,    /* fx */
    VECTOR_DEFAULTS, /* power-on state */
};

/* What lies in a port_context. */
struct context {
    struct trap_frame frame;
    uint64_t fs_base;
    uint64_t vector_valid; /* what port_resume() must load: VECTOR_* */
    uint64_t by_syscall;   /* entered by SYSCALL: rcx and r11 are the caller's to lose */
    _Alignas(16) uint8_t fx[512];
};
_Static_assert(sizeof(struct context) <= sizeof(struct port_context), "the opaque bytes hold it");
_Static_assert(offsetof(struct context, fs_base) == 176, "trap.S");

static inline struct context *context_of(struct port_context *context)
{
    return (struct context *)(void *)context->opaque;
}
static inline const struct context *context_of_const(const struct port_context *context)
{
    return (const struct context *)(const void *)context->opaque;
}

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline uint32_t inl(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}
static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}
static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
static inline uint64_t read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}
static inline uint64_t read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}
static inline void write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}
static inline void invlpg(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}
static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(sub));
}
