/* host.h - what the host says to the agent while events stand. */
#pragma once

#include <stdint.h>

#include "kernel/abi/control.h"

/*
 * Sleep until something comes, or the time is over (UINT64_MAX: no end). Returns what was said last: KWE_CONTROL_STOP, _MARK_BEGIN, _MARK_END,
 * 0 for nothing. What is no such frame is passed over; the host waits for the answer to a mark before it says more.
 */
enum kwe_control_type host_says(uint64_t timeout_ns);
