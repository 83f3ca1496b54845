/*
 * bad_blobs.c - workflows that are none: each way of kernel/nucleus/workflow/check.c kernel/nucleus/workflow/check_sources.c kernel/nucleus/workflow/check_stage.c to refuse one, by its code and the stage at fault;
 * then thousands of damaged ones, those that are accepted all the same run one event.
 */
#include <stddef.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_execution.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"
#include "userland/libkwe/program/builder_internal.h"

#define MUTATIONS   10000u
#define BLOCK_BYTES 256u
#define STAGES      5u
#define NO_STAGE    KWE_NO_STAGE

/* ---- a good one ---- */

/* read (path from the block) -> jpeg_decode -> convolve (sizes from the decoder) -> sha256; and a sha256 of a constant. */
static struct kwe_builder *build(void)
{
    struct kwe_builder *builder = kwe_builder_create("good");
    struct operations_convolve_params convolve = operations_convolve_defaults();
    struct storage_read_params read = storage_read_defaults();

    kwe_manifest_subtree(builder, "/", KWE_MANIFEST_READ);
    kwe_block_bytes(builder, BLOCK_BYTES);
    kwe_slots(builder, 2);
    kwe_stage_t load = kwe_storage_read(builder, "load", &read);
    kwe_param_block(builder, load, offsetof(struct storage_read_params, path),
                    sizeof(struct kwe_path), 0);
    kwe_out_limit(builder, load, 4096);
    kwe_stage_t decode = kwe_operations_jpeg_decode(builder, "decode", load);
    kwe_out_limit(builder, decode, 8192);
    kwe_stage_t edges = kwe_operations_convolve(builder, "edges", decode, &convolve);
    kwe_stage_t digest = kwe_operations_sha256(builder, "digest", edges);
    kwe_stage_t fixed = kwe_operations_sha256(builder, "fixed", KWE_STAGE_NONE);
    kwe_input_constant(builder, fixed, 0, "constant", 8);
    kwe_result(builder, digest);
    return builder;
}

/* ---- one thing wrong with it ---- */

enum part {
    HEADER,
    STAGE,
    DEPENDENCY,
    BINDING,
};

#define IN_HEADER(field)                                                                           \
    HEADER, 0, offsetof(struct kwe_workflow, field), sizeof(((struct kwe_workflow *)0)->field)
#define IN_STAGE(index, field)                                                                     \
    STAGE, index, offsetof(struct kwe_stage, field), sizeof(((struct kwe_stage *)0)->field)
#define IN_DEPENDENCY(index, field)                                                                \
    DEPENDENCY, index, offsetof(struct kwe_dependency, field),                                     \
        sizeof(((struct kwe_dependency *)0)->field)
#define IN_BINDING(index, field)                                                                   \
    BINDING, index, offsetof(struct kwe_binding, field), sizeof(((struct kwe_binding *)0)->field)

struct refusal {
    const char *what;
    enum part part;
    uint32_t index;
    size_t offset, bytes;
    uint64_t value;
    enum kerr code;
    uint16_t stage;
};

