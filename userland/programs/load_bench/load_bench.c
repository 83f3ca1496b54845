/*
 * load_bench.c - what the Guide makes of much work: events in a ring that is full ten times over (overload.c), and random graphs on all CPUs
 * (makespan.c). `kwe bench` runs it. "bench begin" before each timed part, "bench {JSON}" after it; the marks round it are for the
 * instruction-counting plugin.
 */
#include "userland/programs/load_bench/load_bench.h"

int main(void)
{
    int answer = measure_overload();

    if (answer >= 0) {
        answer = measure_makespan();
    }
    if (answer < 0) {
        kwe_log("measuring: %s", kerr_sentence((enum kerr) - answer));
    }
    return answer < 0 ? 1 : 0;
}
