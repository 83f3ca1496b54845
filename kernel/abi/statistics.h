/* statistics.h - counters of the whole system since boot, as statistics() copies them out. */
#pragma once

#include <stdint.h>

#define KWE_MAX_DECKS_REPORTED 16u

struct kwe_deck_statistics {
    uint64_t visits;            /* entries of deck_next() that handed work over */
    uint64_t events;            /* stages handed over */
    uint64_t interrupt_entries; /* entries that brought interrupt bits and no work */
    uint64_t completions;
    uint64_t restarts;
    uint64_t cpu_ns;
    uint64_t copied_cache; /* bytes, by kind */
    uint64_t copied_device;
    uint8_t state; /* 0 absent, 1 up, 2 restarting, 3 down */
    uint8_t instances;
    uint8_t reserved[6];
};

struct kwe_statistics {
    uint64_t now_ns;           /* since boot */
    uint64_t first_program_ns; /* when the first program entered ring 3 */
    uint64_t first_result_ns;  /* when the first result was published */
    uint64_t program_syscalls; /* calls of all programs, Linux-numbered and our own */
    uint64_t notify_calls;
    uint64_t results;
    uint64_t idle_ns;
    uint64_t frames_total, frames_free, frames_quarantined;
    uint64_t iommu_present, iommu_faults;
    uint64_t observe_dropped; /* history records that Execution was not there to take */
    uint32_t cpus;
    uint32_t reserved;
    struct kwe_deck_statistics deck[KWE_MAX_DECKS_REPORTED];
};
