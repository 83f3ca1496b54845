/* network_http_send.c - answers; see network_http.h. */
#include "kernel/decks/network/network_http_connection.h"

#include "kernel/decks/network/network_card.h"
#include "kernel/decks/network/network_stack.h"

#define LINES_BYTES 4096u
#define WRITE_BYTES (44u * TCP_MSS) /* lwIP takes 16 bits of length */
/* Up to here bytes are copied, and nobody waits until they have arrived. */
#define COPY_BYTES 8192u

/* Wait for a change at the connection; an error when there is nothing left to send on. */
static enum kerr await_change(struct deck_request *request, struct http_connection *connection)
{
    enum kerr error = network_wait(request, &connection->waiters, UINT64_MAX);

    return error == KERR_OK && connection->pcb == NULL ? connection->error : error;
}

/* Give lwIP all of the bytes; `more`: others follow at once. */
static enum kerr put(struct deck_request *request, struct http_connection *connection,
                     struct deck_bytes bytes, bool copy, bool more)
{
    size_t at = 0;

    while (at < bytes.length) {
        size_t part = bytes.length - at;
        part = part > WRITE_BYTES ? WRITE_BYTES : part;
        part = part > tcp_sndbuf(connection->pcb) ? tcp_sndbuf(connection->pcb) : part;
        const bool is_last = at + part == bytes.length && !more;
        const uint8_t flags =
            (uint8_t)((copy ? TCP_WRITE_FLAG_COPY : 0) | (is_last ? 0 : TCP_WRITE_FLAG_MORE));
        const err_t error =
            part == 0 ? ERR_MEM
                      : tcp_write(connection->pcb, bytes.data + at, (uint16_t)part, flags);
        if (error == ERR_MEM) {
            (void)tcp_output(connection->pcb); /* when something has arrived, there is room again */
            enum kerr waited = await_change(request, connection);
            if (waited != KERR_OK) {
                return waited;
            }
        } else if (error != ERR_OK) {
            return network_error(error);
        } else {
            at += part;
            connection->queued += part;
        }
    }
    return KERR_OK;
}

static enum kerr put_head(struct deck_request *request, struct http_connection *connection,
                          const struct http_answer *answer, const uint8_t *lines, bool keep_alive,
                          bool more)
{
    char text[HTTP_HEAD_BYTES + LINES_BYTES + 2];
    const bool has_length = answer->status != 204 && answer->status != 304;
    const struct http_head head = { answer->status, has_length, answer->length, keep_alive, false };
    size_t length = http_head(&head, text);

    memcpy(text + length, lines, answer->lines.length);
    length += answer->lines.length;
    memcpy(text + length, "\r\n", 2);
    length += 2;
    const struct deck_bytes bytes = { (const uint8_t *)text, length, false };
    return put(request, connection, bytes, true, more);
}

static enum kerr put_body(struct deck_request *request, struct http_connection *connection,
                          const struct deck_bytes part[2], bool *lent)
{
    enum kerr error = KERR_OK;

    for (int i = 0; i < 2 && error == KERR_OK; i++) {
        const bool copy = part[i].length <= COPY_BYTES;
        *lent = *lent || !copy;
        error = put(request, connection, part[i], copy, i == 0 && part[1].length != 0);
        if (copy) {
            deck_count_copied_cache(request, part[i].length);
        }
    }
    return error;
}

/* Does what is to be sent agree with itself? The lines are copied on the way: they may be a program's, and change. */
static bool check_answer(const struct http_answer *answer, bool has_body, uint8_t *lines)
{
    if (answer->lines.length > LINES_BYTES) {
        return false;
    }
    if (answer->lines.length != 0) {
        memcpy(lines, answer->lines.data, answer->lines.length);
    }
    return http_lines_valid(lines, answer->lines.length) &&
           (!has_body ||
            answer->part[0].length + answer->part[1].length + answer->more == answer->length);
}

/* What was put goes out; bytes that were lent are the caller's again when the client has them. */
static enum kerr finish(struct deck_request *request, struct http_connection *connection,
                        enum kerr error, bool lent)
{
    if (error == KERR_OK) {
        (void)tcp_output(connection->pcb); /* what it cannot send now it sends later */
    }
    const uint64_t end = connection->queued;
    while (error == KERR_OK && lent && connection->acknowledged < end) {
        error = await_change(request, connection);
    }
    if (error != KERR_OK) {
        http_abort(
            connection); /* in the middle of an answer: the client must not take it for whole */
    }
    if (lent) {
        network_card_settle(); /* the bytes are somebody else's once this has been answered */
    }
    return error == KERR_OK && connection->pcb == NULL ? connection->error : error;
}

