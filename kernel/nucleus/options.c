/* options.c - the kernel's command line. */
#include "kernel/nucleus/options.h"

#include "kernel/lib/string.h"

/* The word `name` in the line, at a word's beginning; NULL: not there. Sets *after to the character behind it. */
static const char *find_word(const char *line, const char *name, const char **after)
{
    size_t length = strlen(name);
    bool at_begin = true;

    for (const char *at = line; *at != '\0'; at++) {
        if (at_begin && strncmp(at, name, length) == 0) {
            char next = at[length];
            if (next == '\0' || next == ' ' || next == '=') {
                *after = at + length;
                return at;
            }
        }
        at_begin = *at == ' ';
    }
    return NULL;
}

void options_value(const char *line, const char *name, const char *otherwise, char *value,
                   size_t room)
{
    const char *after;
    const char *from = otherwise;

    if (find_word(line, name, &after) != NULL && *after == '=') {
        from = after + 1;
    }
    size_t length = 0;
    while (from[length] != '\0' && from[length] != ' ' && length + 1 < room) {
        value[length] = from[length];
        length++;
    }
    value[length] = '\0';
}

bool options_has(const char *line, const char *name)
{
    const char *after;
    return find_word(line, name, &after) != NULL;
}

char *options_next_word(char **rest, char separator)
{
    char *at = *rest;
    while (*at == separator) {
        at++;
    }
    if (*at == '\0') {
        return NULL;
    }
    char *word = at;
    while (*at != '\0' && *at != separator) {
        at++;
    }
    if (*at == separator) {
        *at++ = '\0';
    }
    *rest = at;
    return word;
}

void options_programs(const char *line, char names[OPTIONS_NAMES_MAX])
{
    options_value(line, "program", "agent", names, OPTIONS_NAMES_MAX);
}
