/* The Linux-numbered calls, one by one, as C libraries make them. */
/* uses: kernel/nucleus/mem/frames.c kernel/nucleus/mem/heap.c kernel/nucleus/mem/region.c kernel/nucleus/mem/space.c kernel/nucleus/mem/space_copy.c kernel/nucleus/mem/space_lent.c kernel/nucleus/mem/space_user.c kernel/nucleus/syscall/linux.c kernel/nucleus/syscall/linux_files.c kernel/nucleus/syscall/linux_memory.c kernel/nucleus/syscall/linux_thread.c kernel/nucleus/syscall/linux_time.c tests/host/port_fake.c tests/host/log_fake.c tests/host/relax_fake.c */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

#include "kernel/nucleus/mem/region.h"
#include "kernel/nucleus/syscall/linux.h"
#include "tests/host/port_fake.h"

static struct fake_machine machine;
static struct port_context context;
static struct linux_caller caller;
static uint64_t page; /* one writable page of the caller's */

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t arguments[6] = { a, b, c, d, UINT64_MAX, 0 };
    return linux_call(&caller, number, arguments);
}

static int64_t map(uint64_t address, uint64_t bytes, int prot, int flags)
{
    return call(SYS_mmap, address, bytes, (uint64_t)prot, (uint64_t)flags);
}

