/* http_form_core.c - see http_form_core.h. */
#include "kernel/decks/operations/http_form_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void http_put(struct http_text *text, const char *bytes, size_t length)
{
    if (length > text->capacity - text->length) {
        text->is_full = true;
        return;
    }
    if (length != 0) {
        memcpy(text->bytes + text->length, bytes, length);
        text->length += length;
    }
}

void http_say(struct http_text *text, const char *format, ...)
{
    char words[512];
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    if ((size_t)length >= sizeof(words)) {
        text->is_full = true;
        return;
    }
    http_put(text, words, (size_t)length);
}

static void put_digits(struct http_text *text, uint64_t number, uint64_t base)
{
    static const char digits[] = "0123456789abcdef";
    char backwards[20]; /* as many as UINT64_MAX has */
    size_t at = sizeof(backwards);

    do {
        backwards[--at] = digits[number % base];
        number /= base;
    } while (number != 0);
    http_put(text, backwards + at, sizeof(backwards) - at);
}

void http_put_number(struct http_text *text, uint64_t number)
{
    put_digits(text, number, 10);
}

void http_put_hex(struct http_text *text, uint64_t number)
{
    put_digits(text, number, 16);
}

/* ---- forms -------------------------------------------------------------------------------------------------------------------- */

/* The form's byte at *at, which moves behind it. A percent sign that begins nothing stands for itself. */
static uint8_t decode(struct http_words form, size_t *at)
{
    const char byte = form.bytes[(*at)++];

    if (byte == '+') {
        return ' ';
    }
    if (byte != '%' || form.length - *at < 2) {
        return (uint8_t)byte;
    }
    const int high = http_hex_digit(form.bytes[*at]), low = http_hex_digit(form.bytes[*at + 1]);
    if (high < 0 || low < 0) {
        return (uint8_t)byte;
    }
    *at += 2;
    return (uint8_t)(high << 4 | low);
}

/* How many bytes behind a first byte of UTF-8, and the smallest code point of that length; -1: it is none. */
static int followers(uint8_t byte, uint32_t *least)
{
    if (byte < 0x80) {
        *least = 0;
        return 0;
    }
    if (byte >= 0xc2 && byte < 0xe0) {
        *least = 0x80;
        return 1;
    }
    if (byte >= 0xe0 && byte < 0xf0) {
        *least = 0x800;
        return 2;
    }
    *least = 0x10000;
    return byte >= 0xf0 && byte < 0xf5 ? 3 : -1;
}

/* The code point at *at, which moves behind it, or behind the byte that is none. */
static uint32_t decode_point(struct http_words form, size_t *at)
{
    uint32_t least = 0;
    const uint8_t first = decode(form, at);
    const int count = followers(first, &least);
    uint32_t point = count <= 0 ? first : first & (0x3fu >> count);
    size_t next = *at;

    if (count < 0) {
        return 0xfffd;
    }
    for (int i = 0; i < count; i++) {
        const uint8_t byte = next < form.length ? decode(form, &next) : 0;
        if ((byte & 0xc0) != 0x80) {
            return 0xfffd;
        }
        point = point << 6 | (byte & 0x3fu);
    }
    *at = next;
    const bool is_surrogate = point >= 0xd800 && point < 0xe000;
    return point < least || is_surrogate || point > 0x10ffff ? 0xfffd : point;
}

static void put_point(struct http_text *line, uint32_t point)
{
    if (point < 0x80 && (point < ' ' || point == '"' || point == '\\' || point == 0x7f)) {
        http_say(line, "\\u%04x", point);
    } else if (point < 0x80) {
        http_put(line, &(char){ (char)point }, 1);
    } else if (point < 0x800) {
        const char two[] = { (char)(0xc0 | point >> 6), (char)(0x80 | (point & 0x3f)) };
        http_put(line, two, sizeof(two));
    } else if (point < 0x10000) {
        const char three[] = { (char)(0xe0 | point >> 12), (char)(0x80 | (point >> 6 & 0x3f)),
                               (char)(0x80 | (point & 0x3f)) };
        http_put(line, three, sizeof(three));
    } else {
        const char four[] = { (char)(0xf0 | point >> 18), (char)(0x80 | (point >> 12 & 0x3f)),
                              (char)(0x80 | (point >> 6 & 0x3f)), (char)(0x80 | (point & 0x3f)) };
        http_put(line, four, sizeof(four));
    }
}

static void put_string(struct http_text *line, struct http_words encoded)
{
    size_t at = 0;

    http_put(line, "\"", 1);
    while (at < encoded.length) {
        put_point(line, decode_point(encoded, &at));
    }
    http_put(line, "\"", 1);
}

/* Bytes up to a separator, of *rest, which moves behind it. */
static struct http_words cut(struct http_words *rest, char separator)
{
    const char *end = rest->length == 0 ? NULL : memchr(rest->bytes, separator, rest->length);
    const size_t length = end == NULL ? rest->length : (size_t)(end - rest->bytes);
    const struct http_words part = { rest->bytes, length };
    const size_t step = end == NULL ? length : length + 1;

    rest->bytes += step;
    rest->length -= step;
    return part;
}

static bool is_form(struct http_words type)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const struct http_words name = cut(&type, ';');

    return name.length == sizeof(form) - 1 && strncasecmp(name.bytes, form, name.length) == 0;
}

enum kerr http_form(const uint8_t *record, size_t length, struct http_text *line)
{
    struct kwe_http_request request;
    uint32_t fields = 0;

    if (!http_request_read(record, length, &request) ||
        !is_form(http_request_text(record, &request, KWE_HTTP_CONTENT_TYPE))) {
        return KERR_BAD_REQUEST;
    }
    struct http_words rest = { (const char *)record + request.body.offset, request.body.length };
    http_put(line, "{", 1);
    while (rest.length != 0) {
        struct http_words value = cut(&rest, '&');
        const struct http_words name = cut(&value, '=');
        if (name.length == 0) {
            continue;
        }
        http_put(line, ",", fields == 0 ? 0 : 1);
        put_string(line, name);
        http_put(line, ":", 1);
        put_string(line, value);
        fields++;
    }
    http_put(line, "}\n", 2);
    if (fields == 0) {
        return KERR_BAD_REQUEST;
    }
    return line->is_full ? KERR_OUTPUT_TOO_LARGE : KERR_OK;
}
