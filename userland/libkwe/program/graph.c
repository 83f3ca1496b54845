/* graph.c - what makes a workflow more than a chain: conditions, the first of several, tolerated failures, loops, timeouts. */
#include "userland/libkwe/program/builder_internal.h"

/* ---- when a stage runs ------------------------------------------------------------------------------------------------- */

void kwe_if(struct kwe_builder *builder, kwe_stage_t stage, kwe_stage_t source,
            enum kwe_condition_what what, unsigned value_index, enum kwe_relation relation,
            uint64_t constant)
{
    if (!builder_is_stage(builder, stage) || !builder_is_stage(builder, source)) {
        return;
    }
    if (builder->condition_count >= KWE_MAX_CONDITIONS) {
        builder_fail(builder, KERR_OVER_LIMITS, stage.index, "a workflow has at most %u conditions",
                     KWE_MAX_CONDITIONS);
        return;
    }
    /* A loop's are about its own body; it does not wait for that. */
    if (builder->loop_of[source.index] != stage.index) {
        kwe_after(builder, stage, source);
    }
    builder->condition[builder->condition_count++] =
        (struct builder_condition){ stage.index,
                                    { .stage = source.index,
                                      .what = (uint8_t)what,
                                      .relation = (uint8_t)relation,
                                      .source_index = value_index,
                                      .constant = constant } };
}

void kwe_first(struct kwe_builder *builder, kwe_stage_t stage)
{
    if (builder_is_stage(builder, stage)) {
        builder->stage[stage.index].join = KWE_JOIN_FIRST;
    }
}

void kwe_tolerate(struct kwe_builder *builder, kwe_stage_t later, kwe_stage_t earlier)
{
    kwe_after(builder, later, earlier);
    for (uint16_t i = 0; builder->error == KERR_OK && i < builder->dependency_count; i++) {
        struct builder_dependency *dependency = &builder->dependency[i];
        if (dependency->later == later.index && dependency->earlier == earlier.index) {
            dependency->flags |= KWE_DEPENDENCY_TOLERATES;
        }
    }
}

void kwe_any_variant(struct kwe_builder *builder, kwe_stage_t stage)
{
    if (builder_is_stage(builder, stage)) {
        builder->stage[stage.index].flags |= KWE_STAGE_ANY_VARIANT;
    }
}

void kwe_timeout(struct kwe_builder *builder, kwe_stage_t stage, uint64_t timeout_ns)
{
    if (builder_is_stage(builder, stage)) {
        builder->stage[stage.index].timeout_ns = timeout_ns;
    }
}

void kwe_event_timeout(struct kwe_builder *builder, uint64_t timeout_ns)
{
    builder->timeout_ns = timeout_ns;
}

/* ---- loops ---------------------------------------------------------------------------------------------------------------- */

static kwe_stage_t begin_loop(struct kwe_builder *builder, const char *name,
                              enum kwe_stage_kind kind, uint32_t bound, const void *params,
                              size_t params_bytes)
{
    if (builder->error == KERR_OK && builder->open_loop != KWE_NO_STAGE) {
        builder_fail(builder, KERR_NOT_BUILT, KWE_NO_STAGE, "loop '%s' lies in loop '%s'", name,
                     builder_stage_name(builder, builder->open_loop));
    }
    kwe_stage_t loop = kwe_stage(builder, name, 0, 0, params, params_bytes);
    if (builder->error == KERR_OK) {
        struct kwe_stage *wire = &builder->stage[loop.index];
        wire->kind = (uint8_t)kind;
        wire->bound = bound;
        wire->body_first = (uint16_t)(loop.index + 1);
        builder->open_loop = loop.index;
    }
    return loop;
}

kwe_stage_t kwe_for_each(struct kwe_builder *builder, const char *name, uint64_t total_bytes,
                         uint64_t part_bytes, uint32_t window)
{
    const struct kwe_parts parts = { .total_bytes = total_bytes, .part_bytes = part_bytes };
    return begin_loop(builder, name, KWE_STAGE_FOR_EACH, window, &parts, sizeof(parts));
}

kwe_stage_t kwe_until(struct kwe_builder *builder, const char *name, uint32_t rounds)
{
    return begin_loop(builder, name, KWE_STAGE_UNTIL, rounds, NULL, 0);
}

void kwe_end(struct kwe_builder *builder, kwe_stage_t loop)
{
    if (!builder_is_stage(builder, loop)) {
        return;
    }
    if (builder->open_loop != loop.index) {
        builder_fail(builder, KERR_BAD_WORKFLOW, loop.index, "is no loop that is open");
        return;
    }
    builder->stage[loop.index].body_count = (uint16_t)(builder->stage_count - loop.index - 1);
    builder->open_loop = KWE_NO_STAGE;
}

/* ---- bindings of loops ------------------------------------------------------------------------------------------------------ */

void kwe_param_status(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                      unsigned width, kwe_stage_t producer)
{
    builder_bind_field(builder, consumer, param_offset, width, producer, KWE_BIND_PARAM_STATUS, 0);
}

void kwe_param_part(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                    unsigned width, unsigned what)
{
    builder_bind_param(builder, consumer, param_offset, width,
                       (struct kwe_binding){ .kind = KWE_BIND_PARAM_PART,
                                             .stage = KWE_NO_STAGE,
                                             .source_index = (uint16_t)what });
}

void kwe_param_previous(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                        unsigned width, kwe_stage_t producer, unsigned value_index)
{
    builder_bind_param(builder, consumer, param_offset, width,
                       (struct kwe_binding){ .kind = KWE_BIND_PARAM_PREVIOUS,
                                             .stage = producer.index,
                                             .source_index = (uint16_t)value_index });
}

void kwe_input_previous(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                        kwe_stage_t producer)
{
    builder_bind_input(
        builder, consumer, input,
        (struct kwe_binding){ .kind = KWE_BIND_INPUT_PREVIOUS, .stage = producer.index });
}

void kwe_input_part(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                    kwe_stage_t producer)
{
    if (producer.index != KWE_NO_STAGE) {
        kwe_after(builder, consumer, producer);
    }
    builder_bind_input(
        builder, consumer, input,
        (struct kwe_binding){ .kind = KWE_BIND_INPUT_PART, .stage = producer.index });
}

void kwe_input_first(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input)
{
    builder_bind_input(
        builder, consumer, input,
        (struct kwe_binding){ .kind = KWE_BIND_INPUT_STAGE, .stage = KWE_ANY_STAGE });
}
