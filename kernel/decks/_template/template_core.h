/* template_core.h - the pure part of the template deck: no rings, no devices; tests run it on the host. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The bytes added up, modulo `modulus`; 0: modulo 2^64. */
uint64_t template_add_up(const uint8_t *data, size_t length, uint64_t modulus);
