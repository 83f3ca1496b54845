/* linux_files.c - descriptors 1 and 2 are log lines, 0 is at its end, and there are no others. */
#include "kernel/lib/string.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/mem/space.h"
#include "kernel/nucleus/syscall/linux_calls.h"

/* for one call, since the lock is held: the rest is another call's */
#define MAX_WRITE_BYTES     (64u << 10)
#define MAX_VECTOR          1024u
#define LINUX_S_IFCHR       0020000u
#define LINUX_AT_EMPTY_PATH 0x1000u
#define LINUX_TIOCGWINSZ    0x5413u
#define LINUX_F_GETFD       1
#define LINUX_F_GETFL       3
#define LINUX_O_RDWR        2

struct linux_stat {
    uint64_t device, inode, links;
    uint32_t mode, user, group, padding;
    uint64_t special_device;
    int64_t bytes, block_bytes, blocks;
    uint64_t times[6];
    int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat of x86-64 Linux");

struct linux_iovec {
    uint64_t address, bytes;
};

static bool is_output(uint64_t descriptor)
{
    return descriptor == 1 || descriptor == 2;
}

/* ---- output ---- */

void linux_flush(struct linux_caller *caller)
{
    if (caller->line_length > 0) {
        log_text(caller->who, caller->line, caller->line_length);
        caller->line_length = 0;
    }
}

static void add_text(struct linux_caller *caller, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            linux_flush(caller);
            continue;
        }
        if (caller->line_length == LINUX_LINE_MAX) {
            linux_flush(caller);
        }
        caller->line[caller->line_length++] = text[i];
    }
}

/* Returns how many bytes were taken, or -EFAULT. */
static int64_t write_out(struct linux_caller *caller, uint64_t address, uint64_t bytes)
{
    char chunk[256];
    uint64_t wanted = bytes < MAX_WRITE_BYTES ? bytes : MAX_WRITE_BYTES;

    for (uint64_t done = 0; done < wanted;) {
        uint64_t part = wanted - done < sizeof(chunk) ? wanted - done : sizeof(chunk);
        if (space_copy_in(caller->space, chunk, (uaddr_t){ address + done }, part) != KERR_OK) {
            return done > 0 ? (int64_t)done : LINUX_EFAULT;
        }
        add_text(caller, chunk, part);
        done += part;
    }
    return (int64_t)wanted;
}

int64_t linux_write(struct linux_caller *caller, const uint64_t arguments[6])
{
    if (!is_output(arguments[0])) {
        return LINUX_EBADF;
    }
    return write_out(caller, arguments[1], arguments[2]);
}

int64_t linux_writev(struct linux_caller *caller, const uint64_t arguments[6])
{
    uint64_t count = arguments[2];
    int64_t total = 0;

    if (!is_output(arguments[0])) {
        return LINUX_EBADF;
    }
    if (count > MAX_VECTOR) {
        return LINUX_EINVAL;
    }
    for (uint64_t i = 0; i < count && total < MAX_WRITE_BYTES; i++) {
        struct linux_iovec part;
        uaddr_t from = { arguments[1] + i * sizeof(part) };
        int64_t written = LINUX_EFAULT;
        if (space_copy_in(caller->space, &part, from, sizeof(part)) == KERR_OK) {
            written = write_out(caller, part.address, part.bytes);
        }
        if (written < 0) {
            return total > 0 ? total : written;
        }
        total += written;
        if ((uint64_t)written < part.bytes) {
            break; /* a short write: what follows must not be taken before the rest of this */
        }
    }
    return total;
}

/* ---- the rest ---- */

int64_t linux_read(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)caller;
    return arguments[0] == 0 ? 0 : LINUX_EBADF;
}

int64_t linux_close(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)caller;
    return arguments[0] <= 2 ? 0 : LINUX_EBADF;
}

int64_t linux_lseek(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)caller;
    return arguments[0] <= 2 ? LINUX_ESPIPE : LINUX_EBADF;
}

int64_t linux_fcntl(struct linux_caller *caller, const uint64_t arguments[6])
{
    (void)caller;
    if (arguments[0] > 2) {
        return LINUX_EBADF;
    }
    switch (arguments[1]) {
    case LINUX_F_GETFD:
        return 0;
    case LINUX_F_GETFL:
        return LINUX_O_RDWR;
    default:
        return LINUX_EINVAL;
    }
}

/* A window of no known size, and no other terminal: musl then writes out each line of stdout when it is complete. */
int64_t linux_ioctl(struct linux_caller *caller, const uint64_t arguments[6])
{
    static const uint16_t window[4];

    if (arguments[0] > 2) {
        return LINUX_EBADF;
    }
    if (is_output(arguments[0]) && (uint32_t)arguments[1] == LINUX_TIOCGWINSZ) {
        return linux_give(caller, arguments[2], window, sizeof(window));
    }
    return LINUX_ENOTTY;
}

static int64_t give_stat(struct linux_caller *caller, uint64_t descriptor, uint64_t address)
{
    if (descriptor > 2) {
        return LINUX_EBADF;
    }
    const struct linux_stat stat = {
        .inode = descriptor + 1, .links = 1, .mode = LINUX_S_IFCHR | 0620u, .block_bytes = 1024
    };
    return linux_give(caller, address, &stat, sizeof(stat));
}

int64_t linux_fstat(struct linux_caller *caller, const uint64_t arguments[6])
{
    return give_stat(caller, arguments[0], arguments[1]);
}

/* fstat() of newer C libraries: an empty path beside the descriptor. No path names anything. */
int64_t linux_newfstatat(struct linux_caller *caller, const uint64_t arguments[6])
{
    char path[1];
    bool is_empty = space_copy_in_string(caller->space, path, sizeof(path),
                                         (uaddr_t){ arguments[1] }) == KERR_OK;

    if ((arguments[3] & LINUX_AT_EMPTY_PATH) == 0 || !is_empty) {
        return LINUX_ENOENT;
    }
    return give_stat(caller, arguments[0], arguments[2]);
}

int64_t linux_getcwd(struct linux_caller *caller, const uint64_t arguments[6])
{
    static const char path[] = "/";
    if (arguments[1] < sizeof(path)) {
        return LINUX_ERANGE;
    }
    int64_t status = linux_give(caller, arguments[0], path, sizeof(path));
    return status == 0 ? (int64_t)sizeof(path) : status;
}
