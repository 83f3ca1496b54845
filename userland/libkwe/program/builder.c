/* builder.c - collects a workflow's stages and what binds them; the first mistake sticks and is told at registration. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/op_values.h"
#include "userland/libkwe/program/builder_internal.h"

#define DEFAULT_SLOTS         64u
#define DEFAULT_LARGE_SLOTS   2u
#define DEFAULT_PROGRAM_BYTES 4096u

/* ---- mistakes and growing ------------------------------------------------------------------------------------------- */

const char *builder_stage_name(const struct kwe_builder *builder, uint16_t stage)
{
    return stage < builder->stage_count
               ? (const char *)builder->names.data + builder->stage[stage].name_offset
               : "?";
}

void builder_fail(struct kwe_builder *builder, enum kerr error, uint16_t stage, const char *format,
                  ...)
{
    va_list arguments;
    int used = 0;

    if (builder->error != KERR_OK) {
        return;
    }
    builder->error = error;
    if (stage != KWE_NO_STAGE) {
        used = snprintf(builder->error_text, BUILDER_ERROR_BYTES,
                        "stage '%s': ", builder_stage_name(builder, stage));
        used = used < BUILDER_ERROR_BYTES ? used : BUILDER_ERROR_BYTES - 1;
    }
    va_start(arguments, format);
    vsnprintf(builder->error_text + used, (size_t)(BUILDER_ERROR_BYTES - used), format, arguments);
    va_end(arguments);
}

