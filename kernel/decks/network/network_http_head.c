/* network_http_head.c - the head of a response; see network_http_core.h. */
#include "kernel/decks/network/network_http_core.h"

#include <stdio.h>
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

size_t http_head(const struct http_head *head, char text[HTTP_HEAD_BYTES])
{
    char length[48] = "";

    if (head->has_length) {
        (void)snprintf(length, sizeof(length), "Content-Length: %llu\r\n",
                       (unsigned long long)head->length);
    } else if (head->is_chunked) {
        (void)snprintf(length, sizeof(length), "Transfer-Encoding: chunked\r\n");
    }
    const int bytes = snprintf(text, HTTP_HEAD_BYTES, "HTTP/1.1 %u %s\r\n%s%sConnection: %s\r\n",
                               head->status, http_reason(head->status), length,
                               head->is_plain ? "Content-Type: text/plain; charset=utf-8\r\n" : "",
                               head->keep_alive ? "keep-alive" : "close");
    return (size_t)bytes;
}

/* ---- lines from elsewhere ------------------------------------------------------------------------------------------------------- */

/* A name's characters (RFC 9110, 5.6.2). */
static bool is_token(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool frames_the_message(const uint8_t *name, size_t length)
{
    static const char *const own[] = { "connection", "content-length", "date",
                                       "transfer-encoding" };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strlen(own[i]) == length && strncasecmp(own[i], (const char *)name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* The length of the line that begins here, with its end; 0: it is none. */
static size_t line_length(const uint8_t *line, size_t length)
{
    size_t at = 0;

    while (at < length && is_token(line[at])) {
        at++;
    }
    if (at == 0 || at == length || line[at] != ':' || frames_the_message(line, at)) {
        return 0;
    }
    while (at < length && (line[at] >= ' ' || line[at] == '\t') && line[at] != 0x7f) {
        at++;
    }
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
