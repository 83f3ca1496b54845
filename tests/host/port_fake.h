/*
 * port_fake.h - a machine of plain memory for host tests: RAM, page tables and IOMMU domains kept in a hash, a clock and
 * random numbers that repeat. Use with log_fake.c, which has panic(). One machine at a time.
 */
#pragma once

#include <setjmp.h>

#include "kernel/nucleus/mem/frames.h"
#include "kernel/nucleus/mem/heap.h"

/* What a test stands on: RAM of some frames, all free. */
struct fake_machine {
    struct boot_info boot;
    struct frames frames;
    struct heap heap;
};

/* A fresh machine; the one before is gone. Same seed, same random numbers. */
void fake_machine_start(struct fake_machine *machine, uint32_t frame_count, uint64_t seed);
void fake_machine_stop(struct fake_machine *machine);
/* Whoever held its locks has panicked. */
void fake_unlock(void);

/* The RAM as a file, a frame at its physical address: for a process that runs what was loaded. */
int fake_ram_fd(void);
/* From now on so many port_space_map() and port_iommu_map() calls succeed, then all fail. UINT64_MAX: all succeed. */
void fake_maps_left(uint64_t count);
/* What port_now_ns() says. */
void fake_set_now_ns(uint64_t now_ns);
/* Pages in a domain; its rights on one page: 0 none, 1 read, 3 read and write. */
uint64_t fake_iommu_pages(unsigned domain);
unsigned fake_iommu_rights(unsigned domain, uint64_t address);
/* port_iommu_flush() calls so far. */
uint64_t fake_iommu_flushes(void);
/* How often port_space_reload() was called. */
uint64_t fake_reloads(void);

/* ---- log_fake.c ---- */

/* Does running `statement` panic? The text of the panic is fake_panic_text; locks that it took are free again. */
#define FAKE_PANICS(statement)                                                                     \
    (fake_panic_expected = true, setjmp(fake_panic_return) == 0                                    \
                                     ? ((void)(statement), fake_panic_expected = false, false)     \
                                     : (fake_panic_expected = false, fake_unlock(), true))
extern jmp_buf fake_panic_return;
extern bool fake_panic_expected;
extern char fake_panic_text[400];
/* All log lines so far, each "who: text\n". */
extern char fake_log[8192];
void fake_log_clear(void);
