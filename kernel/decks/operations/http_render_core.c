/* http_render_core.c - see http_render_core.h. */
#include "kernel/decks/operations/http_render_core.h"

#include <string.h>
#include <strings.h>

#define TAG_BYTES 48u

/* All that the answer depends on. */
struct render {
    const uint8_t *record;
    struct kwe_http_request request;
    struct http_route route;
    const struct http_outcome *outcome;
    struct http_page *page;
};

/* ---- types and words ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *suffix;
    size_t length;
    const char *type;
} types[] = {
    { ".css", sizeof(".css") - 1, "text/css; charset=utf-8" },
    { ".csv", sizeof(".csv") - 1, "text/csv; charset=utf-8" },
    { ".gif", sizeof(".gif") - 1, "image/gif" },
    { ".gz", sizeof(".gz") - 1, "application/gzip" },
    { ".htm", sizeof(".htm") - 1, "text/html; charset=utf-8" },
    { ".html", sizeof(".html") - 1, "text/html; charset=utf-8" },
    { ".ico", sizeof(".ico") - 1, "image/vnd.microsoft.icon" },
    { ".jpeg", sizeof(".jpeg") - 1, "image/jpeg" },
    { ".jpg", sizeof(".jpg") - 1, "image/jpeg" },
    { ".js", sizeof(".js") - 1, "text/javascript; charset=utf-8" },
    { ".json", sizeof(".json") - 1, "application/json" },
    { ".jsonl", sizeof(".jsonl") - 1, "text/plain; charset=utf-8" },
    { ".md", sizeof(".md") - 1, "text/plain; charset=utf-8" },
    { ".mp4", sizeof(".mp4") - 1, "video/mp4" },
    { ".pdf", sizeof(".pdf") - 1, "application/pdf" },
    { ".png", sizeof(".png") - 1, "image/png" },
    { ".svg", sizeof(".svg") - 1, "image/svg+xml" },
    { ".txt", sizeof(".txt") - 1, "text/plain; charset=utf-8" },
    { ".wasm", sizeof(".wasm") - 1, "application/wasm" },
    { ".webp", sizeof(".webp") - 1, "image/webp" },
    { ".xml", sizeof(".xml") - 1, "application/xml" },
    { ".zip", sizeof(".zip") - 1, "application/zip" },
};

static const char *type_of(const struct kwe_path *path)
{
    size_t at = path->length;

    while (at > 1 && path->bytes[at - 1] != '.' && path->bytes[at - 1] != '/') {
        at--;
    }
    const char *suffix = path->bytes + at - 1;
    const size_t length = path->length - at + 1;
    for (size_t i = 0; at > 1 && *suffix == '.' && i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].length == length && strncasecmp(suffix, types[i].suffix, length) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

static const struct {
    uint32_t status;
    const char *title, *sentence;
} errors[] = {
    { 400, "Bad Request", "The request, or its path, is malformed." },
    { 403, "Forbidden", "This may not be read or changed." },
    { 404, "Not Found", "There is nothing of that name here." },
    { 405, "Method Not Allowed", "This cannot be done with what lies here." },
    { 416, "Range Not Satisfiable", "The file is shorter than that." },
    { 500, "Internal Server Error", "The answer could not be made." },
    { 503, "Service Unavailable", "A part of the system is not there at the moment." },
    { 507, "Insufficient Storage", "The disk is full." },
};

/* What a stage's failure is to the client. */
static uint32_t status_of(enum kerr error)
{
    switch (error) {
    case KERR_NO_SUCH_FILE:
    case KERR_NOT_A_DIRECTORY:
    case KERR_BAD_PATH:
    case KERR_NAME_TOO_LONG:
        return 404;
    case KERR_NOT_PERMITTED:
        return 403;
    case KERR_BAD_REQUEST:
        return 400;
    case KERR_NO_SPACE:
        return 507;
    case KERR_DECK_DOWN:
    case KERR_DECK_FAULT:
    case KERR_TIMED_OUT:
    case KERR_NO_MEMORY:
        return 503;
    default:
        return 500;
    }
}

