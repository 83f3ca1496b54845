/*
 * Programs as musl-gcc (and gcc) make them, loaded by the nucleus's ELF loader and run for real: a traced process has
 * exactly the pages of the space, from the same memory, and every call it makes is answered by linux_call().
 */
/* uses: kernel/nucleus/mem/frames.c kernel/nucleus/mem/heap.c kernel/nucleus/mem/region.c kernel/nucleus/mem/space.c kernel/nucleus/mem/space_copy.c kernel/nucleus/mem/space_lent.c kernel/nucleus/mem/space_user.c kernel/nucleus/program/elf.c kernel/nucleus/program/elf_stack.c kernel/nucleus/syscall/linux.c kernel/nucleus/syscall/linux_files.c kernel/nucleus/syscall/linux_memory.c kernel/nucleus/syscall/linux_thread.c kernel/nucleus/syscall/linux_time.c tests/host/port_fake.c tests/host/log_fake.c tests/host/relax_fake.c */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* sys/user.h has them as well */
#undef PAGE_SIZE
#undef PAGE_SHIFT
#undef PAGE_MASK

#include "kernel/nucleus/mem/region.h"
#include "kernel/nucleus/program/elf.h"
#include "kernel/nucleus/syscall/linux.h"
#include "tests/host/port_fake.h"

#define TRAMPOLINE 0x10000ull /* a SYSCALL instruction in the traced process, below every image */
#define MAX_CALLS  200000

static struct fake_machine machine;
static struct linux_caller caller;
static struct port_context context;
static pid_t child;

/* What the process has mapped now, but for the trampoline. */
#define MAX_PAGES 8192
static struct page {
    uint64_t address, frame;
    unsigned rights;
} shown[MAX_PAGES];
static unsigned shown_count;

/* ---- the traced process ---- */

static void expect_stop(int wanted)
{
    int status;
    pid_t who = waitpid(child, &status, 0);
    if (who != child || !WIFSTOPPED(status) || WSTOPSIG(status) != wanted) {
        struct user_regs_struct registers = { 0 };
        ptrace(PTRACE_GETREGS, child, NULL, &registers);
        fprintf(stderr, "the program stopped with status 0x%x at pc 0x%llx\n%s", (unsigned)status,
                registers.rip, fake_log);
        kill(child, SIGKILL);
        exit(1);
    }
}

/* Have the process make a real call, at an address where a SYSCALL instruction lies. */
static uint64_t inject(uint64_t at, uint64_t number, const uint64_t a[6])
{
    struct user_regs_struct saved, registers;
    long traced = ptrace(PTRACE_GETREGS, child, NULL, &saved);
    assert(traced == 0);
    registers = saved;
    registers.rip = at;
    registers.rax = number;
    registers.orig_rax = UINT64_MAX; /* no call to restart */
    registers.rdi = a[0], registers.rsi = a[1], registers.rdx = a[2];
    registers.r10 = a[3], registers.r8 = a[4], registers.r9 = a[5];
    ptrace(PTRACE_SETREGS, child, NULL, &registers);
    while (registers.rip ==
           at) { /* the first step may only leave the stop of a call that was taken over */
        ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
        expect_stop(SIGTRAP);
        ptrace(PTRACE_GETREGS, child, NULL, &registers);
    }
    ptrace(PTRACE_SETREGS, child, NULL, &saved);
    return registers.rax;
}

static void inject_mmap(uint64_t at, uint64_t address, uint64_t bytes, int prot, int flags, int fd,
                        uint64_t offset)
{
    const uint64_t arguments[6] = { address,         bytes,        (uint64_t)prot,
                                    (uint64_t)flags, (uint64_t)fd, offset };
    uint64_t result = inject(at, SYS_mmap, arguments);
    if (result != address) {
        fprintf(stderr, "mmap of 0x%llx bytes at 0x%llx answered %lld\n", (unsigned long long)bytes,
                (unsigned long long)address, (long long)result);
        kill(child, SIGKILL);
        exit(1);
    }
}

/* Everything but the trampoline out of the process's address space. */
static void unmap_all(void)
{
    char path[64], line[512];
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)child);
    FILE *maps = fopen(path, "r");
    assert(maps != NULL);
    while (fgets(line, sizeof(line), maps) != NULL) {
        uint64_t from = strtoull(line, NULL, 16);
        uint64_t to = strtoull(strchr(line, '-') + 1, NULL, 16);
        if (from != TRAMPOLINE && from < 0x800000000000) {
            inject(TRAMPOLINE, SYS_munmap, (const uint64_t[6]){ from, to - from });
        }
    }
    fclose(maps);
}

