/* shape.h - small workflows without conditions, timeouts or loops, for tests of the Guide: described in a line, made into a blob. */
#pragma once

#include <string.h>

#include "kernel/abi/event.h"
#include "kernel/abi/workflow.h"

#define SHAPE_SLOTS         7u
#define SHAPE_PROGRAM_BYTES 4096u
/* The operation that has an input and an output; the others have neither. */
#define SHAPE_OP_TAKES 1u

/* Stages: deck, op, the stage before it (it takes its output, the event's buffer when there is none); the last one's output is the result. */
struct shape {
    uint32_t count;
    struct {
        uint8_t deck;
        uint16_t op, before;
    } stage[4];
};
/* Returns its bytes. */
static inline size_t shape_blob(uint8_t *blob, const struct shape *shape)
{
    struct kwe_dependency dependencies[4];
    struct kwe_binding bindings[4];
    struct kwe_stage stages[4] = { 0 };
    struct kwe_workflow header = {
        .magic = KWE_WORKFLOW_MAGIC,
        .version = KWE_WORKFLOW_VERSION,
        .stage_count = (uint16_t)shape->count,
        .result_stage =
            (uint16_t)(shape->stage[shape->count - 1].op == SHAPE_OP_TAKES ? shape->count - 1
                                                                           : KWE_NO_STAGE),
        .slots = SHAPE_SLOTS,
        .names_bytes = 8,
        .program_bytes = SHAPE_PROGRAM_BYTES,
    };

    for (uint16_t i = 0; i < shape->count; i++) {
        struct kwe_stage *stage = &stages[i];
        const uint16_t before = shape->stage[i].before;
        stage->deck = shape->stage[i].deck;
        stage->op = shape->stage[i].op;
        stage->fallback = stage->compensation = KWE_NO_STAGE;
        stage->dependency_first = header.dependency_count;
        stage->binding_first = header.binding_count;
        if (before != KWE_NO_STAGE) {
            stage->dependency_count = 1;
            dependencies[header.dependency_count++] = (struct kwe_dependency){ .stage = before };
        }
        if (stage->op == SHAPE_OP_TAKES) {
            stage->binding_count = 1;
            bindings[header.binding_count++] = (struct kwe_binding){
                .kind = before == KWE_NO_STAGE ? KWE_BIND_INPUT_EVENT : KWE_BIND_INPUT_STAGE,
                .stage = before,
            };
        }
    }
    size_t at = sizeof(header);
    memcpy(blob + at, stages, shape->count * sizeof(stages[0]));
    at += shape->count * sizeof(stages[0]);
    memcpy(blob + at, dependencies, header.dependency_count * sizeof(dependencies[0]));
    at = (at + header.dependency_count * sizeof(dependencies[0]) + 7) & ~(size_t)7;
    memcpy(blob + at, bindings, header.binding_count * sizeof(bindings[0]));
    at = ((at + header.binding_count * sizeof(bindings[0]) + 7) & ~(size_t)7) + header.names_bytes;
    header.total_bytes = (uint32_t)at;
    memcpy(blob, &header, sizeof(header));
    return at;
}