/* ---- pieces of pages ------------------------------------------------------------------------------------------------------------ */

static void put_escaped(struct http_text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        switch (bytes[i]) {
        case '<':
            http_put(text, "&lt;", 4);
            break;
        case '>':
            http_put(text, "&gt;", 4);
            break;
        case '&':
            http_put(text, "&amp;", 5);
            break;
        case '"':
            http_put(text, "&quot;", 6);
            break;
        default:
            http_put(text, &bytes[i], 1);
        }
    }
}

/* A path in a target: what may not stand there as it is, in percent signs. */
static void put_encoded(struct http_text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') ||
                              (byte != 0 && strchr("-._~/", byte) != NULL);
        if (is_plain) {
            http_put(text, &bytes[i], 1);
        } else {
            http_say(text, "%%%02X", byte);
        }
    }
}

/* From here on the page's text is body. */
static void end_head(struct http_page *page)
{
    page->head_bytes = (uint32_t)page->text.length;
}

static void end_body(struct http_page *page)
{
    page->length = page->text.length - page->head_bytes + page->file_bytes;
}

static void begin_html(struct http_page *page)
{
    http_say(&page->text, "Content-Type: text/html; charset=utf-8\r\n"
                          "X-Content-Type-Options: nosniff\r\n");
}

static void put_methods(struct http_text *text, uint32_t methods)
{
    static const char *const names[KWE_HTTP_METHODS] = { "",    "GET",    "HEAD",    "POST",
                                                         "PUT", "DELETE", "OPTIONS", "PATCH" };
    const char *between = "";
    for (uint32_t method = 1; method < KWE_HTTP_METHODS; method++) {
        if ((methods & 1u << method) != 0) {
            http_say(text, "%s%s", between, names[method]);
            between = ", ";
        }
    }
}

static void render_error(const struct render *render, uint32_t status)
{
    struct http_page *page = render->page;
    size_t index = 0;

    while (errors[index].status != status) {
        index++; /* every status that is made here is in the table */
    }
    page->text.length = 0;
    page->text.is_full = false;
    page->status = status;
    page->file_bytes = 0;
    page->more_bytes = 0;
    if (status == 405) {
        http_say(&page->text, "Allow: ");
        put_methods(&page->text, render->route.methods);
        http_say(&page->text, "\r\n");
    }
    if (status == 416) {
        http_say(&page->text, "Content-Range: bytes */%llu\r\n",
                 (unsigned long long)render->outcome->size);
    }
    begin_html(page);
    end_head(page);
    http_say(&page->text,
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%u %s</title>"
             "</head>\n<body><h1>%u %s</h1><p>%s</p></body></html>\n",
             status, errors[index].title, status, errors[index].title, errors[index].sentence);
    end_body(page);
}

/* Elsewhere: `status` 301 or 303. The place begins with one '/', so it is on this server. */
static void render_elsewhere(const struct render *render, uint32_t status, struct http_words place,
                             const char *behind)
{
    struct http_page *page = render->page;

    page->status = status;
    http_say(&page->text, "Location: ");
    put_encoded(&page->text, place.bytes, place.length);
    http_say(&page->text, "%s\r\n", behind);
    end_head(page);
    end_body(page);
}

/* ---- files ---------------------------------------------------------------------------------------------------------------------- */

static void write_tag(const struct http_outcome *outcome, char tag[TAG_BYTES])
{
    struct http_text text = { .bytes = tag, .capacity = TAG_BYTES };

    http_put_text(&text, "\"");
    http_put_hex(&text, outcome->mtime);
    http_put_text(&text, "-");
    http_put_hex(&text, outcome->size);
    http_put(&text, "\"", 2);
}

