/* The window's books: regions never overlap, and all of them come back. */
// uses: drivers/ivshmem/ivshmem_window.c
#include <assert.h>
#include <stdlib.h>

#include "drivers/ivshmem/ivshmem_window.h"

static void test_take_is_page_aligned_and_apart(void)
{
    struct window window;
    uint64_t first, second;
    window_init(&window, 100, 10 * WINDOW_PAGE + 5);

    assert(window_take(&window, 1, &first));
    assert(window_take(&window, WINDOW_PAGE + 1, &second));

    assert(first == WINDOW_PAGE);
    assert(second == 2 * WINDOW_PAGE);
}

static void test_take_refuses_what_does_not_fit(void)
{
    struct window window;
    uint64_t offset;
    window_init(&window, 0, 4 * WINDOW_PAGE);

    assert(!window_take(&window, 4 * WINDOW_PAGE + 1, &offset));
    assert(!window_take(&window, UINT64_MAX, &offset));
    assert(window_take(&window, 4 * WINDOW_PAGE, &offset));
    assert(!window_take(&window, 1, &offset));
}

static void test_a_gap_is_used_again(void)
{
    struct window window;
    uint64_t a, b, c, again;
    window_init(&window, 0, 6 * WINDOW_PAGE);
    assert(window_take(&window, 2 * WINDOW_PAGE, &a));
    assert(window_take(&window, 2 * WINDOW_PAGE, &b));
    assert(window_take(&window, 2 * WINDOW_PAGE, &c));

    assert(window_give(&window, b));
    assert(!window_give(&window, b));

    assert(window_take(&window, WINDOW_PAGE, &again) && again == b);
}

static void test_random_use_never_overlaps_and_ends_empty(void)
{
    struct window window;
    uint64_t taken[WINDOW_MAX_REGIONS];
    uint64_t pages[WINDOW_MAX_REGIONS];
    unsigned count = 0;
    static uint8_t owner[256];
    window_init(&window, 0, 256 * WINDOW_PAGE);
    srand(7);

    for (unsigned round = 0; round < 20000; round++) {
        uint64_t offset;
        uint64_t wanted = 1 + (uint64_t)rand() % 20;
        if (rand() % 2 && window_take(&window, wanted * WINDOW_PAGE, &offset)) {
            for (uint64_t page = 0; page < wanted; page++) {
                assert(!owner[offset / WINDOW_PAGE + page]);
                owner[offset / WINDOW_PAGE + page] = 1;
            }
            taken[count] = offset;
            pages[count++] = wanted;
        } else if (count > 0) {
            unsigned which = (unsigned)rand() % count;
            assert(window_give(&window, taken[which]));
            for (uint64_t page = 0; page < pages[which]; page++) {
                owner[taken[which] / WINDOW_PAGE + page] = 0;
            }
            taken[which] = taken[--count];
            pages[which] = pages[count];
        }
    }
    while (count > 0) {
        assert(window_give(&window, taken[--count]));
    }

    assert(window.count == 0);
}

int main(void)
{
    test_take_is_page_aligned_and_apart();
    test_take_refuses_what_does_not_fit();
    test_a_gap_is_used_again();
    test_random_use_never_overlaps_and_ends_empty();
    return 0;
}
