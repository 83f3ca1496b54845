/* console.c - the debug console (port 0xe9), the serial control channel (16550 at COM1), fw_cfg (QEMU docs/specs/fw_cfg), the exit port. */
#include "kernel/arch/x86_64/arch.h"
#include "kernel/lib/string.h"

#define DEBUG_PORT   0xe9
#define EXIT_PORT    0xf4
#define COM1         0x3f8
#define LSR_DATA     1u
#define LSR_EMPTY    0x20u
#define LSR_IDLE     0x40u /* nor is a byte on its way */
#define DRAIN_NS     5000000000u
#define FIFO_BYTES   16u
#define FW_SELECT    0x510
#define FW_DMA_HIGH  0x514
#define FW_DMA_LOW   0x518
#define FW_DIRECTORY 0x19u
#define FW_READ      2u
#define FW_SKIP      4u
#define FW_CHOOSE    8u
#define FW_ERROR     1u

void port_log(const char *text, size_t length)
{
    __asm__ volatile("rep outsb" : "+S"(text), "+c"(length) : "d"((uint16_t)DEBUG_PORT) : "memory");
}

/* What lies in the serial port's own buffer goes with the machine; but who never reads does not keep it from ending. */
static void drain_serial(void)
{
    const uint64_t until_ns = port_now_ns() + DRAIN_NS;

    while ((inb(COM1 + 5) & LSR_IDLE) == 0 && port_now_ns() < until_ns) {
        port_relax();
    }
}

void port_exit(uint8_t code)
{
    drain_serial();
    outb(EXIT_PORT, code);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void serial_setup(void)
{
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x80);
    outb(COM1 + 0, 1);
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3);
    outb(COM1 + 2, 0xc7);
    outb(COM1 + 4, 0x0b);
    outb(COM1 + 1, 1); /* an interrupt when bytes arrive */
}

void port_control_write(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    while (length > 0) {
        while ((inb(COM1 + 5) & LSR_EMPTY) == 0) {
            port_relax();
        }
        size_t burst = length < FIFO_BYTES ? length : FIFO_BYTES;
        for (size_t i = 0; i < burst; i++) {
            outb(COM1, bytes[i]);
        }
        bytes += burst;
        length -= burst;
    }
}

size_t port_control_read(void *data, size_t capacity)
{
    uint8_t *bytes = data;
    size_t count = 0;
    while (count < capacity && (inb(COM1 + 5) & LSR_DATA) != 0) {
        bytes[count++] = inb(COM1);
    }
    return count;
}

struct fw_access {
    uint32_t control;
    uint32_t length;
    uint64_t address;
};
struct fw_file {
    uint32_t size;
    uint16_t select, reserved;
    char name[56];
};

static uint64_t physical_of(const void *address)
{
    uint64_t value = (uint64_t)(uintptr_t)address;
    paddr_t frame;
    unsigned prot;
    if (value >= DIRECT_MAP_BASE && value < MMIO_BASE) {
        return value - DIRECT_MAP_BASE;
    }
    bool mapped =
        port_space_query(port_space_kernel_root(), vaddr(value & ~0xfffull), &frame, &prot);
    KASSERT(mapped, "fw_cfg buffer 0x%llx", (unsigned long long)value);
    return frame.value + (value & 0xfff);
}

/* One DMA transfer that does not cross a page. fw_cfg is no PCI device: the IOMMU does not apply to it. */
static bool fw_transfer(uint32_t control, void *buffer, uint32_t length)
{
    _Alignas(64) volatile struct fw_access access;
    access.control = __builtin_bswap32(control);
    access.length = __builtin_bswap32(length);
    access.address = __builtin_bswap64(buffer == NULL ? 0 : physical_of(buffer));
    uint64_t at = physical_of((const void *)&access);
    outl(FW_DMA_HIGH, __builtin_bswap32((uint32_t)(at >> 32)));
    outl(FW_DMA_LOW, __builtin_bswap32((uint32_t)at));
    while ((__builtin_bswap32(access.control) & ~FW_ERROR) != 0) {
        port_relax();
    }
    return (__builtin_bswap32(access.control) & FW_ERROR) == 0;
}

static bool fw_read(void *to, uint64_t length)
{
    uint8_t *bytes = to;
    while (length > 0) {
        uint64_t room = PAGE_SIZE - ((uint64_t)(uintptr_t)bytes & (PAGE_SIZE - 1));
        uint32_t part = (uint32_t)(length < room ? length : room);
        if (!fw_transfer(FW_READ, bytes, part)) {
            return false;
        }
        bytes += part;
        length -= part;
    }
    return true;
}

static bool find_file(const char *name, struct fw_file *file)
{
    uint32_t count;
    if (!fw_transfer(FW_DIRECTORY << 16 | FW_CHOOSE, NULL, 0) || !fw_read(&count, sizeof(count))) {
        return false;
    }
    for (uint32_t i = 0; i < __builtin_bswap32(count); i++) {
        if (!fw_read(file, sizeof(*file))) {
            return false;
        }
        if (strncmp(file->name, name, sizeof(file->name)) == 0) {
            return true;
        }
    }
    return false;
}

uint64_t port_firmware_file_size(const char *name)
{
    struct fw_file file;
    return find_file(name, &file) ? __builtin_bswap32(file.size) : 0;
}

bool port_firmware_file_read(const char *name, uint64_t offset, void *buffer, size_t length)
{
    struct fw_file file;
    if (!find_file(name, &file)) {
        return false;
    }
    uint32_t select = __builtin_bswap16(file.select);
    return fw_transfer(select << 16 | FW_CHOOSE, NULL, 0) &&
           fw_transfer(FW_SKIP, NULL, (uint32_t)offset) && fw_read(buffer, length);
}
