/* fmt.c - printf-like formatting into a buffer. */
#include "kernel/lib/fmt.h"

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/string.h"

struct output {
    char *to;
    size_t room, length;
};

struct spec {
    size_t width;
    int precision; /* -1: none */
    bool zero;
    unsigned longs; /* 2: 64 bits */
};

static void put(struct output *output, char c)
{
    if (output->length + 1 < output->room) {
        output->to[output->length] = c;
    }
    output->length++;
}

static void put_padded(struct output *output, const struct spec *spec, const char *text,
                       size_t length, bool negative)
{
    size_t total = length + (negative ? 1 : 0);
    if (negative && spec->zero) {
        put(output, '-');
    }
    for (size_t i = total; i < spec->width; i++) {
        put(output, spec->zero ? '0' : ' ');
    }
    if (negative && !spec->zero) {
        put(output, '-');
    }
    for (size_t i = 0; i < length; i++) {
        put(output, text[i]);
    }
}

static void put_number(struct output *output, const struct spec *spec, uint64_t value,
                       unsigned base, bool negative)
{
    char digits[24];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    put_padded(output, spec, digits + at, sizeof(digits) - at, negative);
}

static const char *read_spec(const char *at, struct spec *spec, va_list *arguments)
{
    *spec = (struct spec){ .precision = -1 };
    if (*at == '0') {
        spec->zero = true;
        at++;
    }
    while (*at >= '0' && *at <= '9') {
        spec->width = spec->width * 10 + (size_t)(*at++ - '0');
    }
    if (*at == '.') {
        at++;
        if (*at == '*') {
            spec->precision = va_arg(*arguments, int);
            at++;
        } else {
            spec->precision = 0;
            while (*at >= '0' && *at <= '9') {
                spec->precision = spec->precision * 10 + (*at++ - '0');
            }
        }
    }
    while (*at == 'l' || *at == 'z') {
        spec->longs = 2;
        at++;
    }
    return at;
}

static void convert(struct output *output, char kind, const struct spec *spec, va_list *arguments)
{
    if (kind == 's') {
        const char *text = va_arg(*arguments, const char *);
        text = text == NULL ? "(null)" : text;
        size_t length = spec->precision < 0 ? strlen(text) : strnlen(text, (size_t)spec->precision);
        struct spec plain = *spec;
        plain.zero = false;
        put_padded(output, &plain, text, length, false);
    } else if (kind == 'c') {
        put(output, (char)va_arg(*arguments, int));
    } else if (kind == 'd' || kind == 'i') {
        int64_t value = spec->longs != 0 ? va_arg(*arguments, int64_t) : va_arg(*arguments, int);
        uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
        put_number(output, spec, size, 10, value < 0);
    } else if (kind == 'u' || kind == 'x') {
        uint64_t value =
            spec->longs != 0 ? va_arg(*arguments, uint64_t) : va_arg(*arguments, unsigned);
        put_number(output, spec, value, kind == 'u' ? 10 : 16, false);
    } else if (kind == 'p') {
        put(output, '0');
        put(output, 'x');
        put_number(output, spec, (uint64_t)(uintptr_t)va_arg(*arguments, void *), 16, false);
    } else {
        put(output, kind);
    }
}

size_t fmt_vprint(char *to, size_t room, const char *format, va_list arguments)
{
    struct output output = { .to = to, .room = room };
    va_list list;
    va_copy(list, arguments);
    for (const char *at = format; *at != '\0'; at++) {
        struct spec spec;
        if (*at != '%') {
            put(&output, *at);
            continue;
        }
        at = read_spec(at + 1, &spec, &list);
        if (*at == '\0') {
            break;
        }
        convert(&output, *at, &spec, &list);
    }
    va_end(list);
    if (room > 0) {
        to[output.length < room ? output.length : room - 1] = '\0';
    }
    return output.length;
}

size_t fmt_print(char *to, size_t room, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = fmt_vprint(to, room, format, arguments);
    va_end(arguments);
    return length;
}
