/*
 * string.c - bytes and texts. Copies go by quadwords (REP MOVSQ): bytewise REP is an order of magnitude slower under TCG.
 * gcc must not turn these loops back into calls of the functions that they are.
 */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#include "kernel/lib/string.h"

#include <stdint.h>

#undef memcpy
#undef memset

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    void *begin = to;
    size_t words = bytes / 8;
    size_t rest = bytes % 8;
    __asm__ volatile("rep movsq\n\tmov %3, %2\n\trep movsb"
                     : "+D"(to), "+S"(from), "+c"(words)
                     : "r"(rest)
                     : "memory");
    return begin;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    uint8_t *at = to;
    const uint8_t *source = from;
    if ((uintptr_t)to - (uintptr_t)from >= bytes) {
        return memcpy(to, from, bytes);
    }
    while (bytes > 0) { /* to lies inside [from, from + bytes): from the end */
        bytes--;
        at[bytes] = source[bytes];
    }
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    void *begin = to;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101ull;
    size_t words = bytes / 8;
    size_t rest = bytes % 8;
    __asm__ volatile("rep stosq\n\tmov %3, %1\n\trep stosb"
                     : "+D"(to), "+c"(words)
                     : "a"(pattern), "r"(rest)
                     : "memory");
    return begin;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *left = a;
    const uint8_t *right = b;
    for (size_t i = 0; i < bytes; i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}

size_t strnlen(const char *text, size_t most)
{
    size_t length = 0;
    while (length < most && text[length] != '\0') {
        length++;
    }
    return length;
}

int strncmp(const char *a, const char *b, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        if (a[i] != b[i]) {
            return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
        }
        if (a[i] == '\0') {
            return 0;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}
