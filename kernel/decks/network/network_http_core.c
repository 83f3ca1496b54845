/* network_http_core.c - see network_http_core.h. Requests; responses are in network_http_head.c. */
#include "kernel/decks/network/network_http_core.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_BYTES 512u
/* Records that are larger leave half of the budget to those that are not: many who send large bodies slowly do not shut out all others. */
#define SMALL_BYTES 4096u
/* What a field costs besides its bytes: so that many empty ones come to an end too. */
#define FIELD_BYTES 4u

/* Fields that matter. Those below KWE_HTTP_TEXTS go into the record. */
enum field {
    FIELD_EXPECT = KWE_HTTP_TEXTS,
    FIELD_CODING,
    FIELD_OTHER,
};

static const struct {
    const char *name;
    uint8_t length;
    uint8_t field;
} known_fields[] = {
    { "host", sizeof("host") - 1, KWE_HTTP_HOST },
    { "range", sizeof("range") - 1, KWE_HTTP_RANGE },
    { "if-range", sizeof("if-range") - 1, KWE_HTTP_IF_RANGE },
    { "if-none-match", sizeof("if-none-match") - 1, KWE_HTTP_IF_NONE_MATCH },
    { "if-modified-since", sizeof("if-modified-since") - 1, KWE_HTTP_IF_MODIFIED_SINCE },
    { "content-type", sizeof("content-type") - 1, KWE_HTTP_CONTENT_TYPE },
    { "expect", sizeof("expect") - 1, FIELD_EXPECT },
    { "transfer-encoding", sizeof("transfer-encoding") - 1, FIELD_CODING },
};

/* ---- the record --------------------------------------------------------------------------------------------------------------- */

static struct kwe_http_request *header(struct http_reader *reader)
{
    return (struct kwe_http_request *)(void *)reader->record;
}

static int refuse(struct http_reader *reader, uint16_t status)
{
    reader->refusal = reader->refusal == 0 ? status : reader->refusal;
    return -1;
}

/* Room for so many bytes more. 503: the budget is spent. */
static int reserve(struct http_reader *reader, size_t bytes)
{
    size_t capacity = reader->capacity == 0 ? FIRST_BYTES : reader->capacity;

    while (capacity - reader->length < bytes) {
        capacity *= 2;
    }
    if (capacity == reader->capacity) {
        return 0;
    }
    const size_t more = capacity - reader->capacity;
    const size_t most = capacity > SMALL_BYTES ? reader->budget->most / 2 : reader->budget->most;
    if (reader->budget->used > most || more > most - reader->budget->used) {
        return refuse(reader, 503);
    }
    uint8_t *record = realloc(reader->record, capacity);
    if (record == NULL) {
        return refuse(reader, 503);
    }
    reader->budget->used += more;
    reader->record = record;
    reader->capacity = capacity;
    return 0;
}

static int append(struct http_reader *reader, const char *bytes, size_t length)
{
    if (reserve(reader, length) != 0) {
        return -1;
    }
    memcpy(reader->record + reader->length, bytes, length);
    reader->length += length;
    return 0;
}

/* Bytes of the head; `status` is what too many of them are. */
static int count_head(struct http_reader *reader, size_t bytes, uint16_t status)
{
    if (bytes > reader->head_left) {
        return refuse(reader, status);
    }
    reader->head_left -= (uint32_t)bytes;
    return 0;
}

static struct http_reader *reader_of(const llhttp_t *parser)
{
    return parser->data;
}

/* ---- the first line ----------------------------------------------------------------------------------------------------------- */

static int on_url(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_reader *reader = reader_of(parser);

    return count_head(reader, length, 414) != 0 ? -1 : append(reader, bytes, length);
}

/* What stands before the path when a target is absolute (RFC 9112, 3.2.2). */
static size_t authority_length(const char *target, size_t length)
{
    static const char scheme[] = "http://";
    size_t at = sizeof(scheme) - 1;

    if (length < at || strncasecmp(target, scheme, at) != 0) {
        return 0;
    }
    while (at < length && target[at] != '/' && target[at] != '?') {
        at++;
    }
    return at;
}

static int on_url_complete(llhttp_t *parser)
{
    struct http_reader *reader = reader_of(parser);
    struct kwe_http_request *request = header(reader);
    const uint32_t begin = sizeof(*request);
    const char *target = (const char *)reader->record + begin;
    const size_t length = reader->length - begin;
    const size_t path = authority_length(target, length);
    const char *mark = memchr(target, '?', length);
    const size_t query = mark == NULL ? length : (size_t)(mark - target);
    /* PRI is how HTTP/2 says hello: that is a matter of the version. */
    const bool is_whole = length == 1 && target[0] == '*' &&
                          (parser->method == HTTP_OPTIONS || parser->method == HTTP_PRI);

    if (path >= length || (target[path] != '/' && !is_whole)) {
        return refuse(reader, 400);
    }
    request->text[KWE_HTTP_PATH] =
        (struct kwe_http_span){ begin + (uint32_t)path, (uint32_t)(query - path) };
    if (query + 1 < length) {
        request->text[KWE_HTTP_QUERY] =
            (struct kwe_http_span){ begin + (uint32_t)query + 1, (uint32_t)(length - query - 1) };
    }
    return 0;
}

