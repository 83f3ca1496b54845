/*
 * JPEG both ways: faithful, damaged, grey, of four colours, too large.
 * uses: kernel/decks/operations/picture_core.c
 * libs: turbojpeg
 */
#include "kernel/decks/operations/picture_core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

static struct picture_codec codec;

static uint8_t *make_pixels(uint32_t width, uint32_t height)
{
    uint8_t *pixels = malloc((size_t)width * height * 3);

    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint8_t *pixel = pixels + ((size_t)y * width + x) * 3;
            pixel[0] = (uint8_t)(x * 255 / width);
            pixel[1] = (uint8_t)(y * 255 / height);
            pixel[2] = (uint8_t)((x + y) * 127 / (width + height));
        }
    }
    return pixels;
}

static void there_and_back(uint32_t width, uint32_t height, size_t room)
{
    size_t bytes = (size_t)width * height * 3;
    uint8_t *pixels = make_pixels(width, height), *back = malloc(bytes), *picture = malloc(room);
    size_t length, got, copied;
    uint32_t got_width, got_height;

    assert(picture_encode(&codec, pixels, bytes, width, height, 95, picture, room, &length,
                          &copied) == KERR_OK);
    assert(length <= room && picture[0] == 0xff && picture[1] == 0xd8);
    assert(copied == 0 || copied == length);
    assert(picture_decode(&codec, picture, length, back, bytes, &got, &got_width, &got_height) ==
           KERR_OK);
    assert(got == bytes && got_width == width && got_height == height);
    uint64_t difference = 0;
    for (size_t i = 0; i < bytes; i++) {
        difference += (uint64_t)abs(pixels[i] - back[i]);
    }
    assert(difference / bytes < 16);
    free(pixels);
    free(back);
    free(picture);
}

static void test_pictures_of_all_shapes_come_back(void)
{
    there_and_back(1, 1, 65536 + 3);
    there_and_back(16, 16, 65536 + 768);
    there_and_back(17, 33, 65536 + 1683);
    there_and_back(640, 360, 65536 + 691200);
    there_and_back(3000, 3,
                   65536 + 27000); /* less than the library's worst case: by way of a buffer */
    there_and_back(640, 360, 60000);
}

static void test_a_room_too_small_is_named(void)
{
    uint8_t *pixels = make_pixels(200, 200), picture[500];
    size_t length, copied;

    assert(picture_encode(&codec, pixels, 120000, 200, 200, 90, picture, sizeof(picture), &length,
                          &copied) == KERR_OUTPUT_TOO_LARGE);
    assert(picture_encode(&codec, pixels, 119999, 200, 200, 90, picture, sizeof(picture), &length,
                          &copied) == KERR_BAD_PICTURE);
    assert(picture_encode(&codec, pixels, 0, 0, 200, 90, picture, sizeof(picture), &length,
                          &copied) == KERR_BAD_PICTURE);
    free(pixels);
}

static enum kerr decode(const uint8_t *picture, size_t bytes, size_t capacity)
{
    uint8_t *out = malloc(capacity + 1);
    size_t length;
    uint32_t width, height;
    enum kerr status =
        picture_decode(&codec, picture, bytes, out, capacity, &length, &width, &height);

    free(out);
    return status;
}

static void test_no_jpeg_and_damaged_jpegs_are_refused_and_the_next_one_is_decoded(void)
{
    uint8_t *pixels = make_pixels(64, 48), *picture = malloc(80000);
    size_t length, copied;

    assert(picture_encode(&codec, pixels, 9216, 64, 48, 90, picture, 80000, &length, &copied) ==
           KERR_OK);
    assert(decode((const uint8_t *)"this is no picture", 18, 9216) == KERR_NOT_A_JPEG);
    assert(decode((const uint8_t *)"", 0, 9216) == KERR_NOT_A_JPEG);
    for (size_t cut = 1; cut < length - 2; cut++) {
        assert(decode(picture, cut, 9216) == KERR_NOT_A_JPEG);
        assert(decode(picture, length, 9216) ==
               KERR_OK); /* the library's decoder itself does not do that */
        /* ASan sees reads past the end only in memory of the very size. */
        uint8_t *exact = malloc(cut);
        memcpy(exact, picture, cut);
        assert(decode(exact, cut, 9216) == KERR_NOT_A_JPEG);
        free(exact);
    }
    assert(decode(picture, length, 9215) == KERR_OUTPUT_TOO_LARGE);
    assert(decode(picture, length, 9216) == KERR_OK);
    free(pixels);
    free(picture);
}

static void test_noise_in_the_data_never_hurts(void)
{
    uint8_t *pixels = make_pixels(64, 48), *picture = malloc(80000), *noisy = malloc(80000);
    size_t length, copied;
    uint32_t seed = 99;

    assert(picture_encode(&codec, pixels, 9216, 64, 48, 90, picture, 80000, &length, &copied) ==
           KERR_OK);
    for (int i = 0; i < 3000; i++) {
        memcpy(noisy, picture, length);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            noisy[(seed >> 8) % length] = (uint8_t)(seed >> 24);
        }
        enum kerr status = decode(noisy, length, 9216);
        assert(status == KERR_OK || status == KERR_NOT_A_JPEG || status == KERR_OUTPUT_TOO_LARGE);
    }
    free(pixels);
    free(picture);
    free(noisy);
}

/* Encode by the library itself, in formats that picture_encode() does not make. */
static size_t encode_as(const uint8_t *pixels, int format, int subsampling, int flags,
                        uint8_t **picture)
{
    unsigned long bytes = 0;
    unsigned char *place = NULL;
    void *handle = tjInitCompress();

    assert(tjCompress2(handle, pixels, 32, 0, 32, format, &place, &bytes, subsampling, 90, flags) ==
           0);
    tjDestroy(handle);
    *picture = place;
    return bytes;
}