/* Bindings: 0 load's path, 1 decode's input, 2 edges' input, 3 its width, 4 its height, 5 digest's input, 6 fixed's. */
static const struct refusal refusals[] = {
    { "magic", IN_HEADER(magic), 1, KERR_BAD_WORKFLOW, NO_STAGE },
    { "version", IN_HEADER(version), 2, KERR_BAD_WORKFLOW, NO_STAGE },
    { "flags", IN_HEADER(flags), 1, KERR_BAD_WORKFLOW, NO_STAGE },
    { "total length", IN_HEADER(total_bytes), 8, KERR_BAD_WORKFLOW, NO_STAGE },
    { "no stage", IN_HEADER(stage_count), 0, KERR_BAD_WORKFLOW, NO_STAGE },
    { "no slot", IN_HEADER(slots), 0, KERR_BAD_WORKFLOW, NO_STAGE },
    { "result of no stage", IN_HEADER(result_stage), STAGES, KERR_BAD_WORKFLOW, NO_STAGE },
    { "too many stages", IN_HEADER(stage_count), KWE_MAX_STAGES + 1, KERR_OVER_LIMITS, NO_STAGE },
    { "too many slots", IN_HEADER(slots), KWE_MAX_SLOTS + 1, KERR_OVER_LIMITS, NO_STAGE },
    { "too large a block", IN_HEADER(block_bytes), KWE_MAX_BLOCK_BYTES + 1, KERR_OVER_LIMITS,
      NO_STAGE },
    { "too large a segment", IN_HEADER(program_bytes), 1ull << 41, KERR_OVER_LIMITS, NO_STAGE },
    { "no memory for it", IN_HEADER(program_bytes), 1ull << 38, KERR_NO_MEMORY, NO_STAGE },
    { "a part too many", IN_HEADER(binding_count), 9, KERR_BAD_WORKFLOW, NO_STAGE },
    { "parameters beyond", IN_HEADER(params_bytes), 0xfffffff0, KERR_BAD_WORKFLOW, NO_STAGE },
    { "constants beyond", IN_HEADER(constant_bytes), 0xfffffff8, KERR_BAD_WORKFLOW, NO_STAGE },
    { "no names", IN_HEADER(names_bytes), 0, KERR_BAD_WORKFLOW, NO_STAGE },
    { "no such kind", IN_STAGE(1, kind), 9, KERR_BAD_WORKFLOW, 1 },
    { "for_each", IN_STAGE(1, kind), KWE_STAGE_FOR_EACH, KERR_BAD_WORKFLOW, 1 },
    { "until", IN_STAGE(1, kind), KWE_STAGE_UNTIL, KERR_BAD_WORKFLOW, 1 },
    { "trigger", IN_STAGE(0, kind), KWE_STAGE_TRIGGER, KERR_NOT_BUILT, 0 },
    { "first of none", IN_STAGE(0, join), KWE_JOIN_FIRST, KERR_BAD_WORKFLOW, 0 },
    { "no such join", IN_STAGE(1, join), 7, KERR_BAD_WORKFLOW, 1 },
    { "stage flags", IN_STAGE(2, flags), 2, KERR_BAD_WORKFLOW, 2 },
    { "retries", IN_STAGE(2, retries), 1, KERR_NOT_BUILT, 2 },
    { "fallback", IN_STAGE(2, fallback), 1, KERR_NOT_BUILT, 2 },
    { "compensation", IN_STAGE(2, compensation), 1, KERR_NOT_BUILT, 2 },
    { "back-off", IN_STAGE(2, backoff_ns), 1, KERR_NOT_BUILT, 2 },
    { "a body", IN_STAGE(2, body_count), 1, KERR_BAD_WORKFLOW, 2 },
    { "unknown deck", IN_STAGE(3, deck), 14, KERR_UNKNOWN_DECK, 3 },
    { "deck out of range", IN_STAGE(3, deck), 255, KERR_UNKNOWN_DECK, 3 },
    { "unknown op", IN_STAGE(3, op), 999, KERR_UNKNOWN_OP, 3 },
    { "recall", IN_STAGE(3, op), KWE_OP_RECALL, KERR_UNKNOWN_OP, 3 },
    { "dependencies beyond", IN_STAGE(1, dependency_count), 99, KERR_BAD_WORKFLOW, 1 },
    { "dependencies elsewhere", IN_STAGE(3, dependency_first), 0, KERR_BAD_WORKFLOW, 3 },
    { "bindings beyond", IN_STAGE(1, binding_first), 0xfff0, KERR_BAD_WORKFLOW, 1 },
    { "conditions beyond", IN_STAGE(1, condition_count), 1, KERR_BAD_WORKFLOW, 1 },
    { "name beyond", IN_STAGE(1, name_offset), 4000, KERR_BAD_WORKFLOW, 1 },
    { "parameters elsewhere", IN_STAGE(2, params_offset), 1u << 30, KERR_BAD_WORKFLOW, 2 },
    { "parameters unaligned", IN_STAGE(2, params_offset), 4, KERR_BAD_WORKFLOW, 2 },
    { "too few parameters", IN_STAGE(2, params_bytes), 8, KERR_BAD_PARAMETER, 2 },
    { "no room", IN_STAGE(0, out_limit), 0, KERR_BAD_WORKFLOW, 0 },
    { "too much room", IN_STAGE(0, out_limit), UINT32_MAX, KERR_OVER_LIMITS, 0 },
    { "less in a large slot", IN_STAGE(0, out_most), 1, KERR_BAD_WORKFLOW, 0 },
    { "of itself", IN_DEPENDENCY(0, stage), 1, KERR_BAD_CYCLE, 1 },
    { "of a later one", IN_DEPENDENCY(0, stage), 3, KERR_BAD_CYCLE, 1 },
    { "of none", IN_DEPENDENCY(0, stage), 60, KERR_BAD_WORKFLOW, 1 },
    { "no such flag", IN_DEPENDENCY(0, flags), 2, KERR_BAD_WORKFLOW, 1 },
    { "part of no loop", IN_BINDING(3, kind), KWE_BIND_PARAM_PART, KERR_BAD_BINDING, 2 },
    { "previous of no loop", IN_BINDING(1, kind), KWE_BIND_INPUT_PREVIOUS, KERR_BAD_BINDING, 1 },
    { "no such binding", IN_BINDING(1, kind), 20, KERR_BAD_BINDING, 1 },
    { "handle", IN_BINDING(3, kind), KWE_BIND_PARAM_HANDLE, KERR_NOT_BUILT, 2 },
    { "input too many", IN_BINDING(1, target), 1, KERR_BAD_BINDING, 1 },
    { "input of a stage not waited for", IN_BINDING(5, stage), 0, KERR_BAD_BINDING, 3 },
    { "input of itself", IN_BINDING(5, stage), 3, KERR_BAD_BINDING, 3 },
    { "no such value", IN_BINDING(3, source_index), 9, KERR_BAD_BINDING, 2 },
    { "odd width", IN_BINDING(3, width), 3, KERR_BAD_BINDING, 2 },
    { "unaligned field", IN_BINDING(3, target), 2, KERR_BAD_BINDING, 2 },
    { "field beyond", IN_BINDING(3, target), 400, KERR_BAD_BINDING, 2 },
    { "block beyond", IN_BINDING(0, source_offset), 1, KERR_BAD_BINDING, 0 },
    { "block far beyond", IN_BINDING(0, source_offset), 0xffffffff, KERR_BAD_BINDING, 0 },
    { "block into nothing", IN_BINDING(0, target), 300, KERR_BAD_BINDING, 0 },
    { "constant beyond", IN_BINDING(6, source_bytes), 9, KERR_BAD_BINDING, 4 },
    { "constant far beyond", IN_BINDING(6, source_offset), 0xfffffffc, KERR_BAD_BINDING, 4 },
};

