/* pci.c - PCI configuration (PCI 3.0 by ports 0xcf8/0xcfc), MSI-X (6.8.2), and a device's own reset. All of it is the nucleus's alone. */
#include "kernel/arch/x86_64/arch.h"
#include "kernel/lib/string.h"

#define COMMAND           0x04
#define COMMAND_MEMORY    2u
#define COMMAND_MASTER    4u
#define COMMAND_NO_INTX   0x400u
#define STATUS_HAS_LIST   (1u << 20)
#define CAPABILITY_MSIX   0x11
#define CAPABILITY_VENDOR 0x09
#define MSIX_ENABLE       (1u << 31)
#define VIRTIO_COMMON     1
#define VIRTIO_STATUS     0x14
#define QUIESCE_NS        100000000u

struct device {
    struct port_pci_device public;
    uint8_t msix_capability;
    volatile uint32_t *msix_table;
    volatile uint8_t *virtio_common;
};

static struct device devices[MAX_PCI_DEVICES];
static unsigned device_count;

static uint32_t config_read(uint8_t bus, uint8_t slot, uint8_t function, unsigned offset)
{
    outl(0xcf8, 0x80000000u | (uint32_t)bus << 16 | (uint32_t)slot << 11 | (uint32_t)function << 8 |
                    (offset & 0xfc));
    return inl(0xcfc);
}

static void config_write(uint8_t bus, uint8_t slot, uint8_t function, unsigned offset,
                         uint32_t value)
{
    outl(0xcf8, 0x80000000u | (uint32_t)bus << 16 | (uint32_t)slot << 11 | (uint32_t)function << 8 |
                    (offset & 0xfc));
    outl(0xcfc, value);
}

static uint32_t read_of(const struct device *device, unsigned offset)
{
    return config_read(device->public.bus, device->public.slot, device->public.function, offset);
}

static void write_of(const struct device *device, unsigned offset, uint32_t value)
{
    config_write(device->public.bus, device->public.slot, device->public.function, offset, value);
}

/* Sizes: write all ones, see which bits stick. Decoding is off meanwhile. */
static void read_bars(struct device *device)
{
    uint32_t command = read_of(device, COMMAND);
    write_of(device, COMMAND, command & ~3u & 0xffffu);
    for (unsigned i = 0; i < PORT_PCI_BARS; i++) {
        unsigned offset = 0x10 + 4 * i;
        uint32_t low = read_of(device, offset);
        if ((low & 1) != 0) {
            continue;
        }
        bool wide = (low & 6) == 4 && i + 1 < PORT_PCI_BARS;
        uint32_t high = wide ? read_of(device, offset + 4) : 0;
        write_of(device, offset, 0xffffffffu);
        uint64_t mask = read_of(device, offset) & ~0xfu;
        if (wide) {
            write_of(device, offset + 4, 0xffffffffu);
            mask |= (uint64_t)read_of(device, offset + 4) << 32;
            write_of(device, offset + 4, high);
        } else if (mask != 0) {
            mask |= 0xffffffff00000000ull;
        }
        write_of(device, offset, low);
        uint64_t base = (uint64_t)high << 32 | (low & ~0xfu);
        if (mask != 0 && base != 0) {
            device->public.bar[i] =
                (struct port_pci_bar){ .base = paddr(base), .size_bytes = ~mask + 1 };
        }
        i += wide ? 1 : 0;
    }
    write_of(device, COMMAND,
             (command & 0xffff & ~COMMAND_MASTER) | COMMAND_MEMORY | COMMAND_NO_INTX);
}

static void mark_msix(struct port_pci_bar *bar, uint64_t from, uint64_t bytes)
{
    uint64_t begin = from & ~(uint64_t)(PAGE_SIZE - 1);
    uint64_t end = round_up_u64(from + bytes, PAGE_SIZE);
    if (!bar->has_msix_table) {
        *bar = (struct port_pci_bar){ bar->base, bar->size_bytes, true, begin, end };
        return;
    }
    bar->msix_begin = begin < bar->msix_begin ? begin : bar->msix_begin;
    bar->msix_end = end > bar->msix_end ? end : bar->msix_end;
}

static void read_msix(struct device *device, unsigned at)
{
    uint32_t head = read_of(device, at);
    uint32_t table = read_of(device, at + 4);
    uint32_t pending = read_of(device, at + 8);
    uint32_t count = (head >> 16 & 0x7ff) + 1;

    if ((table & 7) >= PORT_PCI_BARS || (pending & 7) >= PORT_PCI_BARS ||
        device->public.bar[table & 7].size_bytes == 0) {
        return;
    }
    device->msix_capability = (uint8_t)at;
    device->public.msix_count = (uint16_t)count;
    mark_msix(&device->public.bar[table & 7], table & ~7u, count * 16);
    mark_msix(&device->public.bar[pending & 7], pending & ~7u, (count + 63) / 64 * 8);
    device->msix_table =
        map_mmio(device->public.bar[table & 7].base.value + (table & ~7u), count * 16);
}

