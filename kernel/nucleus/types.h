/* types.h - the nucleus's own number types: things that must not be mixed are structs of one field. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE  4096u
#define PAGE_SHIFT 12u
#define CACHE_LINE 64u

#define MAX_CPUS        8u
#define MAX_DECKS       16u
#define MAX_INSTANCES   32u
#define MAX_PROGRAMS    8u
#define MAX_WORKFLOWS   32u
#define MAX_RINGS       32u
#define MAX_PCI_DEVICES 32u

/* A physical address. */
typedef struct {
    uint64_t value;
} paddr_t;

/* A virtual address that the nucleus chose or has checked. */
typedef struct {
    uint64_t value;
} vaddr_t;

/* An address claimed by ring 3, not believed yet. */
typedef struct {
    uint64_t value;
} uaddr_t;

static inline paddr_t paddr(uint64_t value)
{
    return (paddr_t){ value };
}

static inline vaddr_t vaddr(uint64_t value)
{
    return (vaddr_t){ value };
}

static inline uint64_t round_up_u64(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}