/* False: tracing is not allowed here. */
static bool start_process(void)
{
    child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(99);
        }
        execl("/bin/true", "true", (char *)NULL);
        _exit(98);
    }
    int status;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
        return false;
    }
    struct user_regs_struct registers;
    ptrace(PTRACE_GETREGS, child, NULL, &registers);
    ptrace(PTRACE_POKETEXT, child, (void *)registers.rip, (void *)0x050f);
    inject_mmap(registers.rip, TRAMPOLINE, PAGE_SIZE, PROT_READ | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    ptrace(PTRACE_POKETEXT, child, (void *)TRAMPOLINE, (void *)0x050f);
    return true;
}

static unsigned list_pages(struct page *list)
{
    unsigned count = 0;
    for (const struct region *region = caller.space->first; region != NULL; region = region->next) {
        for (uint64_t at = region->begin; at < region->end && region->rights != 0;
             at += PAGE_SIZE) {
            paddr_t frame;
            unsigned rights;
            bool is_mapped = port_space_query(caller.space->root, vaddr(at), &frame, &rights);
            assert(is_mapped && count < MAX_PAGES);
            list[count++] = (struct page){ at, frame.value, rights };
        }
    }
    return count;
}

static bool are_same(const struct page *a, const struct page *b)
{
    return a->address == b->address && a->frame == b->frame && a->rights == b->rights;
}

static void show(const struct page *first, uint64_t count)
{
    int prot = PROT_READ | ((first->rights & PORT_WRITE) != 0 ? PROT_WRITE : 0) |
               ((first->rights & PORT_EXEC) != 0 ? PROT_EXEC : 0);
    inject_mmap(TRAMPOLINE, first->address, count * PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED,
                fake_ram_fd(), first->frame);
}

/* Give the process the pages that the space has now, and no others. Both lists are in order of address. */
static void synchronize(void)
{
    static struct page wanted[MAX_PAGES];
    unsigned wanted_count = list_pages(wanted);
    unsigned old = 0;
    for (unsigned i = 0; i < wanted_count;) {
        for (; old < shown_count && shown[old].address < wanted[i].address; old++) {
            inject(TRAMPOLINE, SYS_munmap, (const uint64_t[6]){ shown[old].address, PAGE_SIZE });
        }
        if (old < shown_count && are_same(&shown[old], &wanted[i])) {
            old++;
            i++;
            continue;
        }
        unsigned count = 1;
        while (i + count < wanted_count && wanted[i + count].rights == wanted[i].rights &&
               wanted[i + count].address == wanted[i].address + count * PAGE_SIZE &&
               wanted[i + count].frame == wanted[i].frame + count * PAGE_SIZE) {
            count++;
        }
        show(&wanted[i], count);
        while (old < shown_count && shown[old].address < wanted[i].address + count * PAGE_SIZE) {
            old++;
        }
        i += count;
    }
    for (; old < shown_count; old++) {
        inject(TRAMPOLINE, SYS_munmap, (const uint64_t[6]){ shown[old].address, PAGE_SIZE });
    }
    memcpy(shown, wanted, sizeof(wanted));
    shown_count = wanted_count;
}

static bool changes_mappings(uint64_t number)
{
    return number == SYS_mmap || number == SYS_munmap || number == SYS_mprotect ||
           number == SYS_brk || number == SYS_mremap;
}

static void run(void)
{
    for (unsigned calls = 0; !caller.exited; calls++) {
        struct user_regs_struct registers;
        assert(calls < MAX_CALLS);
        ptrace(PTRACE_SYSEMU, child, NULL, NULL);
        expect_stop(SIGTRAP);
        ptrace(PTRACE_GETREGS, child, NULL, &registers);
        const uint64_t arguments[6] = { registers.rdi, registers.rsi, registers.rdx,
                                        registers.r10, registers.r8,  registers.r9 };
        uint64_t number = registers.orig_rax;
        registers.rax = (uint64_t)linux_call(&caller, number, arguments);
        registers.orig_rax = UINT64_MAX;
        registers.fs_base = caller.fs_base;
        ptrace(PTRACE_SETREGS, child, NULL, &registers);
        if (changes_mappings(number) && !caller.exited) {
            synchronize();
        }
    }
}

/* ---- one program ---- */

static void *read_file(const char *path, size_t *bytes)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    assert(file != NULL && fstat(fileno(file), &status) == 0);
    *bytes = (size_t)status.st_size;
    void *contents = malloc(*bytes);
    size_t got = fread(contents, 1, *bytes, file);
    assert(got == *bytes);
    fclose(file);
    return contents;
}