static void read_capabilities(struct device *device)
{
    if ((read_of(device, COMMAND) & STATUS_HAS_LIST) == 0) {
        return;
    }
    unsigned at = read_of(device, 0x34) & 0xfc;
    for (unsigned steps = 0; at >= 0x40 && steps < 48; steps++) {
        uint32_t head = read_of(device, at);
        if ((head & 0xff) == CAPABILITY_MSIX) {
            read_msix(device, at);
        } else if ((head & 0xff) == CAPABILITY_VENDOR && device->public.vendor == 0x1af4 &&
                   head >> 24 == VIRTIO_COMMON) {
            unsigned bar = read_of(device, at + 4) & 0xff;
            uint32_t offset = read_of(device, at + 8);
            if (bar < PORT_PCI_BARS && device->public.bar[bar].size_bytes > offset + 64ull) {
                device->virtio_common = map_mmio(device->public.bar[bar].base.value + offset, 64);
            }
        }
        at = head >> 8 & 0xfc;
    }
}

static void read_device(uint8_t bus, uint8_t slot, uint8_t function)
{
    if (device_count == MAX_PCI_DEVICES) {
        return;
    }
    struct device *device = &devices[device_count++];
    device->public.bus = bus;
    device->public.slot = slot;
    device->public.function = function;
    uint32_t id = read_of(device, 0);
    device->public.vendor = (uint16_t)id;
    device->public.device = (uint16_t)(id >> 16);
    device->public.subsystem = (uint16_t)(read_of(device, 0x2c) >> 16);
    if ((read_of(device, 0x0c) >> 16 & 0x7f) == 0) {
        read_bars(device);
        read_capabilities(device);
    }
    for (unsigned offset = 0; offset < 256; offset += 4) {
        uint32_t word = read_of(device, offset);
        memcpy(device->public.config + offset, &word, sizeof(word));
    }
}

static void scan_bus(uint8_t bus)
{
    for (uint8_t slot = 0; slot < 32; slot++) {
        uint32_t id = config_read(bus, slot, 0, 0);
        if ((id & 0xffff) == 0xffff) {
            continue;
        }
        bool many = (config_read(bus, slot, 0, 0x0c) >> 16 & 0x80) != 0;
        for (uint8_t function = 0; function < (many ? 8 : 1); function++) {
            if ((config_read(bus, slot, function, 0) & 0xffff) == 0xffff) {
                continue;
            }
            read_device(bus, slot, function);
            if ((config_read(bus, slot, function, 0x0c) >> 16 & 0x7f) == 1) {
                uint8_t behind = (uint8_t)(config_read(bus, slot, function, 0x18) >> 8);
                if (behind > bus) {
                    scan_bus(behind);
                }
            }
        }
    }
}

void pci_scan(void)
{
    scan_bus(0);
}

unsigned port_pci_count(void)
{
    return device_count;
}

const struct port_pci_device *port_pci_device(unsigned device_index)
{
    return &devices[device_index].public;
}

void port_pci_set_bus_master(unsigned device_index, bool on)
{
    const struct device *device = &devices[device_index];
    uint32_t command = read_of(device, COMMAND) & 0xffff;
    write_of(device, COMMAND, on ? command | COMMAND_MASTER : command & ~COMMAND_MASTER);
}

void port_pci_set_msix(unsigned device_index, unsigned entry, uint8_t vector, unsigned cpu_index)
{
    struct device *device = &devices[device_index];
    KASSERT(device->msix_table != NULL && entry < device->public.msix_count, "MSI-X entry %u",
            entry);
    volatile uint32_t *row = device->msix_table + 4 * entry;
    row[0] = 0xfee00000u | (uint32_t)arch.cpu[cpu_index].apic_id << 12;
    row[1] = 0;
    row[2] = vector;
    row[3] = 0;
    write_of(device, device->msix_capability,
             (read_of(device, device->msix_capability) | MSIX_ENABLE) & ~(1u << 30));
}

void port_pci_disable_msix(unsigned device_index)
{
    struct device *device = &devices[device_index];
    if (device->msix_table == NULL) {
        return;
    }
    for (unsigned i = 0; i < device->public.msix_count; i++) {
        device->msix_table[4 * i + 3] = 1;
    }
    write_of(device, device->msix_capability,
             read_of(device, device->msix_capability) & ~MSIX_ENABLE);
}

bool port_pci_quiesce(unsigned device_index, enum port_quiesce how)
{
    struct device *device = &devices[device_index];
    port_pci_set_bus_master(device_index, false);
    port_pci_disable_msix(device_index);
    if (how == PORT_QUIESCE_NONE) {
        return true;
    }
    if (device->virtio_common == NULL) {
        return false;
    }
    device->virtio_common[VIRTIO_STATUS] = 0;
    uint64_t until = port_now_ns() + QUIESCE_NS;
    while (device->virtio_common[VIRTIO_STATUS] != 0) {
        if (port_now_ns() > until) {
            return false;
        }
        port_relax();
    }
    return true;
}
