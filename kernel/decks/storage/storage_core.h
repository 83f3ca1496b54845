/* storage_core.h - Storage's pure logic: ranges, lists as text, transfers cut into requests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/ext4/ext4.h"
#include "drivers/virtio_blk/virtio_blk.h"

/*
 * How much of a file a read takes: `length` bytes from `offset` (0: all that follows), no more than the file has.
 * OUTPUT_TOO_LARGE: more than `capacity`; *bytes says how many.
 */
/* Where an offset lies in a file: those of 2^64 - n count n bytes back from its end, and stop at its beginning. */
uint64_t storage_offset(uint64_t size, uint64_t offset);
/* Does the offset count back from the end? */
bool storage_from_end(uint64_t offset);
enum kerr storage_range(uint64_t size, uint64_t offset, uint64_t length, size_t capacity,
                        size_t *bytes);

/* A list under construction in the output. */
struct storage_list_text {
    char *bytes;
    size_t capacity, length;
    uint64_t count;
    uint64_t needed; /* by all lines, also those that do not fit */
};
/* Add "f 123 name\n": f file, d directory, o anything else. Control characters in a name become "?". From one that does not fit on, only counted. */
void storage_list_line(struct storage_list_text *text, const char *name, size_t name_length,
                       const struct ext4_stat *stat);

/* A transfer, and how far it has been cut into requests. */
struct storage_transfer {
    enum virtio_blk_kind kind;
    uint64_t offset; /* on the disk, bytes */
    uint8_t *buffer; /* only read when kind is a write */
    size_t bytes;
    const void *zero_source; /* at least `zeros` zero bytes that the disk reaches */
    size_t zeros;            /* written behind the bytes; both together are whole sectors */
};
/* Describe the next request of at most `bytes_max` bytes and move on. False: nothing is left. */
bool storage_next_request(struct storage_transfer *transfer, uint32_t bytes_max,
                          struct virtio_blk_request *request);
