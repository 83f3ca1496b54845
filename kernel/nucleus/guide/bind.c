/* bind.c - what a stage's run takes from others: inputs and parameters. */
#include "kernel/nucleus/guide/state.h"
#include "kernel/nucleus/workflow/layout.h"

static const struct plan_loop *loop_of(const struct stage_run *run)
{
    return &run->event->plan->loops[run_stage(run)->loop];
}

const struct stage_run *bind_last(const struct event *event, uint16_t stage)
{
    const struct plan *plan = event->plan;
    const struct plan_stage *source = &plan->stages[stage];

    if (!source->is_body || event->loops[source->loop].started == 0) {
        return event_run(event, stage, 0);
    }
    const uint64_t last = event->loops[source->loop].started - 1;
    return event_run(event, stage, (unsigned)(last % plan->loops[source->loop].lanes));
}

const struct stage_run *bind_source(const struct stage_run *reader, uint16_t stage)
{
    const struct event *event = reader->event;
    const uint16_t index = stage == KWE_ANY_STAGE ? reader->winner : stage;

    if (!event->plan->stages[index].is_body) {
        return &event->run[index];
    }
    return run_stage(reader)->is_body ? event_run(event, index, reader->lane)
                                      : bind_last(event, index);
}

/* NULL: there is no part before. */
static const struct stage_run *previous_run(const struct stage_run *reader, uint16_t stage)
{
    const uint64_t part = run_part(reader);
    return part == 0
               ? NULL
               : event_run(reader->event, stage, (unsigned)((part - 1) % loop_of(reader)->lanes));
}

void bind_output(struct stage_run *run, uint8_t segment)
{
    const struct workflow *workflow = run->event->workflow;
    const struct plan_stage *stage = run_stage(run);
    const struct plan_segment *there = &workflow->plan->segment[segment];

    run->segment = segment;
    if (run_room(run) == 0) {
        run->out_offset = 0;
        return;
    }
    run->out_offset = workflow->segment_offset[segment];
    if (run->event->is_large) {
        run->out_offset += layout_large_at(workflow->plan, there) +
                           run->event->place * there->large_stride + stage->large.offset +
                           run->lane * stage->large.stride;
    } else {
        run->out_offset +=
            run->event->place * there->stride + stage->out_offset + run->lane * stage->out_stride;
    }
}

/* ---- inputs -------------------------------------------------------------------------------------------------------- */

/* It goes with it, in the same visit. Another that is in hand may be one that lost a JOIN_FIRST, and writes still. */
static inline bool is_fused_behind(const struct stage_run *reader, const struct stage_run *source)
{
    return source->state == RUN_IN_HAND && run_stage(source)->fused_next == reader->stage &&
           source->lane == reader->lane;
}

static struct kwe_buffer output_of(const struct stage_run *reader, const struct stage_run *source)
{
    if (source == NULL || (source->state != RUN_DONE && !is_fused_behind(reader, source))) {
        return (struct kwe_buffer){ .length = 0 };
    }
    return (struct kwe_buffer){ source->out_offset,
                                source->state == RUN_DONE ? source->length : KWE_LENGTH_OF_BEFORE,
                                source->segment };
}

static struct kwe_buffer event_buffer(const struct event *event)
{
    return (struct kwe_buffer){ event->workflow->segment_offset[PLAN_SEGMENT_PROGRAM] +
                                    event->input_offset,
                                event->input_length, PLAN_SEGMENT_PROGRAM };
}

/* The bytes of the run's part, as far as there are so many. */
static struct kwe_buffer slice(const struct stage_run *run, struct kwe_buffer whole)
{
    const struct loop_run *loop = &run->event->loops[run_stage(run)->loop];
    const uint64_t offset = run_part(run) * loop->parts.part_bytes;
    const uint64_t rest = offset < whole.length ? whole.length - offset : 0;

    whole.offset += rest == 0 ? 0 : offset;
    whole.length = (uint32_t)(rest < loop->parts.part_bytes ? rest : loop->parts.part_bytes);
    return whole;
}

static struct kwe_buffer input_buffer(const struct stage_run *run,
                                      const struct kwe_binding *binding)
{
    const struct event *event = run->event;
    const struct workflow *workflow = event->workflow;

    switch (binding->kind) {
    case KWE_BIND_INPUT_STAGE:
        return output_of(run, bind_from(run, binding->stage));
    case KWE_BIND_INPUT_EVENT:
        return event_buffer(event);
    case KWE_BIND_INPUT_PREVIOUS:
        return output_of(run, previous_run(run, binding->stage));
    case KWE_BIND_INPUT_PART:
        return slice(run, binding->stage == KWE_NO_STAGE
                              ? event_buffer(event)
                              : output_of(run, bind_source(run, binding->stage)));
    default:
        return (struct kwe_buffer){ workflow->segment_offset[PLAN_SEGMENT_NUCLEUS] +
                                        workflow->plan->constant_offset + binding->source_offset,
                                    binding->source_bytes, PLAN_SEGMENT_NUCLEUS };
    }
}

uint32_t bind_size_bytes(const struct stage_run *run)
{
    const struct plan_stage *stage = run_stage(run);

    return stage->size_binding == PLAN_NO_BINDING
               ? stage->out_room
               : input_buffer(run, &run->event->plan->bindings[stage->size_binding]).length;
}

