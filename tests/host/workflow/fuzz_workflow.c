/*
 * Any bytes as a workflow: what workflow_register() would read is checked, planned, explained and run, under ASan and UBSan. Eight bytes
 * that seed the run stand before the blob. Built with clang's libFuzzer; workflow_mutator.c changes blobs as graphs, not as bytes.
 *
 *   make fuzz SECONDS=600
 *
 */
// uses: tests/host/workflow/workflow_mutator.c tests/host/workflow/workflow_world.c kernel/nucleus/guide/*.c kernel/nucleus/workflow/*.c kernel/lib/ring.c tests/host/relax_fake.c
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/workflow/explain.h"
#include "tests/host/workflow/workflow_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_told(const struct plan *plan)
{
    struct kwe_plan_stage stages[KWE_MAX_STAGES];
    struct kwe_plan told;

    plan_explain(plan, &told, stages);
    assert(told.stage_count == plan->stage_count && told.critical_ns <= told.total_ns);
    assert(told.shared_bytes <= told.outputs_bytes && told.levels <= told.stage_count);
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        assert(stages[i].before_ns + stages[i].cost_ns <= told.critical_ns ||
               (stages[i].flags & (KWE_PLAN_BODY | KWE_PLAN_DROPPED)) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan_error error;
    struct plan *plan;
    uint64_t seed;

    if (size < sizeof(seed)) {
        return 0;
    }
    memcpy(&seed, data, sizeof(seed));
    /* A place of its own, of just its length: what is read beyond it is seen. */
    const size_t bytes = size - sizeof(seed);
    uint8_t *blob = malloc(bytes);
    memcpy(blob, data + sizeof(seed), bytes);
    const enum kerr made = plan_create(&world_memory, world_specs, WORLD_SPECS, WORLD_INSTANCES,
                                       blob, bytes, &plan, &error);
    if (made == KERR_OK) {
        check_told(plan);
        world_run(plan, seed);
    } else {
        assert(plan == NULL);
        assert(error.stage == KWE_NO_STAGE || error.stage < KWE_MAX_STAGES);
    }
    if (seed % 4 == 0 && bytes <= KWE_MAX_ROUTE_BYTES) {
        world_run_route(blob, bytes, made, seed);
    }
    free(blob);
    assert(world_blocks() == 0);
    return 0;
}
