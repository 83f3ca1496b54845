/* system_calls.c - calls about the whole system: counters, log lines, injected faults. */
#include "kernel/abi/statistics.h"
#include "kernel/lib/fmt.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/syscall/syscall.h"

enum inject_kind {
    INJECT_KILL = 0,
    INJECT_CRASH_NEXT = 1,
};

static void describe_deck(struct nucleus *nucleus, uint8_t prefix, struct kwe_deck_statistics *out)
{
    const struct deck *deck = &nucleus->deck[prefix];

    if (deck->spec == NULL) {
        return;
    }
    guides_deck_statistics(nucleus->guides, prefix, out);
    out->interrupt_entries = deck->interrupt_entries;
    out->restarts = deck->restarts;
    out->instances = (uint8_t)deck->instance_count;
    for (uint32_t i = 0; i < deck->instance_count; i++) {
        const struct instance *instance = nucleus->instance[deck->first_instance + i];
        out->cpu_ns += instance->cpu_ns;
        const bool is_up = instance->state == DECK_UP;
        if (i == 0 ||
            is_up) { /* one whose end has only not been noticed on its CPU is not up any more */
            out->state = (uint8_t)(is_up && instance->failing ? DECK_RESTARTING : instance->state);
        }
    }
}

static void fill_statistics(struct nucleus *nucleus, struct kwe_statistics *out)
{
    uint16_t source;
    uint64_t address;

    out->now_ns = port_now_ns();
    out->first_program_ns = nucleus->first_program_ns;
    out->results = guides_results(nucleus->guides, &out->first_result_ns);
    out->frames_total = nucleus->frames.total_frames;
    out->frames_free = nucleus->frames.free_frames;
    out->frames_quarantined = nucleus->frames.quarantined_frames;
    out->iommu_present = port_iommu_present() ? 1 : 0;
    out->iommu_faults = port_iommu_fault_count(&source, &address);
    out->observe_dropped = guides_observe_dropped(nucleus->guides);
    out->cpus = nucleus->cpu_count;
    for (unsigned i = 0; i < nucleus->cpu_count; i++) {
        out->idle_ns += nucleus->cpu[i].idle_ns;
        out->program_syscalls += nucleus->cpu[i].program_syscalls;
        out->notify_calls += nucleus->cpu[i].notify_calls;
    }
    for (uint8_t prefix = 0; prefix < KWE_MAX_DECKS_REPORTED; prefix++) {
        describe_deck(nucleus, prefix, &out->deck[prefix]);
    }
}

void syscall_statistics(struct syscall *call)
{
    struct kwe_statistics *statistics =
        heap_alloc_zeroed(&call->nucleus->heap, sizeof(*statistics));
    uint64_t bytes =
        call->argument[1] < sizeof(*statistics) ? call->argument[1] : sizeof(*statistics);

    if (statistics == NULL) {
        syscall_refuse(call->thread, KERR_NO_MEMORY);
        return;
    }
    fill_statistics(call->nucleus, statistics);
    enum kerr copied =
        space_copy_out(call->thread->space, (uaddr_t){ call->argument[0] }, statistics, bytes);
    heap_free(&call->nucleus->heap, statistics, sizeof(*statistics));
    syscall_answer(call->thread, copied == KERR_OK ? (int64_t)bytes : -(int64_t)copied);
}

#define TRACE_AT_ONCE 32u

/* Copy records out behind the head. False: the address is wrong; those that were taken are gone. */
static bool give_records(struct syscall *call, struct kwe_trace_head *head, uint32_t room)
{
    struct kwe_trace_record records[TRACE_AT_ONCE];
    uint64_t to = call->argument[0] + sizeof(*head);

    while (head->count < room) {
        uint32_t most = room - head->count < TRACE_AT_ONCE ? room - head->count : TRACE_AT_ONCE;
        uint32_t count = trace_take(&call->nucleus->trace, records, most);
        if (count == 0) {
            break;
        }
        if (space_copy_out(call->thread->space, (uaddr_t){ to }, records,
                           count * sizeof(records[0])) != KERR_OK) {
            return false;
        }
        to += count * sizeof(records[0]);
        head->count += count;
    }
    return true;
}

void syscall_trace_read(struct syscall *call)
{
    struct trace *trace = &call->nucleus->trace;
    const uint64_t from_ns = port_now_ns();
    struct kwe_trace_head head = { .record_ns = trace->record_ns, .room = trace->room };
    uint64_t room = call->argument[1] < UINT32_MAX ? call->argument[1] : UINT32_MAX;

    if (trace->records == NULL || room < sizeof(head)) {
        syscall_refuse(call->thread, trace->records == NULL ? KERR_NOT_PERMITTED : KERR_BAD_CALL);
        return;
    }
    bool given = give_records(call, &head,
                              (uint32_t)((room - sizeof(head)) / sizeof(struct kwe_trace_record)));
    head.kept = trace->kept;
    head.lost = trace->lost;
    head.waiting = (uint32_t)(trace->kept - trace->read);
    trace->read_ns += port_now_ns() - from_ns;
    head.read_ns = trace->read_ns;
    if (!given || space_copy_out(call->thread->space, (uaddr_t){ call->argument[0] }, &head,
                                 sizeof(head)) != KERR_OK) {
        syscall_refuse(call->thread, KERR_BAD_ADDRESS);
        return;
    }
    syscall_answer(call->thread,
                   (int64_t)(sizeof(head) + head.count * sizeof(struct kwe_trace_record)));
}

void syscall_log(struct syscall *call)
{
    char text[LINUX_LINE_MAX];
    uint64_t length = call->argument[1] < sizeof(text) ? call->argument[1] : sizeof(text);

    if (space_copy_in(call->thread->space, text, (uaddr_t){ call->argument[0] }, length) !=
        KERR_OK) {
        syscall_refuse(call->thread, KERR_BAD_ADDRESS);
        return;
    }
    log_text(call->thread->name, text, length);
    syscall_answer(call->thread, 0);
}

void syscall_inject(struct syscall *call)
{
    struct nucleus *nucleus = call->nucleus;
    uint64_t prefix = call->argument[0];
    uint64_t ordinal = call->argument[1];
    uint64_t kind = call->argument[2];

    if (!nucleus->debug) {
        syscall_refuse(call->thread, KERR_NOT_PERMITTED);
        return;
    }
    if (prefix >= MAX_DECKS || ordinal >= nucleus->deck[prefix].instance_count ||
        kind > INJECT_CRASH_NEXT) {
        syscall_refuse(call->thread, KERR_BAD_CALL);
        return;
    }
    struct instance *instance = nucleus->instance[nucleus->deck[prefix].first_instance + ordinal];
    syscall_answer(call->thread, 0);
    if (kind == INJECT_KILL) {
        deck_fail(nucleus, instance, "killed by injection");
    } else {
        instance->crash_next = true;
    }
}
