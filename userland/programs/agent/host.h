/* host.h - what the host says to the agent: STOP, and nothing else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Sleep until something comes, or the time is over (UINT64_MAX: no end). True: it was the last byte of a STOP. What is no frame is passed over. */
bool host_says_stop(uint64_t timeout_ns);
