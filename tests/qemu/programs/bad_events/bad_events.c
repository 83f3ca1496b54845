/* bad_events.c - events that are none: each is told by its one result, nothing else happens, and the good ones among them go on. */
#include <stddef.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"

#define BLOCK_BYTES   8u
#define PROGRAM_BYTES 8192u
#define SLOTS         4u

static struct kwe_workflow_info workflow;
static struct kwe_rings rings;

/* sha256 of the event's input, and a convolve whose width and height come from the event's block. */
static void register_it(void)
{
    struct kwe_builder *builder = kwe_builder_create("events");
    struct operations_convolve_params convolve = operations_convolve_defaults();

    convolve.weights[4] = 1;
    kwe_stage_t stage = kwe_operations_convolve(builder, "filter", KWE_STAGE_NONE, &convolve);
    kwe_input_event(builder, stage, 0);
    kwe_param_block(builder, stage, offsetof(struct operations_convolve_params, width), 4, 0);
    kwe_param_block(builder, stage, offsetof(struct operations_convolve_params, height), 4, 4);
    kwe_result(builder, stage);
    kwe_block_bytes(builder, BLOCK_BYTES);
    kwe_program_bytes(builder, PROGRAM_BYTES);
    kwe_slots(builder, SLOTS);
    check_register(builder, &workflow);
}

static const struct kwe_event *good(void)
{
    static struct kwe_event event;
    uint32_t size[2] = { 2, 2 };

    memcpy(kwe_program_memory(&workflow), size, sizeof(size));
    event = (struct kwe_event){ .cookie = 1,
                                .workflow = workflow.workflow,
                                .block_offset = 0,
                                .block_length = BLOCK_BYTES,
                                .input_offset = 64,
                                .input_length = 12 };
    return &event;
}

static void expect(const char *what, const struct kwe_event *event, enum kerr status,
                   uint16_t stage)
{
    struct kwe_result result;

    check_run(&rings, event, &result);
    CHECK(result.status == status && result.stage == stage, "%s: %s, stage %u", what,
          kerr_name((enum kerr)result.status), result.stage);
    CHECK(!kwe_result_next(&rings, &result), "%s: two results", what);
}

static void expect_good(void)
{
    expect("a good one", good(), KERR_OK, KWE_NO_STAGE);
}

#define BAD(what, field, value)                                                                    \
    do {                                                                                           \
        struct kwe_event event = *good();                                                          \
        event.field = (value);                                                                     \
        expect(what, &event, KERR_BAD_EVENT, KWE_NO_STAGE);                                        \
    } while (0)

static void try_fields(void)
{
    BAD("workflow 0", workflow, 0);
    BAD("workflow 1", workflow, 1);
    BAD("no such workflow", workflow, UINT32_MAX);
    BAD("another generation", workflow, workflow.workflow + 0x100);
    BAD("another index", workflow, workflow.workflow + 1);
    BAD("flags", flags, 1);
    BAD("reserved", reserved[0], 1);
    BAD("reserved", reserved[1], 1ull << 63);
    BAD("no block", block_length, 0);
    BAD("a longer block", block_length, BLOCK_BYTES + 1);
    BAD("a block far away", block_offset, UINT32_MAX);
    BAD("a block that wraps", block_offset, UINT32_MAX - 3);
    BAD("a block beyond the segment", block_offset, (uint32_t)workflow.program_bytes);
    BAD("a block over the segment's end", block_offset, (uint32_t)workflow.program_bytes - 4);
    BAD("input beyond", input_offset, PROGRAM_BYTES);
    BAD("input over the end by one", input_offset, PROGRAM_BYTES - 11);
    BAD("input far away", input_offset, UINT64_MAX);
    BAD("input that wraps", input_offset, UINT64_MAX - 5);
    BAD("input that wraps to 0", input_offset, 0ull - 12);
    BAD("too long an input", input_length, PROGRAM_BYTES + 1);
    BAD("an input of 4 GiB", input_length, 1ull << 32);
    BAD("an input of all", input_length, UINT64_MAX);
}

static void try_parameters(void)
{
    static const uint32_t sizes[][2] = { { 0, 2 }, { 2, 0 }, { UINT32_MAX, 2 }, { 65501, 1 } };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct kwe_event event = *good();
        memcpy(kwe_program_memory(&workflow), sizes[i], sizeof(sizes[i]));
        expect("a parameter out of range", &event, KERR_BAD_PARAMETER, 0);
    }
    struct kwe_event event = *good();
    uint32_t size[2] = { 3, 3 };
    memcpy(kwe_program_memory(&workflow), size, sizeof(size));
    expect("a picture that its size does not fit", &event, KERR_BAD_PICTURE, 0);
}

static void try_time(void)
{
    struct kwe_event event = *good();
    event.deadline_ns = 1;
    expect("a deadline long ago", &event, KERR_OVERLOADED, KWE_NO_STAGE);
    event.deadline_ns = UINT64_MAX;
    expect("a deadline far away", &event, KERR_OK, KWE_NO_STAGE);
}

/* Ids are not used again while anyone may hold them. */
static void try_stale(void)
{
    struct kwe_event event = *good();
    uint32_t first = workflow.workflow;

    CHECK(kwe_unregister(&workflow) == 0, "unregister");
    expect("a workflow that has gone", &event, KERR_BAD_EVENT, KWE_NO_STAGE);
    for (int i = 0; i < 20; i++) {
        register_it();
        CHECK(workflow.workflow != first, "the id is used again");
        expect("a workflow of an older generation", &event, KERR_BAD_EVENT, KWE_NO_STAGE);
        expect_good();
        CHECK(kwe_unregister(&workflow) == 0, "unregister");
        CHECK(kwe_unregister(&workflow) == -KERR_BAD_HANDLE, "unregistered twice");
    }
    register_it();
}

/* A workflow of another program cannot be named: ids are small numbers, so all near ones are tried. */
static void try_others(void)
{
    for (uint32_t generation = 0; generation < 64; generation++) {
        for (uint32_t index = 0; index < 16; index++) {
            struct kwe_event event = *good();
            event.workflow = generation << 8 | index;
            if (event.workflow != workflow.workflow) {
                expect("somebody else's workflow", &event, KERR_BAD_EVENT, KWE_NO_STAGE);
            }
        }
    }
}

int main(void)
{
    check_rings(&rings, 8);
    register_it();
    expect_good();
    try_fields();
    expect_good();
    try_parameters();
    try_time();
    try_stale();
    expect_good();
    try_others();
    expect_good();
    return 0;
}
