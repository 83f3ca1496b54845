/*
 * probe.c - one thing that a program must not do. Which, says its name: the test puts this image into the payload once for each,
 * as probe_KIND. It ends by a fault; getting past the deed is exit status 3. Those of the second table do odd things that must harm nobody: 0.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"

#define NUCLEUS_IMAGE  0xffffffff80100000ull
#define NUCLEUS_DIRECT 0xffff800000100000ull
#define NON_CANONICAL  0x0000900000000000ull
#define GIVEN_WAY      3

/* The compiler must not know what these are. */
static volatile uintptr_t nowhere;
static volatile uint64_t sink;
static volatile uint64_t endless = UINT64_MAX;
static uint8_t code[16] = { 0xc3 };
static const uint8_t constant[16] = { 1 };

static void read_at(uintptr_t address)
{
    sink = *(volatile uint8_t *)address;
}

static void write_at(uintptr_t address)
{
    *(volatile uint8_t *)address = 0xc3;
}

static void run_at(uintptr_t address)
{
    void (*function)(void);

    memcpy(&function, &address, sizeof(function));
    function();
}

__attribute__((noinline)) static uint64_t overrun_stack(uint64_t depth)
{
    volatile uint8_t frame[1024];

    frame[depth % sizeof(frame)] = (uint8_t)depth;
    return depth == endless ? 0 : overrun_stack(depth + 1) + frame[0];
}

static void read_nucleus(void)
{
    read_at(NUCLEUS_IMAGE);
}

static void read_direct(void)
{
    read_at(NUCLEUS_DIRECT);
}

static void write_nucleus(void)
{
    write_at(NUCLEUS_IMAGE);
}

static void run_nucleus(void)
{
    run_at(NUCLEUS_IMAGE);
}

static void read_null(void)
{
    read_at(nowhere);
}

static void read_odd(void)
{
    read_at(NON_CANONICAL + nowhere);
}

static void run_odd(void)
{
    run_at(NON_CANONICAL + nowhere);
}

static void write_text(void)
{
    write_at((uintptr_t)write_text);
}

static void write_rodata(void)
{
    write_at((uintptr_t)constant);
}

static void run_data(void)
{
    run_at((uintptr_t)code);
}

static void run_stack(void)
{
    volatile uint8_t bytes[16];

    bytes[0] = 0xc3;
    run_at((uintptr_t)bytes);
}

static void run_heap(void)
{
    volatile uint8_t *bytes = malloc(16);

    bytes[0] = 0xc3;
    run_at((uintptr_t)bytes);
}

static void stack_guard(void)
{
    sink = overrun_stack(0);
}

/* ---- instructions of ring 0 ---- */

static void clear_interrupts(void)
{
    __asm__ volatile("cli");
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

/* The port that would end QEMU. */
static void port_out(void)
{
    __asm__ volatile("outb %0, %1" : : "a"((uint8_t)0), "Nd"((uint16_t)0xf4));
}

static void port_in(void)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)0x3f8));
    sink = value;
}

static void read_msr(void)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080u));
    sink = low;
}

static void load_cr3(void)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(0ull));
}

static void read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    sink = value;
}

static void swap_gs(void)
{
    __asm__ volatile("swapgs");
}

/* UMIP: not even where the tables lie can be asked. */
static void store_idt(void)
{
    uint8_t where[10];
    __asm__ volatile("sidt %0" : "=m"(where));
    sink = where[0];
}

static void gate_of_page_fault(void)
{
    __asm__ volatile("int $14");
}

static void gate_of_device(void)
{
    __asm__ volatile("int $64");
}

static void far_return_to_ring_0(void)
{
    __asm__ volatile("pushq $8; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     :
                     : "rax", "memory");
}

static void kernel_data_selector(void)
{
    __asm__ volatile("mov %0, %%ss" : : "r"((uint16_t)0x10));
}

/* ---- faults of its own ---- */

static void divide(void)
{
    __asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; mov $1, %%eax; div %%ecx"
                     :
                     :
                     : "eax", "ecx", "edx");
}

static void undefined(void)
{
    __asm__ volatile("ud2");
}

static void single_step(void)
{
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc");
}

/* ---- memory that is lent ---- */

static void register_digest(struct kwe_workflow_info *info)
{
    struct kwe_builder *builder = kwe_builder_create("digest");
    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_result(builder, stage);
    check_register(builder, info);
}

