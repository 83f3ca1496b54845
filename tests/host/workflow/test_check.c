/*
 * A workflow's blob is refused by code and stage, whatever is wrong with it; and 200,000 damaged ones are refused or planned without a slip
 * (AddressSanitizer and UBSan look on, the blob lies in memory of exactly its size).
 */
// uses: kernel/nucleus/workflow/*.c
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/workflow/plan.h"

#define BLOCK_BYTES    64u
#define CONSTANT_BYTES 32u
#define PARAMS_BYTES   16u
#define MUTATIONS      200000u

/* ---- a deck, and a workflow of three stages: source, middle (with every kind of binding), last ------------------------------- */

static enum kerr at_most_ten(const void *params, uint32_t *bad_offset)
{
    uint32_t value;
    memcpy(&value, params, sizeof(value));
    *bad_offset = 0;
    return value <= 10 ? KERR_OK : KERR_BAD_PARAMETER;
}

static const struct op_spec ops[] = {
    { .name = "nop" },
    { .name = "make", .value_count = 2, .output = { .present = true, .by_limit = true } },
    { .name = "change",
      .params_bytes = PARAMS_BYTES,
      .validate = at_most_ten,
      .inputs_min = 1,
      .inputs_max = 3,
      .output = { .present = true, .base_bytes = 10, .of = 0, .numerator = 2, .denominator = 1 } },
};
static const struct deck_spec specs[] = {
    { .name = "one", .prefix = 3, .depth = 8, .op_count = 3, .ops = ops },
    { .name = "two", .prefix = 1, .per_cpu = true, .depth = 8, .op_count = 3, .ops = ops },
};

struct blob {
    struct kwe_workflow header;
    struct kwe_stage stage[3];
    struct kwe_dependency dependency[4]; /* 3 of them, and padding */
    struct kwe_binding binding[7];
    struct kwe_manifest_entry manifest[1];
    uint8_t params[2 * PARAMS_BYTES];
    uint8_t constants[CONSTANT_BYTES];
    char names[24];
};
_Static_assert(offsetof(struct blob, binding) % 8 == 0, "no holes but those of the format");

static struct blob good(void)
{
    struct blob blob = {
        .header = { .magic = KWE_WORKFLOW_MAGIC,
                    .version = KWE_WORKFLOW_VERSION,
                    .total_bytes = sizeof(struct blob),
                    .stage_count = 3,
                    .result_stage = 2,
                    .dependency_count = 3,
                    .binding_count = 7,
                    .manifest_count = 1,
                    .params_bytes = 2 * PARAMS_BYTES,
                    .constant_bytes = CONSTANT_BYTES,
                    .names_bytes = 24,
                    .slots = 4,
                    .block_bytes = BLOCK_BYTES,
                    .program_bytes = 4096 },
        .dependency = { { .stage = 0 }, { .stage = 0 }, { .stage = 1 } },
        .binding = { { .kind = KWE_BIND_INPUT_STAGE, .stage = 0, .target = 0 },
                     { .kind = KWE_BIND_INPUT_CONSTANT,
                       .target = 1,
                       .source_bytes = CONSTANT_BYTES },
                     { .kind = KWE_BIND_INPUT_EVENT, .target = 2 },
                     { .kind = KWE_BIND_PARAM_VALUE, .stage = 0, .source_index = 1, .width = 4 },
                     { .kind = KWE_BIND_PARAM_LENGTH, .stage = 0, .target = 8, .width = 8 },
                     { .kind = KWE_BIND_PARAM_BLOCK, .target = 4, .source_bytes = 4 },
                     { .kind = KWE_BIND_INPUT_STAGE, .stage = 1, .target = 0 } },
        .names = "workflow\0a\0b\0c",
    };
    for (unsigned i = 0; i < 3; i++) {
        blob.stage[i] = (struct kwe_stage){
            .deck = i == 1 ? 1 : 3,
            .op = i == 0 ? 1 : 2,
            .fallback = KWE_NO_STAGE,
            .compensation = KWE_NO_STAGE,
            .dependency_first = (uint16_t)(i == 2 ? 1 : 0),
            .dependency_count = (uint16_t)i,
            .binding_first = (uint16_t)(i == 2 ? 6 : 0),
            .binding_count = (uint16_t)(i == 0   ? 0
                                        : i == 1 ? 6
                                                 : 1),
            .params_offset = i == 2 ? PARAMS_BYTES : 0,
            .params_bytes = i == 0 ? 0 : PARAMS_BYTES,
            .name_offset = 9 + 2 * i,
            .out_limit = i == 0 ? 100 : 0,
        };
    }
    return blob;
}

