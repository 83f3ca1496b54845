/* bench.h - what the parts of pipeline_bench share: the records, what goes wrong, and the line that tells a figure. */
#pragma once

#include <stdint.h>

#include "userland/libkwe/program/kwe.h"

#define IN     "/in/bench/in.dat"
#define OUT    "/out/out.dat"
#define BATCH  32u
#define PAGE   4096u
#define DIGEST 32u

/* The first `count` records of the input, each of so many bytes. */
struct records {
    uint32_t bytes;
    uint32_t count;
};

/* What a timed part has to say for itself. `packed` and `fold`: 0, not known. */
struct figure {
    const char *bench;
    const char *variant;
    uint32_t batch;
    uint32_t ops;
    uint64_t ns;
    uint64_t p50_ns, p99_ns; /* of one operation; 0: not taken */
    uint64_t copied;
    uint64_t fold;
    uint64_t out_bytes;
};

/* End the program with a sentence when `answer` is a code. */
void must(int64_t answer, const char *what);
/* Register and destroy the builder, or end the program. */
void register_or_die(struct kwe_builder *builder, struct kwe_workflow_info *workflow);
/* The line on the console. */
void tell(const struct records *records, const struct figure *figure);

/* Digest of the digests in order; the yardstick that this is compared with makes the same one. */
uint64_t folded(const uint8_t (*digests)[DIGEST], uint32_t count);
/* What a packed record would take in the yardstick's file: a header of 36 bytes before it, in whole pages. */
uint64_t out_bytes_of(uint64_t packed_bytes);

/* pipeline.c: read, sha256, lz4, write as one workflow. */
void create_output(struct kwe_rings *rings);
void pipeline(struct kwe_rings *rings, const struct records *records, const char *variant);
/* The same, one record after the other; how long each takes. */
void latency(struct kwe_rings *rings, const struct records *records);

/* compute.c: the same computing by one program, with the same libraries. */
void compute(struct kwe_rings *rings, const struct records *records);
