/* fmt.h - printf-like formatting into a buffer: %s %.*s %c %d %i %u %x %p %%, with l, ll, z, a width and a leading 0. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Writes at most `room` bytes with the NUL (none when room is 0). Returns the length that all of it would have. */
size_t fmt_vprint(char *to, size_t room, const char *format, va_list arguments);
size_t fmt_print(char *to, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
