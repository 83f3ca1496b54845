/*
 * log.h - lines on the debug console, the same shape for everybody:
 *
 *   [    0.012345] cpu0 deck storage.0: text
 *
 * Any context; the lock is not needed (each line goes out in one port_log() call).
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 400

/* `who`: "nucleus", "deck storage.0", "program agent". The line ends itself. */
void log_line(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from ring 3: unprintable bytes become '?', cut at the line's length. */
void log_text(const char *who, const char *text, size_t length);
/* "backtrace IMAGE: 0x... 0x...", which the host symbolizes. */
void log_backtrace(const char *who, const char *image, const uint64_t *addresses, size_t count);
