/* storage_disk.h - the virtio disk as blocking calls for fibres, and the lists on which fibres wait. */
#pragma once

#include <stdbool.h>

#include "drivers/ext4/ext4.h"
#include "drivers/virtio_blk/virtio_blk.h"
#include "userland/libkwe/deck/deck.h"

/* Fibres that wait for the same thing. Zero-initialised is empty. */
struct storage_waiters {
    struct storage_waiter *first, *last;
};
/* On a fibre: wait for the next storage_wake_all(). */
void storage_wait(struct storage_waiters *waiters);
void storage_wake_all(struct storage_waiters *waiters);

struct storage_disk {
    struct virtio_blk blk;
    uint8_t *zeros;              /* a page of them that the disk reaches */
    struct storage_waiters room; /* wait for a place in the queue */
    bool kick_due;
    uint64_t requests;
};

/* NO_DEVICE, NOT_SUPPORTED, DEVICE_TIMEOUT, NO_MEMORY. */
enum kerr storage_disk_start(struct storage_disk *disk, const struct kwe_device_info *info);
/* For the file system; its functions are called on fibres. IO_ERROR. A disk that does not answer or breaks the rules ends the deck. */
struct ext4_bdev storage_disk_bdev(struct storage_disk *disk);
/* Main loop: take back what is done and wake who waits for it. */
void storage_disk_harvest(struct storage_disk *disk);
/* Main loop, when no fibre can go on: tell the disk of the requests since the last time, all at once. */
void storage_disk_kick(struct storage_disk *disk);
/* Main loop, after an interrupt. */
void storage_disk_interrupt(struct storage_disk *disk);
