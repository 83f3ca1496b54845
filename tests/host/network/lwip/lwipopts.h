/*
 * lwipopts.h - the deck's own configuration, but each piece of memory is a block of malloc's: a sanitizer sees who goes beyond it, keeps it, or
 * uses it after its end; and the world that the stack lives in can refuse one.
 */
#pragma once

#include "kernel/decks/network/lwip/lwipopts.h"
#include <stddef.h>

#undef LWIP_RAM_HEAP_POINTER
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_STATS       1
#define MEMP_STATS      1

void *world_malloc(size_t bytes);
void world_free(void *block);
#define mem_clib_malloc             world_malloc
#define mem_clib_free               world_free
#define mem_clib_calloc(count, one) world_malloc((count) * (one))
