/* ivshmem_window.c - first fit over a sorted list; it holds as many regions as requests can be in flight, so walks are short. */
#include "drivers/ivshmem/ivshmem_window.h"

static uint64_t round_up(uint64_t value)
{
    return (value + WINDOW_PAGE - 1) / WINDOW_PAGE * WINDOW_PAGE;
}

void window_init(struct window *window, uint64_t begin, uint64_t end)
{
    window->begin = round_up(begin);
    window->end = end / WINDOW_PAGE * WINDOW_PAGE;
    window->count = 0;
}

uint64_t window_capacity(const struct window *window)
{
    return window->end > window->begin ? window->end - window->begin : 0;
}

bool window_take(struct window *window, uint64_t bytes, uint64_t *offset)
{
    if (bytes > window_capacity(window) || window->count == WINDOW_MAX_REGIONS) {
        return false;
    }
    uint64_t wanted = round_up(bytes);
    uint64_t gap = window->begin;
    uint32_t place = 0;
    while (place < window->count && window->region[place].offset - gap < wanted) {
        gap = window->region[place].offset + window->region[place].bytes;
        place++;
    }
    if (window->end - gap < wanted) {
        return false;
    }
    for (uint32_t i = window->count; i > place; i--) {
        window->region[i] = window->region[i - 1];
    }
    window->region[place] = (struct window_region){ .offset = gap, .bytes = wanted };
    window->count++;
    *offset = gap;
    return true;
}

bool window_give(struct window *window, uint64_t offset)
{
    for (uint32_t i = 0; i < window->count; i++) {
        if (window->region[i].offset != offset) {
            continue;
        }
        window->count--;
        for (; i < window->count; i++) {
            window->region[i] = window->region[i + 1];
        }
        return true;
    }
    return false;
}

void window_clear(struct window *window)
{
    window->count = 0;
}
