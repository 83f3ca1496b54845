/* blob.c - from a builder to the wire format of kernel/abi/workflow.h, and registration. */
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/program/builder_internal.h"

static size_t round_up(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

/* Where each part begins; every one on a multiple of 8. */
struct layout {
    size_t stages, dependencies, bindings, conditions, manifest, params, constants, names, total;
};

static struct layout lay_out(const struct kwe_builder *builder)
{
    struct layout at;

    at.stages = sizeof(struct kwe_workflow);
    at.dependencies = at.stages + builder->stage_count * sizeof(struct kwe_stage);
    at.bindings =
        round_up(at.dependencies + builder->dependency_count * sizeof(struct kwe_dependency));
    at.conditions = at.bindings + builder->binding_count * sizeof(struct kwe_binding);
    at.manifest = at.conditions + builder->condition_count * sizeof(struct kwe_condition);
    at.params = at.manifest + builder->manifest_count * sizeof(struct kwe_manifest_entry);
    at.constants = at.params + round_up(builder->params.length);
    at.names = at.constants + round_up(builder->constants.length);
    at.total = at.names + round_up(builder->names.length);
    return at;
}

/* Stage by stage, as the wire groups them. */
static void put_dependencies(const struct kwe_builder *builder, struct kwe_stage *stages,
                             struct kwe_dependency *out)
{
    uint16_t next = 0;

    for (uint16_t stage = 0; stage < builder->stage_count; stage++) {
        stages[stage].dependency_first = next;
        for (uint16_t i = 0; i < builder->dependency_count; i++) {
            if (builder->dependency[i].later == stage) {
                out[next++] = (struct kwe_dependency){ .stage = builder->dependency[i].earlier,
                                                       .flags = builder->dependency[i].flags };
            }
        }
        stages[stage].dependency_count = (uint16_t)(next - stages[stage].dependency_first);
    }
}

static void put_bindings(const struct kwe_builder *builder, struct kwe_stage *stages,
                         struct kwe_binding *out)
{
    uint16_t next = 0;

    for (uint16_t stage = 0; stage < builder->stage_count; stage++) {
        stages[stage].binding_first = next;
        for (uint16_t i = 0; i < builder->binding_count; i++) {
            if (builder->binding[i].consumer == stage) {
                out[next++] = builder->binding[i].wire;
            }
        }
        stages[stage].binding_count = (uint16_t)(next - stages[stage].binding_first);
    }
}

static void put_conditions(const struct kwe_builder *builder, struct kwe_stage *stages,
                           struct kwe_condition *out)
{
    uint16_t next = 0;

    for (uint16_t stage = 0; stage < builder->stage_count; stage++) {
        stages[stage].condition_first = next;
        for (uint16_t i = 0; i < builder->condition_count; i++) {
            if (builder->condition[i].stage == stage) {
                out[next++] = builder->condition[i].wire;
            }
        }
        stages[stage].condition_count = (uint16_t)(next - stages[stage].condition_first);
    }
}

static void put_bytes(uint8_t *to, const struct builder_bytes *bytes)
{
    if (bytes->length > 0) {
        memcpy(to, bytes->data, bytes->length);
    }
}

void *builder_blob(struct kwe_builder *builder, size_t *bytes)
{
    if (builder->stage_count == 0) {
        builder_fail(builder, KERR_BAD_WORKFLOW, KWE_NO_STAGE, "a workflow needs a stage");
    }
    if (builder->open_loop != KWE_NO_STAGE) {
        builder_fail(builder, KERR_BAD_WORKFLOW, builder->open_loop, "its body has no kwe_end()");
    }
    struct layout at = lay_out(builder);
    if (at.total > KWE_MAX_BLOB_BYTES) {
        builder_fail(builder, KERR_OVER_LIMITS, KWE_NO_STAGE, "a workflow's bytes are at most %u",
                     KWE_MAX_BLOB_BYTES);
    }
    if (builder->error != KERR_OK) {
        return NULL;
    }
    uint8_t *blob = calloc(1, at.total);
    if (blob == NULL) {
        builder_fail(builder, KERR_NO_MEMORY, KWE_NO_STAGE, "no memory to build the workflow in");
        return NULL;
    }
    struct kwe_workflow header = {
        .magic = KWE_WORKFLOW_MAGIC,
        .version = KWE_WORKFLOW_VERSION,
        .total_bytes = (uint32_t)at.total,
        .stage_count = builder->stage_count,
        .result_stage = builder->result_stage,
        .dependency_count = builder->dependency_count,
        .binding_count = builder->binding_count,
        .condition_count = builder->condition_count,
        .manifest_count = builder->manifest_count,
        .params_bytes = (uint32_t)(at.constants - at.params),
        .constant_bytes = (uint32_t)(at.names - at.constants),
        .names_bytes = (uint32_t)(at.total - at.names),
        .slots = builder->slots,
        .large_slots = builder->large_slots,
        .max_waiting = builder->max_waiting,
        .block_bytes = builder->block_bytes,
        .program_bytes = builder->program_bytes,
        .timeout_ns = builder->timeout_ns,
    };
    memcpy(blob, &header, sizeof(header));
    struct kwe_stage *stages = (struct kwe_stage *)(void *)(blob + at.stages);
    memcpy(stages, builder->stage, builder->stage_count * sizeof(struct kwe_stage));
    put_dependencies(builder, stages, (struct kwe_dependency *)(void *)(blob + at.dependencies));
    put_bindings(builder, stages, (struct kwe_binding *)(void *)(blob + at.bindings));
    put_conditions(builder, stages, (struct kwe_condition *)(void *)(blob + at.conditions));
    memcpy(blob + at.manifest, builder->manifest,
           builder->manifest_count * sizeof(struct kwe_manifest_entry));
    put_bytes(blob + at.params, &builder->params);
    put_bytes(blob + at.constants, &builder->constants);
    put_bytes(blob + at.names, &builder->names);
    *bytes = at.total;
    return blob;
}

int kwe_register_blob(const void *blob, size_t bytes, struct kwe_workflow_info *info)
{
    memset(info, 0, sizeof(*info));
    info->stage = KWE_NO_STAGE;
    return (int)kwe_call_workflow_register(blob, bytes, info);
}

int kwe_register(struct kwe_builder *builder, struct kwe_workflow_info *info)
{
    size_t bytes;
    void *blob = builder_blob(builder, &bytes);

    memset(info, 0, sizeof(*info));
    info->stage = KWE_NO_STAGE;
    if (blob == NULL) {
        return -(int)builder->error;
    }
    int answer = kwe_register_blob(blob, bytes, info);
    free(blob);
    if (answer < 0) {
        enum kerr error = (enum kerr) - answer;
        builder_fail(builder, error, info->stage, "%s (%s, byte %u of the workflow)",
                     kerr_sentence(error), kerr_name(error), info->detail);
    }
    return answer;
}

int kwe_workflow_cancel(const struct kwe_workflow_info *info)
{
    return (int)kwe_call_workflow_cancel(info->workflow);
}

int kwe_unregister(const struct kwe_workflow_info *info)
{
    return (int)kwe_call_workflow_unregister(info->workflow);
}

void *kwe_program_memory(const struct kwe_workflow_info *info)
{
    return (void *)(uintptr_t)(info->arena_base + info->program_offset);
}

int kwe_workflow_status(const struct kwe_workflow_info *info, struct kwe_workflow_status *status,
                        struct kwe_stage_status *stages, uint32_t stage_capacity)
{
    size_t bytes = sizeof(*status) + stage_capacity * sizeof(*stages);
    uint8_t *buffer = malloc(bytes);

    if (buffer == NULL) {
        return -(int)KERR_NO_MEMORY;
    }
    int answer = (int)kwe_call_workflow_status(info->workflow, buffer, bytes);
    if (answer >= 0) {
        memcpy(status, buffer, sizeof(*status));
        if (stage_capacity > 0) {
            memcpy(stages, buffer + sizeof(*status), stage_capacity * sizeof(*stages));
        }
    }
    free(buffer);
    return answer;
}

int kwe_workflow_plan(const struct kwe_workflow_info *info, struct kwe_plan *plan,
                      struct kwe_plan_stage *stages)
{
    struct {
        struct kwe_plan whole;
        struct kwe_plan_stage stages[KWE_MAX_STAGES];
    } answer;
    int bytes = (int)kwe_call_workflow_plan(info->workflow, &answer, sizeof(answer));

    if (bytes >= 0) {
        *plan = answer.whole;
        memcpy(stages, answer.stages, answer.whole.stage_count * sizeof(*stages));
    }
    return bytes;
}

int kwe_statistics(struct kwe_statistics *statistics)
{
    return (int)kwe_call_statistics(statistics, sizeof(*statistics));
}