static size_t place_of(const struct kwe_workflow *header, const struct refusal *refusal)
{
    size_t stages = sizeof(*header);
    size_t dependencies = stages + header->stage_count * sizeof(struct kwe_stage);
    size_t bindings =
        (dependencies + header->dependency_count * sizeof(struct kwe_dependency) + 7) & ~(size_t)7;

    switch (refusal->part) {
    case STAGE:
        return stages + refusal->index * sizeof(struct kwe_stage) + refusal->offset;
    case DEPENDENCY:
        return dependencies + refusal->index * sizeof(struct kwe_dependency) + refusal->offset;
    case BINDING:
        return bindings + refusal->index * sizeof(struct kwe_binding) + refusal->offset;
    default:
        return refusal->offset;
    }
}

static void try_refusals(const uint8_t *good, size_t bytes)
{
    uint8_t *bad = malloc(bytes);

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *refusal = &refusals[i];
        struct kwe_workflow_info info;
        memcpy(bad, good, bytes);
        memcpy(bad + place_of((const struct kwe_workflow *)(const void *)good, refusal),
               &refusal->value, refusal->bytes);
        int answer = kwe_register_blob(bad, bytes, &info);
        CHECK(answer == -(int)refusal->code, "%s: %s, not %s", refusal->what,
              answer < 0 ? kerr_name((enum kerr) - answer) : "accepted", kerr_name(refusal->code));
        CHECK(info.status == refusal->code && info.stage == refusal->stage && info.workflow == 0,
              "%s: stage %u, not %u", refusal->what, info.stage, refusal->stage);
    }
    for (size_t length = 0; length < bytes; length += length < 80 ? 1 : 37) {
        struct kwe_workflow_info info;
        CHECK(kwe_register_blob(good, length, &info) < 0, "a blob cut to %zu bytes", length);
    }
    free(bad);
}