/* ---- parameters ------------------------------------------------------------------------------------------------------ */

/* KERR_BAD_PARAMETER: the value does not fit the field. */
static inline enum kerr put_number(uint64_t value, const struct kwe_binding *binding,
                                   uint8_t *params)
{
    if (binding->width == 4) {
        if (value > UINT32_MAX) {
            return KERR_BAD_PARAMETER;
        }
        uint32_t narrow = (uint32_t)value;
        memcpy(params + binding->target, &narrow, sizeof(narrow));
    } else {
        memcpy(params + binding->target, &value, sizeof(value));
    }
    return KERR_OK;
}

static uint64_t part_number(const struct stage_run *run, uint16_t what)
{
    const struct loop_run *loop = &run->event->loops[run_stage(run)->loop];
    const uint64_t part = run_part(run), offset = part * loop->parts.part_bytes;

    if (what == KWE_PART_NUMBER) {
        return part;
    }
    if (what == KWE_PART_OFFSET) {
        return offset;
    }
    const uint64_t rest = loop->parts.total_bytes - offset;
    return rest < loop->parts.part_bytes ? rest : loop->parts.part_bytes;
}

/* A part of another's output. Its deck may write there again, so it is copied once and the copy is what is checked. */
static enum kerr put_output(const struct guide *guide, const struct stage_run *source,
                            const struct kwe_binding *binding, uint8_t *params)
{
    const struct guide_port *port = &guide->config.port;
    const struct workflow *workflow = source->event->workflow;

    if (source->state != RUN_DONE || binding->source_offset > source->length ||
        binding->source_bytes > source->length - binding->source_offset) {
        return KERR_BAD_PARAMETER;
    }
    return port->read_segment(port->context, workflow->id, source->segment,
                              source->out_offset - workflow->segment_offset[source->segment] +
                                  binding->source_offset,
                              params + binding->target, binding->source_bytes)
               ? KERR_OK
               : KERR_BAD_PARAMETER;
}

/* One that is no value. */
static enum kerr bind_param(const struct guide *guide, const struct stage_run *run,
                            const struct kwe_binding *binding, uint8_t *params)
{
    const struct stage_run *previous;

    switch (binding->kind) {
    case KWE_BIND_PARAM_LENGTH:
        return put_number(bind_from(run, binding->stage)->length, binding, params);
    case KWE_BIND_PARAM_STATUS:
        return put_number(bind_from(run, binding->stage)->status, binding, params);
    case KWE_BIND_PARAM_PART:
        return put_number(part_number(run, binding->source_index), binding, params);
    case KWE_BIND_PARAM_PREVIOUS:
        previous = previous_run(run, binding->stage);
        return previous == NULL
                   ? KERR_OK
                   : put_number(run_value(previous, binding->source_index), binding, params);
    case KWE_BIND_PARAM_OUTPUT:
        return put_output(guide, bind_from(run, binding->stage), binding, params);
    default:
        if (binding->source_bytes != 0) { /* without variables there is no block */
            memcpy(params + binding->target, run->event->block + binding->source_offset,
                   binding->source_bytes);
        }
        return KERR_OK;
    }
}

/* `frame` NULL: a loop's, which has no inputs. Checked when not all of them were known at registration. */
static enum kerr bind_all(const struct guide *guide, const struct stage_run *run,
                          struct kwe_work_frame *frame, uint8_t *params)
{
    const struct plan *plan = run->event->plan;
    const struct plan_stage *stage = run_stage(run);
    bool bound_params = false;
    uint32_t bad_offset;

    if (stage->params_bytes != 0) {
        memcpy(params, plan->params + stage->params_offset, stage->params_bytes);
    }
    const struct kwe_binding *binding = &plan->bindings[stage->binding_first];
    for (uint16_t left = stage->binding_count; left != 0; left--, binding++) {
        enum kerr bound = KERR_OK;
        if (binding->kind == KWE_BIND_INPUT_STAGE) { /* these two are by far the most frequent */
            frame->input[binding->target] = output_of(run, bind_from(run, binding->stage));
            continue;
        }
        if (binding->kind == KWE_BIND_PARAM_VALUE) {
            bound = put_number(run_value(bind_from(run, binding->stage), binding->source_index),
                               binding, params);
        } else if (plan_binds_input(binding)) {
            frame->input[binding->target] = input_buffer(run, binding);
            continue;
        } else {
            bound = bind_param(guide, run, binding, params);
        }
        if (bound != KERR_OK) {
            return bound;
        }
        bound_params = true;
    }
    return bound_params ? plan_validate(stage, params, &bad_offset) : KERR_OK;
}

enum kerr bind_frame(const struct guide *guide, const struct stage_run *run,
                     struct kwe_work_frame *frame)
{
    return bind_all(guide, run, frame, frame->params);
}

enum kerr bind_parts(const struct guide *guide, const struct stage_run *run,
                     struct kwe_parts *parts)
{
    uint8_t params[sizeof(*parts)];

    if (run_stage(run)->kind == KWE_STAGE_UNTIL) { /* its rounds count as parts of one byte */
        *parts = (struct kwe_parts){ loop_of(run)->rounds, 1 };
        return KERR_OK;
    }
    enum kerr bound = bind_all(guide, run, NULL, params);
    memcpy(parts, params, sizeof(*parts));
    return bound;
}
