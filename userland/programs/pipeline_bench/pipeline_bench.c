/*
 * pipeline_bench.c - read, sha256, lz4, write over the records of a file, in batches and one by one, against the same computing alone in one
 * process with the same libraries. `kwe bench` runs it on a disk with /in/bench/in.dat; the output goes to /out/out.dat.
 *
 * "bench begin" before each timed part, "bench {JSON}" after it; the marks round it are for the instruction-counting plugin. `fold` is a digest of
 * all digests in order of the records, `out_bytes` the sum of the packed sizes: all variants must agree.
 *
 * opt/kwe/bench, a text "COUNT COUNT", says how many records of 64 KiB and of 4 KiB there are; without it all of 16 MiB.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/common/calls.h"
#include "userland/programs/pipeline_bench/bench.h"

#define SETTINGS "bench"
/* One at a time a record takes long enough: so many are a sample. */
#define LATENCY_RECORDS 512u

void must(int64_t answer, const char *what)
{
    if (answer < 0) {
        kwe_log("%s: %s", what, kerr_sentence((enum kerr) - answer));
        exit(1);
    }
}

void register_or_die(struct kwe_builder *builder, struct kwe_workflow_info *workflow)
{
    if (kwe_register(builder, workflow) < 0) {
        kwe_log("registering: %s", kwe_builder_error(builder));
        exit(1);
    }
    kwe_builder_destroy(builder);
}

uint64_t folded(const uint8_t (*digests)[DIGEST], uint32_t count)
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

uint64_t out_bytes_of(uint64_t packed_bytes)
{
    const uint64_t header_bytes = 36;

    return (header_bytes + packed_bytes + PAGE - 1) / PAGE * PAGE;
}

void tell(const struct records *records, const struct figure *figure)
{
    char more[128] = "";
    int used = 0;

    if (figure->fold != 0) {
        used = snprintf(more, sizeof(more), ",\"fold\":\"%016llx\",\"out_bytes\":%llu",
                        (unsigned long long)figure->fold, (unsigned long long)figure->out_bytes);
    }
    if (figure->p50_ns != 0) {
        snprintf(more + used, sizeof(more) - (size_t)used, ",\"p50_ns\":%llu,\"p99_ns\":%llu",
                 (unsigned long long)figure->p50_ns, (unsigned long long)figure->p99_ns);
    }
    kwe_log("bench {\"bench\":\"%s\",\"variant\":\"%s\",\"record_bytes\":%u,\"batch\":%u,"
            "\"ops\":%u,\"ns\":%llu,\"copied\":%llu%s}",
            figure->bench, figure->variant, records->bytes, figure->batch, figure->ops,
            (unsigned long long)figure->ns, (unsigned long long)figure->copied, more);
}

/* How many records there are, from opt/kwe/bench. */
static void read_settings(struct records *large, struct records *small)
{
    char text[64] = "";
    int64_t size = kwe_call_boot_file(SETTINGS, 0, NULL, 0);

    if (size <= 0) {
        return;
    }
    if ((uint64_t)size >= sizeof(text) ||
        kwe_call_boot_file(SETTINGS, 0, text, (uint64_t)size) != size ||
        sscanf(text, "%u %u", &large->count, &small->count) != 2 || large->count == 0 ||
        small->count == 0) {
        kwe_log("opt/kwe/%s is not two counts of records above 0", SETTINGS);
        exit(1);
    }
}

int main(void)
{
    struct records large = { .bytes = 65536, .count = 256 };
    struct records small = { .bytes = 4096, .count = 4096 };
    const struct records *const all[] = { &large, &small };
    struct kwe_rings rings;

    if (sodium_init() < 0) {
        kwe_log("libsodium does not start");
        return 1;
    }
    read_settings(&large, &small);
    must(kwe_rings_create(&rings, 64), "making rings");
    create_output(&rings);
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        compute(&rings, all[i]);
        pipeline(&rings, all[i], "kwe-first"); /* the output's blocks are allocated */
        pipeline(&rings, all[i], "kwe");
    }
    small.count = small.count < LATENCY_RECORDS ? small.count : LATENCY_RECORDS;
    latency(&rings, &small);
    return 0;
}
