/*
 * line_deck.c - for tests: telephones.
 *
 *   call:  CALLING --wait takes it--> OPEN --reply--> (answered) --close--> FREE, and the caller has its answer
 */
#include "kernel/decks/line/line_ops.h"

#include <string.h>

#define LINES      16u
#define TEXT_BYTES 256u

enum line_state {
    LINE_FREE,
    LINE_CALLING,
    LINE_OPEN,
};

struct line {
    enum line_state state;
    uint64_t turn; /* order of calls */
    uint64_t generation;
    uint8_t text[TEXT_BYTES], answer[TEXT_BYTES];
    uint32_t text_bytes, answer_bytes;
    struct fibre_event *caller; /* NULL: it has given up */
};

struct waiter {
    struct fibre_event event;
    struct waiter *next;
};

static struct {
    struct line line[LINES];
    uint64_t turns;
    struct waiter *first;
    uint64_t waiting;
} lines;

enum kerr deck_start(const struct kwe_deck_info *info)
{
    (void)info;
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits;
}

uint64_t deck_idle(void)
{
    return UINT64_MAX;
}

static struct line *find(enum line_state state)
{
    struct line *found = NULL;

    for (unsigned i = 0; i < LINES; i++) {
        struct line *line = &lines.line[i];
        if (line->state == state && (found == NULL || line->turn < found->turn)) {
            found = line;
        }
    }
    return found;
}

static uint64_t handle_of(const struct line *line)
{
    return line->generation << 8 | (uint64_t)(line - lines.line);
}

static struct line *line_of(uint64_t handle)
{
    struct line *line = &lines.line[handle & 0xff & (LINES - 1)];
    return line->state == LINE_OPEN && handle_of(line) == handle ? line : NULL;
}

static void leave(struct waiter *waiter)
{
    struct waiter **link = &lines.first;

    while (*link != NULL && *link != waiter) {
        link = &(*link)->next;
    }
    if (*link == waiter) {
        *link = waiter->next;
    }
    lines.waiting--;
}

enum kerr line_wait(struct line_wait_call *call)
{
    struct line *line;

    call->waiting = ++lines.waiting;
    struct waiter self = { .next = NULL };
    struct waiter **link = &lines.first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = &self;
    enum kerr error = KERR_OK;
    while (error == KERR_OK && (lines.first != &self || (line = find(LINE_CALLING)) == NULL)) {
        error = deck_wait(call->request, &self.event, UINT64_MAX);
    }
    leave(&self);
    if (error != KERR_OK) {
        return error;
    }
    line->state = LINE_OPEN;
    call->line = handle_of(line);
    if (lines.first != NULL) {
        fibre_signal(&lines.first->event); /* there may be more calls */
    }
    return KERR_OK;
}

enum kerr line_receive(struct line_receive_call *call)
{
    const struct line *line = line_of(call->params->line);

    if (line == NULL) {
        return KERR_BAD_HANDLE;
    }
    memcpy(call->text.data, line->text, line->text_bytes);
    call->text.length = line->text_bytes;
    return KERR_OK;
}

enum kerr line_reply(struct line_reply_call *call)
{
    struct line *line = line_of(call->params->line);

    if (line == NULL) {
        return KERR_BAD_HANDLE;
    }
    if (call->text.length > TEXT_BYTES) {
        return KERR_TOO_LARGE;
    }
    memcpy(line->answer, call->text.data, call->text.length);
    line->answer_bytes = (uint32_t)call->text.length;
    return KERR_OK;
}

enum kerr line_close(struct line_close_call *call)
{
    struct line *line = line_of(call->params->line);

    if (line == NULL) {
        return KERR_BAD_HANDLE;
    }
    line->state = LINE_FREE;
    if (line->caller != NULL) {
        fibre_signal(line->caller);
    }
    return KERR_OK;
}

enum kerr line_call(struct line_call_call *call)
{
    struct fibre_event answered = { .waiter = NULL };
    struct line *line = find(LINE_FREE);

    if (line == NULL || call->text.length > TEXT_BYTES) {
        return line == NULL ? KERR_TOO_MANY : KERR_TOO_LARGE;
    }
    *line = (struct line){ .state = LINE_CALLING,
                           .turn = lines.turns++,
                           .generation = line->generation + 1,
                           .text_bytes = (uint32_t)call->text.length,
                           .caller = &answered };
    memcpy(line->text, call->text.data, call->text.length);
    if (lines.first != NULL) {
        fibre_signal(&lines.first->event);
    }
    enum kerr error = deck_wait(call->request, &answered, UINT64_MAX);
    if (error != KERR_OK) {
        line->caller = NULL;
        line->state = line->state == LINE_CALLING ? LINE_FREE : line->state;
        return error;
    }
    memcpy(call->answer.data, line->answer, line->answer_bytes);
    call->answer.length = line->answer_bytes;
    return KERR_OK;
}
