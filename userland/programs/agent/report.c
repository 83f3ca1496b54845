/* report.c - see report.h. One buffer holds the frame that is being made; another gathers results until they fill one. */
#include "userland/programs/agent/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/trace.h"
#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/common/crc32c.h"

#define TEXT_MAX_BYTES 512

static struct {
    struct kwe_control_frame header;
    uint8_t payload[KWE_CONTROL_MAX_PAYLOAD];
} frame;

static uint8_t gathered[16384]; /* results; small enough that the host sees them flow */
static uint32_t gathered_bytes;

/* A call takes only so much at a time. */
static void write_all(const uint8_t *data, size_t length)
{
    while (length > 0) {
        int64_t taken = kwe_call_control_write(data, length);
        if (taken <= 0) {
            kwe_log("agent: the control channel does not take what it is given");
            exit(1);
        }
        data += taken;
        length -= (size_t)taken;
    }
}

/* The payload lies in frame.payload. */
static void send(uint16_t type, size_t length)
{
    frame.header = (struct kwe_control_frame){ .magic = KWE_CONTROL_MAGIC,
                                               .type = type,
                                               .length = (uint32_t)length };
    frame.header.crc32c = crc32c(
        0, (const uint8_t *)&frame.header + offsetof(struct kwe_control_frame, type),
        offsetof(struct kwe_control_frame, crc32c) - offsetof(struct kwe_control_frame, type));
    frame.header.crc32c = crc32c(frame.header.crc32c, frame.payload, length);
    write_all((const uint8_t *)&frame, sizeof(frame.header) + length);
}

static void send_struct(uint16_t type, const void *data, size_t bytes)
{
    memcpy(frame.payload, data, bytes);
    send(type, bytes);
}

void report_hello(uint32_t row_count)
{
    struct kwe_control_hello hello = {
        .version = KWE_CONTROL_VERSION,
        .row_count = row_count,
        .now_ns = kwe_now_ns(),
    };

    send_struct(KWE_CONTROL_HELLO, &hello, sizeof(hello));
}

void report_job(uint32_t index)
{
    static uint32_t current;
    const struct kwe_control_job job = { .index = index };

    if (index != current) {
        report_flush();
        send_struct(KWE_CONTROL_JOB, &job, sizeof(job));
        current = index;
    }
}

void report_registered(const struct kwe_workflow_info *info)
{
    send_struct(KWE_CONTROL_REGISTERED, info, sizeof(*info));
}

void report_plan(const struct kwe_workflow_info *info)
{
    struct {
        struct kwe_plan whole;
        struct kwe_plan_stage stages[KWE_MAX_STAGES];
    } plan;

    if (kwe_workflow_plan(info, &plan.whole, plan.stages) >= 0) {
        send_struct(KWE_CONTROL_PLAN, &plan,
                    sizeof(plan.whole) + plan.whole.stage_count * sizeof(plan.stages[0]));
    }
}

void report_progress(const struct kwe_control_progress *progress)
{
    send_struct(KWE_CONTROL_PROGRESS, progress, sizeof(*progress));
}

void report_flush(void)
{
    if (gathered_bytes > 0) {
        send_struct(KWE_CONTROL_RESULTS, gathered, gathered_bytes);
        gathered_bytes = 0;
    }
}

void report_result(uint32_t row, const struct kwe_result *result, const void *output)
{
    struct kwe_control_result head = { .row = row, .result = *result };
    uint32_t most = (uint32_t)sizeof(head) + KWE_CONTROL_MAX_OUTPUT;

    if (gathered_bytes + most > sizeof(gathered)) {
        report_flush();
    }
    if (output != NULL) {
        head.output_bytes =
            result->length < KWE_CONTROL_MAX_OUTPUT ? result->length : KWE_CONTROL_MAX_OUTPUT;
    }
    uint8_t *at = gathered + gathered_bytes;
    memset(at, 0, most);
    memcpy(at, &head, sizeof(head));
    if (head.output_bytes > 0) {
        memcpy(at + sizeof(head), output, head.output_bytes);
    }
    gathered_bytes += (uint32_t)sizeof(head) + ((head.output_bytes + 7) & ~7u);
}

void report_stages(const struct kwe_workflow_info *info, uint32_t stage_count)
{
    struct kwe_workflow_status status;
    struct kwe_stage_status stages[KWE_MAX_STAGES];

    if (stage_count > KWE_MAX_STAGES ||
        kwe_workflow_status(info, &status, stages, stage_count) < 0) {
        return;
    }
    size_t stage_bytes = stage_count * sizeof(stages[0]);
    memcpy(frame.payload, &status, sizeof(status));
    memcpy(frame.payload + sizeof(status), stages, stage_bytes);
    send(KWE_CONTROL_STAGES, sizeof(status) + stage_bytes);
}

void report_statistics(void)
{
    struct kwe_statistics statistics;

    if (kwe_statistics(&statistics) >= 0) {
        send_struct(KWE_CONTROL_STATISTICS, &statistics, sizeof(statistics));
    }
}

static bool trace_is_half_full(void)
{
    struct kwe_trace_head head;

    return kwe_call_trace_read(&head, sizeof(head)) > 0 && head.waiting > head.room / 2;
}

/* Refused when none is kept. */
void report_trace(void)
{
    size_t bytes = sizeof(frame.payload);

    /* Until one is not full. */
    while (bytes + sizeof(struct kwe_trace_record) > sizeof(frame.payload)) {
        int64_t read = kwe_call_trace_read(frame.payload, sizeof(frame.payload));
        if (read <= 0) {
            return;
        }
        bytes = (size_t)read;
        send(KWE_CONTROL_TRACE, bytes);
    }
}

uint64_t report_trace_in_time(void)
{
    const uint64_t from_ns = kwe_now_ns();

    if (!trace_is_half_full()) {
        return 0;
    }
    report_trace();
    return kwe_now_ns() - from_ns;
}

void report_done(const struct kwe_control_done *done)
{
    send_struct(KWE_CONTROL_DONE, done, sizeof(*done));
}

void report_error(enum kerr status, uint16_t stage, const char *format, ...)
{
    char text[TEXT_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    uint32_t bytes = length < 0                ? 0
                     : length < TEXT_MAX_BYTES ? (uint32_t)length
                                               : TEXT_MAX_BYTES - 1;
    struct kwe_control_error error = { .status = (uint16_t)status,
                                       .stage = stage,
                                       .text_bytes = bytes };
    report_flush();
    memcpy(frame.payload, &error, sizeof(error));
    memcpy(frame.payload + sizeof(error), text, bytes);
    send(KWE_CONTROL_ERROR, sizeof(error) + bytes);
    kwe_log("agent: %.*s", (int)bytes, text);
}
