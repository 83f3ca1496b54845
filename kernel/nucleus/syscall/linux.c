/* linux.c - from a Linux call number to its function. */
#include "kernel/nucleus/syscall/linux.h"

#include "kernel/nucleus/log.h"
#include "kernel/nucleus/mem/space.h"
#include "kernel/nucleus/syscall/linux_calls.h"

static int64_t answer_zero(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)caller, (void)arguments;
    return 0;
}

static int64_t answer_no_such_file(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)caller, (void)arguments;
    return LINUX_ENOENT;
}

static int64_t answer_not_here(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)caller, (void)arguments;
    return LINUX_ENOSYS;
}

/* By number in arch/x86/entry/syscalls/syscall_64.tbl of Linux. */
static linux_call_fn *const calls[] = {
    [0] = linux_read,
    [1] = linux_write,
    [2] = answer_no_such_file, /* open */
    [3] = linux_close,
    [4] = answer_no_such_file, /* stat */
    [5] = linux_fstat,
    [6] = answer_no_such_file, /* lstat */
    [8] = linux_lseek,
    [9] = linux_mmap,
    [10] = linux_mprotect,
    [11] = linux_munmap,
    [12] = linux_brk,
    [13] = linux_rt_sigaction,
    [14] = linux_rt_sigprocmask,
    [16] = linux_ioctl,
    [20] = linux_writev,
    [21] = answer_no_such_file, /* access */
    [24] = answer_zero,         /* sched_yield */
    [25] = linux_mremap,
    [28] = linux_madvise,
    [39] = linux_thread_id, /* getpid */
    [60] = linux_exit,
    [62] = linux_kill,
    [63] = linux_uname,
    [72] = linux_fcntl,
    [79] = linux_getcwd,
    [89] = answer_no_such_file, /* readlink */
    [96] = linux_gettimeofday,
    [102] = answer_zero, /* getuid */
    [104] = answer_zero, /* getgid */
    [107] = answer_zero, /* geteuid */
    [108] = answer_zero, /* getegid */
    [110] = answer_zero, /* getppid */
    [131] = answer_zero, /* sigaltstack */
    [158] = linux_arch_prctl,
    [186] = linux_thread_id, /* gettid */
    [200] = linux_kill,      /* tkill */
    [201] = linux_time,
    [202] = linux_futex,
    [204] = linux_sched_getaffinity,
    [218] = linux_thread_id, /* set_tid_address */
    [228] = linux_clock_gettime,
    [229] = linux_clock_getres,
    [231] = linux_exit, /* exit_group */
    [234] = linux_tgkill,
    [257] = answer_no_such_file, /* openat */
    [262] = linux_newfstatat,
    [267] = answer_no_such_file, /* readlinkat */
    [273] = answer_zero,         /* set_robust_list */
    [302] = linux_prlimit64,
    [318] = linux_getrandom,
    [334] = answer_not_here, /* rseq: C libraries ask, and do without */
};

#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))

static void complain_once(struct linux_caller *caller, uint64_t number)
{
    uint64_t bit = number < LINUX_UNKNOWN_WORDS * 64 ? number : LINUX_UNKNOWN_WORDS * 64 - 1;
    uint64_t mask = 1ull << bit % 64;

    if ((caller->complained[bit / 64] & mask) == 0) {
        caller->complained[bit / 64] |= mask;
        log_line(caller->who, "call %llu is not built, answered ENOSYS",
                 (unsigned long long)number);
    }
}

int64_t linux_call(struct linux_caller *caller, uint64_t number, const uint64_t arguments[6])
{
    if (number < CALL_COUNT && calls[number] != NULL) {
        return calls[number](caller, arguments);
    }
    complain_once(caller, number);
    return LINUX_ENOSYS;
}

int64_t linux_give(struct linux_caller *caller, uint64_t address, const void *data, size_t bytes)
{
    bool done = space_copy_out(caller->space, (uaddr_t){ address }, data, bytes) == KERR_OK;
    return done ? 0 : LINUX_EFAULT;
}
