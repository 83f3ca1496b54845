/* log.c - lines on the debug console, and the last one of all: panic(). */
#include "kernel/nucleus/log.h"

#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/nucleus/entry.h"
#include "kernel/nucleus/exit.h"
#include "kernel/nucleus/nucleus.h"

#define BACKTRACE_MAX 24

struct line {
    char text[LOG_LINE_MAX];
    size_t length;
};

static void line_vadd(struct line *line, const char *format, va_list arguments)
{
    size_t room = sizeof(line->text) - 1 - line->length; /* one byte is kept for the newline */
    size_t wanted = fmt_vprint(line->text + line->length, room, format, arguments);
    size_t most = room == 0 ? 0 : room - 1;
    line->length += wanted < most ? wanted : most;
}

static void __attribute__((format(printf, 2, 3))) line_add(struct line *line, const char *format,
                                                           ...)
{
    va_list arguments;
    va_start(arguments, format);
    line_vadd(line, format, arguments);
    va_end(arguments);
}

static void line_begin(struct line *line, const char *who)
{
    uint64_t now_us = port_now_ns() / 1000;
    const struct cpu *cpu = port_this_cpu();
    line->length = 0;
    line_add(line, "[%5lu.%06lu] cpu%u %s: ", (unsigned long)(now_us / 1000000),
             (unsigned long)(now_us % 1000000), cpu == NULL ? 0 : cpu->index, who);
}

static void line_end(struct line *line)
{
    line->text[line->length++] = '\n';
    port_log(line->text, line->length);
}

void log_line(const char *who, const char *format, ...)
{
    struct line line;
    va_list arguments;

    line_begin(&line, who);
    va_start(arguments, format);
    line_vadd(&line, format, arguments);
    va_end(arguments);
    line_end(&line);
}

void log_text(const char *who, const char *text, size_t length)
{
    struct line line;

    line_begin(&line, who);
    size_t room = sizeof(line.text) - 1 - line.length;
    if (length > room) {
        length = room;
    }
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool printable = (c >= ' ' && c != 0x7f) || c == '\t';
        line.text[line.length++] = printable ? c : '?';
    }
    line_end(&line);
}

void log_backtrace(const char *who, const char *image, const uint64_t *addresses, size_t count)
{
    struct line line;

    line_begin(&line, who);
    line_add(&line, "backtrace %s:", image);
    for (size_t i = 0; i < count; i++) {
        line_add(&line, " 0x%llx", (unsigned long long)addresses[i]);
    }
    line_end(&line);
}

void panic(const char *format, ...)
{
    struct line line;
    uint64_t addresses[BACKTRACE_MAX];
    va_list arguments;

    port_stop_other_cpus();
    line_begin(&line, "PANIC");
    va_start(arguments, format);
    line_vadd(&line, format, arguments);
    va_end(arguments);
    line_end(&line);
    log_backtrace("nucleus", "nucleus", addresses, port_backtrace(addresses, BACKTRACE_MAX));
    nucleus_exit(EXIT_PANIC, "panic");
}

void nucleus_exit(uint8_t code, const char *words)
{
    struct line line = { .length = 0 };

    line_add(&line, "KWE: exit %u %s", code, words);
    line_end(&line);
    port_exit(code);
}
