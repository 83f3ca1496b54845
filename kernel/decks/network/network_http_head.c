/* network_http_head.c - the head of a response; see network_http_core.h. */
#include "kernel/decks/network/network_http_core.h"

#include <emmintrin.h>
#include <string.h>
#include <strings.h>

/* llhttp's list has the words without blanks; these are the ones that are used here, as RFC 9110 has them. */
static const struct {
    uint32_t status;
    const char *reason;
} reasons[] = {
    { 100, "Continue" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
};

const char *http_reason(uint32_t status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Status";
}

bool http_has_body(uint32_t status, uint8_t method)
{
    return method != KWE_HTTP_HEAD && status >= 200 && status != 204 && status != 304;
}

/* The head that is being written; HTTP_HEAD_BYTES is more than all of it. Inlined, so that literals have a length. */
static inline __attribute__((always_inline)) size_t put(char *text, size_t at, const char *words)
{
    const size_t length = strlen(words);

    memcpy(text + at, words, length);
    return at + length;
}

static size_t put_number(char *text, size_t at, uint64_t number)
{
    char backwards[21]; /* as many digits as UINT64_MAX has, and an end */
    size_t first = sizeof(backwards) - 1;

    backwards[first] = '\0';
    do {
        backwards[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return put(text, at, backwards + first);
}

/* Piece by piece: a format costs thousands of instructions, and each answer has a head. */
size_t http_head(const struct http_head *head, char text[HTTP_HEAD_BYTES])
{
    size_t at = put(text, 0, "HTTP/1.1 ");

    at = put_number(text, at, head->status);
    at = put(text, at, " ");
    at = put(text, at, http_reason(head->status));
    if (head->has_length) {
        at = put(text, at, "\r\nContent-Length: ");
        at = put_number(text, at, head->length);
    } else if (head->is_chunked) {
        at = put(text, at, "\r\nTransfer-Encoding: chunked");
    }
    if (head->is_plain) {
        at = put(text, at, "\r\nContent-Type: text/plain; charset=utf-8");
    }
    at = put(text, at, head->keep_alive ? "\r\nConnection: keep-alive" : "\r\nConnection: close");
    return put(text, at, "\r\n");
}

/* ---- lines from elsewhere ------------------------------------------------------------------------------------------------------- */

/* A name's characters (RFC 9110, 5.6.2), a bit for each of the first 128. */
static bool is_token(uint8_t byte)
{
    static const uint32_t tokens[4] = {
        0,           /* none of the control characters */
        0x03ff6cfau, /* !#$%&'*+-. and digits */
        0xc7fffffeu, /* letters ^_ */
        0x57ffffffu, /* `letters |~ */
    };
    const bool is_letter = (uint8_t)((byte | 0x20) - 'a') < 26;
    return is_letter || (byte < 128 && (tokens[byte / 32] >> byte % 32 & 1) != 0);
}

static bool frames_the_message(const uint8_t *name, size_t length)
{
    const char *own;

    switch (length) { /* each is as long as no other */
    case 4:
        own = "date";
        break;
    case 10:
        own = "connection";
        break;
    case 14:
        own = "content-length";
        break;
    case 17:
        own = "transfer-encoding";
        break;
    default:
        return false;
    }
    return strncasecmp(own, (const char *)name, length) == 0;
}

/* Sixteen bytes as they lie there. */
static __m128i load(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* A bit for each of the bytes that is a letter or a hyphen: most names have nothing else. */
static unsigned letters_of(__m128i bytes)
{
    const __m128i from_a =
        _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i are_letters =
        _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8('z' - 'a')), from_a);
    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(are_letters, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'))));
}

/* A bit for each of the bytes that is a control character; a tab is one here. */
static unsigned controls_of(__m128i bytes)
{
    const __m128i are_low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(' ' - 1)), bytes);
    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(are_low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f))));
}

/* How many bytes from here on a name may have. */
static size_t name_length(const uint8_t *bytes, size_t length)
{
    size_t at = 0;

    while (at < length) {
        const unsigned others = length - at < 16 ? 1 : ~letters_of(load(bytes + at)) & 0xffff;
        if (others == 0) {
            at += 16;
            continue;
        }
        at += (unsigned)__builtin_ctz(others);
        if (bytes[at] == ':' || !is_token(bytes[at])) {
            break;
        }
        at++;
    }
    return at;
}

/* How many bytes from here on a value may have: no control characters but tabs. */
static size_t value_length(const uint8_t *bytes, size_t length)
{
    size_t at = 0;

    while (at < length) {
        const unsigned controls = length - at < 16 ? 1 : controls_of(load(bytes + at));
        if (controls == 0) {
            at += 16;
            continue;
        }
        at += (unsigned)__builtin_ctz(controls);
        if ((bytes[at] < ' ' && bytes[at] != '\t') || bytes[at] == 0x7f) {
            break;
        }
        at++;
    }
    return at;
}

/* The length of the line that begins here, with its end; 0: it is none. */
static size_t line_length(const uint8_t *line, size_t length)
{
    size_t at = name_length(line, length);

    if (at == 0 || at == length || line[at] != ':' || frames_the_message(line, at)) {
        return 0;
    }
    at += value_length(line + at, length - at);
    return length - at >= 2 && line[at] == '\r' && line[at + 1] == '\n' ? at + 2 : 0;
}

bool http_lines_valid(const uint8_t *lines, size_t length)
{
    while (length != 0) {
        const size_t line = line_length(lines, length);
        if (line == 0) {
            return false;
        }
        lines += line;
        length -= line;
    }
    return true;
}
