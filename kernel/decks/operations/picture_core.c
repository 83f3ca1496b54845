/* picture_core.c - see picture_core.h. The library's errors come as text; only running out of memory is told apart by it. */
#include "kernel/decks/operations/picture_core.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#define CHANNELS 3u
/* The library's own limit, in its own unit (10^6 bytes): below deck.yaml's scratch_max. A progressive picture is held in memory whole. */
#define LIBRARY_MEMORY "64M"

bool picture_codec_init(struct picture_codec *codec)
{
    if (setenv("JPEGMEM", LIBRARY_MEMORY, 1) != 0) {
        return false;
    }
    codec->decompressor = tjInitDecompress();
    codec->compressor = tjInitCompress();
    return codec->decompressor != NULL && codec->compressor != NULL;
}

static enum kerr library_error(void *handle, enum kerr usual)
{
    /* malloc failed in the codec, in the layer above it, or the limit was reached. */
    static const char *const memory[] = { "Insufficient memory", "Memory allocation failure",
                                          "Backing store not supported" };
    const char *said = tjGetErrorStr2(handle);

    for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++) {
        if (strstr(said, memory[i]) != NULL) {
            return KERR_OUT_OF_SCRATCH;
        }
    }
    return usual;
}

/*
 * After an error in a header the library's decoder goes on in the middle of the marker that it was in, with the next picture: one
 * damaged file would spoil all that follow. So a decoder that has failed is not used again.
 */
static enum kerr decode_failed(struct picture_codec *codec)
{
    enum kerr error = library_error(codec->decompressor, KERR_NOT_A_JPEG);

    tjDestroy(codec->decompressor);
    codec->decompressor = NULL;
    return error;
}

enum kerr picture_decode(struct picture_codec *codec, const uint8_t *picture, size_t picture_bytes,
                         uint8_t *pixels, size_t capacity, size_t *length, uint32_t *width,
                         uint32_t *height)
{
    int columns, rows, subsampling, colours;

    if (codec->decompressor == NULL && (codec->decompressor = tjInitDecompress()) == NULL) {
        return KERR_OUT_OF_SCRATCH;
    }
    if (tjDecompressHeader3(codec->decompressor, picture, picture_bytes, &columns, &rows,
                            &subsampling, &colours) != 0) {
        return decode_failed(codec);
    }
    size_t needed = (size_t)columns * (size_t)rows * CHANNELS;
    if (needed > capacity) {
        *length = needed;
        return KERR_OUTPUT_TOO_LARGE;
    }
    /*
     * Stop at the first warning: it means damage. Few scans only: a progressive picture of some kilobytes can ask for days of work.
     * The size goes in as well: the bytes may have changed since the header was read, when the program can write them.
     */
    if (tjDecompress2(codec->decompressor, picture, picture_bytes, pixels, columns, 0, rows,
                      TJPF_RGB, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS) != 0) {
        return decode_failed(codec);
    }
    *length = needed;
    *width = (uint32_t)columns;
    *height = (uint32_t)rows;
    return KERR_OK;
}

/* The library writes as far as its own worst case, whatever the room: when that is too much, by way of a buffer of its size. */
static enum kerr encode_by_copy(void *handle, const uint8_t *pixels, int width, int height,
                                int quality, uint8_t *picture, size_t capacity, size_t *length,
                                size_t *copied)
{
    unsigned char *buffer = NULL;
    unsigned long bytes = 0;

    if (tjCompress2(handle, pixels, width, 0, height, TJPF_RGB, &buffer, &bytes, TJSAMP_420,
                    quality, 0) != 0) {
        enum kerr error = library_error(handle, KERR_BAD_PICTURE);
        tjFree(buffer);
        return error;
    }
    enum kerr status = bytes > capacity ? KERR_OUTPUT_TOO_LARGE : KERR_OK;
    *length = bytes;
    if (status == KERR_OK) {
        memcpy(picture, buffer, bytes);
        *copied = bytes;
    }
    tjFree(buffer);
    return status;
}

enum kerr picture_encode(struct picture_codec *codec, const uint8_t *pixels, size_t pixel_bytes,
                         uint32_t width, uint32_t height, uint32_t quality, uint8_t *picture,
                         size_t capacity, size_t *length, size_t *copied)
{
    void *handle = codec->compressor;

    *copied = 0;
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX ||
        pixel_bytes != (size_t)width * height * CHANNELS) {
        return KERR_BAD_PICTURE;
    }
    if (tjBufSize((int)width, (int)height, TJSAMP_420) > capacity) {
        return encode_by_copy(handle, pixels, (int)width, (int)height, (int)quality, picture,
                              capacity, length, copied);
    }
    unsigned char *place = picture;
    unsigned long bytes = capacity;
    if (tjCompress2(handle, pixels, (int)width, 0, (int)height, TJPF_RGB, &place, &bytes,
                    TJSAMP_420, (int)quality, TJFLAG_NOREALLOC) != 0) {
        return library_error(handle, KERR_BAD_PICTURE);
    }
    *length = bytes;
    return KERR_OK;
}