/* A deck's part of its arena. */
static void write_result(void)
{
    struct kwe_workflow_info info;
    struct kwe_result result;
    struct kwe_rings rings;

    register_digest(&info);
    check_rings(&rings, 8);
    struct kwe_event event = { .workflow = info.workflow, .input_length = 8 };
    check_run(&rings, &event, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    write_at((uintptr_t)kwe_result_bytes(&info, &result));
}

/* The nucleus's part: constants and manifest. */
static void write_manifest(void)
{
    struct kwe_workflow_info info;

    register_digest(&info);
    write_at(info.arena_base);
}

static void read_after_unregister(void)
{
    struct kwe_workflow_info info;

    register_digest(&info);
    CHECK(kwe_unregister(&info) == 0, "unregister");
    read_at((uintptr_t)kwe_program_memory(&info));
}

static void read_unmapped(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    write_at((uintptr_t)page);
    CHECK(munmap(page, 4096) == 0, "munmap");
    read_at((uintptr_t)page);
}

static void write_protected(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    write_at((uintptr_t)page);
    CHECK(mprotect(page, 4096, PROT_READ) == 0, "mprotect");
    write_at((uintptr_t)page);
}

static const struct {
    const char *kind;
    void (*run)(void);
} probes[] = {
    { "read_nucleus", read_nucleus },
    { "read_direct", read_direct },
    { "write_nucleus", write_nucleus },
    { "run_nucleus", run_nucleus },
    { "read_null", read_null },
    { "read_odd", read_odd },
    { "run_odd", run_odd },
    { "write_text", write_text },
    { "write_rodata", write_rodata },
    { "run_data", run_data },
    { "run_stack", run_stack },
    { "run_heap", run_heap },
    { "stack_guard", stack_guard },
    { "cli", clear_interrupts },
    { "hlt", halt },
    { "out", port_out },
    { "in", port_in },
    { "rdmsr", read_msr },
    { "cr3", load_cr3 },
    { "cr0", read_cr0 },
    { "swapgs", swap_gs },
    { "sidt", store_idt },
    { "int14", gate_of_page_fault },
    { "int64", gate_of_device },
    { "lret", far_return_to_ring_0 },
    { "ss", kernel_data_selector },
    { "divide", divide },
    { "ud2", undefined },
    { "step", single_step },
    { "write_result", write_result },
    { "write_manifest", write_manifest },
    { "unregistered", read_after_unregister },
    { "unmapped", read_unmapped },
    { "protected", write_protected },
};

/* ---- odd, and harmless ---------------------------------------------------------------------------------------------- */

static int64_t now_call(void)
{
    struct kwe_statistics statistics;
    return kwe_statistics(&statistics);
}

/* Flags that would hurt ring 0 if it kept them: direction, alignment check (SMAP's override), nested task. */
static void flags(void)
{
    for (uint64_t bit = 0; bit < 22; bit++) {
        if (bit == 8 || bit == 9 || bit == 12 || bit == 13) {
            continue; /* trap, interrupts, I/O level */
        }
        int64_t answer;
        struct kwe_statistics statistics;
        uint64_t number = KWE_CALL_STATISTICS;
        __asm__ volatile(
            "pushfq; orq %4, (%%rsp); popfq; syscall; pushfq; andq $0x2, (%%rsp); popfq; cld"
            : "=a"(answer)
            : "a"(number), "D"(&statistics), "S"(sizeof(statistics)), "r"(1ull << bit)
            : "rcx", "r11", "memory", "cc");
        CHECK(answer > 0, "flag %llu: %lld", (unsigned long long)bit, (long long)answer);
    }
}

static void selectors(void)
{
    static const uint16_t good[] = { 0, 1, 2, 3, 0x1b };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%gs" : : "r"(good[i]));
        CHECK(now_call() > 0, "selector %u", good[i]);
    }
}

/* A call without a stack: the nucleus has its own. */
static void no_stack(void)
{
    static const uint64_t stacks[] = { 0, 8, NUCLEUS_IMAGE, NON_CANONICAL, UINT64_MAX - 7 };
    static struct kwe_statistics statistics;

    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        int64_t answer;
        uint64_t number = KWE_CALL_STATISTICS;
        __asm__ volatile("mov %%rsp, %%r12; mov %4, %%rsp; syscall; mov %%r12, %%rsp"
                         : "=a"(answer)
                         : "a"(number), "D"(&statistics), "S"(sizeof(statistics)), "r"(stacks[i])
                         : "rcx", "r11", "r12", "memory", "cc");
        CHECK(answer > 0, "stack 0x%llx: %lld", (unsigned long long)stacks[i], (long long)answer);
    }
}

