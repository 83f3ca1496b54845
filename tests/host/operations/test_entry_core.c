/*
 * One of a directory's files by its number.
 * uses: kernel/decks/operations/entry_core.c
 */
#include "kernel/decks/operations/entry_core.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kwe_path path;
static uint64_t count;

/* In memory of just that size, so that a look behind it is seen. */
static enum kerr entry(const char *lines, const char *directory, uint64_t number)
{
    struct kwe_path below = { .length = (uint16_t)strlen(directory) };
    const size_t length = strlen(lines);
    char *exact = malloc(length);

    memcpy(below.bytes, directory, below.length);
    memcpy(exact, lines, length);
    const enum kerr error = entry_path(exact, length, &below, number, &path, &count);
    free(exact);
    return error;
}

static bool is(const char *text)
{
    return path.length == strlen(text) && memcmp(path.bytes, text, path.length) == 0;
}

static void test_files_come_by_name_and_begin_again_behind_the_last(void)
{
    static const char lines[] = "f 10 b\nd 4096 a\nf 7 a b.jpg\nf 0 aa\nf 1 B\n";
    static const char *const wanted[] = { "/in/B", "/in/a b.jpg", "/in/aa", "/in/b" };

    for (uint64_t number = 0; number < 12; number++) {
        assert(entry(lines, "/in", number) == KERR_OK);
        assert(is(wanted[number % 4]) && count == 4);
    }
    assert(entry(lines, "/in/", UINT64_MAX) == KERR_OK && is("/in/b"));
    assert(entry("f 3 last", "/", 5) == KERR_OK && is("/last") && count == 1);
}

static void test_what_has_no_files_or_is_no_list(void)
{
    assert(entry("", "/in", 0) == KERR_NO_SUCH_FILE);
    assert(entry("d 4096 a\n", "/in", 0) == KERR_NO_SUCH_FILE);
    assert(entry("f 1 a\nf\n", "/in", 0) == KERR_BAD_PARAMETER);
    assert(entry("f 1 a\nf 12\n", "/in", 0) == KERR_BAD_PARAMETER);
    assert(entry("x 1 a\n", "/in", 0) == KERR_BAD_PARAMETER);
    assert(entry("f 1 \n", "/in", 0) == KERR_BAD_PARAMETER);
    assert(entry("\n", "/in", 0) == KERR_BAD_PARAMETER);
}

static void test_a_path_that_would_be_too_long(void)
{
    char line[300];

    (void)snprintf(line, sizeof(line), "f 1 %0250d\n", 0);
    assert(entry(line, "/in", 0) == KERR_OK && path.length == 254);
    (void)snprintf(line, sizeof(line), "f 1 %0251d\n", 0);
    assert(entry(line, "/in", 0) == KERR_NAME_TOO_LONG);
}

int main(void)
{
    test_files_come_by_name_and_begin_again_behind_the_last();
    test_what_has_no_files_or_is_no_list();
    test_a_path_that_would_be_too_long();
    return 0;
}
