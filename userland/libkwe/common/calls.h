/*
 * calls.h - the kernel's own calls as C functions; kernel/abi/calls.yaml says what each does.
 *
 * Each answers >= 0, or a negative enum kerr. Addresses must stay valid for the call only. The two stubs below are all that is not C
 * (call.S); a host test puts functions of its own in their place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/calls.h"
#include "kernel/abi/event.h"
#include "kernel/abi/statistics.h"
#include "kernel/abi/work.h"
#include "kernel/abi/workflow.h"

struct kwe_pair {
    int64_t first;
    uint64_t second;
};

int64_t kwe_call6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                  uint64_t f);
struct kwe_pair kwe_call_pair(uint64_t number, uint64_t argument);

/* ---- programs ------------------------------------------------------------------------------------------------------ */

static inline int64_t kwe_call_kernel_notify(uint32_t ring, uint32_t flags, uint64_t min,
                                             uint64_t timeout_ns)
{
    return kwe_call6(KWE_CALL_KERNEL_NOTIFY, ring, flags, min, timeout_ns, 0, 0);
}

static inline int64_t kwe_call_ring_create(uint32_t slots, struct kwe_ring_info *info,
                                           uint64_t flags)
{
    return kwe_call6(KWE_CALL_RING_CREATE, slots, (uintptr_t)info, flags, 0, 0, 0);
}

static inline int64_t kwe_call_ring_destroy(uint32_t ring)
{
    return kwe_call6(KWE_CALL_RING_DESTROY, ring, 0, 0, 0, 0, 0);
}

static inline int64_t kwe_call_workflow_register(const void *blob, size_t bytes,
                                                 struct kwe_workflow_info *info)
{
    return kwe_call6(KWE_CALL_WORKFLOW_REGISTER, (uintptr_t)blob, bytes, (uintptr_t)info, 0, 0, 0);
}

static inline int64_t kwe_call_arena_create(const void *arena, size_t bytes,
                                            struct kwe_workflow_info *info)
{
    return kwe_call6(KWE_CALL_ARENA_CREATE, (uintptr_t)arena, bytes, (uintptr_t)info, 0, 0, 0);
}

static inline int64_t kwe_call_workflow_unregister(uint32_t workflow)
{
    return kwe_call6(KWE_CALL_WORKFLOW_UNREGISTER, workflow, 0, 0, 0, 0, 0);
}

static inline int64_t kwe_call_workflow_status(uint32_t workflow, void *buffer, size_t bytes)
{
    return kwe_call6(KWE_CALL_WORKFLOW_STATUS, workflow, (uintptr_t)buffer, bytes, 0, 0, 0);
}

static inline int64_t kwe_call_workflow_plan(uint32_t workflow, void *buffer, size_t bytes)
{
    return kwe_call6(KWE_CALL_WORKFLOW_PLAN, workflow, (uintptr_t)buffer, bytes, 0, 0, 0);
}

static inline int64_t kwe_call_workflow_cancel(uint32_t workflow)
{
    return kwe_call6(KWE_CALL_WORKFLOW_CANCEL, workflow, 0, 0, 0, 0, 0);
}

static inline int64_t kwe_call_upcall_set(uint32_t ring, uint64_t entry, uint64_t stack)
{
    return kwe_call6(KWE_CALL_UPCALL_SET, ring, entry, stack, 0, 0, 0);
}

/* Answers only when it is refused. */
static inline int64_t kwe_call_upcall_return(void)
{
    return kwe_call6(KWE_CALL_UPCALL_RETURN, 0, 0, 0, 0, 0, 0);
}

static inline int64_t kwe_call_event_cancel(uint32_t ring, uint64_t cookie)
{
    return kwe_call6(KWE_CALL_EVENT_CANCEL, ring, cookie, 0, 0, 0, 0);
}

static inline int64_t kwe_call_boot_file(const char *name, uint64_t offset, void *buffer,
                                         size_t bytes)
{
    return kwe_call6(KWE_CALL_BOOT_FILE, (uintptr_t)name, offset, (uintptr_t)buffer, bytes, 0, 0);
}

static inline int64_t kwe_call_control_write(const void *data, size_t bytes)
{
    return kwe_call6(KWE_CALL_CONTROL_WRITE, (uintptr_t)data, bytes, 0, 0, 0, 0);
}

static inline int64_t kwe_call_control_read(void *data, size_t bytes, uint64_t timeout_ns)
{
    return kwe_call6(KWE_CALL_CONTROL_READ, (uintptr_t)data, bytes, timeout_ns, 0, 0, 0);
}

static inline int64_t kwe_call_inject(uint32_t deck, uint32_t instance, uint32_t kind)
{
    return kwe_call6(KWE_CALL_INJECT, deck, instance, kind, 0, 0, 0);
}

/* ---- decks ----------------------------------------------------------------------------------------------------------- */

/* first: new work slots, second: interrupt bits. Vector registers come back cleared. */
static inline struct kwe_pair kwe_call_deck_next(uint64_t deadline_ns)
{
    return kwe_call_pair(KWE_CALL_DECK_NEXT, deadline_ns);
}

static inline int64_t kwe_call_deck_die(const char *reason, size_t bytes)
{
    return kwe_call6(KWE_CALL_DECK_DIE, (uintptr_t)reason, bytes, 0, 0, 0, 0);
}

static inline int64_t kwe_call_deck_info(struct kwe_deck_info *info)
{
    return kwe_call6(KWE_CALL_DECK_INFO, (uintptr_t)info, 0, 0, 0, 0, 0);
}

static inline int64_t kwe_call_dma_alloc(size_t bytes)
{
    return kwe_call6(KWE_CALL_DMA_ALLOC, bytes, 0, 0, 0, 0, 0);
}

/* ---- both ------------------------------------------------------------------------------------------------------------ */

static inline int64_t kwe_call_trace_read(void *buffer, size_t bytes)
{
    return kwe_call6(KWE_CALL_TRACE_READ, (uintptr_t)buffer, bytes, 0, 0, 0, 0);
}

static inline int64_t kwe_call_statistics(void *buffer, size_t bytes)
{
    return kwe_call6(KWE_CALL_STATISTICS, (uintptr_t)buffer, bytes, 0, 0, 0, 0);
}

static inline int64_t kwe_call_log(const char *text, size_t bytes)
{
    return kwe_call6(KWE_CALL_LOG, (uintptr_t)text, bytes, 0, 0, 0, 0);
}
