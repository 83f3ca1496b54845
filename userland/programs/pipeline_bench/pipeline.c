/* pipeline.c - read, sha256, lz4, write of records as one workflow, in batches and one at a time. */
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"
#include "userland/programs/pipeline_bench/bench.h"

/* An LZ4 block of operations.lz4_compress lies behind the length of the plain data. */
#define LENGTH_BYTES 8u

/* An event's block: where the record lies, and where its packed form goes. */
struct place {
    uint64_t in, out;
};

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

/* The stage that reads an event's record. */
static kwe_stage_t add_load(struct kwe_builder *builder, const struct records *records)
{
    struct storage_read_params read = storage_read_defaults();

    kwe_path(&read.path, IN);
    read.length = records->bytes;
    kwe_stage_t load = kwe_storage_read(builder, "load", &read);
    kwe_out_limit(builder, load, records->bytes);
    kwe_block_bytes(builder, sizeof(struct place));
    kwe_program_bytes(builder, records->count * sizeof(struct place));
    kwe_param_block(builder, load, offsetof(struct storage_read_params, offset), sizeof(uint64_t),
                    offsetof(struct place, in));
    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ | KWE_MANIFEST_WRITE);
    kwe_slots(builder, BATCH);
    return load;
}

static void make_pipeline(const struct records *records, struct kwe_workflow_info *workflow)
{
    struct kwe_builder *builder = kwe_builder_create("pipeline");
    struct storage_write_at_params write = storage_write_at_defaults();

    kwe_path(&write.path, OUT);
    kwe_stage_t load = add_load(builder, records);
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", load);
    kwe_stage_t pack = kwe_operations_lz4_compress(builder, "pack", load);
    kwe_stage_t save = kwe_storage_write_at(builder, "save", pack, &write);
    kwe_after(builder, save, digest);
    kwe_param_block(builder, save, offsetof(struct storage_write_at_params, offset),
                    sizeof(uint64_t), offsetof(struct place, out));
    kwe_result(builder, digest);
    register_or_die(builder, workflow);
}

/* Only read and pack: a result carries one stage's output, here the packed record. */
static void make_packing(const struct records *records, struct kwe_workflow_info *workflow)
{
    struct kwe_builder *builder = kwe_builder_create("packing");

    kwe_result(builder, kwe_operations_lz4_compress(builder, "pack", add_load(builder, records)));
    register_or_die(builder, workflow);
}

/* Where the results of records go. */
struct sink {
    void (*take)(void *to, uint32_t which, const uint8_t *bytes, size_t length);
    void *to;
};

static void fill_places(const struct kwe_workflow_info *workflow, const struct records *records)
{
    struct place *places = kwe_program_memory(workflow);
    const uint32_t stride = (records->bytes + records->bytes / 255 + 64 + PAGE - 1) / PAGE * PAGE;

    for (uint32_t i = 0; i < records->count; i++) {
        places[i] = (struct place){ (uint64_t)i * records->bytes, (uint64_t)i * stride };
    }
}

/* Write records from `first` on into the ring, as many of `count` as there is room for; they are not given yet. */
static uint32_t place(struct kwe_rings *rings, const struct kwe_workflow_info *workflow,
                      uint32_t first, uint32_t count)
{
    struct kwe_event *event;
    uint32_t placed = 0;

    while (placed < count && (event = kwe_event_place(rings, placed)) != NULL) {
        *event = (struct kwe_event){
            .cookie = first + placed,
            .workflow = workflow->workflow,
            .block_offset = (first + placed) * (uint32_t)sizeof(struct place),
            .block_length = sizeof(struct place),
        };
        placed++;
    }
    return placed;
}

/*
 * Records [first, first + count): BATCH of them lie submitted behind those in flight, of which there are as many as the workflow has slots.
 * Results are awaited half a batch at a time.
 */
static void run(struct kwe_rings *rings, const struct kwe_workflow_info *workflow, uint32_t first,
                uint32_t count, const struct sink *sink)
{
    struct kwe_result result;
    uint32_t submitted = 0, got = 0;

    while (got < count) {
        const uint32_t room = 2 * BATCH - (submitted - got), left = count - submitted;
        const uint32_t placed =
            place(rings, workflow, first + submitted, left < room ? left : room);
        submitted += placed;
        const uint32_t waits_for = submitted - got < BATCH / 2 ? submitted - got : BATCH / 2;
        must(kwe_event_give_wait(rings, placed, waits_for, UINT64_MAX), "waiting");
        for (; kwe_result_next(rings, &result); got++) {
            must(-(int)result.status, "a record");
            sink->take(sink->to, (uint32_t)result.cookie, kwe_result_bytes(workflow, &result),
                       result.length);
        }
    }
}

