/* log.c - a program's lines on the debug console. */
#include <stdarg.h>
#include <stdio.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/program/kwe.h"

#define LINE_MAX_BYTES 240

void kwe_log(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length > 0) {
        kwe_call_log(line, length < LINE_MAX_BYTES ? (size_t)length : LINE_MAX_BYTES - 1);
    }
}