/* ---- memory that is counted, and may run out ---------------------------------------------------------------------------------- */

static long blocks;
static long blocks_left = -1;

static void *take_memory(void *context, size_t bytes)
{
    (void)context;
    if (blocks_left == 0) {
        return NULL;
    }
    blocks_left -= blocks_left > 0 ? 1 : 0;
    blocks++;
    return calloc(1, bytes);
}

static void give_memory(void *context, void *block, size_t bytes)
{
    (void)context;
    (void)bytes;
    blocks--;
    free(block);
}

static const struct guide_memory memory = { .alloc_zeroed = take_memory, .free = give_memory };

static enum kerr plan_of(const void *blob, size_t bytes, uint16_t *stage)
{
    struct plan_error error = { .stage = 0xaaaa };
    struct plan *plan = NULL;
    void *exact = malloc(bytes);

    memcpy(exact, blob, bytes);
    enum kerr made = plan_create(&memory, specs, 2, 2, exact, bytes, &plan, &error);
    free(exact);
    assert((made == KERR_OK) == (plan != NULL));
    if (plan != NULL) {
        assert(plan->slots >= 1 && plan->segment_count >= 3);
        for (uint32_t i = 0; i < plan->stage_count; i++) {
            assert(plan->stages[i].level < plan->stage_count);
        }
        plan_destroy(plan);
    }
    assert(blocks == 0);
    *stage = error.stage;
    return made;
}

static void test_a_good_one_is_planned(void)
{
    struct blob blob = good();
    struct plan_error error;
    struct plan *plan;

    assert(plan_create(&memory, specs, 2, 2, &blob, sizeof(blob), &plan, &error) == KERR_OK);

    assert(memcmp(plan->route, (uint8_t[]){ 3, 1, 3, 0 }, 4) == 0);
    assert(plan->stages[2].level == 2 && plan->stages[0].successor_count == 2);
    assert(plan->stages[0].out_room == 100);
    assert(plan->stages[1].out_room >= 10 + 2 * 100); /* by its rule, from its input's room */
    assert(plan->segment_count == 5);                 /* nucleus, program, one, two.0, two.1 */
    assert(plan_segment_of(plan, 1, 1) == 4 && plan_segment_of(plan, 7, 0) == -1);
    for (uint32_t i = 2; i < plan->segment_count; i++) {
        assert(plan->segment[i].stride % 8192 == 4096); /* an odd number of pages */
    }
    plan_destroy(plan);
    assert(blocks == 0);
}

