/* http_request_core.h - reading a request that another fault domain left. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/abi/http.h"

/*
 * Copy the record's header, and check it: the method is one of the list, all spans lie inside `length` bytes, the path begins with '/' or is
 * "*". False: it is no request; then *request is undefined.
 */
bool http_request_read(const uint8_t *record, size_t length, struct kwe_http_request *request);
