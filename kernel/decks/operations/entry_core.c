/* entry_core.c - see entry_core.h. */
#include "kernel/decks/operations/entry_core.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct name {
    const char *bytes;
    size_t length;
};

static int compare(const void *left, const void *right)
{
    const struct name *one = left;
    const struct name *other = right;
    const size_t shorter = one->length < other->length ? one->length : other->length;
    const int order = memcmp(one->bytes, other->bytes, shorter);

    return order != 0 ? order : (one->length > other->length) - (one->length < other->length);
}

/* "f SIZE NAME" or "d SIZE NAME". False: it is neither. */
static bool parse_line(const char *line, size_t length, struct name *name)
{
    const char *size = length < 3 || line[1] != ' ' ? NULL : memchr(line + 2, ' ', length - 2);

    if (size == NULL || (line[0] != 'f' && line[0] != 'd')) {
        return false;
    }
    *name = (struct name){ size + 1, length - (size_t)(size + 1 - line) };
    return name->length != 0;
}

/* All files' names into `names`, when there is such a place. False: a line is malformed. */
static bool gather(const char *lines, size_t length, struct name *names, size_t *count)
{
    *count = 0;
    while (length != 0) {
        const char *end = memchr(lines, '\n', length);
        const size_t here = end == NULL ? length : (size_t)(end - lines);
        struct name name;
        if (!parse_line(lines, here, &name)) {
            return false;
        }
        if (lines[0] == 'f') {
            if (names != NULL) {
                names[*count] = name;
            }
            ++*count;
        }
        const size_t step = end == NULL ? here : here + 1;
        lines += step;
        length -= step;
    }
    return true;
}

static enum kerr join(const struct kwe_path *directory, const struct name *name,
                      struct kwe_path *path)
{
    size_t base = directory->length;

    if (base != 0 && directory->bytes[base - 1] == '/') {
        base--;
    }
    if (base + 1 + name->length > sizeof(path->bytes)) {
        return KERR_NAME_TOO_LONG;
    }
    memset(path, 0, sizeof(*path));
    memcpy(path->bytes, directory->bytes, base);
    path->bytes[base] = '/';
    memcpy(path->bytes + base + 1, name->bytes, name->length);
    path->length = (uint16_t)(base + 1 + name->length);
    return KERR_OK;
}

enum kerr entry_path(const char *lines, size_t length, const struct kwe_path *directory,
                     uint64_t number, struct kwe_path *path, uint64_t *count)
{
    size_t files = 0;

    *count = 0;
    if (!gather(lines, length, NULL, &files)) {
        return KERR_BAD_PARAMETER;
    }
    if (files == 0) {
        return KERR_NO_SUCH_FILE;
    }
    struct name *names = malloc(files * sizeof(*names));
    if (names == NULL) {
        return KERR_NO_MEMORY;
    }
    (void)gather(lines, length, names, &files);
    qsort(names, files, sizeof(*names), compare);
    const enum kerr error = join(directory, &names[number % files], path);
    free(names);
    *count = files;
    return error;
}
