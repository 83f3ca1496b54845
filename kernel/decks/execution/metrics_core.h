/* metrics_core.h - what the system has counted, as OpenMetrics text (OpenMetrics 1.0), and how long events took. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/statistics.h"
#include "kernel/abi/work.h"

#define METRICS_BOUNDS 13u

/* Times from submit to verdict, of a standing event from its trigger on. Zero-initialised is empty. */
struct metrics_times {
    uint64_t count[METRICS_BOUNDS + 1]; /* at most the bound of that index; the last: more than all of them */
    uint64_t total;
    uint64_t failed;
    uint64_t sum_ns;
};

void metrics_record(struct metrics_times *times, const struct kwe_observation *result);
/* Returns the length; 0: the room is too small. */
size_t metrics_print(const struct kwe_statistics *statistics, const struct metrics_times *times,
                     char *text, size_t room);
