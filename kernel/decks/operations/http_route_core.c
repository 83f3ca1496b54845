/* http_route_core.c - see http_route_core.h. */
#include "kernel/decks/operations/http_route_core.h"

#include <emmintrin.h>
#include <stdlib.h>
#include <string.h>

struct http_table_line {
    struct http_words path; /* without the "/..." */
    struct http_words target;
    uint32_t methods; /* a bit each */
    enum http_kind kind;
    bool is_all; /* all below the path as well */
};

static const char *const method_names[KWE_HTTP_METHODS] = {
    [KWE_HTTP_GET] = "GET",     [KWE_HTTP_HEAD] = "HEAD",     [KWE_HTTP_POST] = "POST",
    [KWE_HTTP_PUT] = "PUT",     [KWE_HTTP_DELETE] = "DELETE", [KWE_HTTP_OPTIONS] = "OPTIONS",
    [KWE_HTTP_PATCH] = "PATCH",
};

/* The first line of *text, which moves behind it and its end. */
static struct http_words take_line_text(struct http_words *text)
{
    const char *end = memchr(text->bytes, '\n', text->length);
    const size_t length = end == NULL ? text->length : (size_t)(end - text->bytes);
    const struct http_words line = { text->bytes, length };
    text->bytes += end == NULL ? length : length + 1;
    text->length -= end == NULL ? length : length + 1;
    return line;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\0';
}

/* The next word of *text, which moves behind it; empty at the end. */
static struct http_words take_word(struct http_words *text)
{
    size_t begin = 0;
    while (begin < text->length && is_blank(text->bytes[begin])) {
        begin++;
    }
    size_t end = begin;
    while (end < text->length && !is_blank(text->bytes[end])) {
        end++;
    }
    const struct http_words word = { text->bytes + begin, end - begin };
    text->bytes += end;
    text->length -= end;
    return word;
}

/* The next name of a list with commas; empty ones are none. */
static struct http_words take_name(struct http_words *text)
{
    size_t begin = 0;
    while (begin < text->length && text->bytes[begin] == ',') {
        begin++;
    }
    size_t end = begin;
    while (end < text->length && text->bytes[end] != ',') {
        end++;
    }
    const struct http_words name = { text->bytes + begin, end - begin };
    text->bytes += end;
    text->length -= end;
    return name;
}

/* A bit for each method; 0: one of them is unknown. */
static uint32_t parse_methods(struct http_words text)
{
    uint32_t methods = 0;

    while (text.length != 0) {
        const struct http_words name = take_name(&text);
        uint32_t method = 1;
        while (method < KWE_HTTP_METHODS && !http_words_are(name, method_names[method])) {
            method++;
        }
        if (method == KWE_HTTP_METHODS) {
            return 0;
        }
        methods |= 1u << method;
    }
    return (methods & 1u << KWE_HTTP_GET) != 0 ? methods | 1u << KWE_HTTP_HEAD : methods;
}

static enum http_kind parse_kind(struct http_words text)
{
    static const char *const names[] = { "refused", "file", "change", "text", "stream" };
    for (int kind = HTTP_KIND_FILE; kind <= HTTP_KIND_STREAM; kind++) {
        if (http_words_are(text, names[kind])) {
            return (enum http_kind)kind;
        }
    }
    return HTTP_KIND_REFUSED;
}

/* False: it is malformed. */
static bool parse_line(struct http_words text, struct http_table_line *line)
{
    static const char all[] = "/...";
    const size_t tail = sizeof(all) - 1;
    struct http_words path;

    line->methods = parse_methods(take_word(&text));
    path = take_word(&text);
    line->kind = parse_kind(take_word(&text));
    line->target = take_word(&text);
    if (line->methods == 0 || path.length == 0 || path.bytes[0] != '/' ||
        line->kind == HTTP_KIND_REFUSED || line->target.length == 0 ||
        line->target.length > sizeof(((struct kwe_path *)NULL)->bytes) ||
        (line->kind != HTTP_KIND_TEXT && line->kind != HTTP_KIND_STREAM &&
         line->target.bytes[0] != '/')) {
        return false;
    }
    line->is_all = path.length >= tail && memcmp(path.bytes + path.length - tail, all, tail) == 0;
    line->path = (struct http_words){ path.bytes, path.length - (line->is_all ? tail : 0) };
    return true;
}

#define LINE_BYTES 64u

static __m128i difference(const char *a, const char *b)
{
    return _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)a),
                         _mm_loadu_si128((const __m128i *)(const void *)b));
}

/* A line at a time: the library's memcmp() takes a byte. */
static bool are_same(struct http_words a, struct http_words b)
{
    size_t at = 0;

    if (a.length != b.length) {
        return false;
    }
    for (; a.length - at >= LINE_BYTES; at += LINE_BYTES) {
        const char *one = a.bytes + at, *other = b.bytes + at;
        const __m128i any = _mm_or_si128(
            _mm_or_si128(difference(one, other), difference(one + 16, other + 16)),
            _mm_or_si128(difference(one + 32, other + 32), difference(one + 48, other + 48)));
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(any, _mm_setzero_si128())) != 0xffff) {
            return false;
        }
    }
    for (; a.length - at >= 8; at += 8) {
        uint64_t left, right;
        memcpy(&left, a.bytes + at, 8);
        memcpy(&right, b.bytes + at, 8);
        if (left != right) {
            return false;
        }
    }
    return at == a.length || memcmp(a.bytes + at, b.bytes + at, a.length - at) == 0;
}

