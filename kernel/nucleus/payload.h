/*
 * payload.h - the archive of decks and programs that came with the kernel (written by tools/kwe/kpak.py).
 *
 *   header {char magic[8] = "KWEPAK1\0"; u32 count; u32 0}   entry {char name[48]; u64 offset; u64 bytes} [count]   parts
 */
#pragma once

#include "kernel/nucleus/types.h"

struct payload {
    const uint8_t *archive; /* in the direct map */
    uint64_t bytes;
    uint32_t count;
};

/* False: not an archive, or its table does not fit it. */
bool payload_open(struct payload *payload, const void *archive, uint64_t bytes);
/* Find "deck/NAME" or "program/NAME". False: not there, or it lies outside the archive. */
bool payload_find(const struct payload *payload, const char *kind, const char *name,
                  const void **part, uint64_t *bytes);
