/* frames_port.c - frames for arch's page tables, from the nucleus of the CPU that asks. */
#include "kernel/nucleus/nucleus.h"

bool nucleus_frame_take(paddr_t *frame)
{
    return frames_take_zeroed(&port_this_cpu()->nucleus->frames, frame);
}

void nucleus_frame_give(paddr_t frame)
{
    frames_give(&port_this_cpu()->nucleus->frames, frame);
}