/* Damage one thing; the code, and the stage it must name. */
#define REFUSED(code, where, damage)                                                               \
    do {                                                                                           \
        struct blob blob = good();                                                                 \
        uint16_t stage;                                                                            \
        damage;                                                                                    \
        enum kerr said = plan_of(&blob, sizeof(blob), &stage);                                     \
        if (said != (code) || stage != (where)) {                                                  \
            fprintf(stderr, "%s: code %d, stage %u\n", #damage, said, stage);                      \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void test_each_mistake_is_named(void)
{
    const uint16_t none = KWE_NO_STAGE;

    REFUSED(KERR_BAD_WORKFLOW, none, blob.header.magic++);
    REFUSED(KERR_BAD_WORKFLOW, none, blob.header.version++);
    REFUSED(KERR_BAD_WORKFLOW, none, blob.header.flags = 1);
    REFUSED(KERR_BAD_WORKFLOW, none, blob.header.total_bytes--);
    REFUSED(KERR_BAD_WORKFLOW, none, blob.header.stage_count = 0);
    REFUSED(KERR_BAD_WORKFLOW, none, blob.header.slots = 0);
    REFUSED(KERR_BAD_WORKFLOW, none, blob.header.result_stage = 3);
    REFUSED(KERR_BAD_WORKFLOW, none, blob.header.constant_bytes += 8);
    REFUSED(KERR_BAD_WORKFLOW, none, memset(blob.names, 'x', sizeof(blob.names)));
    REFUSED(KERR_OVER_LIMITS, none, blob.header.stage_count = KWE_MAX_STAGES + 1);
    REFUSED(KERR_OVER_LIMITS, none, blob.header.slots = KWE_MAX_SLOTS + 1);
    REFUSED(KERR_OVER_LIMITS, none, blob.header.block_bytes = KWE_MAX_BLOCK_BYTES + 1);
    REFUSED(KERR_OVER_LIMITS, none, blob.header.program_bytes = 1ull << 41);
    REFUSED(KERR_UNKNOWN_DECK, 1, blob.stage[1].deck = 9);
    REFUSED(KERR_UNKNOWN_OP, 1, blob.stage[1].op = 3);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.stage[1].flags = 2);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.stage[1].binding_count = 8);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.stage[1].name_offset = 24);
    REFUSED(KERR_BAD_WORKFLOW, 2, blob.dependency[2].stage = 0); /* twice the same */
    REFUSED(KERR_BAD_WORKFLOW, 2, blob.stage[2].dependency_first = 0);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.dependency[0].stage = 3);
    REFUSED(KERR_BAD_CYCLE, 1, blob.dependency[0].stage = 1);
    REFUSED(KERR_BAD_CYCLE, 1, blob.dependency[0].stage = 2);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[0].stage = 2);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[0].target = 3);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[1].target = 0); /* an input twice */
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[1].source_offset = 1);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[1].source_offset = UINT32_MAX);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[3].source_index = 2);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[3].width = 2);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[3].target = 2);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[4].target = 16);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[5].source_offset = BLOCK_BYTES);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[5].source_bytes = UINT32_MAX);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[5].kind = 99);
    REFUSED(KERR_BAD_BINDING, 2, blob.stage[2].binding_count = 0); /* an input is missing */
    REFUSED(KERR_OK, KWE_NO_STAGE, blob.binding[5].kind = KWE_BIND_PARAM_OUTPUT);
    REFUSED(KERR_BAD_BINDING, 1,
            (blob.binding[5].kind = KWE_BIND_PARAM_OUTPUT, blob.binding[5].source_bytes = 13));
    REFUSED(KERR_BAD_BINDING, 1,
            (blob.binding[5].kind = KWE_BIND_PARAM_OUTPUT, blob.binding[5].stage = 2));
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[5].kind = KWE_BIND_PARAM_OUTPUT + 1);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[5].kind = KWE_BIND_PARAM_PART);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[0].kind = KWE_BIND_INPUT_PREVIOUS);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[0].kind = KWE_BIND_INPUT_PART);
    REFUSED(KERR_BAD_BINDING, 1, blob.binding[0].stage = KWE_ANY_STAGE);
    REFUSED(KERR_BAD_WORKFLOW, 0, blob.stage[0].join = KWE_JOIN_FIRST);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.stage[1].join = KWE_JOIN_FIRST + 1);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.stage[1].body_count = 1);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.stage[1].kind = KWE_STAGE_UNTIL);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.stage[1].kind = KWE_STAGE_FOR_EACH);
    REFUSED(KERR_BAD_WORKFLOW, 1, blob.dependency[0].flags = 2);
    REFUSED(KERR_BAD_PARAMETER, 2, blob.stage[2].params_bytes = 8);
    REFUSED(KERR_BAD_PARAMETER, 2, blob.params[PARAMS_BYTES] = 11);
    REFUSED(KERR_BAD_PARAMETER, 0, blob.stage[0].params_bytes = 8);
}

