/* linux_time.c - clocks. All count from boot: the system has no notion of the date yet. */
#include "kernel/nucleus/mem/space.h"
#include "kernel/nucleus/syscall/linux_calls.h"

#define NS_PER_SECOND 1000000000u
#define MAX_CLOCK     11u /* CLOCK_TAI */

struct linux_timespec {
    int64_t seconds, nanoseconds;
};
_Static_assert(sizeof(struct linux_timespec) == 16, "struct timespec and struct timeval");

int64_t linux_clock_gettime(struct linux_caller *caller, const uint64_t arguments[6])
{
    uint64_t now_ns = port_now_ns();
    struct linux_timespec time = { (int64_t)(now_ns / NS_PER_SECOND),
                                   (int64_t)(now_ns % NS_PER_SECOND) };

    if ((uint32_t)arguments[0] > MAX_CLOCK) {
        return LINUX_EINVAL;
    }
    return linux_give(caller, arguments[1], &time, sizeof(time));
}

int64_t linux_read_duration(const struct linux_caller *caller, uint64_t address, uint64_t *ns)
{
    struct linux_timespec time;

    if (space_copy_in(caller->space, &time, (uaddr_t){ address }, sizeof(time)) != KERR_OK) {
        return LINUX_EFAULT;
    }
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= NS_PER_SECOND) {
        return LINUX_EINVAL;
    }
    uint64_t most_seconds = (UINT64_MAX / 4) / NS_PER_SECOND; /* as good as for ever */
    uint64_t seconds =
        (uint64_t)time.seconds < most_seconds ? (uint64_t)time.seconds : most_seconds;
    *ns = seconds * NS_PER_SECOND + (uint64_t)time.nanoseconds;
    return 0;
}

int64_t linux_clock_getres(struct linux_caller *caller, const uint64_t arguments[6])
{
    static const struct linux_timespec resolution = { 0, 1 };

    if ((uint32_t)arguments[0] > MAX_CLOCK) {
        return LINUX_EINVAL;
    }
    return arguments[1] == 0 ? 0
                             : linux_give(caller, arguments[1], &resolution, sizeof(resolution));
}

int64_t linux_gettimeofday(struct linux_caller *caller, const uint64_t arguments[6])
{
    uint64_t now_us = port_now_ns() / 1000;
    struct linux_timespec time = { (int64_t)(now_us / 1000000), (int64_t)(now_us % 1000000) };

    return arguments[0] == 0 ? 0 : linux_give(caller, arguments[0], &time, sizeof(time));
}

int64_t linux_time(struct linux_caller *caller, const uint64_t arguments[6])
{
    int64_t seconds = (int64_t)(port_now_ns() / NS_PER_SECOND);

    if (arguments[0] != 0 && linux_give(caller, arguments[0], &seconds, sizeof(seconds)) != 0) {
        return LINUX_EFAULT;
    }
    return seconds;
}
