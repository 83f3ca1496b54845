/*
 * test_storage_core.c - Storage's ranges, lists as text, and transfers cut into requests.
 *
 * uses: kernel/decks/storage/storage_core.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/decks/storage/storage_core.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void test_a_range_ends_with_the_file(void)
{
    size_t bytes = 0;

    CHECK(storage_range(100, 0, 0, 100, &bytes) == KERR_OK && bytes == 100);
    CHECK(storage_range(100, 30, 0, 100, &bytes) == KERR_OK && bytes == 70);
    CHECK(storage_range(100, 30, 20, 20, &bytes) == KERR_OK && bytes == 20);
    CHECK(storage_range(100, 30, 1000, 70, &bytes) == KERR_OK && bytes == 70);
    CHECK(storage_range(100, 100, 0, 0, &bytes) == KERR_OK && bytes == 0);
    CHECK(storage_range(100, UINT64_MAX, UINT64_MAX, 0, &bytes) == KERR_OK && bytes == 0);
}

static void test_a_file_larger_than_the_room_is_too_large(void)
{
    size_t bytes = 0;

    CHECK(storage_range(100, 0, 0, 99, &bytes) == KERR_OUTPUT_TOO_LARGE);
    CHECK(storage_offset(100, 30) == 30 && !storage_from_end(30));
    CHECK(storage_offset(100, UINT64_MAX) == 99 && storage_from_end(UINT64_MAX));
    CHECK(storage_offset(100, UINT64_MAX - 99) == 0 && storage_offset(100, UINT64_MAX - 100) == 0);
    CHECK(storage_range(UINT64_MAX, 0, 0, 1 << 20, &bytes) == KERR_OUTPUT_TOO_LARGE);
    CHECK(storage_range(100, 0, 50, 49, &bytes) == KERR_OUTPUT_TOO_LARGE);
}

static void test_a_list_has_a_line_for_each_name_and_counts_on_when_full(void)
{
    char *bytes = malloc(24); /* on the heap: the sanitizer sees a step behind it */
    struct storage_list_text text = { .bytes = bytes, .capacity = 24 };
    const struct ext4_stat file = { .kind = EXT4_KIND_FILE, .size_bytes = 12345 };
    const struct ext4_stat directory = { .kind = EXT4_KIND_DIRECTORY, .size_bytes = 4096 };

    storage_list_line(&text, "a\nb", 3, &file);
    storage_list_line(&text, "sub", 3, &directory);
    CHECK(text.needed == 23);
    storage_list_line(&text, "x", 1, &file);
    storage_list_line(&text, "y", 1, &file);

    CHECK(text.length == 23 && text.count == 2 && text.needed == 23 + 10 + 10);
    CHECK(memcmp(bytes, "f 12345 a?b\nd 4096 sub\n", 23) == 0);
    free(bytes);
}

static void test_a_transfer_is_cut_without_loss(void)
{
    static uint8_t data[10000];
    static const uint8_t zeros[4096];
    for (size_t bytes = 0; bytes <= sizeof(data); bytes += 500) {
        const size_t padding = (4096 - bytes % 4096) % 4096;
        struct storage_transfer transfer = {
            .kind = VIRTIO_BLK_WRITE,
            .offset = 8192,
            .buffer = data,
            .bytes = bytes,
            .zero_source = zeros,
            .zeros = padding,
        };
        struct virtio_blk_request request;
        size_t seen = 0;

        while (storage_next_request(&transfer, 1024, &request)) {
            CHECK(request.sector * VIRTIO_BLK_SECTOR == 8192 + seen);
            CHECK(request.segment_count == 1 || request.segment_count == 2);
            size_t here = 0;
            for (uint32_t i = 0; i < request.segment_count; i++) {
                const uint8_t *from = request.segment[i].address;
                CHECK(seen + here < bytes ? from == data + seen + here : from == zeros);
                here += request.segment[i].bytes;
            }
            CHECK(here == 1024);
            seen += here;
        }

        CHECK(seen == bytes + padding);
    }
}

int main(void)
{
    test_a_range_ends_with_the_file();
    test_a_file_larger_than_the_room_is_too_large();
    test_a_list_has_a_line_for_each_name_and_counts_on_when_full();
    test_a_transfer_is_cut_without_loss();
    return 0;
}