/* Whoever came first did so in this part: read in the part before, of a stage that has no parts, it led the Guide out of its tables. */
static void test_whichever_was_first_is_taken_whole_and_from_this_part_only(void)
{
#define FROM_ANY(bound)                                                                            \
    blob.stage[1].join = KWE_JOIN_FIRST, blob.binding[0].stage = KWE_ANY_STAGE,                    \
    blob.binding[0].kind = (bound)
    REFUSED(KERR_OK, KWE_NO_STAGE, FROM_ANY(KWE_BIND_INPUT_STAGE));
    REFUSED(KERR_BAD_BINDING, 1, FROM_ANY(KWE_BIND_INPUT_PREVIOUS));
    REFUSED(KERR_BAD_BINDING, 1, FROM_ANY(KWE_BIND_INPUT_PART));
    REFUSED(KERR_BAD_BINDING, 1,
            (blob.stage[1].join = KWE_JOIN_FIRST, blob.binding[3].stage = KWE_ANY_STAGE,
             blob.binding[3].kind = KWE_BIND_PARAM_PREVIOUS));
}

static void test_what_is_not_built_says_so(void)
{
    REFUSED(KERR_NOT_BUILT, 1, blob.stage[1].kind = KWE_STAGE_TRIGGER);
    REFUSED(KERR_NOT_BUILT, 1, blob.stage[1].retries = 1);
    REFUSED(KERR_NOT_BUILT, 1, blob.stage[1].backoff_ns = 1);
    REFUSED(KERR_NOT_BUILT, 1, blob.stage[1].fallback = 0);
    REFUSED(KERR_NOT_BUILT, 1, blob.stage[1].compensation = 0);
    REFUSED(KERR_NOT_BUILT, 1, blob.binding[5].kind = KWE_BIND_PARAM_HANDLE);
}

static void test_a_blob_cut_anywhere_is_refused(void)
{
    struct blob blob = good();
    uint16_t stage;

    for (size_t bytes = 1; bytes < sizeof(blob); bytes++) {
        blob.header.total_bytes = (uint32_t)bytes;
        assert(plan_of(&blob, bytes, &stage) != KERR_OK);
    }
}

static void test_memory_that_runs_out_at_any_point_is_given_back(void)
{
    struct blob blob = good();
    uint16_t stage;
    long needed = 0;

    do {
        blocks_left = needed++;
    } while (plan_of(&blob, sizeof(blob), &stage) == KERR_NO_MEMORY);
    blocks_left = -1;
    assert(needed > 3);
}

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void test_damaged_ones_do_no_harm(void)
{
    static const uint64_t favourites[] = { 0, 1, 2, 3, 0x7f, 0xff, 0xffff, 0x7fffffff, UINT64_MAX };
    uint64_t state = 88172645463325252ull;
    unsigned planned = 0;
    uint16_t stage;

    for (unsigned i = 0; i < MUTATIONS; i++) {
        struct blob blob = good();
        for (uint64_t hits = 1 + draw(&state) % 4; hits > 0; hits--) {
            uint64_t value = draw(&state) % 2 == 0 ? favourites[draw(&state) % 9] : draw(&state);
            size_t bytes = 1u << draw(&state) % 4;
            /* Half of them into the header and the stages. */
            size_t range = draw(&state) % 2 == 0 ? offsetof(struct blob, dependency) : sizeof(blob);
            memcpy((uint8_t *)&blob + draw(&state) % (range - bytes), &value, bytes);
        }
        planned += plan_of(&blob, sizeof(blob), &stage) == KERR_OK ? 1 : 0;
    }
    assert(planned > MUTATIONS / 100 && planned < MUTATIONS);
}

int main(void)
{
    test_a_good_one_is_planned();
    test_each_mistake_is_named();
    test_whichever_was_first_is_taken_whole_and_from_this_part_only();
    test_what_is_not_built_says_so();
    test_a_blob_cut_anywhere_is_refused();
    test_memory_that_runs_out_at_any_point_is_given_back();
    test_damaged_ones_do_no_harm();
    return 0;
}
