/* pack_core.c - see pack_core.h. */
#include "kernel/decks/operations/pack_core.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_getCParams(), ZSTD_estimateCCtxSize_usingCParams() */
#include <zstd.h>
#include <zstd_errors.h>

/* What the compressor may keep between calls; the higher levels' tens of megabytes are given back, other operations need them too. */
#define ZSTD_KEEP_BYTES (16u << 20)
/* What it may take: deck.yaml's scratch_max, less what the library rounds up. */
#define ZSTD_MOST_BYTES (31u << 20)

bool packer_init(struct packer *packer)
{
    packer->lz4 = malloc((size_t)LZ4_sizeofState());
    packer->zstd = ZSTD_createCCtx();
    packer->unzstd = ZSTD_createDCtx();
    return packer->lz4 != NULL && packer->zstd != NULL && packer->unzstd != NULL;
}

/* ---- lz4 ----------------------------------------------------------------------------------------------------------- */

enum kerr pack_lz4(struct packer *packer, const uint8_t *data, size_t bytes, uint8_t *packed,
                   size_t capacity, size_t *length)
{
    if (bytes > LZ4_MAX_INPUT_SIZE) {
        return KERR_TOO_LARGE;
    }
    if (capacity < LZ4_PREFIX_BYTES + 1) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    size_t room = capacity - LZ4_PREFIX_BYTES;
    int block = LZ4_compress_fast_extState(packer->lz4, (const char *)data,
                                           (char *)packed + LZ4_PREFIX_BYTES, (int)bytes,
                                           room > INT32_MAX ? INT32_MAX : (int)room, 1);
    if (block <= 0) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    uint64_t plain_bytes = bytes;
    memcpy(packed, &plain_bytes, LZ4_PREFIX_BYTES);
    *length = LZ4_PREFIX_BYTES + (size_t)block;
    return KERR_OK;
}

enum kerr unpack_lz4(const uint8_t *packed, size_t bytes, uint8_t *data, size_t capacity,
                     size_t *length)
{
    uint64_t plain_bytes;

    if (bytes < LZ4_PREFIX_BYTES + 1 || bytes - LZ4_PREFIX_BYTES > INT32_MAX) {
        return KERR_CORRUPT_DATA;
    }
    memcpy(&plain_bytes, packed, LZ4_PREFIX_BYTES);
    if (plain_bytes > LZ4_MAX_INPUT_SIZE) {
        return KERR_CORRUPT_DATA;
    }
    if (plain_bytes > capacity) {
        *length = (size_t)plain_bytes;
        return KERR_OUTPUT_TOO_LARGE;
    }
    /* The library wants an address even for nothing. */
    uint8_t nothing;
    int got = LZ4_decompress_safe((const char *)packed + LZ4_PREFIX_BYTES,
                                  (char *)(data == NULL ? &nothing : data),
                                  (int)(bytes - LZ4_PREFIX_BYTES), (int)plain_bytes);
    if (got < 0 || (uint64_t)got != plain_bytes) {
        return KERR_CORRUPT_DATA;
    }
    *length = (size_t)got;
    return KERR_OK;
}

/* ---- zstd ---------------------------------------------------------------------------------------------------------- */

static enum kerr zstd_error(size_t result, enum kerr usual)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
        return KERR_OUT_OF_SCRATCH;
    case ZSTD_error_dstSize_tooSmall:
        return KERR_OUTPUT_TOO_LARGE;
    default:
        return usual;
    }
}

static void shrink(struct packer *packer)
{
    if (ZSTD_sizeof_CCtx(packer->zstd) > ZSTD_KEEP_BYTES) {
        ZSTD_freeCCtx(packer->zstd);
        packer->zstd = NULL;
    }
}

/* The level's parameters, with shorter tables where it would take more memory than an operation may. */
static ZSTD_compressionParameters affordable(int level, size_t bytes)
{
    ZSTD_compressionParameters chosen = ZSTD_getCParams(level, bytes, 0);

    while (ZSTD_estimateCCtxSize_usingCParams(chosen) > ZSTD_MOST_BYTES) {
        if (chosen.chainLog >= chosen.hashLog && chosen.chainLog > ZSTD_CHAINLOG_MIN) {
            chosen.chainLog--;
        } else {
            chosen.hashLog--;
        }
        chosen.windowLog = chosen.windowLog < chosen.chainLog ? chosen.windowLog : chosen.chainLog;
    }
    return chosen;
}

static void choose_parameters(ZSTD_CCtx *context, int level, size_t bytes)
{
    const ZSTD_compressionParameters chosen = affordable(level, bytes);

    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, (int)chosen.windowLog);
    ZSTD_CCtx_setParameter(context, ZSTD_c_chainLog, (int)chosen.chainLog);
    ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, (int)chosen.hashLog);
}

enum kerr pack_zstd(struct packer *packer, int level, const uint8_t *data, size_t bytes,
                    uint8_t *packed, size_t capacity, size_t *length)
{
    if (packer->zstd == NULL) {
        packer->zstd = ZSTD_createCCtx();
        if (packer->zstd == NULL) {
            return KERR_OUT_OF_SCRATCH;
        }
    }
    ZSTD_CCtx_reset(packer->zstd, ZSTD_reset_session_and_parameters);
    choose_parameters(packer->zstd, level, bytes);
    ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_contentSizeFlag, 1);
    ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1);
    size_t result = ZSTD_compress2(packer->zstd, packed, capacity, data, bytes);
    shrink(packer);
    if (ZSTD_isError(result)) {
        return zstd_error(result, KERR_OUTPUT_TOO_LARGE);
    }
    *length = result;
    return KERR_OK;
}

/* What the frames say of themselves; 0: one does not say. A lie is found when it is believed: then they do not fit there either. */
static size_t frames_bytes(const uint8_t *packed, size_t bytes)
{
    size_t told = 0;

    while (bytes > 0) {
        const unsigned long long plain = ZSTD_getFrameContentSize(packed, bytes);
        const size_t frame = ZSTD_findFrameCompressedSize(packed, bytes);
        if (ZSTD_isError(frame) || plain > SIZE_MAX - told || plain == ZSTD_CONTENTSIZE_UNKNOWN ||
            plain == ZSTD_CONTENTSIZE_ERROR) {
            return 0;
        }
        told += (size_t)plain;
        packed += frame;
        bytes -= frame;
    }
    return told;
}

enum kerr unpack_zstd(struct packer *packer, const uint8_t *packed, size_t bytes, uint8_t *data,
                      size_t capacity, size_t *length)
{
    if (bytes == 0) {
        return KERR_CORRUPT_DATA; /* not one frame */
    }
    size_t result = ZSTD_decompressDCtx(packer->unzstd, data, capacity, packed, bytes);
    if (ZSTD_isError(result)) {
        *length = frames_bytes(packed, bytes);
        return zstd_error(result, KERR_CORRUPT_DATA);
    }
    *length = result;
    return KERR_OK;
}