/* At most; one a line's end, and one behind the last. */
static size_t count_lines(struct http_words text)
{
    size_t count = 1;

    for (size_t i = 0; i < text.length; i++) {
        count += text.bytes[i] == '\n' ? 1 : 0;
    }
    return count;
}

static enum kerr parse_lines(struct http_table *table)
{
    struct http_words text = table->text;

    while (text.length != 0) {
        const struct http_words line = take_line_text(&text);
        struct http_words rest = line;
        if (take_word(&rest).length == 0) {
            continue;
        }
        if (!parse_line(line, &table->line[table->count++])) {
            return KERR_BAD_PARAMETER;
        }
    }
    return KERR_OK;
}

void http_table_free(struct http_table *table)
{
    free((void *)(uintptr_t)table->text.bytes);
    free(table->line);
    *table = (struct http_table){ .count = 0 };
}

enum kerr http_table_read(struct http_table *table, struct http_words text)
{
    if (table->line != NULL && are_same(table->text, text)) {
        return KERR_OK;
    }
    http_table_free(table);
    char *copy = malloc(text.length + 1);
    if (copy == NULL) {
        return KERR_NO_MEMORY;
    }
    memcpy(copy, text.length == 0 ? "" : text.bytes, text.length);
    table->text = (struct http_words){ copy, text.length };
    table->line = calloc(count_lines(table->text), sizeof(*table->line));
    enum kerr error = table->line == NULL ? KERR_NO_MEMORY : parse_lines(table);
    if (error != KERR_OK) {
        http_table_free(table);
    }
    return error;
}

/* *rest: what stands behind the line's path. */
static bool fits(const struct http_table_line *line, struct http_words path,
                 struct http_words *rest)
{
    const size_t before = line->path.length;

    if (path.length < before || memcmp(line->path.bytes, path.bytes, before) != 0 ||
        (path.length > before && (!line->is_all || path.bytes[before] != '/'))) {
        return false;
    }
    *rest = (struct http_words){ path.bytes + before, path.length - before };
    return true;
}

/* Target and rest as one path. False: it is too long. */
static bool join(struct http_words target, struct http_words rest, struct kwe_path *path)
{
    if (target.length == 1) { /* "/": the rest begins with one */
        target.length = rest.length > 1 ? 0 : 1;
    }
    rest.length = rest.length == 1 ? 0 : rest.length;
    if (target.length + rest.length > sizeof(path->bytes)) {
        return false;
    }
    memcpy(path->bytes, target.bytes, target.length);
    memcpy(path->bytes + target.length, rest.bytes, rest.length);
    path->length = (uint16_t)(target.length + rest.length);
    return true;
}

/* The line fits: the route is this one, if it allows the method. */
static void take_line(const struct http_table_line *line, struct http_words rest, uint8_t method,
                      struct http_route *route)
{
    if ((line->methods & 1u << method) == 0) {
        route->status = 405;
        route->methods |= line->methods;
        return;
    }
    route->kind = line->kind;
    route->status = 200;
    route->target = line->target;
    if (route->kind == HTTP_KIND_FILE && !join(line->target, rest, &route->path)) {
        route->kind = HTTP_KIND_REFUSED;
        route->status = 404;
    }
}

static void search(const struct http_table *table, uint8_t method, struct http_route *route)
{
    const struct http_words path = { route->decoded.bytes, route->decoded.length };
    struct http_words rest;

    for (uint32_t i = 0; i < table->count && route->kind == HTTP_KIND_REFUSED; i++) {
        if (fits(&table->line[i], path, &rest)) {
            take_line(&table->line[i], rest, method, route);
        }
    }
}

enum kerr http_route(const uint8_t *record, size_t length, const struct http_table *table,
                     struct kwe_http_request *request, struct http_route *route)
{
    *route = (struct http_route){ .kind = HTTP_KIND_REFUSED,
                                  .status = 400,
                                  .path = { .length = 1, .bytes = "/" } };
    if (!http_request_read(record, length, request)) {
        return KERR_BAD_REQUEST;
    }
    struct kwe_path *decoded = &route->decoded;
    decoded->length =
        (uint16_t)http_decode_path(http_request_text(record, request, KWE_HTTP_PATH),
                                   decoded->bytes, sizeof(decoded->bytes), &route->is_directory);
    if (decoded->length == 0) {
        return KERR_OK;
    }
    route->status = 404;
    search(table, request->method, route);
    const bool is_whole =
        request->text[KWE_HTTP_IF_RANGE].length != 0; /* its file may be another */
    if (route->kind == HTTP_KIND_FILE && request->method == KWE_HTTP_GET && !is_whole) {
        route->range = http_parse_range(http_request_text(record, request, KWE_HTTP_RANGE));
    }
    return KERR_OK;
}

void http_route_part(const struct http_route *route, const struct kwe_http_request *request,
                     uint64_t most, uint64_t *offset, uint64_t *bytes)
{
    const struct http_range *range = &route->range;

    *offset = 0;
    *bytes = request->method == KWE_HTTP_HEAD ? 1 : 0;
    if (range->is_there && range->from_end) {
        *offset = 0 - range->first;
        *bytes = range->first;
    } else if (range->is_there) {
        *offset = range->first;
        *bytes = range->last == UINT64_MAX ? 0 : range->last - range->first + 1;
    }
    if (most != UINT64_MAX && (*bytes == 0 || *bytes > most)) {
        *bytes = most;
    }
}