/* Build guest.c by a command that has %s for the output; where it was put is `path`. */
static void __attribute__((format(printf, 1, 0))) build(const char *compiler, char path[64])
{
    char command[1024];
    strcpy(path, "/tmp/kwe-guest-XXXXXX");
    int fd = mkstemp(path);
    assert(fd >= 0);
    close(fd);
    snprintf(command, sizeof(command), compiler, path);
    int status = system(command);
    assert(status == 0);
}

static void load_and_run(const char *path, const char *argument)
{
    const char *const arguments[] = { "guest", argument, NULL };
    static const char *const environment[] = { "MODE=test", NULL };
    struct elf_image image;
    struct elf_loaded loaded;
    struct user_regs_struct registers;
    vaddr_t stack;
    size_t bytes;

    fake_log_clear();
    caller = (struct linux_caller){ .who = "program guest", .context = &context, .thread_id = 5 };
    caller.space = space_create(&machine.frames, &machine.heap, 16u << 20);
    void *file = read_file(path, &bytes);
    const char *wrong = elf_check(file, bytes, &image);
    wrong = wrong != NULL ? wrong : elf_map(&image, caller.space, &loaded);
    wrong = wrong != NULL ? wrong
                          : elf_build_stack(caller.space, &loaded, 64 * PAGE_SIZE, arguments,
                                            environment, &stack);
    if (wrong != NULL) {
        fprintf(stderr, "%s: %s\n", path, wrong);
        exit(1);
    }
    free(file);
    port_context_init(&context, loaded.entry, stack);
    shown_count = 0;
    unmap_all();
    synchronize();
    ptrace(PTRACE_GETREGS, child, NULL, &registers);
    registers = (struct user_regs_struct){ .rip = loaded.entry.value,
                                           .rsp = stack.value,
                                           .cs = registers.cs,
                                           .ss = registers.ss,
                                           .eflags = 0x202,
                                           .orig_rax = UINT64_MAX };
    ptrace(PTRACE_SETREGS, child, NULL, &registers);
    run();
    linux_flush(&caller);
}

static void __attribute__((format(printf, 1, 0))) run_guest(const char *compiler,
                                                            const char *argument)
{
    char path[64];
    int status;
    fake_machine_start(&machine, 8192, 11);
    build(compiler, path);
    if (!start_process()) {
        printf("skipped: processes cannot be traced here\n");
        exit(0);
    }
    load_and_run(path, argument);
    unlink(path);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    space_destroy(caller.space);
    assert(machine.heap.used_blocks == 0);
    assert(machine.frames.free_frames == machine.frames.total_frames - machine.heap.held_frames);
    fake_machine_stop(&machine);
}

#define GUEST       "tests/host/linux/guest.c"
#define MUSL        "/usr/lib/x86_64-linux-musl/"
#define MUSL_STATIC "musl-gcc -O1 -static -o %s " GUEST

static void expect_guest_done(void)
{
    if (caller.exit_status != 7 || caller.aborted ||
        strstr(fake_log, "program guest: hello from guest, 42, three 1.50\n") == NULL ||
        strstr(fake_log, "program guest: environment test, done\n") == NULL ||
        strstr(fake_log, "not built") != NULL) {
        fprintf(stderr, "exit %d, aborted %d\n%s", caller.exit_status, caller.aborted, fake_log);
        exit(1);
    }
}

static void test_a_static_musl_program_runs(void)
{
    run_guest(MUSL_STATIC, NULL);
    expect_guest_done();
}

static void test_a_static_pie_musl_program_runs_at_a_random_address(void)
{
    /* As tools/make/image.mk links decks and programs: musl-gcc's own specs know no static-pie. */
    run_guest("musl-gcc -O1 -fPIE -c -o %1$s.o " GUEST
              " && gcc -nostdlib -nostartfiles -static-pie -o %1$s "
              "-Wl,--no-dynamic-linker,-z,separate-code,-z,text " MUSL "rcrt1.o " MUSL
              "crti.o %1$s.o " MUSL "libc.a -lgcc " MUSL "libc.a " MUSL "crtn.o && rm %1$s.o",
              NULL);
    expect_guest_done();
}

static void test_a_static_glibc_program_runs(void)
{
    run_guest("gcc -O1 -static -o %s " GUEST, NULL);
    expect_guest_done();
}

static void test_abort_ends_a_program_by_name(void)
{
    run_guest(MUSL_STATIC, "abort");
    assert(caller.aborted && caller.exit_status == 128 + SIGABRT);
}

int main(void)
{
    test_a_static_musl_program_runs();
    test_a_static_pie_musl_program_runs_at_a_random_address();
    test_a_static_glibc_program_runs();
    test_abort_ends_a_program_by_name();
    return 0;
}
