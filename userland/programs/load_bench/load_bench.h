/* load_bench.h - the two parts of the bench. Both answer 0 or a code (< 0). */
#pragma once

#include "userland/libkwe/program/kwe.h"

int measure_overload(void);
int measure_makespan(void);
