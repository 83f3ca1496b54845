/*
 * ivshmem_hw.h - the device: its registers and its shared memory (QEMU docs/specs/ivshmem-spec, revision 1, "doorbell").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/work.h"

struct ivshmem {
    volatile uint32_t *registers; /* BAR 0 */
    uint8_t *memory;              /* BAR 2 */
    uint64_t memory_bytes;
    uint32_t peer; /* our number */
};

/* Find the BARs, which the nucleus has mapped. False: one is missing, or the device has not got its number from the server. */
bool ivshmem_open(struct ivshmem *device, const struct kwe_device_info *info);
/* Ring vector 0 of a peer. Rings at nobody when there is none of that number. */
void ivshmem_ring(const struct ivshmem *device, uint32_t peer);
