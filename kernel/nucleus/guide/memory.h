/* memory.h - where the Guide's memory comes from: the nucleus's heap, or malloc on the host. */
#pragma once

#include <stddef.h>

struct guide_memory {
    void *(*alloc_zeroed)(void *context, size_t bytes); /* NULL: none */
    void (*free)(void *context, void *block, size_t bytes);
    void *context;
};
