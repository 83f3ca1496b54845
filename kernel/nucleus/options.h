/* options.h - the kernel's command line: words, "name=value" or "name". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Copy the value of `name=` into `value` (cut to fit, NUL-terminated), or `otherwise` when it is not there. */
void options_value(const char *line, const char *name, const char *otherwise, char *value,
                   size_t room);
/* Is the word there? */
bool options_has(const char *line, const char *name);
#define OPTIONS_NAMES_MAX 256u
/* The programs to start, separated by commas. */
void options_programs(const char *line, char names[OPTIONS_NAMES_MAX]);
/* Cut the next non-empty word off *rest at `separator`, in place; NULL: none left. */
char *options_next_word(char **rest, char separator);
