/*
 * http_render_core.h - the answer to a request: lines of fields, a page, and how much of a file goes behind it. Pure.
 *
 *   page:  lines of fields | what the body begins with (a listing, an error, a text; nothing where a file is the body)
 */
#pragma once

#include "kernel/decks/operations/http_form_core.h"
#include "kernel/decks/operations/http_route_core.h"

/* What the stages between request and answer said. */
struct http_outcome {
    enum kerr load;               /* of the file */
    enum kerr list;               /* of the directory, when the path is one */
    enum kerr change;             /* of what was to be done */
    uint64_t size;                /* of the file */
    uint64_t mtime;               /* seconds; 0: not known */
    uint64_t loaded;              /* bytes of it, or of the range, that were read */
    struct http_words list_lines; /* as storage.list writes them */
    struct http_words text;       /* of a route of that kind; of a stream its beginning */
};

struct http_page {
    struct http_text text; /* room for the page; then the page */
    uint32_t status;
    uint32_t head_bytes; /* the lines at its beginning */
    uint64_t file_bytes; /* of what was loaded, to be sent behind it */
    uint64_t more_bytes; /* of the file, to be read and sent after that; UINT64_MAX: a stream's */
    uint64_t length;     /* of the whole body, sent or not */
};

/* BAD_REQUEST as http_route(); OUTPUT_TOO_LARGE: there is not even room for an error. */
enum kerr http_render(const uint8_t *record, size_t length, const struct http_table *table,
                      const struct http_outcome *outcome, struct http_page *page);
