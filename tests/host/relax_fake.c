/* relax_fake.c - what a CPU does while it waits for a lock, in host tests: let another thread have the processor. */
#include <sched.h>

#include "kernel/nucleus/port.h"

void port_relax(void)
{
    (void)sched_yield();
}
