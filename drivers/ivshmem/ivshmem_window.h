/*
 * ivshmem_window.h - who uses which part of the shared memory: first fit, in pages, the books kept outside of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_PAGE        4096u
#define WINDOW_MAX_REGIONS 64u

struct window_region {
    uint64_t offset, bytes;
};

/* Regions in use, by ascending offset. */
struct window {
    uint64_t begin, end;
    uint32_t count;
    struct window_region region[WINDOW_MAX_REGIONS];
};

/* `begin` and `end`: offsets in the shared memory. */
void window_init(struct window *window, uint64_t begin, uint64_t end);
/* The largest region that can ever be had. */
uint64_t window_capacity(const struct window *window);
/* Take `bytes` (> 0), page aligned. False: there is no room now. */
bool window_take(struct window *window, uint64_t bytes, uint64_t *offset);
/* Give a region back. False: none starts there. */
bool window_give(struct window *window, uint64_t offset);
/* Give all regions back. */
void window_clear(struct window *window);
