/* setup.h - the nucleus's own parts, in the order in which they can stand. */
#pragma once

#include "kernel/nucleus/entry.h"

/* struct nucleus itself and the frame allocator, from the boot ranges. */
struct nucleus *setup_nucleus(const struct boot_info *boot);
/* Heap, payload, options. port_this_cpu() works. */
void setup_services(struct nucleus *nucleus, const struct boot_info *boot);
/* The Guide, with its port to the rest of the nucleus; the decks' records. The number of CPUs is known. */
void setup_guide(struct nucleus *nucleus);
