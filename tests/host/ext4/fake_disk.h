/* fake_disk.h - an image file, or a piece of memory, as a block device for drivers/ext4; errors on demand. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/ext4/ext4.h"

struct fake_disk {
    int fd; /* -1: memory */
    uint8_t *memory;
    uint64_t size_bytes;
    uint64_t reads, writes, flushes;
    int64_t fail_after; /* operations until all fail; negative: never */
};

bool fake_disk_open(struct fake_disk *disk, const char *path);
/* Read and write check that offset and size are whole KiB inside the device and end the program if not. */
struct ext4_bdev fake_disk_bdev(struct fake_disk *disk);
/* Surroundings for one caller: no lock; waiting would be for ever and ends the program. */
struct ext4_host fake_disk_alone(void);
/* struct ext4_host.memory: pieces of one pool, of which FAKE_POOL_BYTES are there in all. */
#define FAKE_POOL_BYTES (2u << 20)
void *fake_pool(void *context, size_t bytes);
/* Nobody uses what was given out any more. */
void fake_pool_empty(void);
const char *fake_error_name(enum kerr error);
