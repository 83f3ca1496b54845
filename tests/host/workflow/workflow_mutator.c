/*
 * workflow_mutator.c - changes a workflow as a graph: takes its lists apart, changes, adds, removes records, and puts it together again with
 * counts that agree, so that most of what comes out is refused late or not at all. Now and then plain bytes instead.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/event.h"
#include "kernel/abi/workflow.h"

#define SEED_BYTES  8u
#define MOST_PARAMS 4096u
#define MOST_NAMES  64u

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

struct graph {
    struct kwe_workflow header;
    struct kwe_stage stage[KWE_MAX_STAGES];
    struct kwe_dependency dependency[KWE_MAX_DEPENDENCIES];
    struct kwe_binding binding[KWE_MAX_BINDINGS];
    struct kwe_condition condition[KWE_MAX_CONDITIONS];
    struct kwe_manifest_entry manifest[KWE_MAX_MANIFEST];
    uint8_t params[MOST_PARAMS];
    uint8_t constants[MOST_PARAMS];
    uint8_t names[MOST_NAMES];
};

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below == 0 ? 0 : (uint32_t)((state >> 16) % below);
}

/* ---- apart and together ------------------------------------------------------------------------------------------------- */

/* Take `count` records out of the bytes at *at, as many as there are and as `most` allows. */
static uint32_t take(const uint8_t *data, size_t size, size_t *at, void *to, uint32_t count,
                     uint32_t most, size_t each)
{
    const size_t there = *at < size ? (size - *at) / each : 0;
    uint32_t taken = count < most ? count : most;

    taken = taken < there ? taken : (uint32_t)there;
    memcpy(to, data + (*at < size ? *at : 0), taken * each);
    *at = (*at + taken * each + 7) & ~(size_t)7;
    return taken;
}

static void take_apart(struct graph *graph, const uint8_t *data, size_t size)
{
    struct kwe_workflow *header = &graph->header;
    size_t at = 0;

    memset(graph, 0, sizeof(*graph));
    (void)take(data, size, &at, header, 1, 1, sizeof(*header));
#define TAKE(field, list)                                                                          \
    header->field = (__typeof__(header->field))take(                                               \
        data, size, &at, graph->list, header->field,                                               \
        (uint32_t)(sizeof(graph->list) / sizeof(graph->list[0])), sizeof(graph->list[0]))
    TAKE(stage_count, stage);
    TAKE(dependency_count, dependency);
    TAKE(binding_count, binding);
    TAKE(condition_count, condition);
    TAKE(manifest_count, manifest);
    TAKE(params_bytes, params);
    TAKE(constant_bytes, constants);
    TAKE(names_bytes, names);
#undef TAKE
}