static void begin(void)
{
    fake_machine_start(&machine, 2000, 1);
    fake_log_clear();
    caller = (struct linux_caller){ .who = "program test", .context = &context, .thread_id = 42 };
    caller.space = space_create(&machine.frames, &machine.heap, 200 * PAGE_SIZE);
    page = (uint64_t)map(0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    assert(page >= SPACE_MMAP_BEGIN && page < SPACE_MMAP_END);
}

static void end(void)
{
    space_destroy(caller.space);
    fake_machine_stop(&machine);
}

static void put(uint64_t address, const void *data, size_t bytes)
{
    enum kerr status = space_copy_out(caller.space, (uaddr_t){ address }, data, bytes);
    assert(status == KERR_OK);
}

static void get(void *to, uint64_t address, size_t bytes)
{
    enum kerr status = space_copy_in(caller.space, to, (uaddr_t){ address }, bytes);
    assert(status == KERR_OK);
}

static void test_output_comes_out_as_whole_lines(void)
{
    begin();
    put(page, "one\ntwo\nthr", 11);

    assert(call(SYS_write, 1, page, 11, 0) == 11);
    assert(strcmp(fake_log, "program test: one\nprogram test: two\n") == 0);
    put(page, "ee\n", 3);
    assert(call(SYS_write, 2, page, 3, 0) == 3);
    assert(strcmp(fake_log, "program test: one\nprogram test: two\nprogram test: three\n") == 0);
    assert(call(SYS_write, 1, page, 2, 0) == 2);
    linux_flush(&caller);
    assert(strstr(fake_log, "program test: ee\n") != NULL);

    assert(call(SYS_write, 3, page, 1, 0) == -EBADF);
    assert(call(SYS_write, 1, 0, 1, 0) == -EFAULT);
    assert(call(SYS_write, 1, page + PAGE_SIZE - 1, 2, 0) == -EFAULT);
    end();
}

static void test_an_endless_line_is_cut(void)
{
    char text[1000];
    begin();
    memset(text, 'x', sizeof(text));
    put(page, text, sizeof(text));

    assert(call(SYS_write, 1, page, sizeof(text), 0) == sizeof(text));

    assert(strlen(fake_log) == 4 * (strlen("program test: ") + LINUX_LINE_MAX + 1));
    assert(caller.line_length == 1000 - 4 * LINUX_LINE_MAX);
    end();
}

static void test_writev_gathers_and_stops_at_what_it_cannot_read(void)
{
    begin();
    struct iovec parts[3] = { { (void *)(page + 512), 5 },
                              { (void *)(page + 600), 0 },
                              { (void *)8, 4 } };
    put(page, parts, sizeof(parts));
    put(page + 512, "hello", 5);

    assert(call(SYS_writev, 1, page, 3, 0) == 5);
    assert(call(SYS_writev, 1, page + 32, 1, 0) == -EFAULT);
    assert(call(SYS_writev, 1, 8, 1, 0) == -EFAULT);
    assert(call(SYS_writev, 1, page, 5000, 0) == -EINVAL);
    assert(call(SYS_writev, 7, page, 1, 0) == -EBADF);
    assert(memcmp(caller.line, "hello", 5) == 0 && caller.line_length == 5);
    end();
}

static void test_a_giant_write_is_short_so_that_the_lock_is_not_held_for_long(void)
{
    begin();
    uint64_t bytes = 100 * PAGE_SIZE;
    int64_t area = map(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    int64_t written = call(SYS_write, 1, (uint64_t)area, bytes, 0);
    assert(written > 0 && written < (int64_t)bytes);
    end();
}

static void test_there_are_no_files(void)
{
    struct stat status;
    begin();
    put(page, "/dev/random", 12);

    assert(call(SYS_open, page, 0, 0, 0) == -ENOENT);
    assert(call(SYS_openat, (uint64_t)AT_FDCWD, page, 0, 0) == -ENOENT);
    assert(call(SYS_readlink, page, page, 100, 0) == -ENOENT);
    assert(call(SYS_read, 0, page, 100, 0) == 0);
    assert(call(SYS_read, 5, page, 100, 0) == -EBADF);
    assert(call(SYS_close, 1, 0, 0, 0) == 0 && call(SYS_close, 9, 0, 0, 0) == -EBADF);
    assert(call(SYS_ioctl, 1, 0x5413, page, 0) == 0); /* TIOCGWINSZ: stdout goes out line by line */
    assert(call(SYS_ioctl, 1, 0x5401, page, 0) == -ENOTTY &&
           call(SYS_ioctl, 0, 0x5413, page, 0) == -ENOTTY);
    assert(call(SYS_ioctl, 7, 0x5413, page, 0) == -EBADF);
    assert(call(SYS_lseek, 1, 0, 0, 0) == -ESPIPE);
    assert(call(SYS_fstat, 1, page, 0, 0) == 0);
    get(&status, page, sizeof(status));
    assert(S_ISCHR(status.st_mode));
    assert(call(SYS_fstat, 4, page, 0, 0) == -EBADF && call(SYS_fstat, 1, 16, 0, 0) == -EFAULT);
    put(page, "", 1);
    assert(call(SYS_newfstatat, 1, page, page + 100, 0x1000) == 0);
    assert(call(SYS_newfstatat, 1, page, page + 100, 0) == -ENOENT);
    end();
}

static void test_mmap_gives_anonymous_memory_only(void)
{
    begin();
    assert(map(0, PAGE_SIZE, PROT_READ, MAP_PRIVATE) == -ENODEV);
    assert(map(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS) == -EINVAL);
    assert(map(0, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS) ==
           -EACCES);
    assert(map(0, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS) == -EACCES);
    assert(map(0, 1ull << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS) == -ENOMEM);
    assert(map(0, UINT64_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS) == -ENOMEM);
    assert(map(0, 201 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS) == -ENOMEM);
    assert(map(page + 1, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED) == -EINVAL);
    assert(map(page, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE) ==
           -EINVAL);
    assert(map(page, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED) ==
           (int64_t)page);
    assert(map(0, 1ull << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS) > 0);
    end();
}

static void test_mprotect_keeps_w_xor_x(void)
{
    begin();
    assert(call(SYS_mprotect, page, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, 0) == -EACCES);
    assert(call(SYS_mprotect, page, PAGE_SIZE, PROT_READ | PROT_EXEC, 0) == -EACCES);
    assert(call(SYS_mprotect, page, PAGE_SIZE, PROT_READ, 0) == 0);
    assert(call(SYS_mprotect, page, 2 * PAGE_SIZE, PROT_READ, 0) == -ENOMEM);
    assert(call(SYS_mprotect, page + 1, PAGE_SIZE, PROT_READ, 0) == -ENOMEM);
    assert(call(SYS_mprotect, page, 0, PROT_READ, 0) == 0);
    end();
}

static void test_memory_grows_shrinks_and_is_forgotten(void)
{
    uint8_t byte;
    begin();
    assert(call(SYS_mremap, page, PAGE_SIZE, 3 * PAGE_SIZE, MREMAP_MAYMOVE) == (int64_t)page);
    put(page + 3 * PAGE_SIZE - 1, "x", 1);
    assert(call(SYS_mremap, page, 3 * PAGE_SIZE, 2 * PAGE_SIZE, 0) == (int64_t)page);
    assert(call(SYS_write, 1, page + 2 * PAGE_SIZE, 1, 0) == -EFAULT);
    assert(call(SYS_mremap, page, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED) == -EINVAL);
    assert(call(SYS_mremap, page, UINT64_MAX, 1, 0) == -EINVAL);
    assert(call(SYS_mremap, page, 2 * PAGE_SIZE, 1ull << 40, MREMAP_MAYMOVE) == -ENOMEM);

    put(page, "x", 1);
    assert(call(SYS_madvise, page, PAGE_SIZE, MADV_FREE, 0) == 0);
    assert(call(SYS_madvise, page, PAGE_SIZE, MADV_DONTNEED, 0) == 0);
    get(&byte, page, 1);
    assert(byte == 0);
    assert(call(SYS_madvise, page, 1ull << 50, MADV_DONTNEED, 0) == -EINVAL ||
           call(SYS_madvise, page, 1ull << 50, MADV_DONTNEED, 0) == -ENOMEM);
    assert(call(SYS_munmap, page, PAGE_SIZE, 0, 0) == 0);
    assert(call(SYS_munmap, page, PAGE_SIZE, 0, 0) == 0); /* a hole, as Linux has it */
    assert(call(SYS_munmap, page + 1, PAGE_SIZE, 0, 0) == -EINVAL);
    int64_t start = call(SYS_brk, 0, 0, 0, 0);
    assert(call(SYS_brk, (uint64_t)start + 5000, 0, 0, 0) == start + 5000);
    end();
}

static void test_clocks_count_from_boot(void)
{
    struct timespec time;
    int64_t seconds;
    begin();
    fake_set_now_ns(5000000123);

    assert(call(SYS_clock_gettime, CLOCK_MONOTONIC, page, 0, 0) == 0);
    get(&time, page, sizeof(time));
    assert(time.tv_sec == 5 && time.tv_nsec == 123);
    assert(call(SYS_gettimeofday, page, 0, 0, 0) == 0);
    assert(call(SYS_time, page + 64, 0, 0, 0) == 5 && call(SYS_time, 0, 0, 0, 0) == 5);
    get(&seconds, page + 64, sizeof(seconds));
    assert(seconds == 5);
    assert(call(SYS_clock_gettime, 77, page, 0, 0) == -EINVAL);
    assert(call(SYS_clock_gettime, CLOCK_REALTIME, 64, 0, 0) == -EFAULT);
    assert(call(SYS_clock_getres, CLOCK_REALTIME, 0, 0, 0) == 0);
    end();
}

static void test_how_long_to_sleep_is_checked(void)
{
    const struct timespec good = { 2, 5 }, endless = { INT64_MAX, 0 }, negative = { -1, 0 },
                          too_fine = { 0, 1000000000 };
    uint64_t ns;
    begin();

    put(page, &good, sizeof(good));
    assert(linux_read_duration(&caller, page, &ns) == 0 && ns == 2000000005);
    put(page, &endless, sizeof(endless));
    assert(linux_read_duration(&caller, page, &ns) == 0 && ns > UINT64_MAX / 8 &&
           ns < UINT64_MAX / 2);
    put(page, &negative, sizeof(negative));
    assert(linux_read_duration(&caller, page, &ns) == -EINVAL);
    put(page, &too_fine, sizeof(too_fine));
    assert(linux_read_duration(&caller, page, &ns) == -EINVAL);
    assert(linux_read_duration(&caller, 64, &ns) == -EFAULT);
    end();
}

static void test_the_thread_pointer_cannot_be_the_nucleuss(void)
{
    uint64_t base = 0;
    begin();
    assert(call(SYS_arch_prctl, 0x1002, page, 0, 0) == 0);
    memcpy(&base, context.opaque + 8, sizeof(base));
    assert(base == page);
    assert(call(SYS_arch_prctl, 0x1002, 0xffffffff80000000, 0, 0) == -EPERM);
    assert(call(SYS_arch_prctl, 0x1002, 0x800000000000, 0, 0) == -EPERM);
    assert(call(SYS_arch_prctl, 0x1003, page + 8, 0, 0) == 0);
    get(&base, page + 8, sizeof(base));
    assert(base == page);
    assert(call(SYS_arch_prctl, 0x3001, 0, 0, 0) == -EINVAL);
    end();
}

static void test_exit_ends_the_thread_with_its_status(void)
{
    begin();
    put(page, "bye", 3);
    call(SYS_write, 1, page, 3, 0);

    call(SYS_exit_group, 3, 0, 0, 0);

    assert(caller.exited && !caller.aborted && caller.exit_status == 3);
    assert(strcmp(fake_log, "program test: bye\n") == 0);
    end();
}

static void test_abort_ends_it_as_aborted(void)
{
    begin();
    assert(call(SYS_rt_sigprocmask, SIG_BLOCK, page, page + 8, 8) == 0);
    assert(call(SYS_rt_sigaction, SIGABRT, 0, page, 8) == 0);
    assert(call(SYS_tkill, 42, 0, 0, 0) == 0 && call(SYS_tkill, 42, SIGCHLD, 0, 0) == 0);
    assert(!caller.exited);

    call(SYS_tgkill, 42, 42, SIGABRT, 0);

    assert(caller.exited && caller.aborted && caller.exit_status == 128 + SIGABRT);
    end();
}

static void test_what_start_up_code_asks_has_an_answer(void)
{
    uint64_t limit[2];
    struct utsname names;
    begin();
    assert(call(SYS_set_tid_address, page, 0, 0, 0) == 42 && call(SYS_getpid, 0, 0, 0, 0) == 42);
    assert(call(SYS_set_robust_list, page, 24, 0, 0) == 0);
    assert(call(SYS_rseq, page, 32, 0, 0) == -ENOSYS);
    assert(call(SYS_prlimit64, 0, 3, 0, page) == 0);
    get(limit, page, sizeof(limit));
    assert(limit[0] > 0);
    assert(call(SYS_prlimit64, 0, 3, page, 0) == -EPERM);
    assert(call(SYS_getuid, 0, 0, 0, 0) == 0 && call(SYS_sched_yield, 0, 0, 0, 0) == 0);
    assert(call(SYS_sched_getaffinity, 0, 128, page, 0) == 8);
    assert(call(SYS_futex, page, 128 /* private wait */, 0, 0) == -EAGAIN);
    assert(call(SYS_futex, page, 1, 1, 0) == 0);
    assert(call(SYS_uname, page, 0, 0, 0) == 0);
    get(&names, page, sizeof(names));
    assert(strcmp(names.machine, "x86_64") == 0);
    assert(call(SYS_getcwd, page, 100, 0, 0) == 2 && call(SYS_getcwd, page, 1, 0, 0) == -ERANGE);
    assert(fake_log[0] == '\0');
    end();
}

static void test_random_bytes_come_up_to_256_at_once(void)
{
    uint8_t first[32], second[32];
    begin();
    assert(call(SYS_getrandom, page, 32, 0, 0) == 32);
    get(first, page, 32);
    assert(call(SYS_getrandom, page, 32, 0, 0) == 32);
    get(second, page, 32);
    assert(memcmp(first, second, 32) != 0);
    assert(call(SYS_getrandom, page, 5000, 0, 0) == 256);
    assert(call(SYS_getrandom, page, 0, 0, 0) == 0);
    assert(call(SYS_getrandom, 16, 8, 0, 0) == -EFAULT);
    end();
}

static void test_an_unknown_call_is_refused_and_named_once(void)
{
    begin();
    assert(call(SYS_clone, 0, 0, 0, 0) == -ENOSYS && call(SYS_clone, 0, 0, 0, 0) == -ENOSYS);
    assert(call(SYS_nanosleep, page, 0, 0, 0) == -ENOSYS);
    assert(call(99999, 0, 0, 0, 0) == -ENOSYS && call(UINT64_MAX, 0, 0, 0, 0) == -ENOSYS);

    assert(strcmp(fake_log, "program test: call 56 is not built, answered ENOSYS\n"
                            "program test: call 35 is not built, answered ENOSYS\n"
                            "program test: call 99999 is not built, answered ENOSYS\n") == 0);
    end();
}

/* Any call with any arguments: an answer, no panic, and the space still in order. */
static void test_random_arguments_do_no_harm(void)
{
    begin();
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t arguments[6];
        for (unsigned at = 0; at < 6; at++) {
            uint64_t random = port_random_u64();
            const uint64_t choices[8] = {
                random,
                random % 16,
                page,
                page + random % 8192,
                random % 8 * PAGE_SIZE,
                UINT64_MAX - random % 64,
                (page & ~(uint64_t)0xfffff) + random % 256 * PAGE_SIZE,
                random % 0x7fff00000000,
            };
            arguments[at] = choices[port_random_u64() % 8];
        }
        uint64_t number = port_random_u64() % 340;
        linux_call(&caller, number, arguments);
        caller.exited = false;
        if (i % 1000 == 0) {
            fake_log_clear();
        }
    }
    for (const struct region *region = caller.space->first; region != NULL; region = region->next) {
        assert((region->rights & (PORT_WRITE | PORT_EXEC)) != (PORT_WRITE | PORT_EXEC));
    }
    end();
}

int main(void)
{
    test_output_comes_out_as_whole_lines();
    test_an_endless_line_is_cut();
    test_writev_gathers_and_stops_at_what_it_cannot_read();
    test_a_giant_write_is_short_so_that_the_lock_is_not_held_for_long();
    test_there_are_no_files();
    test_mmap_gives_anonymous_memory_only();
    test_mprotect_keeps_w_xor_x();
    test_memory_grows_shrinks_and_is_forgotten();
    test_clocks_count_from_boot();
    test_how_long_to_sleep_is_checked();
    test_the_thread_pointer_cannot_be_the_nucleuss();
    test_exit_ends_the_thread_with_its_status();
    test_abort_ends_it_as_aborted();
    test_what_start_up_code_asks_has_an_answer();
    test_random_bytes_come_up_to_256_at_once();
    test_an_unknown_call_is_refused_and_named_once();
    test_random_arguments_do_no_harm();
    return 0;
}
