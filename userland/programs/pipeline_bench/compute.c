/* compute.c - sha256 and lz4 of the records by one program alone: what no design can do without. */
#include <lz4.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/kwe_storage.h"
#include "userland/programs/pipeline_bench/bench.h"

/* As much of the input as the program takes into memory; each record of it is computed once, untimed. */
#define MOST_INPUT_BYTES (16u << 20)

_Static_assert(DIGEST == crypto_hash_sha256_BYTES, "FIPS 180-4");

/* The first `total_bytes` of the input, in memory of the program. */
static uint8_t *read_input(struct kwe_rings *rings, uint32_t total_bytes)
{
    struct kwe_builder *builder = kwe_builder_create("input");
    struct storage_read_params read = storage_read_defaults();
    struct kwe_workflow_info workflow;
    struct kwe_result result;
    uint8_t *data = malloc(total_bytes);

    kwe_path(&read.path, IN);
    read.length = total_bytes;
    kwe_stage_t load = kwe_storage_read(builder, "load", &read);
    kwe_out_limit(builder, load, total_bytes);
    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ);
    kwe_result(builder, load);
    kwe_slots(builder, 1);
    register_or_die(builder, &workflow);
    struct kwe_event event = { .workflow = workflow.workflow };
    must(kwe_submit(rings, &event, 1), "reading the input");
    must(kwe_wait(rings, 1, UINT64_MAX), "reading the input");
    kwe_result_next(rings, &result);
    must(-(int)result.status, "reading the input");
    if (data == NULL || result.length != total_bytes) {
        kwe_log("%s has %u bytes, %u are wanted", IN, result.length, total_bytes);
        exit(1);
    }
    memcpy(data, kwe_result_bytes(&workflow, &result), total_bytes);
    kwe_wait(rings, 0, 0); /* the result's place goes back */
    kwe_unregister(&workflow);
    return data;
}

/* Digest and pack one record; its packed bytes. */
static uint64_t compute_one(const uint8_t *record, uint32_t bytes, uint8_t *digest)
{
    static uint8_t packed[LZ4_COMPRESSBOUND(65536)];
    static void *state;

    if (state == NULL) {
        state = calloc(1, (size_t)LZ4_sizeofState());
    }
    crypto_hash_sha256(digest, record, bytes);
    int length = LZ4_compress_fast_extState(state, (const char *)record, (char *)packed, (int)bytes,
                                            (int)sizeof(packed), 1);
    if (length <= 0) {
        kwe_log("lz4 failed");
        exit(1);
    }
    return (uint64_t)length;
}

void compute(struct kwe_rings *rings, const struct records *records)
{
    const uint32_t most = MOST_INPUT_BYTES / records->bytes;
    const uint32_t held = records->count < most ? records->count : most;
    uint8_t *data = read_input(rings, held * records->bytes);
    uint8_t(*digests)[DIGEST] = calloc(held, DIGEST);
    struct figure figure = {
        .bench = "pipeline", .variant = "compute", .batch = BATCH, .ops = records->count
    };

    for (uint32_t i = 0; i < held; i++) {
        figure.out_bytes += out_bytes_of(
            compute_one(data + (size_t)i * records->bytes, records->bytes, digests[i]));
    }
    /* Of a part of the records nobody can say whether it agrees with all. */
    figure.fold = held == records->count ? folded(digests, held) : 0;

    /* Timed over as many records as a pipeline has under way, again and again: so does the yardstick. */
    const uint32_t again = held < BATCH ? held : BATCH;
    kwe_log("bench begin");
    uint64_t begin_ns = kwe_now_ns();
    kwe_mark_begin();
    for (uint32_t i = 0; i < records->count; i++) {
        uint32_t which = i % again;
        compute_one(data + (size_t)which * records->bytes, records->bytes, digests[which]);
    }
    kwe_mark_end();
    figure.ns = kwe_now_ns() - begin_ns;
    tell(records, &figure);
    free(digests);
    free(data);
}
