/*
 * fortify.c - the few symbols that Debian's static archives miss under musl.
 *
 * They were compiled against another C library with _FORTIFY_SOURCE: where the compiler knew an object's size it called a checking
 * variant. The checks are kept: an overrun traps instead of going on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void *__memcpy_chk(void *to, const void *from, size_t bytes, size_t room);
void *__memset_chk(void *to, int byte, size_t bytes, size_t room);
void __explicit_bzero_chk(void *to, size_t bytes, size_t room);
int __snprintf_chk(char *to, size_t bytes, int flag, size_t room, const char *format, ...);
int __fprintf_chk(FILE *stream, int flag, const char *format, ...);
size_t __fread_chk(void *to, size_t room, size_t bytes, size_t count, FILE *stream);
_Noreturn void __longjmp_chk(jmp_buf where, int value);
int fcntl64(int descriptor, int command, ...);

static void check_room(size_t bytes, size_t room)
{
    if (bytes > room) {
        __builtin_trap();
    }
}

void *__memcpy_chk(void *to, const void *from, size_t bytes, size_t room)
{
    check_room(bytes, room);
    return memcpy(to, from, bytes);
}

void *__memset_chk(void *to, int byte, size_t bytes, size_t room)
{
    check_room(bytes, room);
    return memset(to, byte, bytes);
}

void __explicit_bzero_chk(void *to, size_t bytes, size_t room)
{
    check_room(bytes, room);
    memset(to, 0, bytes);
    /* The compiler must not believe that nobody looks at it again. */
    __asm__ volatile("" : : "r"(to) : "memory");
}

int __snprintf_chk(char *to, size_t bytes, int flag, size_t room, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    check_room(bytes, room);
    va_start(arguments, format);
    int length = vsnprintf(to, bytes, format, arguments);
    va_end(arguments);
    return length;
}

int __fprintf_chk(FILE *stream, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start(arguments, format);
    int length = vfprintf(stream, format, arguments);
    va_end(arguments);
    return length;
}

size_t __fread_chk(void *to, size_t room, size_t bytes, size_t count, FILE *stream)
{
    size_t wanted;

    if (__builtin_mul_overflow(bytes, count, &wanted)) {
        __builtin_trap();
    }
    check_room(wanted, room);
    return fread(to, bytes, count, stream);
}

/* The check that it makes elsewhere (is the frame still below us?) needs the other library's jmp_buf; the layouts agree otherwise. */
_Noreturn void __longjmp_chk(jmp_buf where, int value)
{
    longjmp(where, value);
}

/* No files in a KWE program: descriptors are not to be had, so that there is nothing to control. */
int fcntl64(int descriptor, int command, ...)
{
    (void)descriptor;
    (void)command;
    return -1;
}
