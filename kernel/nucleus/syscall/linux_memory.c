/* linux_memory.c - brk, mmap and their kin, for the allocators of C libraries. */
#include "kernel/lib/string.h"
#include "kernel/nucleus/mem/space.h"
#include "kernel/nucleus/syscall/linux_calls.h"

#define LINUX_PROT_READ      1u
#define LINUX_PROT_WRITE     2u
#define LINUX_PROT_EXEC      4u
#define LINUX_MAP_FIXED      0x10u
#define LINUX_MAP_ANONYMOUS  0x20u
#define LINUX_MAP_NOREPLACE  0x100000u
#define LINUX_MREMAP_MAYMOVE 1u
#define LINUX_MADV_DONTNEED  4

static int64_t error_number(enum kerr status)
{
    switch (status) {
    case KERR_OK:
        return 0;
    case KERR_NO_MEMORY:
        return LINUX_ENOMEM;
    case KERR_NOT_PERMITTED:
        return LINUX_EACCES;
    default:
        return LINUX_EINVAL;
    }
}

/* Writable implies readable, as the hardware has it. */
static unsigned rights_of(uint64_t prot)
{
    return ((prot & 7) != 0 ? PORT_READ : 0u) | ((prot & LINUX_PROT_WRITE) != 0 ? PORT_WRITE : 0u) |
           ((prot & LINUX_PROT_EXEC) != 0 ? PORT_EXEC : 0u);
}

int64_t linux_brk(struct linux_caller *caller, const uint64_t arguments[6])
{
    return (int64_t)space_brk(caller->space, arguments[0]);
}

/* Only anonymous memory. Shared or private is the same: nobody forks. Never executable: it would stay zero. */
int64_t linux_mmap(struct linux_caller *caller, const uint64_t arguments[6])
{
    uint64_t bytes = arguments[1];
    unsigned rights = rights_of(arguments[2]);
    uint64_t flags = arguments[3];
    vaddr_t address = vaddr(arguments[0]);
    enum kerr status;

    if ((flags & LINUX_MAP_ANONYMOUS) == 0) {
        return LINUX_ENODEV;
    }
    if (bytes == 0) {
        return LINUX_EINVAL;
    }
    if ((rights & PORT_EXEC) != 0) {
        return LINUX_EACCES;
    }
    if ((flags & LINUX_MAP_NOREPLACE) != 0) {
        status = space_map_at(caller->space, REGION_MMAP, address, bytes, rights);
    } else if ((flags & LINUX_MAP_FIXED) != 0) {
        status = space_mmap_fixed(caller->space, address, bytes, rights);
    } else {
        status = space_map_anonymous(caller->space, REGION_MMAP, bytes, rights, &address);
    }
    return status == KERR_OK ? (int64_t)address.value : error_number(status);
}

int64_t linux_munmap(struct linux_caller *caller, const uint64_t arguments[6])
{
    return error_number(space_unmap(caller->space, vaddr(arguments[0]), arguments[1]));
}

int64_t linux_mprotect(struct linux_caller *caller, const uint64_t arguments[6])
{
    if (arguments[1] == 0) {
        return 0;
    }
    enum kerr status =
        space_protect(caller->space, vaddr(arguments[0]), arguments[1], rights_of(arguments[2]));
    return status == KERR_BAD_ADDRESS ? LINUX_ENOMEM : error_number(status);
}

/* Grow and shrink in place; never moves, after which allocators copy by themselves. */
int64_t linux_mremap(struct linux_caller *caller, const uint64_t arguments[6])
{
    vaddr_t address = vaddr(arguments[0]);
    uint64_t old_bytes = arguments[1];
    uint64_t new_bytes = arguments[2];
    enum kerr status;

    if ((arguments[3] & ~(uint64_t)LINUX_MREMAP_MAYMOVE) != 0 || old_bytes == 0 || new_bytes == 0 ||
        old_bytes > SPACE_STACK_END || new_bytes > SPACE_STACK_END) {
        return LINUX_EINVAL;
    }
    uint64_t old_pages = round_up_u64(old_bytes, PAGE_SIZE);
    uint64_t new_pages = round_up_u64(new_bytes, PAGE_SIZE);
    if (new_pages < old_pages) {
        status =
            space_unmap(caller->space, vaddr(address.value + new_pages), old_pages - new_pages);
    } else {
        status = space_grow(caller->space, address, old_pages, new_pages);
    }
    return status == KERR_OK ? (int64_t)address.value : error_number(status);
}

/* Advice that memory is not needed promises zeros to the next reader; all other advice changes nothing. */
int64_t linux_madvise(struct linux_caller *caller, const uint64_t arguments[6])
{
    static const uint8_t zeros[512];
    uint64_t address = arguments[0];
    uint64_t bytes = arguments[1];

    if (arguments[2] != LINUX_MADV_DONTNEED || bytes == 0) {
        return 0;
    }
    if (address % PAGE_SIZE != 0 || bytes > SPACE_STACK_END) {
        return LINUX_EINVAL;
    }
    bytes = round_up_u64(bytes, PAGE_SIZE);
    if (space_check(caller->space, (uaddr_t){ address }, bytes, PORT_WRITE) != KERR_OK) {
        return LINUX_ENOMEM;
    }
    for (uint64_t done = 0; done < bytes; done += sizeof(zeros)) {
        space_copy_out(caller->space, (uaddr_t){ address + done }, zeros, sizeof(zeros));
    }
    return 0;
}
