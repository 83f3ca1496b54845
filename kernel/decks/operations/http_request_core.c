/* http_request_core.c - see http_request_core.h. */
#include "kernel/decks/operations/http_request_core.h"

#include <string.h>

static bool lies_inside(struct kwe_http_span span, size_t length)
{
    return span.length == 0 || (span.offset >= sizeof(struct kwe_http_request) &&
                                span.offset <= length && span.length <= length - span.offset);
}

bool http_request_read(const uint8_t *record, size_t length, struct kwe_http_request *request)
{
    if (length < sizeof(*request)) {
        return false;
    }
    memcpy(request, record, sizeof(*request));
    const struct kwe_http_span path = request->text[KWE_HTTP_PATH];
    if (request->magic != KWE_HTTP_MAGIC || request->method == 0 ||
        request->method >= KWE_HTTP_METHODS || !lies_inside(request->body, length)) {
        return false;
    }
    for (uint32_t i = 0; i < KWE_HTTP_TEXTS; i++) {
        if (!lies_inside(request->text[i], length)) {
            return false;
        }
    }
    if (path.length == 0) {
        return false;
    }
    return record[path.offset] == '/' || (path.length == 1 && record[path.offset] == '*');
}
