/* builder_internal.h - a workflow being built: what builder.c collects and blob.c puts in the wire's order. */
#pragma once

#include "kernel/abi/work.h"
#include "userland/libkwe/program/kwe.h"

#define BUILDER_ERROR_BYTES 240

/* Bytes that grow. */
struct builder_bytes {
    uint8_t *data;
    size_t length, capacity;
};

struct builder_dependency {
    uint16_t later, earlier, flags;
};
struct builder_binding {
    uint16_t consumer;
    struct kwe_binding wire;
};

struct builder_condition {
    uint16_t stage;
    struct kwe_condition wire;
};

struct kwe_builder {
    enum kerr error; /* the first mistake; nothing is added after it */
    char error_text[BUILDER_ERROR_BYTES];
    uint16_t stage_count, dependency_count, binding_count, condition_count, manifest_count;
    uint16_t result_stage;
    uint16_t open_loop;               /* whose body is being made; KWE_NO_STAGE: none */
    uint16_t loop_of[KWE_MAX_STAGES]; /* KWE_NO_STAGE: in no body */
    uint32_t slots, large_slots, max_waiting, block_bytes;
    uint64_t program_bytes, timeout_ns;
    struct kwe_stage stage[KWE_MAX_STAGES];
    struct builder_dependency dependency[KWE_MAX_DEPENDENCIES];
    struct builder_binding binding[KWE_MAX_BINDINGS];
    struct builder_condition condition[KWE_MAX_CONDITIONS];
    struct kwe_manifest_entry manifest[KWE_MAX_MANIFEST];
    struct builder_bytes params, constants, names;
};

const char *builder_stage_name(const struct kwe_builder *builder, uint16_t stage);
/* The first mistake sticks; `stage` is named in front of the sentence (KWE_NO_STAGE: none). */
void builder_fail(struct kwe_builder *builder, enum kerr error, uint16_t stage, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
/* Append, after filling up to a multiple of 8. False: no memory (sticks). *offset: where it lies. */
bool builder_append(struct kwe_builder *builder, struct builder_bytes *bytes, const void *data,
                    size_t length, uint32_t *offset);

/* Was it made here? Else that is the mistake. False too after any other mistake. */
bool builder_is_stage(struct kwe_builder *builder, kwe_stage_t stage);
/* Add a binding of an input, a parameter field; of a field that follows from a stage, which is waited for. */
void builder_bind_input(struct kwe_builder *builder, kwe_stage_t consumer, unsigned input,
                        struct kwe_binding wire);
void builder_bind_param(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                        unsigned width, struct kwe_binding wire);
void builder_bind_field(struct kwe_builder *builder, kwe_stage_t consumer, size_t param_offset,
                        unsigned width, kwe_stage_t producer, enum kwe_binding_kind kind,
                        unsigned value_index);

/* The blob (malloc); NULL: the builder has a mistake. */
void *builder_blob(struct kwe_builder *builder, size_t *bytes);
