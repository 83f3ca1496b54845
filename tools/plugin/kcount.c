/*
 * kcount.c - a TCG plugin for QEMU 6.2 and later (docs/devel/tcg-plugins.rst) that counts what a guest does between two marks.
 *
 * The marks are no-ops that a program executes (userland/libkwe/program/mark.S): nopl disp32(%rax,%rax,1) with 0x4b570001 to begin and 0x4b570002
 * to end. Each end appends one line of JSON to the file named by `out=`: instructions in ring 3 and in ring 0 (told apart by the half of
 * the address space; an iteration of REP counts as one), and how often SYSCALL, a return to ring 3, a write of CR3 and HLT were executed.
 *
 * Debian packages no header for it; what is used of the interface is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- the interface, version 1 ---------------------------------------------------------------------------------------- */

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translate_fn)(plugin_id id, struct qemu_plugin_tb *block);
typedef void (*execute_fn)(unsigned cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, translate_fn call);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, execute_fn call, int flags,
                                          void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction, execute_fn call,
                                            int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);

extern int qemu_plugin_version;
int qemu_plugin_install(plugin_id id, const void *info, int argument_count, char **arguments);

#define EXPORT       __attribute__((visibility("default")))
#define NO_REGISTERS 0

/* ---- counting -------------------------------------------------------------------------------------------------------- */

#define MAX_CPUS 64
#define LINE     64

enum what { USER, KERNEL, SYSCALLS, TO_USER, CR3_WRITES, HALTS, KINDS, NOTHING };

static const char *const names[KINDS] = { "user", "kernel", "syscalls", "to_user", "cr3", "hlt" };

/* A CPU's own counters, on lines of their own: no two threads write to one. */
struct counters {
    _Alignas(LINE) uint64_t count[KINDS];
};

static struct counters now[MAX_CPUS], then[MAX_CPUS];
static FILE *out;

/* What a block's counters get when it runs: number of instructions, and whose. */
static void on_block(unsigned cpu, void *data)
{
    uintptr_t packed = (uintptr_t)data;
    now[cpu % MAX_CPUS].count[packed & 1 ? KERNEL : USER] += packed >> 1;
}

static void on_event(unsigned cpu, void *data)
{
    now[cpu % MAX_CPUS].count[(uintptr_t)data]++;
}

static void on_begin(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    memcpy(then, now, sizeof(then));
}

static void on_end(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint64_t sum = 0;
        for (unsigned i = 0; i < MAX_CPUS; i++) {
            sum += now[i].count[kind] - then[i].count[kind];
        }
        fprintf(out, "%s\"%s\": %" PRIu64, kind == 0 ? "{" : ", ", names[kind], sum);
    }
    fprintf(out, "}\n");
    fflush(out);
}

/* ---- looking at instructions, once, as they are translated ------------------------------------------------------------- */

static execute_fn mark_of(const uint8_t *code, size_t size)
{
    static const uint8_t head[] = { 0x0f, 0x1f, 0x84, 0x00 };
    uint32_t number;

    if (size != 8 || memcmp(code, head, sizeof(head)) != 0) {
        return NULL;
    }
    memcpy(&number, code + sizeof(head), sizeof(number));
    return number == 0x4b570001 ? on_begin : number == 0x4b570002 ? on_end : NULL;
}

static enum what kind_of(const uint8_t *code, size_t size, bool kernel)
{
    if (size > 1 && (code[0] & 0xf0) == 0x40) { /* REX */
        code++;
        size--;
    }
    if (size == 2 && code[0] == 0x0f && code[1] == 0x05) {
        return SYSCALLS;
    }
    if (!kernel) {
        return NOTHING;
    }
    if (size == 2 && code[0] == 0x0f && code[1] == 0x07) {
        return TO_USER;
    }
    if (size == 3 && code[0] == 0x0f && code[1] == 0x22 && (code[2] >> 3 & 7) == 3) {
        return CR3_WRITES;
    }
    return size == 1 && code[0] == 0xcf ? TO_USER : size == 1 && code[0] == 0xf4 ? HALTS : NOTHING;
}

static void on_translate(plugin_id id, struct qemu_plugin_tb *block)
{
    size_t count = qemu_plugin_tb_n_insns(block);
    bool kernel = qemu_plugin_tb_vaddr(block) >> 63 != 0;

    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, NO_REGISTERS,
                                         (void *)(uintptr_t)(count << 1 | kernel));
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        const uint8_t *code = qemu_plugin_insn_data(instruction);
        size_t size = qemu_plugin_insn_size(instruction);
        execute_fn mark = mark_of(code, size);
        enum what kind = kind_of(code, size, kernel);
        if (mark != NULL) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, mark, NO_REGISTERS, NULL);
        } else if (kind != NOTHING) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_event, NO_REGISTERS,
                                                   (void *)(uintptr_t)kind);
        }
    }
}

EXPORT int qemu_plugin_version = 1;

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argument_count, char **arguments)
{
    (void)info;
    for (int i = 0; i < argument_count; i++) {
        if (strncmp(arguments[i], "out=", 4) == 0) {
            out = fopen(arguments[i] + 4, "w");
        }
    }
    if (out == NULL) {
        fprintf(stderr, "kcount: out=FILE is missing, or cannot be written\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
