/* network_http_send.c - answers; see network_http.h. */
#include "kernel/decks/network/network_http_connection.h"

#include "kernel/decks/network/network_lanes.h"
#include "kernel/decks/network/network_stack.h"
#include <stdio.h>

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

static enum kerr put_text(struct deck_request *request, struct http_connection *connection,
                          const char *text, size_t length, bool more)
{
    const struct deck_bytes bytes = { (const uint8_t *)text, length, false };

    return put(request, connection, bytes, true, more);
}

static enum kerr put_head(struct deck_request *request, struct http_connection *connection,
                          const struct http_answer *answer, const uint8_t *lines, bool keep_alive,
                          bool more)
{
    char text[HTTP_HEAD_BYTES + LINES_BYTES + 2];
    const bool has_length =
        answer->status != 204 && answer->status != 304 && answer->more != HTTP_OPEN;
    const struct http_head head = { .status = answer->status,
                                    .has_length = has_length,
                                    .is_chunked = connection->is_chunked,
                                    .length = answer->length,
                                    .keep_alive = keep_alive };
    size_t length = http_head(&head, text);

    memcpy(text + length, lines, answer->lines.length);
    length += answer->lines.length;
    memcpy(text + length, "\r\n", 2);
    length += 2;
    return put_text(request, connection, text, length, more);
}

static uint64_t bytes_of(const struct deck_bytes *pieces, size_t count)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += pieces[i].length;
    }
    return bytes;
}

/* Bytes of the body, one piece behind the other; where each part says its length, they are one. */
static enum kerr put_pieces(struct deck_request *request, struct http_connection *connection,
                            const struct deck_bytes *pieces, size_t count, bool more, bool *lent)
{
    uint64_t left = bytes_of(pieces, count);
    enum kerr error = KERR_OK;
    char text[24];

    if (left == 0) { /* a chunk of nothing would be the end */
        return KERR_OK;
    }
    const bool is_chunk = connection->is_chunked;
    if (is_chunk) {
        const int length = snprintf(text, sizeof(text), "%llx\r\n", (unsigned long long)left);
        error = put_text(request, connection, text, (size_t)length, true);
    }
    for (size_t i = 0; i < count && error == KERR_OK; i++) {
        const bool copy = pieces[i].length <= COPY_BYTES;
        left -= pieces[i].length;
        *lent = *lent || !copy;
        error = put(request, connection, pieces[i], copy, more || is_chunk || left != 0);
        if (copy) {
            deck_count_copied_cache(request, pieces[i].length);
        }
    }
    if (is_chunk && error == KERR_OK) {
        error = put_text(request, connection, "\r\n", 2, more);
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
           (!has_body || answer->more == HTTP_OPEN ||
            bytes_of(answer->part, 2) + answer->more == answer->length);
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
        network_lanes_settle(); /* the bytes are somebody else's once this has been answered */
    }
    return error == KERR_OK && connection->pcb == NULL ? connection->error : error;
}

static enum kerr send_all(struct deck_request *request, struct http_connection *connection,
                          const struct http_answer *answer, const uint8_t *lines, bool keep_alive)
{
    const bool has_body = http_has_body(answer->status, connection->method) &&
                          (answer->length != 0 || answer->more == HTTP_OPEN);
    bool lent = false;
    enum kerr error = put_head(request, connection, answer, lines, keep_alive, has_body);

    if (error == KERR_OK && has_body) {
        error = put_pieces(request, connection, answer->part, 2, answer->more != 0, &lent);
    }
    return finish(request, connection, error, lent);
}

/* A part of the answer is out: the connection waits for the next, or the request is answered. */
static void part_sent(struct http_connection *connection, uint64_t bytes, bool last)
{
    connection->more_at += bytes;
    if (connection->more_left != HTTP_OPEN) {
        connection->more_left -= bytes;
    } else if (last) {
        connection->more_left = 0;
    }
    if (connection->more_left == 0) {
        http_answered(connection, connection->more_keep_alive);
    } else {
        http_enter(connection, HTTP_IN_HAND);
    }
    network_wake(&connection->waiters);
}

static bool has_left(enum kerr error)
{
    return error == KERR_CONNECTION_RESET || error == KERR_CONNECTION_CLOSED;
}

/*
 * The answer could not be begun. One whose client is to leave as it likes is over in the same way as later, when the next part finds
 * that out: until then the connection keeps its place, without lwIP's part.
 */
