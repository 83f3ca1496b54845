/* storage_core.c - Storage's pure logic: ranges, lists as text, transfers cut into requests. */
#include "kernel/decks/storage/storage_core.h"

#include <stdio.h>
#include <string.h>

bool storage_from_end(uint64_t offset)
{
    return offset > INT64_MAX;
}

uint64_t storage_offset(uint64_t size, uint64_t offset)
{
    if (!storage_from_end(offset)) {
        return offset;
    }
    return 0 - offset < size ? size + offset : 0;
}

enum kerr storage_range(uint64_t size, uint64_t offset, uint64_t length, size_t capacity,
                        size_t *bytes)
{
    const uint64_t left = offset < size ? size - offset : 0;
    const uint64_t wanted = length == 0 || length > left ? left : length;
    *bytes = (size_t)wanted;
    return wanted > capacity ? KERR_OUTPUT_TOO_LARGE : KERR_OK;
}

static char kind_letter(enum ext4_kind kind)
{
    return kind == EXT4_KIND_FILE ? 'f' : (kind == EXT4_KIND_DIRECTORY ? 'd' : 'o');
}

void storage_list_line(struct storage_list_text *text, const char *name, size_t name_length,
                       const struct ext4_stat *stat)
{
    char head[32];
    const int head_length = snprintf(head, sizeof(head), "%c %llu ", kind_letter(stat->kind),
                                     (unsigned long long)stat->size_bytes);
    const size_t line = (size_t)head_length + name_length + 1;
    text->needed += line;
    if (text->needed > text->capacity) {
        return;
    }
    char *to = text->bytes + text->length;
    memcpy(to, head, (size_t)head_length);
    to += head_length;
    for (size_t i = 0; i < name_length; i++) {
        *to++ = (unsigned char)name[i] < ' ' || name[i] == 0x7f ? '?' : name[i];
    }
    *to = '\n';
    text->length += line;
    text->count++;
}

bool storage_next_request(struct storage_transfer *transfer, uint32_t bytes_max,
                          struct virtio_blk_request *request)
{
    const size_t left = transfer->bytes + transfer->zeros;
    if (left == 0) {
        return false;
    }
    const size_t here = left < bytes_max ? left : bytes_max;
    const size_t data = transfer->bytes < here ? transfer->bytes : here;
    *request = (struct virtio_blk_request){ .kind = transfer->kind,
                                            .sector = transfer->offset / VIRTIO_BLK_SECTOR };
    if (data != 0) {
        request->segment[request->segment_count++] =
            (struct virtio_blk_segment){ transfer->buffer, (uint32_t)data };
    }
    if (here != data) {
        request->segment[request->segment_count++] =
            (struct virtio_blk_segment){ (void *)(uintptr_t)transfer->zero_source,
                                         (uint32_t)(here - data) };
    }
    transfer->offset += here;
    transfer->buffer += data;
    transfer->bytes -= data;
    transfer->zeros -= here - data;
    return true;
}
