/*
 * http_route_core.h - what a request is for: a table of routes, and a path to read. Pure.
 *
 *   METHODS PATH KIND TARGET          one line each; the first whose path and method fit counts
 *   GET      /            file    /www/index.html
 *   POST     /guestbook   change  /guestbook.html
 *   GET      /metrics     text    application/openmetrics-text
 *   GET      /...         file    /www              all that begins so; the rest goes behind the target
 *
 * GET allows HEAD. file: read the target; change: do something, then send the client on to the target; text: what a stage writes, of the
 * type that the target says; stream: the same, and more follows for as long as the client stays.
 */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/abi/workflow.h"
#include "kernel/decks/operations/http_request_core.h"

enum http_kind {
    HTTP_KIND_REFUSED = 0, /* .status says why */
    HTTP_KIND_FILE = 1,
    HTTP_KIND_CHANGE = 2,
    HTTP_KIND_TEXT = 3,
    HTTP_KIND_STREAM = 4,
};

struct http_route {
    enum http_kind kind;
    uint32_t status;          /* 200, or 400, 404, 405 */
    uint32_t methods;         /* 405: those that the path has, a bit each */
    struct http_words target; /* of the line */
    bool is_directory;        /* the client's path ended with '/' */
    struct http_range range;
    struct kwe_path path;    /* file: what to read; else "/" */
    struct kwe_path decoded; /* the client's path */
};

/* A table of routes that was read. It is kept: the next request comes with the same one, nearly always. {0} is none. */
struct http_table {
    struct http_words text; /* a copy, which the lines refer to */
    struct http_table_line *line;
    uint32_t count;
};
/* Have *table be that of the text, which may be another program's and change meanwhile. BAD_PARAMETER: a line is malformed; NO_MEMORY. */
enum kerr http_table_read(struct http_table *table, struct http_words text);
void http_table_free(struct http_table *table);

/* BAD_REQUEST. *request: as http_request_read() leaves it; the route's target lies in the table. */
enum kerr http_route(const uint8_t *record, size_t length, const struct http_table *table,
                     struct kwe_http_request *request, struct http_route *route);
/* What of the file to read: as storage.read takes it; `most` bytes, UINT64_MAX: all. */
void http_route_part(const struct http_route *route, const struct kwe_http_request *request,
                     uint64_t most, uint64_t *offset, uint64_t *bytes);
