/* ivshmem_hw.c - registers of ivshmem-doorbell. MSI-X entries live in BAR 1 and belong to the nucleus. */
#include "drivers/ivshmem/ivshmem_hw.h"

#define BAR_REGISTERS 0
#define BAR_MEMORY    2

/* Register numbers, in words. IntrMask and IntrStatus (0, 1) mean nothing while MSI-X is on. */
#define REGISTER_IV_POSITION 2
#define REGISTER_DOORBELL    3

/* The number comes over a socket while the machine starts; by the time a deck looks it is there, or never will be. */
#define POSITION_TRIES 100000

bool ivshmem_open(struct ivshmem *device, const struct kwe_device_info *info)
{
    if (!info->present || info->bar_address[BAR_REGISTERS] == 0 ||
        info->bar_address[BAR_MEMORY] == 0) {
        return false;
    }
    device->registers = (volatile uint32_t *)(uintptr_t)info->bar_address[BAR_REGISTERS];
    device->memory = (uint8_t *)(uintptr_t)info->bar_address[BAR_MEMORY];
    device->memory_bytes = info->bar_bytes[BAR_MEMORY];
    for (unsigned i = 0; i < POSITION_TRIES; i++) {
        int32_t position = (int32_t)device->registers[REGISTER_IV_POSITION];
        if (position >= 0) {
            device->peer = (uint32_t)position;
            return true;
        }
    }
    return false;
}

void ivshmem_ring(const struct ivshmem *device, uint32_t peer)
{
    /* Release: what was published before the bell. The bell is a store to a device, which the CPU does not move before it. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    device->registers[REGISTER_DOORBELL] = (peer & 0xffff) << 16;
}