static enum kerr send_all(struct deck_request *request, struct http_connection *connection,
                          const struct http_answer *answer, const uint8_t *lines, bool keep_alive)
{
    const bool has_body = http_has_body(answer->status, connection->method) && answer->length != 0;
    bool lent = false;
    enum kerr error = put_head(request, connection, answer, lines, keep_alive, has_body);

    if (error == KERR_OK && has_body) {
        error = put_body(request, connection, answer->part, &lent);
    }
    return finish(request, connection, error, lent);
}

/* A part of the answer is out: the connection waits for the next, or the request is answered. */
static void part_sent(struct http_connection *connection, uint64_t bytes, enum kerr error)
{
    if (error != KERR_OK) {
        http_free(connection);
        return;
    }
    connection->more_at += bytes;
    connection->more_left -= bytes;
    if (connection->more_left == 0) {
        http_answered(connection, connection->more_keep_alive);
    } else {
        http_enter(connection, HTTP_IN_HAND);
    }
    network_wake(&connection->waiters);
}

enum kerr http_send(struct deck_request *request, const struct http_answer *answer)
{
    struct http_connection *connection = http_find(answer->connection, deck_workflow(request));
    uint8_t lines[LINES_BYTES];

    if (connection == NULL) {
        return KERR_BAD_HANDLE;
    }
    if (connection->pcb == NULL) { /* the client has not waited */
        http_free(connection);
        return connection->error;
    }
    if (!check_answer(answer, http_has_body(answer->status, connection->method), lines)) {
        http_refuse(connection, 500);
        return KERR_BAD_RESPONSE;
    }
    const bool keep_alive = connection->keep_alive && !connection->is_ended && !answer->close;
    http_enter(connection, HTTP_SENDING);
    enum kerr error = send_all(request, connection, answer, lines, keep_alive);
    if (error == KERR_OK) {
        http_count(connection, answer->status);
    }
    connection->more_at = 0;
    connection->more_left = http_has_body(answer->status, connection->method) ? answer->more : 0;
    connection->more_keep_alive = keep_alive;
    part_sent(connection, 0, error);
    return error;
}

/* Wait for the part's turn. NULL: the answer is not, or no more, waiting for it; *error says what came in between. */
static struct http_connection *await_turn(struct deck_request *request, uint64_t handle,
                                          uint64_t offset, enum kerr *error)
{
    const uint32_t workflow = deck_workflow(request);
    struct http_connection *connection = http_find_begun(handle, workflow);

    *error = KERR_OK;
    while (connection != NULL && *error == KERR_OK && connection->pcb != NULL &&
           (connection->state != HTTP_IN_HAND || connection->more_at != offset)) {
        *error = network_wait(request, &connection->waiters, UINT64_MAX);
        connection = http_find_begun(handle, workflow);
    }
    if (*error == KERR_OK && connection == NULL) {
        *error = KERR_BAD_HANDLE;
    }
    return *error == KERR_OK ? connection : NULL;
}

enum kerr http_more(struct deck_request *request, uint64_t handle, uint64_t offset,
                    struct deck_bytes data)
{
    enum kerr error = KERR_OK;
    struct http_connection *connection = await_turn(request, handle, offset, &error);

    if (connection == NULL) {
        return error;
    }
    if (connection->pcb == NULL) { /* the client has not waited */
        error = connection->error;
        if (connection->state == HTTP_IN_HAND) {
            http_free(connection);
        }
        return error;
    }
    if (data.length == 0 || data.length > connection->more_left) {
        http_abort(connection); /* the answer would not be what was promised */
        http_free(connection);
        return KERR_BAD_RESPONSE;
    }
    const bool copy = data.length <= COPY_BYTES;
    http_enter(connection, HTTP_SENDING);
    error = put(request, connection, data, copy, data.length < connection->more_left);
    error = finish(request, connection, error, !copy);
    part_sent(connection, data.length, error);
    return error;
}
