/* request.c - one stage's work in this instance's hands, as an operation sees it. */
#include "userland/libkwe/deck/internal.h"

#include <string.h>

/* The arena's segment 0 is the nucleus's (constants, manifest), 1 the program's, the rest the instances'. */
#define SEGMENT_PROGRAM 1u

void request_begin(struct deck_request *request, const struct kwe_work *work,
                   const struct kwe_work_frame *frames, uint64_t now_ns)
{
    request->work = *work;
    request->frame = &frames[KWE_TICKET_INDEX(work->ticket)];
    request->completion = (struct kwe_completion){ .ticket = work->ticket };
    request->taken_ns = now_ns;
    request->waits_for = NULL;
    request->recalled = false;
    request->is_armed = false;
    request->before_length = 0;
    request->then = NULL;
}

enum kerr request_verdict(struct deck_request *request, enum kerr said)
{
    struct kwe_completion *completion = &request->completion;
    const bool is_over = completion->out_length > request->work.out_capacity;

    if (said == KERR_OK && is_over) {
        deck_die("op %u wrote %u bytes into a room of %u", request->work.op, completion->out_length,
                 request->work.out_capacity);
    }
    if (said == KERR_OUTPUT_TOO_LARGE && is_over) {
        completion->value[0] = completion->out_length;
        return KERR_NEED_ROOM;
    }
    return said;
}

const void *deck_params(const struct deck_request *request)
{
    return request->frame->params;
}

struct deck_bytes deck_input(const struct deck_request *request, unsigned index)
{
    if (index >= request->work.input_count) {
        return (struct deck_bytes){ .data = NULL };
    }
    const struct kwe_buffer *buffer = &request->frame->input[index];
    return (struct deck_bytes){
        .data = (const uint8_t *)(uintptr_t)(request->work.arena_base + buffer->offset),
        .length = buffer->length == KWE_LENGTH_OF_BEFORE ? request->before_length : buffer->length,
        .writable_by_program = buffer->segment == SEGMENT_PROGRAM,
    };
}

struct deck_room deck_output(const struct deck_request *request)
{
    const struct kwe_work *work = &request->work;

    return (struct deck_room){
        .data = work->out_capacity == 0
                    ? NULL
                    : (uint8_t *)(uintptr_t)(work->arena_base + work->out_offset),
        .capacity = work->out_capacity,
    };
}

uint64_t deck_deadline_ns(const struct deck_request *request)
{
    return request->work.deadline_ns;
}

uint32_t deck_workflow(const struct deck_request *request)
{
    return request->work.workflow;
}

bool deck_recalled(const struct deck_request *request)
{
    return request->recalled;
}

enum kerr deck_wait(struct deck_request *request, struct fibre_event *event, uint64_t deadline_ns)
{
    const uint64_t own_ns = request->work.deadline_ns;
    const bool own_is_sooner = own_ns != 0 && own_ns < deadline_ns;
    bool signalled = false;

    if (!request->recalled) {
        request->waits_for = event;
        signalled = fibre_wait(event, own_is_sooner ? own_ns : deadline_ns);
        request->waits_for = NULL;
    }
    return request->recalled ? KERR_CANCELLED : signalled ? KERR_OK : KERR_TIMED_OUT;
}

void deck_set_output_length(struct deck_request *request, size_t length)
{
    request->completion.out_length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
}

void deck_set_value(struct deck_request *request, unsigned index, uint64_t value)
{
    if (index < KWE_MAX_VALUES) {
        request->completion.value[index] = value;
    }
}

void deck_count_copied_cache(struct deck_request *request, size_t bytes)
{
    request->completion.copied_cache += (uint32_t)bytes;
}

void deck_count_copied_device(struct deck_request *request, size_t bytes)
{
    request->completion.copied_device += (uint32_t)bytes;
}

/* Is `path` the subtree's root or something below it? "/" is all. */
static bool path_is_below(const char *path, size_t length, const struct kwe_path *subtree)
{
    size_t root = subtree->length;

    while (root > 0 && subtree->bytes[root - 1] == '/') {
        root--;
    }
    return length > 0 && length >= root && memcmp(path, subtree->bytes, root) == 0 &&
           (length == root || path[root] == '/');
}

static const struct kwe_manifest_entry *manifest_of(const struct deck_request *request)
{
    const struct kwe_work *work = &request->work;

    return (const struct kwe_manifest_entry *)(uintptr_t)(work->arena_base + work->manifest_offset);
}

bool deck_port_allowed(const struct deck_request *request, uint32_t port, uint32_t rights)
{
    const struct kwe_manifest_entry *manifest = manifest_of(request);

    for (uint32_t i = 0; i < request->work.manifest_count; i++) {
        const struct kwe_manifest_entry *entry = &manifest[i];
        if (entry->kind == KWE_MANIFEST_PORT && (entry->rights & rights) == rights &&
            (entry->number == 0 || entry->number == port)) {
            return true;
        }
    }
    return false;
}

bool deck_path_allowed(const struct deck_request *request, const char *path, size_t length,
                       uint32_t rights)
{
    const struct kwe_manifest_entry *manifest = manifest_of(request);

    for (uint32_t i = 0; i < request->work.manifest_count; i++) {
        const struct kwe_manifest_entry *entry = &manifest[i];
        if (entry->kind == KWE_MANIFEST_SUBTREE && (entry->rights & rights) == rights &&
            entry->path.length <= sizeof(entry->path.bytes) &&
            path_is_below(path, length, &entry->path)) {
            return true;
        }
    }
    return false;
}