static void take_digest(void *to, uint32_t which, const uint8_t *bytes, size_t length)
{
    uint8_t(*digests)[DIGEST] = to;

    memcpy(digests[which], bytes, length < DIGEST ? length : DIGEST);
}

static void add_packed(void *to, uint32_t which, const uint8_t *bytes, size_t length)
{
    uint64_t *sum = to;

    (void)which;
    (void)bytes;
    *sum += out_bytes_of(length - LENGTH_BYTES);
}

/* The sum of the packed records' sizes, from a pass of its own that nobody times. */
static uint64_t packed_bytes(struct kwe_rings *rings, const struct records *records)
{
    struct kwe_workflow_info workflow;
    uint64_t sum = 0;

    make_packing(records, &workflow);
    fill_places(&workflow, records);
    run(rings, &workflow, 0, records->count, &(struct sink){ add_packed, &sum });
    kwe_wait(rings, 0, 0); /* the last result's place goes back */
    kwe_unregister(&workflow);
    return sum;
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

void create_output(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("create");
    struct storage_create_params params = storage_create_defaults();

    kwe_path(&params.path, OUT);
    kwe_storage_create(builder, "create", &params);
    do_once(rings, builder, "creating " OUT);
}

void pipeline(struct kwe_rings *rings, const struct records *records, const char *variant)
{
    const uint32_t warm = records->count < BATCH ? records->count : BATCH;
    uint8_t(*digests)[DIGEST] = calloc(records->count, DIGEST);
    const struct sink sink = { take_digest, digests };
    struct kwe_workflow_info workflow;
    struct figure figure = {
        .bench = "pipeline", .variant = variant, .batch = BATCH, .ops = records->count
    };

    figure.out_bytes = packed_bytes(rings, records);
    make_pipeline(records, &workflow);
    fill_places(&workflow, records);
    run(rings, &workflow, 0, warm, &sink); /* so that all is translated and warm */
    uint64_t copied = bytes_copied();
    kwe_log("bench begin");
    uint64_t begin_ns = kwe_now_ns();
    kwe_mark_begin();
    run(rings, &workflow, 0, records->count, &sink);
    sync_disk(rings);
    kwe_mark_end();
    figure.ns = kwe_now_ns() - begin_ns;
    figure.copied = bytes_copied() - copied;
    figure.fold = folded(digests, records->count);
    tell(records, &figure);
    kwe_unregister(&workflow);
    free(digests);
}

/* ---- one at a time ---- */

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void latency(struct kwe_rings *rings, const struct records *records)
{
    uint8_t(*digests)[DIGEST] = calloc(records->count, DIGEST);
    const struct sink sink = { take_digest, digests };
    uint64_t *times_ns = calloc(records->count, sizeof(*times_ns));
    struct kwe_workflow_info workflow;
    struct figure figure = {
        .bench = "latency", .variant = "kwe", .batch = 1, .ops = records->count
    };

    make_pipeline(records, &workflow);
    fill_places(&workflow, records);
    run(rings, &workflow, 0, records->count, &sink); /* warm, as it says */
    uint64_t copied = bytes_copied();
    kwe_log("bench begin");
    uint64_t begin_ns = kwe_now_ns(), before_ns = begin_ns;
    kwe_mark_begin();
    for (uint32_t i = 0; i < records->count; i++) {
        run(rings, &workflow, i, 1, &sink);
        uint64_t now_ns = kwe_now_ns();
        times_ns[i] = now_ns - before_ns;
        before_ns = now_ns;
    }
    kwe_mark_end();
    figure.ns = before_ns - begin_ns;
    figure.copied = bytes_copied() - copied;
    qsort(times_ns, records->count, sizeof(*times_ns), compare);
    figure.p50_ns = times_ns[records->count / 2];
    figure.p99_ns = times_ns[(uint64_t)records->count * 99 / 100];
    tell(records, &figure);
    kwe_unregister(&workflow);
    free(times_ns);
    free(digests);
}
