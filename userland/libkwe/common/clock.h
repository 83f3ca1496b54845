/* clock.h - the kernel's time since boot, the one that deadlines and results count in. */
#pragma once

#include <stdint.h>

uint64_t kwe_now_ns(void);