/* 0: it does not fit. */
static size_t put_together(struct graph *graph, uint8_t *data, size_t most)
{
    struct kwe_workflow *header = &graph->header;
    size_t at = sizeof(*header);

    memset(data, 0, most);
#define PUT(field, list)                                                                           \
    do {                                                                                           \
        const size_t bytes = header->field * sizeof(graph->list[0]);                               \
        if (at + bytes + 8 > most) {                                                               \
            return 0;                                                                              \
        }                                                                                          \
        memcpy(data + at, graph->list, bytes);                                                     \
        at = (at + bytes + 7) & ~(size_t)7;                                                        \
    } while (0)
    PUT(stage_count, stage);
    PUT(dependency_count, dependency);
    PUT(binding_count, binding);
    PUT(condition_count, condition);
    PUT(manifest_count, manifest);
    PUT(params_bytes, params);
    PUT(constant_bytes, constants);
    header->names_bytes = header->names_bytes == 0 ? 8 : header->names_bytes;
    graph->names[header->names_bytes - 1] = '\0';
    PUT(names_bytes, names);
#undef PUT
    header->magic = KWE_WORKFLOW_MAGIC;
    header->version = KWE_WORKFLOW_VERSION;
    header->flags = 0;
    header->total_bytes = (uint32_t)at;
    memcpy(data, header, sizeof(*header));
    return at;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------- */

/* One that is likely to matter where counts, indices, sizes or times stand. */
static uint64_t number(const struct graph *graph)
{
    static const uint64_t borders[] = {
        0,      1,          2,          3,          8,       15,         16,         17,
        32,     63,         64,         100,        255,     4096,       65535,      65536,
        0xfffe, 0x7fffffff, 0x80000000, 0xffffffff, 1000000, 1ull << 40, UINT64_MAX, UINT64_MAX - 1
    };

    switch (draw(3)) {
    case 0:
        return draw(graph->header.stage_count);
    case 1:
        return borders[draw(sizeof(borders) / sizeof(borders[0]))];
    default:
        return draw(12);
    }
}

static void change_field(const struct graph *graph, void *record, size_t bytes)
{
    const size_t width = (size_t)1 << draw(4);
    const uint64_t value = number(graph);

    memcpy((uint8_t *)record + draw((uint32_t)(bytes / width)) * width, &value, width);
}

/* ---- records of a stage ---------------------------------------------------------------------------------------------------- */

enum list { DEPENDENCIES, BINDINGS, CONDITIONS };

static uint16_t *first_of(struct kwe_stage *stage, enum list list)
{
    return list == DEPENDENCIES ? &stage->dependency_first
           : list == BINDINGS   ? &stage->binding_first
                                : &stage->condition_first;
}

/* Room for one more record behind the stage's last; NULL: the list is full. Those of other stages move up. */
static void *add_record(struct graph *graph, uint32_t index, enum list list)
{
    struct kwe_workflow *header = &graph->header;
    uint16_t *total = list == DEPENDENCIES ? &header->dependency_count
                      : list == BINDINGS   ? &header->binding_count
                                           : &header->condition_count;
    uint8_t *records = list == DEPENDENCIES ? (uint8_t *)graph->dependency
                       : list == BINDINGS   ? (uint8_t *)graph->binding
                                            : (uint8_t *)graph->condition;
    const size_t each = list == DEPENDENCIES ? sizeof(struct kwe_dependency) : 16;
    const uint32_t most = list == DEPENDENCIES ? KWE_MAX_DEPENDENCIES
                          : list == BINDINGS   ? KWE_MAX_BINDINGS
                                               : KWE_MAX_CONDITIONS;
    uint16_t *first = first_of(&graph->stage[index], list);
    const uint32_t at = (uint32_t)first[0] + first[1];

    if (*total >= most || at > *total) {
        return NULL;
    }
    memmove(records + (at + 1) * each, records + at * each, (*total - at) * each);
    memset(records + at * each, 0, each);
    ++*total;
    first[1]++;
    for (uint32_t i = index + 1; i < header->stage_count; i++) {
        first_of(&graph->stage[i], list)[0]++;
    }
    return records + at * each;
}

/* Of the stages that it waits for, or any. */
static uint16_t some_source(const struct graph *graph, uint32_t index)
{
    const struct kwe_stage *stage = &graph->stage[index];
    const uint32_t at = stage->dependency_first + draw(stage->dependency_count);

    return stage->dependency_count != 0 && at < graph->header.dependency_count && draw(6) != 0
               ? graph->dependency[at].stage
               : (uint16_t)draw(graph->header.stage_count);
}

static void add_dependency(struct graph *graph, uint32_t index)
{
    struct kwe_dependency *dependency = add_record(graph, index, DEPENDENCIES);

    if (dependency != NULL) {
        *dependency = (struct kwe_dependency){ (uint16_t)draw(index + (draw(50) == 0)),
                                               draw(5) == 0 ? KWE_DEPENDENCY_TOLERATES : 0 };
    }
}

static uint16_t inputs_of(const struct graph *graph, const struct kwe_stage *stage)
{
    uint16_t inputs = 0;

    for (uint32_t i = stage->binding_first;
         i < stage->binding_first + (uint32_t)stage->binding_count && i < KWE_MAX_BINDINGS; i++) {
        const uint8_t kind = graph->binding[i].kind;
        inputs =
            (uint16_t)(inputs + (kind <= KWE_BIND_INPUT_CONSTANT ||
                                 kind == KWE_BIND_INPUT_PREVIOUS || kind == KWE_BIND_INPUT_PART));
    }
    return inputs;
}

static void add_binding(struct graph *graph, uint32_t index)
{
    const uint16_t inputs = inputs_of(graph, &graph->stage[index]);
    struct kwe_binding *binding = add_record(graph, index, BINDINGS);

    if (binding == NULL) {
        return;
    }
    *binding = (struct kwe_binding){ .kind = (uint8_t)draw(KWE_BIND_INPUT_PART + 1),
                                     .width = draw(4) == 0 ? 4 : 8,
                                     .stage = some_source(graph, index),
                                     .source_index = (uint16_t)draw(3) };
    const bool is_input = binding->kind <= KWE_BIND_INPUT_CONSTANT ||
                          binding->kind == KWE_BIND_INPUT_PREVIOUS ||
                          binding->kind == KWE_BIND_INPUT_PART;
    binding->target = (uint16_t)(is_input ? inputs : 8 * draw(4));
    if (binding->kind == KWE_BIND_INPUT_CONSTANT || binding->kind == KWE_BIND_PARAM_BLOCK) {
        binding->source_offset = draw(64);
        binding->source_bytes = draw(32);
    } else if (graph->stage[index].join == KWE_JOIN_FIRST && draw(2) == 0) {
        binding->stage = KWE_ANY_STAGE;
    } else if (binding->kind == KWE_BIND_INPUT_PART && draw(2) == 0) {
        binding->stage = KWE_NO_STAGE;
    }
}

static void add_condition(struct graph *graph, uint32_t index)
{
    struct kwe_condition *condition = add_record(graph, index, CONDITIONS);

    if (condition != NULL) {
        *condition = (struct kwe_condition){ .stage = some_source(graph, index),
                                             .what = (uint8_t)draw(3),
                                             .relation = (uint8_t)draw(6),
                                             .source_index = draw(2),
                                             .constant = number(graph) };
    }
}

/* ---- stages ------------------------------------------------------------------------------------------------------------------ */

static void add_stage(struct graph *graph)
{
    struct kwe_workflow *header = &graph->header;

    if (header->stage_count == KWE_MAX_STAGES || header->params_bytes + 32 > MOST_PARAMS) {
        return;
    }
    const uint16_t index = header->stage_count++;
    header->params_bytes = (header->params_bytes + 7) & ~7u;
    graph->stage[index] = (struct kwe_stage){ .deck = draw(3) == 0 ? 3 : 1,
                                              .op = (uint16_t)(1 + draw(5)),
                                              .dependency_first = header->dependency_count,
                                              .binding_first = header->binding_count,
                                              .condition_first = header->condition_count,
                                              .fallback = KWE_NO_STAGE,
                                              .compensation = KWE_NO_STAGE,
                                              .params_offset = header->params_bytes,
                                              .params_bytes = 32 };
    graph->stage[index].out_limit = graph->stage[index].op == 3 ? 1 + draw(5000) : 0;
    graph->stage[index].out_most = draw(2) == 0 ? graph->stage[index].out_limit + draw(9000) : 0;
    header->params_bytes += 32;
    for (uint32_t i = draw(4); index > 0 && i > 0; i--) {
        add_dependency(graph, index);
    }
    if (graph->stage[index].op == 4) {
        add_binding(graph, index);
    }
}

/* The stages behind it become its body. */
static void make_loop(struct graph *graph, uint32_t index)
{
    struct kwe_stage *stage = &graph->stage[index];
    const uint32_t behind = graph->header.stage_count - index - 1u;
    struct kwe_parts parts = { .total_bytes = number(graph), .part_bytes = 1 + draw(40) };

    if (behind == 0 || stage->params_offset + sizeof(parts) > MOST_PARAMS) {
        return;
    }
    stage->kind = draw(2) == 0 ? KWE_STAGE_FOR_EACH : KWE_STAGE_UNTIL;
    stage->body_first = (uint16_t)(index + 1);
    stage->body_count = (uint16_t)(1 + draw(behind < 4 ? behind : 4));
    stage->bound = 1 + draw(stage->kind == KWE_STAGE_FOR_EACH ? 16 : 6);
    stage->binding_count = 0;
    stage->out_limit = 0;
    stage->deck = 0;
    stage->op = 0;
    stage->params_bytes = stage->kind == KWE_STAGE_FOR_EACH ? sizeof(parts) : 0;
    memcpy(graph->params + stage->params_offset, &parts, sizeof(parts));
    if (stage->kind == KWE_STAGE_UNTIL) {
        add_condition(graph, index);
    }
    for (uint32_t i = 1; i <= stage->body_count; i++) {
        struct kwe_stage *body = &graph->stage[index + i];
        for (uint32_t k = 0; k < body->dependency_count; k++) {
            graph->dependency[(body->dependency_first + k) % KWE_MAX_DEPENDENCIES].stage =
                (uint16_t)(index + draw(i));
        }
    }
}

static void change_stage(struct graph *graph, uint32_t index)
{
    struct kwe_stage *stage = &graph->stage[index];

    switch (draw(9)) {
    case 0:
        stage->join = !stage->join;
        break;
    case 1:
        stage->timeout_ns = number(graph);
        break;
    case 2:
        stage->op = (uint16_t)draw(6);
        break;
    case 3:
        stage->deck = (uint8_t)(draw(4) * 2 + 1);
        break;
    case 4:
        stage->out_limit = (uint32_t)number(graph);
        break;
    case 5:
        stage->bound = (uint32_t)number(graph);
        break;
    case 6:
        make_loop(graph, index);
        break;
    case 7:
        graph->params[draw(MOST_PARAMS)] = (uint8_t)number(graph);
        break;
    default:
        change_field(graph, stage, sizeof(*stage));
    }
}

static void change_header(struct graph *graph)
{
    struct kwe_workflow *header = &graph->header;

    switch (draw(8)) {
    case 6:
        header->large_slots = draw(3);
        break;
    case 0:
        header->result_stage = (uint16_t)draw(header->stage_count);
        break;
    case 1:
        header->slots = 1 + draw(5);
        break;
    case 2:
        header->timeout_ns = number(graph);
        break;
    case 3:
        header->program_bytes = number(graph);
        break;
    case 4:
        header->block_bytes = draw(100);
        break;
    case 5:
        header->constant_bytes = draw(100);
        break;
    default:
        header->stage_count = (uint16_t)(1 + draw(header->stage_count)); /* cut short */
    }
}

static void change(struct graph *graph)
{
    const struct kwe_workflow *header = &graph->header;
    const uint32_t index = draw(header->stage_count);

    switch (header->stage_count == 0 ? 0 : draw(10)) {
    case 0:
    case 1:
        add_stage(graph);
        break;
    case 2:
        add_dependency(graph, index);
        break;
    case 3:
        add_binding(graph, index);
        break;
    case 4:
        add_condition(graph, index);
        break;
    case 5:
    case 6:
        change_stage(graph, index);
        break;
    case 7:
        change_field(graph, &graph->binding[draw(header->binding_count)], 16);
        break;
    case 8:
        change_field(graph,
                     draw(2) == 0 ? (void *)&graph->condition[draw(header->condition_count)]
                                  : &graph->dependency[draw(header->dependency_count)],
                     draw(2) == 0 ? 4 : 2);
        break;
    default:
        change_header(graph);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    static struct graph graph;

    state = ((uint64_t)seed << 20) + 0x9e3779b97f4a7c15u;
    if (size < SEED_BYTES + sizeof(struct kwe_workflow) || draw(16) == 0) {
        return LLVMFuzzerMutate(data, size, most);
    }
    if (draw(3) == 0) {
        memcpy(data, &state, SEED_BYTES); /* the same graph, run otherwise */
        return size;
    }
    take_apart(&graph, data + SEED_BYTES, size - SEED_BYTES);
    for (uint32_t i = 1 + draw(4); i > 0; i--) {
        change(&graph);
    }
    const size_t bytes = put_together(&graph, data + SEED_BYTES, most - SEED_BYTES);
    return bytes == 0 ? size : SEED_BYTES + bytes;
}
