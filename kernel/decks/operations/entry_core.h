/* entry_core.h - one of the files in a directory's list, by number. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"
#include "kernel/abi/workflow.h"

/*
 * `lines` as storage.list writes them. Files count in the order of their names' bytes, directories do not; *count says how many there are,
 * and number *count is the first again. NO_SUCH_FILE: there is none; NAME_TOO_LONG: the path would be; BAD_PARAMETER: these are no such
 * lines.
 */
enum kerr entry_path(const char *lines, size_t length, const struct kwe_path *directory,
                     uint64_t number, struct kwe_path *path, uint64_t *count);
