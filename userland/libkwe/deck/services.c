/* services.c - what every deck may ask of the kernel: time, a line in the log, memory for devices, the end. */
#include "userland/libkwe/deck/internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/common/clock.h"

#define LINE_MAX_BYTES 240

static struct ring *marked_ring;

void services_init(struct ring *done)
{
    marked_ring = done;
}

uint64_t deck_now_ns(void)
{
    return kwe_now_ns();
}

void deck_progress(void)
{
    /* Only this instance writes it, the nucleus only looks whether it moved: no order with anything else is needed. */
    __atomic_store_n(&marked_ring->progress, marked_ring->progress + 1, __ATOMIC_RELAXED);
}

/* Bytes in `line`, without the NUL. */
static size_t format_line(char line[LINE_MAX_BYTES], const char *format, va_list arguments)
{
    int length = vsnprintf(line, LINE_MAX_BYTES, format, arguments);

    if (length < 0) {
        return 0;
    }
    return length < LINE_MAX_BYTES ? (size_t)length : LINE_MAX_BYTES - 1;
}

void deck_die(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    size_t length = format_line(line, format, arguments);
    va_end(arguments);
    kwe_call_deck_die(line, length);
    __builtin_trap();
}

void deck_log(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    size_t length = format_line(line, format, arguments);
    va_end(arguments);
    kwe_call_log(line, length);
}

void *deck_dma_alloc(size_t bytes)
{
    int64_t address = kwe_call_dma_alloc(bytes);

    /* Addresses of ring 3 are positive numbers. */
    return address <= 0 ? NULL : (void *)(uintptr_t)address;
}
