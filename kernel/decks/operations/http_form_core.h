/* http_form_core.h - a form that was sent (application/x-www-form-urlencoded) as one line of JSON. Pure. */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/decks/operations/http_request_core.h"

/* A writer that stops at its room, and says so. */
struct http_text {
    char *bytes;
    size_t capacity, length;
    bool is_full;
};
void http_put(struct http_text *text, const char *bytes, size_t length);
void http_say(struct http_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What each answer has is put piece by piece: a format costs thousands of instructions. */
static inline void http_put_text(struct http_text *text, const char *words)
{
    http_put(text, words, __builtin_strlen(words)); /* a literal's is known */
}
void http_put_number(struct http_text *text, uint64_t number);
void http_put_hex(struct http_text *text, uint64_t number);

/*
 * {"name":"value",...} and a newline; what is not UTF-8 becomes U+FFFD, so that the line is JSON whatever was sent. BAD_REQUEST: no request,
 * no form, or a form without a field; OUTPUT_TOO_LARGE.
 */
enum kerr http_form(const uint8_t *record, size_t length, struct http_text *line);