bool builder_append(struct kwe_builder *builder, struct builder_bytes *bytes, const void *data,
                    size_t length, uint32_t *offset)
{
    size_t start = (bytes->length + 7) & ~(size_t)7;

    if (length > KWE_MAX_BLOB_BYTES || start + length > KWE_MAX_BLOB_BYTES) {
        builder_fail(builder, KERR_OVER_LIMITS, KWE_NO_STAGE, "a workflow's bytes are at most %u",
                     KWE_MAX_BLOB_BYTES);
        return false;
    }
    if (start + length > bytes->capacity) {
        size_t capacity = (start + length) * 2 + 256;
        uint8_t *grown = realloc(bytes->data, capacity);
        if (grown == NULL) {
            builder_fail(builder, KERR_NO_MEMORY, KWE_NO_STAGE,
                         "no memory to build the workflow in");
            return false;
        }
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    memset(bytes->data + bytes->length, 0, start - bytes->length);
    if (length > 0) {
        memcpy(bytes->data + start, data, length);
    }
    bytes->length = start + length;
    *offset = (uint32_t)start;
    return true;
}

/* ---- the builder ------------------------------------------------------------------------------------------------------ */

struct kwe_builder *kwe_builder_create(const char *workflow_name)
{
    struct kwe_builder *builder = calloc(1, sizeof(*builder));
    uint32_t offset;

    if (builder == NULL) {
        return NULL;
    }
    builder->result_stage = KWE_NO_STAGE;
    builder->open_loop = KWE_NO_STAGE;
    builder->slots = DEFAULT_SLOTS;
    builder->program_bytes = DEFAULT_PROGRAM_BYTES;
    builder_append(builder, &builder->names, workflow_name, strlen(workflow_name) + 1, &offset);
    return builder;
}

void kwe_builder_destroy(struct kwe_builder *builder)
{
    if (builder != NULL) {
        free(builder->params.data);
        free(builder->constants.data);
        free(builder->names.data);
        free(builder);
    }
}

const char *kwe_builder_error(const struct kwe_builder *builder)
{
    return builder->error_text;
}

void kwe_slots(struct kwe_builder *builder, uint32_t slots)
{
    builder->slots = slots;
}

void kwe_large_slots(struct kwe_builder *builder, uint32_t slots)
{
    builder->large_slots = slots;
}

void kwe_max_waiting(struct kwe_builder *builder, uint32_t events)
{
    builder->max_waiting = events;
}

void kwe_block_bytes(struct kwe_builder *builder, uint32_t bytes)
{
    builder->block_bytes = bytes;
}

void kwe_program_bytes(struct kwe_builder *builder, uint64_t bytes)
{
    builder->program_bytes = bytes;
}

/* ---- stages ------------------------------------------------------------------------------------------------------------ */

kwe_stage_t kwe_stage(struct kwe_builder *builder, const char *name, uint8_t deck, uint16_t op,
                      const void *params, size_t params_bytes)
{
    uint16_t index = builder->stage_count;
    struct kwe_stage stage = {
        .kind = KWE_STAGE_OP,
        .join = KWE_JOIN_ALL,
        .deck = deck,
        .op = op,
        .fallback = KWE_NO_STAGE,
        .compensation = KWE_NO_STAGE,
        .params_bytes = (uint32_t)params_bytes,
    };

    if (builder->error != KERR_OK) {
        return KWE_STAGE_NONE;
    }
    if (index >= KWE_MAX_STAGES) {
        builder_fail(builder, KERR_OVER_LIMITS, KWE_NO_STAGE,
                     "stage '%s': a workflow has at most %u stages", name, KWE_MAX_STAGES);
        return KWE_STAGE_NONE;
    }
    if (params_bytes > KWE_MAX_PARAM_BYTES) {
        builder_fail(builder, KERR_BAD_PARAMETER, KWE_NO_STAGE,
                     "stage '%s': parameters are at most %u bytes", name, KWE_MAX_PARAM_BYTES);
        return KWE_STAGE_NONE;
    }
    if (!builder_append(builder, &builder->names, name, strlen(name) + 1, &stage.name_offset) ||
        !builder_append(builder, &builder->params, params, params_bytes, &stage.params_offset)) {
        return KWE_STAGE_NONE;
    }
    builder->stage[index] = stage;
    builder->loop_of[index] = builder->open_loop;
    builder->stage_count++;
    return (kwe_stage_t){ index };
}

bool builder_is_stage(struct kwe_builder *builder, kwe_stage_t stage)
{
    if (builder->error == KERR_OK && stage.index >= builder->stage_count) {
        builder_fail(builder, KERR_BAD_BINDING, KWE_NO_STAGE,
                     "a stage is named that was never made");
    }
    return builder->error == KERR_OK;
}

void kwe_after(struct kwe_builder *builder, kwe_stage_t later, kwe_stage_t earlier)
{
    if (!builder_is_stage(builder, later) || !builder_is_stage(builder, earlier)) {
        return;
    }
    /* A loop's body waits as a whole: into it and out of it only the loop does. */
    const uint16_t inside = builder->loop_of[later.index];
    const uint16_t before = builder->loop_of[earlier.index];
    if (inside != before) {
        later.index = inside == KWE_NO_STAGE ? later.index : inside;
        earlier.index = before == KWE_NO_STAGE ? earlier.index : before;
        if (later.index == earlier.index) {
            return; /* a body's stage and its own loop */
        }
    }
    if (earlier.index >= later.index) {
        builder_fail(builder, KERR_BAD_CYCLE, later.index, "waits for '%s', which comes no earlier",
                     builder_stage_name(builder, earlier.index));
        return;
    }
    for (uint16_t i = 0; i < builder->dependency_count; i++) {
        if (builder->dependency[i].later == later.index &&
            builder->dependency[i].earlier == earlier.index) {
            return;
        }
    }
    if (builder->dependency_count >= KWE_MAX_DEPENDENCIES) {
        builder_fail(builder, KERR_OVER_LIMITS, later.index,
                     "a workflow has at most %u dependencies", KWE_MAX_DEPENDENCIES);
        return;
    }
    builder->dependency[builder->dependency_count++] =
        (struct builder_dependency){ .later = later.index, .earlier = earlier.index };
}

static uint32_t room(uint64_t bytes)
{
    return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

void kwe_out_limit(struct kwe_builder *builder, kwe_stage_t stage, uint64_t bytes)
{
    if (builder_is_stage(builder, stage)) {
        builder->stage[stage.index].out_limit = room(bytes);
    }
}

void kwe_out_most(struct kwe_builder *builder, kwe_stage_t stage, uint64_t bytes)
{
    if (builder_is_stage(builder, stage)) {
        builder->stage[stage.index].out_most = room(bytes);
        builder->large_slots =
            builder->large_slots == 0 ? DEFAULT_LARGE_SLOTS : builder->large_slots;
    }
}

void kwe_result(struct kwe_builder *builder, kwe_stage_t stage)
{
    if (builder_is_stage(builder, stage)) {
        builder->result_stage = stage.index;
    }
}

/* ---- bindings ---------------------------------------------------------------------------------------------------------- */

static void bind(struct kwe_builder *builder, kwe_stage_t consumer, struct kwe_binding wire)
{
    if (builder->binding_count >= KWE_MAX_BINDINGS) {
        builder_fail(builder, KERR_OVER_LIMITS, consumer.index,
                     "a workflow has at most %u bindings", KWE_MAX_BINDINGS);
        return;
    }
    builder->binding[builder->binding_count++] = (struct builder_binding){ consumer.index, wire };
}

static bool is_input(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input)
{
    if (!builder_is_stage(builder, consumer)) {
        return false;
    }
    if (input >= KWE_MAX_INPUTS) {
        builder_fail(builder, KERR_BAD_BINDING, consumer.index, "a stage has at most %u inputs",
                     KWE_MAX_INPUTS);
        return false;
    }
    return true;
}

/* Does a field of this width lie in the stage's parameters? */
static bool is_param(struct kwe_builder *builder, kwe_stage_t consumer, size_t offset, size_t width)
{
    if (!builder_is_stage(builder, consumer)) {
        return false;
    }
    uint32_t bytes = builder->stage[consumer.index].params_bytes;
    if (offset > bytes || width > bytes - offset) {
        builder_fail(builder, KERR_BAD_BINDING, consumer.index,
                     "bytes %zu..%zu are not within its %u parameter bytes", offset, offset + width,
                     bytes);
        return false;
    }
    return true;
}

void builder_bind_input(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                        struct kwe_binding wire)
{
    if (is_input(builder, consumer, input)) {
        wire.target = (uint16_t)input;
        bind(builder, consumer, wire);
    }
}

void builder_bind_param(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                        unsigned width, struct kwe_binding wire)
{
    if (is_param(builder, consumer, param_offset, width)) {
        wire.width = (uint8_t)width;
        wire.target = (uint16_t)param_offset;
        bind(builder, consumer, wire);
    }
}

void builder_bind_field(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                        unsigned width, kwe_stage_t producer, enum kwe_binding_kind kind,
                        unsigned value_index)
{
    kwe_after(builder, consumer, producer);
    builder_bind_param(builder, consumer, param_offset, width,
                       (struct kwe_binding){ .kind = (uint8_t)kind,
                                             .stage = producer.index,
                                             .source_index = (uint16_t)value_index });
}

void kwe_input_stage(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                     kwe_stage_t producer)
{
    kwe_after(builder, consumer, producer);
    builder_bind_input(
        builder, consumer, input,
        (struct kwe_binding){ .kind = KWE_BIND_INPUT_STAGE, .stage = producer.index });
}

void kwe_input_event(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input)
{
    builder_bind_input(builder, consumer, input,
                       (struct kwe_binding){ .kind = KWE_BIND_INPUT_EVENT, .stage = KWE_NO_STAGE });
}

void kwe_input_constant(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                        const void *data, size_t bytes)
{
    uint32_t offset;

    if (builder_append(builder, &builder->constants, data, bytes, &offset)) {
        builder_bind_input(builder, consumer, input,
                           (struct kwe_binding){ .kind = KWE_BIND_INPUT_CONSTANT,
                                                 .stage = KWE_NO_STAGE,
                                                 .source_offset = offset,
                                                 .source_bytes = (uint32_t)bytes });
    }
}

void kwe_param_value(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                     unsigned width, kwe_stage_t producer, unsigned value_index)
{
    builder_bind_field(builder, consumer, param_offset, width, producer, KWE_BIND_PARAM_VALUE,
                       value_index);
}

void kwe_param_length(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                      unsigned width, kwe_stage_t producer)
{
    builder_bind_field(builder, consumer, param_offset, width, producer, KWE_BIND_PARAM_LENGTH, 0);
}

static const struct kwe_op_value *find_value(const struct kwe_stage *stage, const char *name)
{
    for (size_t i = 0; i < kwe_op_value_count; i++) {
        const struct kwe_op_value *value = &kwe_op_values[i];
        if (value->deck == stage->deck && value->op == stage->op &&
            strcmp(value->name, name) == 0) {
            return value;
        }
    }
    return NULL;
}

static bool is_set_by_hand(const struct kwe_builder *builder, kwe_stage_t stage, size_t offset,
                           unsigned width)
{
    const uint8_t *field =
        builder->params.data + builder->stage[stage.index].params_offset + offset;

    for (unsigned i = 0; i < width; i++) {
        if (field[i] != 0) {
            return true;
        }
    }
    return false;
}

void kwe_param_from(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                    unsigned width, kwe_stage_t producer, const char *value_name)
{
    if (!is_param(builder, consumer, param_offset, width) || !builder_is_stage(builder, producer)) {
        return;
    }
    const struct kwe_op_value *value = find_value(&builder->stage[producer.index], value_name);
    if (value != NULL) {
        kwe_param_value(builder, consumer, param_offset, width, producer, value->index);
    } else if (!is_set_by_hand(builder, consumer, param_offset, width)) {
        builder_fail(builder, KERR_BAD_BINDING, consumer.index,
                     "'%s' answers no %s; set that parameter by hand",
                     builder_stage_name(builder, producer.index), value_name);
    }
}

void kwe_param_block(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                     size_t bytes, size_t block_offset)
{
    if (is_param(builder, consumer, param_offset, bytes)) {
        bind(builder, consumer,
             (struct kwe_binding){ .kind = KWE_BIND_PARAM_BLOCK,
                                   .stage = KWE_NO_STAGE,
                                   .target = (uint16_t)param_offset,
                                   .source_offset = (uint32_t)block_offset,
                                   .source_bytes = (uint32_t)bytes });
    }
}

void kwe_param_output(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                      size_t bytes, kwe_stage_t producer, size_t source_offset)
{
    if (is_param(builder, consumer, param_offset, bytes) && builder_is_stage(builder, producer)) {
        kwe_after(builder, consumer, producer);
        bind(builder, consumer,
             (struct kwe_binding){ .kind = KWE_BIND_PARAM_OUTPUT,
                                   .stage = producer.index,
                                   .target = (uint16_t)param_offset,
                                   .source_offset = (uint32_t)source_offset,
                                   .source_bytes = (uint32_t)bytes });
    }
}

/* ---- manifest ----------------------------------------------------------------------------------------------------------- */

bool kwe_path(struct kwe_path *path, const char *text)
{
    size_t length = strlen(text);

    if (length > sizeof(path->bytes)) {
        return false;
    }
    memset(path, 0, sizeof(*path));
    path->length = (uint16_t)length;
    memcpy(path->bytes, text, length);
    return true;
}

static void add_manifest(struct kwe_builder *builder, const struct kwe_manifest_entry *entry)
{
    if (builder->manifest_count >= KWE_MAX_MANIFEST) {
        builder_fail(builder, KERR_OVER_LIMITS, KWE_NO_STAGE, "a manifest has at most %u entries",
                     KWE_MAX_MANIFEST);
    } else {
        builder->manifest[builder->manifest_count++] = *entry;
    }
}

void kwe_manifest_port(struct kwe_builder *builder, uint32_t port, uint32_t rights)
{
    const struct kwe_manifest_entry entry = { .kind = KWE_MANIFEST_PORT,
                                              .rights = rights,
                                              .number = port };

    if (builder->error == KERR_OK) {
        add_manifest(builder, &entry);
    }
}

void kwe_manifest_subtree(struct kwe_builder *builder, const char *path, uint32_t rights)
{
    struct kwe_manifest_entry entry = { .kind = KWE_MANIFEST_SUBTREE, .rights = rights };

    if (builder->error != KERR_OK) {
        return;
    }
    if (path[0] != '/' || !kwe_path(&entry.path, path)) {
        builder_fail(builder, KERR_BAD_PATH, KWE_NO_STAGE,
                     "manifest: '%s' is not absolute, or too long", path);
    } else {
        add_manifest(builder, &entry);
    }
}
