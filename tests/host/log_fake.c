/* log_fake.c - log lines and panic() for host tests that do without the nucleus's own: see port_fake.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/nucleus/log.h"
#include "tests/host/port_fake.h"

jmp_buf fake_panic_return;
bool fake_panic_expected;
char fake_panic_text[400];
char fake_log[8192];

void fake_log_clear(void)
{
    fake_log[0] = '\0';
}

void log_text(const char *who, const char *text, size_t length)
{
    size_t used = strlen(fake_log);
    snprintf(fake_log + used, sizeof(fake_log) - used, "%s: %.*s\n", who, (int)length, text);
}

void log_line(const char *who, const char *format, ...)
{
    char text[LOG_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    log_text(who, text, strlen(text));
}

void panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fake_panic_text, sizeof(fake_panic_text), format, arguments);
    va_end(arguments);
    if (fake_panic_expected) {
        longjmp(fake_panic_return, 1);
    }
    fprintf(stderr, "PANIC: %s\n", fake_panic_text);
    abort();
}
