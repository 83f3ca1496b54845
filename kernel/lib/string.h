/* string.h - the few functions on bytes and texts that both rings use without a C library. */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
/* Few bytes, and known how many: where they are used. */
#define memcpy(to, from, bytes)  __builtin_memcpy((to), (from), (bytes))
#define memset(to, value, bytes) __builtin_memset((to), (value), (bytes))
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
