/* http_request_core.h - an HTTP request as Network leaves it (kernel/abi/http.h), and what its texts say. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/http.h"

/*
 * Copy the record's header, and check it: the method is one of the list, all spans lie inside `length` bytes, the path begins with '/' or is
 * "*". False: it is no request; then *request is undefined.
 */
bool http_request_read(const uint8_t *record, size_t length, struct kwe_http_request *request);

/* Bytes that are no C text. */
struct http_words {
    const char *bytes;
    size_t length;
};

struct http_words http_request_text(const uint8_t *record, const struct kwe_http_request *request,
                                    enum kwe_http_text text);
bool http_words_are(struct http_words words, const char *text);

/* -1: it is none. */
int http_hex_digit(char digit);
/*
 * A path, decoded: no percent signs, no empty names, no NUL; *is_directory: a '/' stood at its end. Returns its length, 0: it is malformed,
 * longer than `room`, or holds "." or "..", or a '/' that was encoded.
 */
size_t http_decode_path(struct http_words path, char *to, size_t room, bool *is_directory);

/* One range of bytes that was asked for (RFC 9110, 14.1.2). */
struct http_range {
    bool is_there; /* false: none, several, or not understood: all of the file is the answer */
    bool from_end; /* the last `first` bytes */
    uint64_t first;
    uint64_t last; /* UINT64_MAX: to the end */
};
struct http_range http_parse_range(struct http_words text);
/* What of a file of that size: [*first, *first + *count). False: nothing of it is there. */
bool http_resolve_range(const struct http_range *range, uint64_t size, uint64_t *first,
                        uint64_t *count);

#define HTTP_DATE_BYTES 30u
/* Seconds since 1970 as "Sun, 06 Nov 1994 08:49:37 GMT". */
void http_format_date(uint64_t seconds, char text[HTTP_DATE_BYTES]);
/* ... and back. False: not written that way. */
bool http_parse_date(struct http_words text, uint64_t *seconds);