static void test_grey_and_progressive_become_rgb_and_four_colours_are_refused(void)
{
    uint8_t pixels[32 * 32 * 4], out[3072], *picture;
    size_t length;
    uint32_t width, height;

    memset(pixels, 77, sizeof(pixels));
    size_t bytes = encode_as(pixels, TJPF_GRAY, TJSAMP_GRAY, 0, &picture);
    assert(picture_decode(&codec, picture, bytes, out, sizeof(out), &length, &width, &height) ==
           KERR_OK);
    assert(length == 3072 && abs(out[0] - 77) < 3 && out[0] == out[1] && out[1] == out[2]);
    tjFree(picture);
    bytes = encode_as(pixels, TJPF_RGB, TJSAMP_444, TJFLAG_PROGRESSIVE, &picture);
    assert(picture_decode(&codec, picture, bytes, out, sizeof(out), &length, &width, &height) ==
           KERR_OK);
    tjFree(picture);
    bytes = encode_as(pixels, TJPF_CMYK, TJSAMP_444, 0, &picture);
    assert(picture_decode(&codec, picture, bytes, out, sizeof(out), &length, &width, &height) ==
           KERR_NOT_A_JPEG);
    tjFree(picture);
}

static void put_marker(uint8_t **at, uint8_t marker, const uint8_t *bytes, size_t count)
{
    const uint8_t head[] = { 0xff, marker, (uint8_t)((count + 2) >> 8), (uint8_t)(count + 2) };

    memcpy(*at, head, 4);
    memcpy(*at + 4, bytes, count);
    *at += 4 + count;
}

/* The start of a picture of any size, kind and precision, by hand; nothing behind its frame header. */
static size_t make_header(uint8_t *picture, uint8_t frame, uint8_t bits, uint32_t width,
                          uint32_t height)
{
    const uint8_t sizes[] = { bits,
                              (uint8_t)(height >> 8),
                              (uint8_t)height,
                              (uint8_t)(width >> 8),
                              (uint8_t)width,
                              1,
                              1,
                              0x11,
                              0 };
    const uint8_t scan[] = { 1, 1, 0, 0, 63, 0 };
    uint8_t *at = picture;

    *at++ = 0xff;
    *at++ = 0xd8;
    put_marker(&at, frame, sizes, sizeof(sizes));
    put_marker(&at, 0xda, scan, sizeof(scan));
    return (size_t)(at - picture);
}

static void test_sizes_that_cannot_be_and_bombs_are_refused_by_their_header(void)
{
    enum { BASELINE = 0xc0, EXTENDED = 0xc1, PROGRESSIVE = 0xc2, LOSSLESS = 0xc3 };
    uint8_t picture[64];

    assert(decode(picture, make_header(picture, BASELINE, 8, 65500, 65500), 100000) ==
           KERR_OUTPUT_TOO_LARGE);
    assert(decode(picture, make_header(picture, PROGRESSIVE, 8, 65500, 65500), 100000) ==
           KERR_OUTPUT_TOO_LARGE);
    assert(decode(picture, make_header(picture, BASELINE, 8, 65535, 1), 1 << 20) ==
           KERR_NOT_A_JPEG); /* beyond the library's 65500 */
    assert(decode(picture, make_header(picture, BASELINE, 8, 0, 10), 1000) == KERR_NOT_A_JPEG);
    assert(decode(picture, make_header(picture, BASELINE, 8, 10, 0), 1000) == KERR_NOT_A_JPEG);
    assert(decode(picture, make_header(picture, BASELINE, 16, 10, 10), 1000) == KERR_NOT_A_JPEG);
    assert(decode(picture, make_header(picture, EXTENDED, 12, 10, 10), 1000) == KERR_NOT_A_JPEG);
    assert(decode(picture, make_header(picture, LOSSLESS, 8, 10, 10), 1000) == KERR_NOT_A_JPEG);
}

static void test_a_progressive_picture_beyond_the_scratch_is_named_and_the_next_one_decoded(void)
{
    const int side = 4000;
    const size_t room = (size_t)4000 * 4000 * 3; /* 96 MB of coefficients */
    uint8_t *pixels = calloc(room, 1), *picture = NULL;
    unsigned long bytes = 0;

    const char *limit = getenv("JPEGMEM");
    char kept[16];
    assert(limit != NULL && strlen(limit) < sizeof(kept));
    memcpy(kept, limit, strlen(limit) + 1);
    unsetenv("JPEGMEM"); /* whoever made the picture had memory enough */
    void *handle = tjInitCompress();
    setenv("JPEGMEM", kept, 1);
    assert(tjCompress2(handle, pixels, side, 0, side, TJPF_RGB, &picture, &bytes, TJSAMP_444, 50,
                       TJFLAG_PROGRESSIVE) == 0);
    tjDestroy(handle);
    assert(decode(picture, bytes, room) == KERR_OUT_OF_SCRATCH);
    tjFree(picture);
    there_and_back(640, 360, 65536 + 691200);
    free(pixels);
}

int main(void)
{
    assert(picture_codec_init(&codec));
    test_pictures_of_all_shapes_come_back();
    test_a_room_too_small_is_named();
    test_no_jpeg_and_damaged_jpegs_are_refused_and_the_next_one_is_decoded();
    test_noise_in_the_data_never_hurts();
    test_grey_and_progressive_become_rgb_and_four_colours_are_refused();
    test_sizes_that_cannot_be_and_bombs_are_refused_by_their_header();
    test_a_progressive_picture_beyond_the_scratch_is_named_and_the_next_one_decoded();
    tjDestroy(codec.decompressor);
    tjDestroy(codec.compressor);
    return 0;
}
