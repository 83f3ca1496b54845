/* linux_thread.c - who the caller is, how it ends, and signals, which never come from outside. */
#include "kernel/lib/string.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/mem/space.h"
#include "kernel/nucleus/syscall/linux_calls.h"

#define LINUX_ARCH_SET_FS   0x1002
#define LINUX_ARCH_GET_FS   0x1003
#define LINUX_FUTEX_WAIT    0
#define LINUX_FUTEX_WAKE    1
#define LINUX_FUTEX_COMMAND 0x7f
#define LINUX_RLIMIT_STACK  3
#define LINUX_UNLIMITED     UINT64_MAX
#define LINUX_MAX_SIGNAL    64
#define LINUX_SIGSET_BYTES  8
#define MAX_RANDOM_BYTES    256u

int64_t linux_arch_prctl(struct linux_caller *caller, const uint64_t arguments[6])
{
    switch (arguments[0]) {
    case LINUX_ARCH_SET_FS:
        /* An address of the upper half would fault in the nucleus, when it is loaded. */
        if (arguments[1] >= SPACE_STACK_END) {
            return LINUX_EPERM;
        }
        caller->fs_base = arguments[1];
        port_context_set_fs_base(caller->context, arguments[1]);
        return 0;
    case LINUX_ARCH_GET_FS:
        return linux_give(caller, arguments[1], &caller->fs_base, sizeof(caller->fs_base));
    default:
        return LINUX_EINVAL;
    }
}

/* getpid(), gettid() and set_tid_address() all say the same: a program is one thread. */
int64_t linux_thread_id(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)arguments;
    return caller->thread_id;
}

/* ---- the end ---- */

int64_t linux_exit(struct linux_caller *caller, const uint64_t arguments[6])
{
    linux_flush(caller);
    caller->exited = true;
    caller->exit_status = (int)(arguments[0] & 0xff);
    return 0;
}

static int64_t send_signal(struct linux_caller *caller, uint64_t signal)
{
    /* What is ignored by default: SIGCHLD, SIGCONT, SIGURG, SIGWINCH; 0 only asks whether it could be sent. */
    bool is_ignored = signal == 0 || signal == 17 || signal == 18 || signal == 23 || signal == 28;

    if (signal > LINUX_MAX_SIGNAL) {
        return LINUX_EINVAL;
    }
    if (!is_ignored) {
        linux_flush(caller);
        caller->exited = true;
        caller->aborted = true;
        caller->exit_status = 128 + (int)signal;
    }
    return 0;
}

/* kill() and tkill(), to itself whoever is named: there is nobody else. */
int64_t linux_kill(struct linux_caller *caller, const uint64_t arguments[6])
{
    return send_signal(caller, arguments[1]);
}

int64_t linux_tgkill(struct linux_caller *caller, const uint64_t arguments[6])
{
    return send_signal(caller, arguments[2]);
}

/* Handlers and masks are accepted and have no effect; what they were is always the default. */
int64_t linux_rt_sigaction(struct linux_caller *caller, const uint64_t arguments[6])
{
    static const uint8_t by_default[24 + LINUX_SIGSET_BYTES];

    if (arguments[0] == 0 || arguments[0] > LINUX_MAX_SIGNAL ||
        arguments[3] != LINUX_SIGSET_BYTES) {
        return LINUX_EINVAL;
    }
    return arguments[2] == 0 ? 0 : linux_give(caller, arguments[2], by_default, sizeof(by_default));
}

int64_t linux_rt_sigprocmask(struct linux_caller *caller, const uint64_t arguments[6])
{
    static const uint8_t nothing_blocked[LINUX_SIGSET_BYTES];

    if (arguments[3] != LINUX_SIGSET_BYTES) {
        return LINUX_EINVAL;
    }
    return arguments[2] == 0
               ? 0
               : linux_give(caller, arguments[2], nothing_blocked, LINUX_SIGSET_BYTES);
}

/* ---- what it runs on ---- */

/* There is no second thread: nobody to wake, and a wait would be for ever, so it says "the value has changed". */
int64_t linux_futex(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)caller;
    switch (arguments[1] & LINUX_FUTEX_COMMAND) {
    case LINUX_FUTEX_WAIT:
        return LINUX_EAGAIN;
    case LINUX_FUTEX_WAKE:
        return 0;
    default:
        return LINUX_ENOSYS;
    }
}

/* One CPU, so that no library starts threads. */
int64_t linux_sched_getaffinity(struct linux_caller *caller, const uint64_t arguments[6])
{
    static const uint64_t mask = 1;

    if (arguments[1] < sizeof(mask)) {
        return LINUX_EINVAL;
    }
    int64_t status = linux_give(caller, arguments[2], &mask, sizeof(mask));
    return status == 0 ? (int64_t)sizeof(mask) : status;
}

int64_t linux_uname(struct linux_caller *caller, const uint64_t arguments[6])
{
    static const struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } names = { "Linux", "kwe", "6.1.0", "KWE", "x86_64", "(none)" };
    _Static_assert(sizeof(names) == 390, "struct utsname");

    return linux_give(caller, arguments[0], &names, sizeof(names));
}

int64_t linux_prlimit64(struct linux_caller *caller, const uint64_t arguments[6])
{
    uint64_t limit[2] = { LINUX_UNLIMITED, LINUX_UNLIMITED };

    if (arguments[2] != 0) {
        return LINUX_EPERM;
    }
    if (arguments[1] == LINUX_RLIMIT_STACK) {
        const struct region *stack = space_find(caller->space, port_context_stack(caller->context));
        limit[0] = limit[1] = stack == NULL ? PAGE_SIZE : stack->end - stack->begin;
    }
    return arguments[3] == 0 ? 0 : linux_give(caller, arguments[3], limit, sizeof(limit));
}

/* At most 256 bytes a call, as Linux promises to give at once; callers ask again for more. */
int64_t linux_getrandom(struct linux_caller *caller, const uint64_t arguments[6])
{
    uint64_t random[MAX_RANDOM_BYTES / 8];
    uint64_t bytes = arguments[1] < MAX_RANDOM_BYTES ? arguments[1] : MAX_RANDOM_BYTES;

    for (size_t i = 0; i < (bytes + 7) / 8; i++) {
        random[i] = port_random_u64();
    }
    int64_t status = linux_give(caller, arguments[0], random, bytes);
    return status == 0 ? (int64_t)bytes : status;
}
