/*
 * pipeline_bench.c - read, sha256, lz4, write over the records of a file, against the same computing alone in one process with the same
 * libraries. `kwe bench` runs it on a disk with /in/bench/in.dat; the output goes to /out/out.dat.
 *
 * One line a figure: "bench {JSON}"; the marks round each timed part are for the instruction-counting plugin. `fold` is a digest of all digests in
 * order of the records: both variants must agree.
 */
#include <lz4.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define IN          "/in/bench/in.dat"
#define OUT         "/out/out.dat"
#define TOTAL_BYTES (16u << 20)
#define BATCH       32u
#define PAGE        4096u
#define DIGEST      crypto_hash_sha256_BYTES

/* An event's block: where the record lies, and where its packed form goes. */
struct record {
    uint64_t in, out;
};

static const uint32_t record_sizes[] = { 65536, 4096 };

static void must(int64_t answer, const char *what)
{
    if (answer < 0) {
        kwe_log("%s: %s", what, kerr_sentence((enum kerr) - answer));
        exit(1);
    }
}

static void register_or_die(struct kwe_builder *builder, struct kwe_workflow_info *workflow)
{
    if (kwe_register(builder, workflow) < 0) {
        kwe_log("registering: %s", kwe_builder_error(builder));
        exit(1);
    }
    kwe_builder_destroy(builder);
}

static uint64_t folded(const uint8_t (*digests)[DIGEST], uint32_t count)
{
    uint64_t fold = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t head;
        memcpy(&head, digests[i], sizeof(head));
        fold = (fold ^ head) * 0x9e3779b97f4a7c15u;
        fold ^= fold >> 29;
    }
    return fold;
}

static void tell(const char *variant, uint32_t record_bytes, uint32_t ops, uint64_t ns,
                 uint64_t fold, uint64_t copied)
{
    kwe_log("bench {\"bench\":\"pipeline\",\"variant\":\"%s\",\"record_bytes\":%u,\"batch\":%u,"
            "\"ops\":%u,\"ns\":%llu,\"copied\":%llu,\"fold\":\"%016llx\"}",
            variant, record_bytes, BATCH, ops, (unsigned long long)ns, (unsigned long long)copied,
            (unsigned long long)fold);
}

/* Bytes that decks copied inside themselves so far. */
static uint64_t bytes_copied(void)
{
    struct kwe_statistics statistics;
    uint64_t sum = 0;

    must(kwe_statistics(&statistics), "statistics");
    for (unsigned i = 0; i < sizeof(statistics.deck) / sizeof(statistics.deck[0]); i++) {
        sum += statistics.deck[i].copied_cache + statistics.deck[i].copied_device;
    }
    return sum;
}

/* ---- the whole job, by the kernel ---- */

static void make_pipeline(uint32_t record_bytes, struct kwe_workflow_info *workflow)
{
    struct kwe_builder *builder = kwe_builder_create("pipeline");
    struct storage_read_params read = storage_read_defaults();
    struct storage_write_at_params write = storage_write_at_defaults();

    kwe_path(&read.path, IN);
    kwe_path(&write.path, OUT);
    read.length = record_bytes;
    kwe_stage_t load = kwe_storage_read(builder, "load", &read);
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", load);
    kwe_stage_t pack = kwe_operations_lz4_compress(builder, "pack", load);
    kwe_stage_t save = kwe_storage_write_at(builder, "save", pack, &write);
    kwe_out_limit(builder, load, record_bytes);
    kwe_after(builder, save, digest);
    kwe_block_bytes(builder, sizeof(struct record));
    kwe_program_bytes(builder, BATCH * sizeof(struct record));
    kwe_param_block(builder, load, offsetof(struct storage_read_params, offset), sizeof(uint64_t),
                    offsetof(struct record, in));
    kwe_param_block(builder, save, offsetof(struct storage_write_at_params, offset),
                    sizeof(uint64_t), offsetof(struct record, out));
    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ | KWE_MANIFEST_WRITE);
    kwe_result(builder, digest);
    kwe_slots(builder, BATCH);
    register_or_die(builder, workflow);
}

/* Records [first, first + count) of the file; their digests. */
static void run_batch(struct kwe_rings *rings, const struct kwe_workflow_info *workflow,
                      uint32_t record_bytes, uint32_t first, uint8_t (*digests)[DIGEST])
{
    struct record *records = kwe_program_memory(workflow);
    struct kwe_event events[BATCH];
    struct kwe_result result;
    uint32_t stride = (record_bytes + record_bytes / 255 + 64 + PAGE - 1) / PAGE * PAGE;

    for (uint32_t i = 0; i < BATCH; i++) {
        records[i].in = (uint64_t)(first + i) * record_bytes;
        records[i].out = (uint64_t)(first + i) * stride;
        events[i] = (struct kwe_event){
            .cookie = i,
            .workflow = workflow->workflow,
            .block_offset = i * (uint32_t)sizeof(struct record),
            .block_length = sizeof(struct record),
        };
    }
    must(kwe_submit(rings, events, BATCH), "submitting");
    for (uint32_t got = 0; got < BATCH;) {
        must(kwe_wait(rings, 1, UINT64_MAX), "waiting");
        for (; kwe_result_next(rings, &result); got++) {
            must(-(int)result.status, "a record");
            memcpy(digests[first + result.cookie], kwe_result_bytes(workflow, &result), DIGEST);
        }
    }
}