static uint8_t method_of(const llhttp_t *parser)
{
    switch (parser->method) {
    case HTTP_GET:
        return KWE_HTTP_GET;
    case HTTP_HEAD:
        return KWE_HTTP_HEAD;
    case HTTP_POST:
        return KWE_HTTP_POST;
    case HTTP_PUT:
        return KWE_HTTP_PUT;
    case HTTP_DELETE:
        return KWE_HTTP_DELETE;
    case HTTP_OPTIONS:
        return KWE_HTTP_OPTIONS;
    case HTTP_PATCH:
        return KWE_HTTP_PATCH;
    default:
        return 0;
    }
}

/* ---- fields ------------------------------------------------------------------------------------------------------------------- */

static int on_field(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_reader *reader = reader_of(parser);

    if (reader->name_ended) {
        reader->name_ended = false;
        reader->name_length = 0;
    }
    for (size_t i = 0; i < length && reader->name_length < HTTP_NAME_BYTES; i++) {
        const char byte = bytes[i];
        reader->name[reader->name_length++] =
            (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    }
    return count_head(reader, length, 431);
}

static uint8_t find_field(const struct http_reader *reader)
{
    for (size_t i = 0; i < sizeof(known_fields) / sizeof(known_fields[0]); i++) {
        if (known_fields[i].length == reader->name_length &&
            memcmp(known_fields[i].name, reader->name, reader->name_length) == 0) {
            return known_fields[i].field;
        }
    }
    return FIELD_OTHER;
}

static int on_field_complete(llhttp_t *parser)
{
    struct http_reader *reader = reader_of(parser);

    reader->name_ended = true;
    /* Behind a chunked body fields may follow; nothing of them matters here. */
    reader->field = reader->head_ended ? FIELD_OTHER : find_field(reader);
    reader->value = (struct kwe_http_span){ (uint32_t)reader->length, 0 };
    return count_head(reader, FIELD_BYTES, 431);
}

static int on_value(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_reader *reader = reader_of(parser);

    if (count_head(reader, length, 431) != 0) {
        return -1;
    }
    if (reader->field == FIELD_OTHER) {
        return 0;
    }
    reader->value.length += (uint32_t)length;
    return append(reader, bytes, length);
}

static bool value_is(const struct http_reader *reader, const char *text)
{
    return reader->value.length == strlen(text) &&
           strncasecmp((const char *)reader->record + reader->value.offset, text,
                       reader->value.length) == 0;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static int on_value_complete(llhttp_t *parser)
{
    struct http_reader *reader = reader_of(parser);
    struct kwe_http_span *value = &reader->value;

    if (reader->field == FIELD_OTHER) {
        return 0;
    }
    while (value->length != 0 && is_blank(reader->record[value->offset + value->length - 1])) {
        value->length--;
    }
    if (reader->field == FIELD_EXPECT) {
        reader->expects = true;
        return value_is(reader, "100-continue") ? 0 : refuse(reader, 417);
    }
    if (reader->field == FIELD_CODING) {
        const bool is_first = !reader->has_coding;
        reader->has_coding = true;
        return is_first && value_is(reader, "chunked") ? 0 : refuse(reader, 501);
    }
    if (reader->field == KWE_HTTP_HOST) {
        if (reader->has_host) {
            return refuse(reader, 400);
        }
        reader->has_host = true;
    }
    struct kwe_http_span *text = &header(reader)->text[reader->field];
    *text = text->length == 0 ? *value : *text;
    return 0;
}

/* ---- the head's end, the body --------------------------------------------------------------------------------------------------- */

/* What the whole head must be. The status to refuse it with; 0: it may be. */
static uint16_t judge_head(const struct http_reader *reader, uint8_t method)
{
    const llhttp_t *parser = &reader->parser;

    if (parser->http_major != 1 || parser->http_minor > 1) {
        return 505;
    }
    if (method == 0) {
        return 501;
    }
    if (parser->http_minor == 1 && !reader->has_host) {
        return 400;
    }
    if (reader->has_coding && (parser->http_minor == 0 || (parser->flags & F_CONTENT_LENGTH))) {
        return 400; /* two lengths: the way in for smuggled requests (RFC 9112, 6.1) */
    }
    if ((parser->flags & F_CONTENT_LENGTH) && parser->content_length > reader->limits.body_bytes) {
        return 413;
    }
    return 0;
}

static int on_head_complete(llhttp_t *parser)
{
    struct http_reader *reader = reader_of(parser);
    struct kwe_http_request *request = header(reader);
    const uint8_t method = method_of(parser);
    const uint16_t status = judge_head(reader, method);
    const bool has_body = reader->has_coding || parser->content_length != 0;

    if (status != 0) {
        return refuse(reader, status);
    }
    request->method = method;
    request->minor = parser->http_minor;
    request->body.offset = (uint32_t)reader->length;
    reader->head_ended = true;
    reader->expects = reader->expects && has_body && parser->http_minor == 1;
    parser->upgrade = 0; /* the offer of another protocol may be left aside (RFC 9110, 7.8) */
    return 0;
}

static int on_body(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_reader *reader = reader_of(parser);
    struct kwe_http_span *body = &header(reader)->body;

    if (length > reader->limits.body_bytes - body->length) {
        return refuse(reader, 413);
    }
    if (append(reader, bytes, length) != 0) {
        return -1;
    }
    header(reader)->body.length += (uint32_t)length;
    return 0;
}

/* Extensions of chunks say nothing here, but they must not go on for ever. */
static int on_extension(llhttp_t *parser, const char *bytes, size_t length)
{
    (void)bytes;
    return count_head(reader_of(parser), length, 431);
}

static int on_complete(llhttp_t *parser)
{
    struct http_reader *reader = reader_of(parser);

    header(reader)->keep_alive = llhttp_should_keep_alive(parser) != 0;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_field,
    .on_header_field_complete = on_field_complete,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_head_complete,
    .on_chunk_extension_name = on_extension,
    .on_chunk_extension_value = on_extension,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* ---- the reader ----------------------------------------------------------------------------------------------------------------- */

void http_reader_init(struct http_reader *reader, const struct http_limits *limits,
                      struct http_budget *budget)
{
    *reader = (struct http_reader){ .limits = *limits,
                                    .budget = budget,
                                    .head_left = limits->head_bytes };
    /* llhttp only reads them. */
    llhttp_init(&reader->parser, HTTP_REQUEST, (llhttp_settings_t *)(uintptr_t)&callbacks);
    reader->parser.data = reader;
}

static void renew(struct http_reader *reader, uint8_t *record, size_t capacity)
{
    const struct http_limits limits = reader->limits;

    http_reader_init(reader, &limits, reader->budget);
    reader->record = record;
    reader->capacity = capacity;
}

void http_reader_reset(struct http_reader *reader)
{
    free(reader->record);
    reader->budget->used -= reader->capacity;
    renew(reader, NULL, 0);
}

void http_reader_next(struct http_reader *reader)
{
    if (reader->capacity > FIRST_BYTES) {
        http_reader_reset(reader);
    } else {
        renew(reader, reader->record, reader->capacity);
    }
}

/* What llhttp does not take. */
static uint16_t status_of(llhttp_errno_t error)
{
    switch (error) {
    case HPE_INVALID_METHOD:
        return 501;
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
        return 505;
    default:
        return 400;
    }
}

/* The record begins with the first byte that counts. */
static enum http_progress begin(struct http_reader *reader)
{
    const struct kwe_http_request request = { .magic = KWE_HTTP_MAGIC };

    return append(reader, (const char *)&request, sizeof(request)) == 0 ? HTTP_MORE : HTTP_REFUSED;
}

/* Empty lines before a request are no part of it (RFC 9112, 2.2). */
static size_t empty_lines(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && (bytes[at] == '\r' || bytes[at] == '\n')) {
        at++;
    }
    return at;
}

enum http_progress http_reader_feed(struct http_reader *reader, const uint8_t *bytes, size_t length,
                                    size_t *taken)
{
    size_t at = reader->taken == 0 ? empty_lines(bytes, length) : 0;

    *taken = length;
    if (at == length) {
        return HTTP_MORE;
    }
    if (reader->taken == 0 && begin(reader) != HTTP_MORE) {
        return HTTP_REFUSED;
    }
    const bool expected = reader->expects && reader->head_ended;
    const char *from = (const char *)bytes + at;
    const llhttp_errno_t error = llhttp_execute(&reader->parser, from, length - at);
    if (error == HPE_PAUSED) {
        *taken = (size_t)(llhttp_get_error_pos(&reader->parser) - (const char *)bytes);
        reader->taken += *taken;
        return HTTP_COMPLETE;
    }
    reader->taken += length;
    if (error != HPE_OK) {
        (void)refuse(reader, status_of(error));
        return HTTP_REFUSED;
    }
    return reader->expects && reader->head_ended && !expected ? HTTP_EXPECTS : HTTP_MORE;
}