/* Is the tag in the list? Weak ones count as well (RFC 9110, 13.1.2). */
static bool lists_tag(struct http_words list, const char *tag)
{
    const size_t length = strlen(tag);

    if (http_words_are(list, "*")) {
        return true;
    }
    for (size_t at = 0; at + length <= list.length; at++) {
        const bool is_begun = at == 0 || strchr(" ,/", list.bytes[at - 1]) != NULL;
        if (is_begun && memcmp(list.bytes + at, tag, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_unchanged(const struct render *render, const char *tag)
{
    const struct http_words tags =
        http_request_text(render->record, &render->request, KWE_HTTP_IF_NONE_MATCH);
    const struct http_words since =
        http_request_text(render->record, &render->request, KWE_HTTP_IF_MODIFIED_SINCE);
    uint64_t seconds = 0;

    if (tags.length != 0) {
        return lists_tag(tags, tag);
    }
    return render->outcome->mtime != 0 && http_parse_date(since, &seconds) &&
           render->outcome->mtime <= seconds;
}

/* Fields that 200, 206 and 304 share. */
static void put_validators(const struct render *render, const char *tag)
{
    struct http_text *text = &render->page->text;
    char date[HTTP_DATE_BYTES];

    http_put_text(text, "ETag: ");
    http_put_text(text, tag);
    if (render->outcome->mtime != 0) {
        http_format_date(render->outcome->mtime, date);
        http_put_text(text, "\r\nLast-Modified: ");
        http_put(text, date, HTTP_DATE_BYTES - 1);
    }
    http_put_text(text, "\r\nCache-Control: no-cache\r\n");
}

/* `is_in_parts`: it did not fit into what was to be read at once; then there is no range. */
static void render_file(const struct render *render, bool is_in_parts)
{
    const struct http_outcome *outcome = render->outcome;
    const struct http_range *range = &render->route.range;
    struct http_page *page = render->page;
    uint64_t first = 0;
    uint64_t count = outcome->size;
    char tag[TAG_BYTES];

    write_tag(outcome, tag);
    page->status = 200;
    if (is_unchanged(render, tag)) {
        page->status = 304;
        put_validators(render, tag);
        end_head(page);
        return;
    }
    if (range->is_there && !http_resolve_range(range, outcome->size, &first, &count)) {
        render_error(render, 416);
        return;
    }
    if (range->is_there && outcome->loaded != 0 && outcome->loaded < count) {
        count = outcome->loaded; /* a part of what was asked for will do (RFC 9110, 15.3.7) */
    }
    if (render->request.method != KWE_HTTP_HEAD && !is_in_parts && outcome->loaded != count) {
        render_error(render, 500); /* it changed between two looks at it */
        return;
    }
    put_validators(render, tag);
    http_put_text(&page->text, "Accept-Ranges: bytes\r\nContent-Type: ");
    http_put_text(&page->text, type_of(&render->route.path));
    http_put_text(&page->text, "\r\nX-Content-Type-Options: nosniff\r\n");
    if (range->is_there) {
        page->status = 206;
        http_say(&page->text, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)first,
                 (unsigned long long)(first + count - 1), (unsigned long long)outcome->size);
    }
    end_head(page);
    page->file_bytes = is_in_parts ? 0 : outcome->loaded;
    page->more_bytes = is_in_parts ? count : 0;
    page->length = count;
}

/* ---- directories ---------------------------------------------------------------------------------------------------------------- */

/* One line of storage.list: kind, size, name. */
static void put_entry(struct http_text *text, struct http_words line)
{
    const char *size = line.length < 3 ? NULL : memchr(line.bytes + 2, ' ', line.length - 2);
    if (size == NULL) {
        return;
    }
    const char *name = size + 1;
    const size_t length = line.length - (size_t)(name - line.bytes);
    const char *slash = line.bytes[0] == 'd' ? "/" : "";

    http_say(text, "<tr><td><a href=\"");
    http_put(text, "./", 2); /* a name may look like a scheme */
    put_encoded(text, name, length);
    http_say(text, "%s\">", slash);
    put_escaped(text, name, length);
    http_say(text, "%s</a></td><td>", slash);
    http_put(text, line.bytes + 2, slash[0] == '/' ? 0 : (size_t)(size - line.bytes) - 2);
    http_say(text, "</td></tr>\n");
}

static void render_directory(const struct render *render)
{
    const struct kwe_path *decoded = &render->route.decoded;
    struct http_words lines = render->outcome->list_lines;
    struct http_page *page = render->page;
    struct http_text *text = &page->text;

    page->status = 200;
    begin_html(page);
    http_say(text, "Cache-Control: no-cache\r\n");
    end_head(page);
    http_say(text, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    put_escaped(text, decoded->bytes, decoded->length);
    http_say(text, "</title></head>\n<body><h1>");
    put_escaped(text, decoded->bytes, decoded->length);
    http_say(text, "</h1>\n<table>\n");
    if (decoded->length > 1) {
        http_say(text, "<tr><td><a href=\"../\">../</a></td><td></td></tr>\n");
    }
    while (lines.length != 0) {
        const char *end = memchr(lines.bytes, '\n', lines.length);
        const size_t length = end == NULL ? lines.length : (size_t)(end - lines.bytes);
        put_entry(text, (struct http_words){ lines.bytes, length });
        lines.bytes += end == NULL ? length : length + 1;
        lines.length -= end == NULL ? length : length + 1;
    }
    http_say(text, "</table></body></html>\n");
    end_body(page);
}

/* Its size is known by another way. */
static void render_large(const struct render *render)
{
    struct http_outcome outcome = *render->outcome;
    struct render large = *render;

    outcome.size = outcome.whole;
    outcome.mtime = outcome.whole_mtime;
    outcome.loaded = 0;
    large.outcome = &outcome;
    render_file(&large, true);
}

static void render_path(const struct render *render)
{
    const struct http_outcome *outcome = render->outcome;
    const struct http_words decoded = { render->route.decoded.bytes, render->route.decoded.length };

    if (outcome->load == KERR_OK && render->route.is_directory && decoded.length > 1) {
        render_error(render, 404); /* a file has nothing below it */
    } else if (outcome->load == KERR_OK) {
        render_file(render, false);
    } else if (outcome->load == KERR_OUTPUT_TOO_LARGE && outcome->whole != 0 &&
               !render->route.range.is_there && !render->route.is_directory) {
        render_large(render);
    } else if (outcome->load != KERR_IS_A_DIRECTORY) {
        render_error(render, status_of(outcome->load));
    } else if (!render->route.is_directory) {
        render_elsewhere(render, 301, decoded, "/");
    } else if (outcome->list != KERR_OK) {
        render_error(render, status_of(outcome->list));
    } else {
        render_directory(render);
    }
}

/* ---- all kinds ------------------------------------------------------------------------------------------------------------------ */

static void render_text(const struct render *render)
{
    const struct http_words type = render->route.target;
    struct http_page *page = render->page;

    page->status = 200;
    http_say(&page->text, "Content-Type: %.*s\r\nCache-Control: no-store\r\n", (int)type.length,
             type.bytes);
    end_head(page);
    http_put(&page->text, render->outcome->text.bytes, render->outcome->text.length);
    end_body(page);
}

static void render_stream(const struct render *render)
{
    render_text(render);
    render->page->more_bytes = UINT64_MAX;
}

static void render_kind(const struct render *render)
{
    switch (render->route.kind) {
    case HTTP_KIND_FILE:
        render_path(render);
        break;
    case HTTP_KIND_CHANGE:
        if (render->outcome->change == KERR_OK) {
            render_elsewhere(render, 303, render->route.target, "");
        } else {
            render_error(render, status_of(render->outcome->change));
        }
        break;
    case HTTP_KIND_TEXT:
        render_text(render);
        break;
    case HTTP_KIND_STREAM:
        render_stream(render);
        break;
    default:
        render_error(render, render->route.status);
    }
}

enum kerr http_render(const uint8_t *record, size_t length, const struct http_table *table,
                      const struct http_outcome *outcome, struct http_page *page)
{
    struct render render = { .record = record, .outcome = outcome, .page = page };
    enum kerr error = http_route(record, length, table, &render.request, &render.route);

    if (error != KERR_OK) {
        return error;
    }
    render_kind(&render);
    if (page->text.is_full) {
        render_error(&render, 500);
    }
    return page->text.is_full ? KERR_OUTPUT_TOO_LARGE : KERR_OK;
}