/* What the kernel leaves in registers after a call: nothing of its own. */
static void registers(void)
{
    uint64_t left[6];
    uint64_t number = KWE_CALL_STATISTICS;
    __asm__ volatile("xor %%r8d, %%r8d; xor %%r9d, %%r9d; xor %%r10d, %%r10d; xor %%edi, %%edi; "
                     "xor %%esi, %%esi; syscall;"
                     "mov %%rdi, 0(%1); mov %%rsi, 8(%1); mov %%r8, 16(%1); mov %%r9, 24(%1); mov "
                     "%%r10, 32(%1); mov %%rdx, 40(%1)"
                     : "+a"(number)
                     : "b"(left)
                     : "rdi", "rsi", "r8", "r9", "r10", "rdx", "rcx", "r11", "memory", "cc");
    for (int i = 0; i < 6; i++) {
        CHECK(left[i] < NUCLEUS_DIRECT, "register %d holds 0x%llx", i, (unsigned long long)left[i]);
    }
}

/* Values in vector registers survive being preempted and calls. */
static void vectors(void)
{
    uint64_t until_ns = kwe_now_ns() + 100000000u;
    double sum = 0;
    for (uint64_t round = 1; kwe_now_ns() < until_ns; round++) {
        volatile double value = (double)round;
        for (int i = 0; i < 2000; i++) {
            value = value * 1.5 / 1.5;
        }
        sum = value - (double)round;
        CHECK(sum < 1 && sum > -1, "round %llu", (unsigned long long)round);
    }
}

/* Memory that is not its own to give away: its image, its stack, its rings, an arena. Nor may anything become executable. */
static void memory_calls(void)
{
    struct kwe_workflow_info info;
    struct kwe_rings rings;

    register_digest(&info);
    check_rings(&rings, 8);
    void *const places[] = { (void *)((uintptr_t)memory_calls & ~0xfffull),
                             (void *)((uintptr_t)&info & ~0xfffull),
                             rings.events.shared,
                             rings.results.shared,
                             (void *)(uintptr_t)info.arena_base,
                             kwe_program_memory(&info) };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (i != 1) {
            CHECK(munmap(places[i], 4096) != 0, "place %zu could be unmapped", i);
            CHECK(mmap(places[i], 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED,
                  "place %zu could be mapped over", i);
        }
        CHECK(mprotect(places[i], 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0,
              "place %zu could be made all", i);
    }
    CHECK(mprotect(places[1], 4096, PROT_READ | PROT_EXEC) != 0,
          "the stack could be made executable");
    CHECK(mprotect(places[0], 4096, PROT_READ | PROT_WRITE) != 0, "text could be made writable");
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED,
          "executable memory");
    (void)munmap((void *)0x10000000000, 0x30000000000);
    (void)munmap(NULL, SIZE_MAX);
    struct kwe_event event = { .workflow = info.workflow, .input_length = 8 };
    struct kwe_result result;
    check_run(&rings, &event, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
}

static const struct {
    const char *kind;
    void (*run)(void);
} oddities[] = {
    { "flags", flags },         { "selectors", selectors }, { "no_stack", no_stack },
    { "registers", registers }, { "vectors", vectors },     { "memory", memory_calls },
};

int main(int count, char **arguments)
{
    const char *kind = count > 0 ? strstr(arguments[0], "probe_") : NULL;

    CHECK(kind != NULL, "called %s", count > 0 ? arguments[0] : "nothing");
    kind += strlen("probe_");
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (strcmp(probes[i].kind, kind) == 0) {
            probes[i].run();
            kwe_log("was let do it");
            return GIVEN_WAY;
        }
    }
    for (size_t i = 0; i < sizeof(oddities) / sizeof(oddities[0]); i++) {
        if (strcmp(oddities[i].kind, kind) == 0) {
            oddities[i].run();
            return 0;
        }
    }
    kwe_log("no probe %s", kind);
    return 1;
}