/* One stage, one event: something that only has to be done. */
static void do_once(struct kwe_rings *rings, struct kwe_builder *builder, const char *what)
{
    struct kwe_workflow_info workflow;
    struct kwe_result result;

    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ | KWE_MANIFEST_WRITE);
    register_or_die(builder, &workflow);
    struct kwe_event event = { .workflow = workflow.workflow };
    must(kwe_submit(rings, &event, 1), what);
    must(kwe_wait(rings, 1, UINT64_MAX), what);
    kwe_result_next(rings, &result);
    must(-(int)result.status, what);
    kwe_unregister(&workflow);
}

static void sync_disk(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("sync");

    kwe_storage_sync(builder, "sync");
    do_once(rings, builder, "sync");
}

static void create_output(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("create");
    struct storage_create_params params = storage_create_defaults();

    kwe_path(&params.path, OUT);
    kwe_storage_create(builder, "create", &params);
    do_once(rings, builder, "creating " OUT);
}

static void pipeline(struct kwe_rings *rings, uint32_t record_bytes, const char *variant)
{
    uint32_t count = TOTAL_BYTES / record_bytes;
    uint8_t(*digests)[DIGEST] = calloc(count, DIGEST);
    struct kwe_workflow_info workflow;

    make_pipeline(record_bytes, &workflow);
    run_batch(rings, &workflow, record_bytes, 0, digests); /* so that all is translated and warm */
    uint64_t copied = bytes_copied();
    uint64_t begin_ns = kwe_now_ns();
    kwe_mark_begin();
    for (uint32_t first = 0; first < count; first += BATCH) {
        run_batch(rings, &workflow, record_bytes, first, digests);
    }
    sync_disk(rings);
    kwe_mark_end();
    uint64_t end_ns = kwe_now_ns();
    copied = bytes_copied() - copied;
    tell(variant, record_bytes, count, end_ns - begin_ns, folded(digests, count), copied);
    kwe_unregister(&workflow);
    free(digests);
}

/* ---- the computing alone ---- */

/* All of the input, in memory of the program. */
static uint8_t *read_input(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("input");
    struct storage_read_params read = storage_read_defaults();
    struct kwe_workflow_info workflow;
    struct kwe_result result;
    uint8_t *data = malloc(TOTAL_BYTES);

    kwe_path(&read.path, IN);
    read.length = TOTAL_BYTES;
    kwe_stage_t load = kwe_storage_read(builder, "load", &read);
    kwe_out_limit(builder, load, TOTAL_BYTES);
    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ);
    kwe_result(builder, load);
    kwe_slots(builder, 1);
    register_or_die(builder, &workflow);
    struct kwe_event event = { .workflow = workflow.workflow };
    must(kwe_submit(rings, &event, 1), "reading the input");
    must(kwe_wait(rings, 1, UINT64_MAX), "reading the input");
    kwe_result_next(rings, &result);
    must(-(int)result.status, "reading the input");
    if (data == NULL || result.length != TOTAL_BYTES) {
        kwe_log("%s has %u bytes, %u are wanted", IN, result.length, TOTAL_BYTES);
        exit(1);
    }
    memcpy(data, kwe_result_bytes(&workflow, &result), TOTAL_BYTES);
    kwe_wait(rings, 0, 0); /* the result's place goes back */
    kwe_unregister(&workflow);
    return data;
}

static void compute(const uint8_t *data, uint32_t record_bytes)
{
    static uint8_t packed[LZ4_COMPRESSBOUND(65536)];
    uint32_t count = TOTAL_BYTES / record_bytes;
    uint8_t(*digests)[DIGEST] = calloc(count, DIGEST);
    void *state = calloc(1, (size_t)LZ4_sizeofState());

    for (unsigned pass = 0; pass < 2; pass++) { /* the first one warms up */
        uint32_t records = pass == 0 ? BATCH : count;
        uint64_t begin_ns = kwe_now_ns();
        if (pass > 0) {
            kwe_mark_begin();
        }
        for (uint32_t i = 0; i < records; i++) {
            const uint8_t *record = data + (size_t)i * record_bytes;
            crypto_hash_sha256(digests[i], record, record_bytes);
            if (LZ4_compress_fast_extState(state, (const char *)record, (char *)packed,
                                           (int)record_bytes, (int)sizeof(packed), 1) <= 0) {
                kwe_log("lz4 failed");
                exit(1);
            }
        }
        if (pass > 0) {
            kwe_mark_end();
            tell("compute", record_bytes, count, kwe_now_ns() - begin_ns, folded(digests, count),
                 0);
        }
    }
    free(state);
    free(digests);
}

int main(void)
{
    struct kwe_rings rings;

    if (sodium_init() < 0) {
        kwe_log("libsodium does not start");
        return 1;
    }
    must(kwe_rings_create(&rings, 64), "making rings");
    uint8_t *data = read_input(&rings);
    create_output(&rings);
    for (unsigned i = 0; i < sizeof(record_sizes) / sizeof(record_sizes[0]); i++) {
        compute(data, record_sizes[i]);
        pipeline(&rings, record_sizes[i], "kwe-first"); /* the output's blocks are allocated */
        pipeline(&rings, record_sizes[i], "kwe");
    }
    return 0;
}