/* Execution stands last: nothing may wait for it. */
static void try_execution_first(void)
{
    struct kwe_builder *builder = kwe_builder_create("execution first");
    struct kwe_workflow_info info;

    kwe_stage_t first = kwe_execution_counters(builder, "first");
    kwe_stage_t then = kwe_operations_sha256(builder, "then", KWE_STAGE_NONE);
    kwe_input_event(builder, then, 0);
    kwe_after(builder, then, first);
    CHECK(kwe_register(builder, &info) == -KERR_BAD_WORKFLOW && info.stage == 1, "stage %u",
          info.stage);
    kwe_builder_destroy(builder);
}

/* ---- whatever comes ---- */

static uint64_t random_state = 88172645463325252ull;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void damage(uint8_t *blob, size_t bytes)
{
    static const uint64_t values[] = { 0,          1,          2,          3,         4,
                                       8,          64,         255,        0x7fff,    0xffff,
                                       0xfffffff8, UINT32_MAX, 1ull << 32, UINT64_MAX };
    uint64_t count = 1 + next_random() % 3;

    for (uint64_t i = 0; i < count; i++) {
        size_t width = (size_t)1 << next_random() % 4;
        size_t at = next_random() % (bytes / width) * width;
        uint64_t value = values[next_random() % (sizeof(values) / sizeof(values[0]))];
        if (next_random() % 3 == 0) {
            value = next_random();
        }
        if (next_random() % 4 == 0) {
            memcpy(&value, blob + next_random() % (bytes - 8), 8);
        }
        memcpy(blob + at, &value, width);
    }
}

/* It was accepted: so it must give its one result, whatever that is. */
static void run_one(struct kwe_rings *rings, const struct kwe_workflow_info *info,
                    const uint8_t *blob)
{
    const struct kwe_workflow *header = (const struct kwe_workflow *)(const void *)blob;
    struct kwe_event event = { .cookie = 3,
                               .workflow = info->workflow,
                               .block_length = header->block_bytes };
    struct kwe_result result;

    if (info->program_bytes >= header->block_bytes) {
        kwe_path((struct kwe_path *)kwe_program_memory(info), "/nothing");
    }
    check_run(rings, &event, &result);
    CHECK(!kwe_result_next(rings, &result), "two results");
}

int main(void)
{
    struct kwe_workflow_info info;
    struct kwe_rings rings;
    size_t bytes;
    uint32_t accepted = 0;

    check_rings(&rings, 8);
    struct kwe_builder *builder = build();
    uint8_t *good = builder_blob(builder, &bytes);
    CHECK(good != NULL, "%s", kwe_builder_error(builder));
    CHECK(kwe_register_blob(good, bytes, &info) > 0, "the good one");
    run_one(&rings, &info, good);
    CHECK(kwe_unregister(&info) == 0, "unregister");
    uint64_t before = check_free_frames(&rings);
    try_refusals(good, bytes);
    try_execution_first();
    uint8_t *bad = malloc(bytes);
    for (uint32_t i = 0; i < MUTATIONS; i++) {
        memcpy(bad, good, bytes);
        damage(bad, bytes);
        if (kwe_register_blob(bad, bytes, &info) >= 0) {
            accepted++;
            run_one(&rings, &info, bad);
            CHECK(kwe_unregister(&info) == 0, "unregister");
        }
    }
    uint64_t after = check_free_frames(&rings);
    kwe_log("%u of %u damaged workflows could be accepted; %llu frames free before, %llu after",
            accepted, MUTATIONS, (unsigned long long)before, (unsigned long long)after);
    CHECK(after + 64 > before, "frames were lost");
    return 0;
}
