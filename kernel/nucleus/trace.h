/*
 * trace.h - records of what happened when, for whoever asks (kernel/abi/trace.h). Any CPU may tell, with or without nucleus->lock; who reads
 * holds that.
 *
 * One ring in the nucleus's memory; the newest are dropped, and counted, when nobody reads, and a record tells of the gap. Off, a hook is one
 * look at a pointer.
 */
#pragma once

#include "kernel/abi/errors.h"
#include "kernel/abi/trace.h"
#include "kernel/nucleus/port.h"
#include "kernel/nucleus/types.h"

struct nucleus;
struct instance;

struct trace {
    struct port_lock lock;
    struct kwe_trace_record *records; /* NULL: off */
    uint32_t room;
    uint64_t kept, read; /* so many ever; read <= kept <= read + room */
    uint64_t lost;
    uint64_t missing; /* of those lost: the ones that no record tells of yet */
    uint64_t read_ns;
    uint32_t record_ns;
};

/* Begin to keep records, as many as `room` says (0: as is usual, or a fair part of the memory). False: no memory. */
bool trace_begin(struct nucleus *nucleus, uint32_t room);
/* Time and CPU are filled in here. */
void trace_keep(struct nucleus *nucleus, const struct kwe_trace_record *record);
/* Of an instance, or of this CPU (NULL), while the trace is on. */
void trace_instance_kept(struct nucleus *nucleus, enum kwe_trace_kind kind,
                         const struct instance *instance, uint64_t value);
#define trace_instance(nucleus, kind, instance, value)                                             \
    do {                                                                                           \
        if (__builtin_expect((nucleus)->trace.records != NULL, 0)) {                               \
            trace_instance_kept(nucleus, kind, instance, value);                                   \
        }                                                                                          \
    } while (0)
/* Take the oldest, as many as fit into `room`. Returns how many. */
uint32_t trace_take(struct trace *trace, struct kwe_trace_record *to, uint32_t room);