static enum kerr not_begun(struct http_connection *connection, bool is_open, enum kerr error)
{
    if (is_open && has_left(error)) {
        connection->more_left = HTTP_OPEN;
        http_enter(connection, HTTP_IN_HAND);
        return KERR_OK;
    }
    http_free(connection);
    return error;
}

enum kerr http_send(struct deck_request *request, const struct http_answer *answer, uint64_t *more)
{
    struct http_connection *connection = http_find(answer->connection, deck_workflow(request));
    uint8_t lines[LINES_BYTES];

    if (connection == NULL) {
        return KERR_BAD_HANDLE;
    }
    const bool has_body = http_has_body(answer->status, connection->method);
    const bool is_open = has_body && answer->more == HTTP_OPEN;
    *more = has_body ? answer->more : 0;
    if (connection->pcb == NULL) { /* the client has not waited */
        return not_begun(connection, is_open, connection->error);
    }
    if (!check_answer(answer, has_body, lines)) {
        http_refuse(connection, 500);
        return KERR_BAD_RESPONSE;
    }
    connection->is_chunked = answer->more == HTTP_OPEN && connection->minor != 0;
    /* To HTTP/1.0 an open body ends with the connection. */
    const bool keep_alive = connection->keep_alive && !connection->is_ended && !answer->close &&
                            (answer->more != HTTP_OPEN || connection->is_chunked);
    http_enter(connection, HTTP_SENDING);
    enum kerr error = send_all(request, connection, answer, lines, keep_alive);
    if (error != KERR_OK) {
        return not_begun(connection, is_open, error);
    }
    http_count(connection, answer->status);
    connection->more_at = 0;
    connection->more_left = *more;
    connection->more_keep_alive = keep_alive;
    part_sent(connection, 0, false);
    return KERR_OK;
}

/* ---- bodies in parts ---------------------------------------------------------------------------------------------------------- */

static bool is_its_turn(const struct http_connection *connection, uint64_t offset)
{
    return connection->state == HTTP_IN_HAND &&
           (offset == HTTP_NEXT || connection->more_at == offset);
}

/* Wait for the part's turn. NULL: the answer is not, or no more, waiting for it; *error says what came in between. */
static struct http_connection *await_turn(struct deck_request *request,
                                          const struct http_part *part, enum kerr *error)
{
    const uint32_t workflow = deck_workflow(request);
    struct http_connection *connection = http_find_begun(part->connection, workflow);

    *error = KERR_OK;
    while (connection != NULL && *error == KERR_OK && connection->pcb != NULL &&
           !is_its_turn(connection, part->offset)) {
        *error = network_wait(request, &connection->waiters, UINT64_MAX);
        connection = http_find_begun(part->connection, workflow);
    }
    if (*error == KERR_OK && connection == NULL) {
        *error = KERR_BAD_HANDLE;
    }
    return *error == KERR_OK ? connection : NULL;
}

static enum kerr send_part(struct deck_request *request, struct http_connection *connection,
                           const struct http_part *part)
{
    const uint64_t bytes = bytes_of(part->piece, HTTP_PIECES);
    const bool is_open = connection->more_left == HTTP_OPEN;
    const bool ends_here = is_open && part->last;
    bool lent = false;

    if (!is_open && (bytes == 0 || bytes > connection->more_left)) {
        http_abort(connection); /* the answer would not be what was promised */
        http_free(connection);
        return KERR_BAD_RESPONSE;
    }
    const bool more = ends_here ? connection->is_chunked : bytes < connection->more_left;
    http_enter(connection, HTTP_SENDING);
    enum kerr error = put_pieces(request, connection, part->piece, HTTP_PIECES, more, &lent);
    if (error == KERR_OK && ends_here && connection->is_chunked) {
        error = put_text(request, connection, "0\r\n\r\n", 5, false);
    }
    error = finish(request, connection, error, lent);
    if (error == KERR_OK) {
        part_sent(connection, bytes, ends_here);
    } else {
        http_free(connection);
    }
    return error;
}

enum kerr http_more(struct deck_request *request, const struct http_part *part, bool *gone)
{
    enum kerr error = KERR_OK;
    struct http_connection *connection = await_turn(request, part, &error);

    if (connection == NULL) {
        return error;
    }
    const bool is_open = connection->more_left == HTTP_OPEN;
    if (connection->pcb != NULL) {
        error = send_part(request, connection, part);
    } else { /* the client has not waited */
        error = connection->error;
        if (connection->state == HTTP_IN_HAND) {
            http_free(connection);
        }
    }
    *gone = is_open && has_left(error);
    return *gone ? KERR_OK : error;
}
