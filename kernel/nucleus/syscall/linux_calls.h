/* linux_calls.h - the Linux-numbered calls, one function each, and what they share. See linux.h. */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/nucleus/syscall/linux.h"

/* Linux's own error numbers, which C libraries expect (negative). */
#define LINUX_EPERM  (-1)
#define LINUX_ENOENT (-2)
#define LINUX_EBADF  (-9)
#define LINUX_EAGAIN (-11)
#define LINUX_ENOMEM (-12)
#define LINUX_EACCES (-13)
#define LINUX_EFAULT (-14)
#define LINUX_ENODEV (-19)
#define LINUX_EINVAL (-22)
#define LINUX_ENOTTY (-25)
#define LINUX_ESPIPE (-29)
#define LINUX_ERANGE (-34)
#define LINUX_ENOSYS (-38)

/* Arguments as in the registers; a result, or a negative error number. */
typedef int64_t linux_call_fn(struct linux_caller *caller, const uint64_t arguments[6]);

/* linux_memory.c */
linux_call_fn linux_brk, linux_mmap, linux_munmap, linux_mprotect, linux_mremap, linux_madvise;
/* linux_files.c: descriptors 0, 1 and 2; there are no others */
linux_call_fn linux_read, linux_write, linux_writev, linux_close, linux_fstat, linux_newfstatat,
    linux_lseek, linux_fcntl, linux_ioctl, linux_getcwd;
/* linux_time.c */
linux_call_fn linux_clock_gettime, linux_clock_getres, linux_gettimeofday, linux_time;
/* linux_thread.c: who the caller is, its end, signals that never come */
linux_call_fn linux_arch_prctl, linux_thread_id, linux_exit, linux_kill, linux_tgkill,
    linux_rt_sigaction, linux_rt_sigprocmask, linux_futex, linux_sched_getaffinity, linux_uname,
    linux_prlimit64, linux_getrandom;

/* 0, or -EFAULT: the address is not the caller's to write to. */
int64_t linux_give(struct linux_caller *caller, uint64_t address, const void *data, size_t bytes);
