/* faulty_deck.c - for tests: does whatever a deck must not do. */
#include "kernel/decks/faulty/faulty_ops.h"

#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/deck/internal.h"

#define KERNEL_ADDRESS 0xffffffff80100000ull

static struct {
    struct kwe_deck_info info;
    uint64_t held;
} faulty;

enum kerr deck_start(const struct kwe_deck_info *info)
{
    faulty.info = *info;
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits;
}

uint64_t deck_idle(void)
{
    return UINT64_MAX;
}

/* ---- as a deck should ------------------------------------------------------------------------------------------- */

enum kerr faulty_echo(struct faulty_echo_call *call)
{
    if (call->data.length > call->copy.capacity) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    memcpy(call->copy.data, call->data.data, call->data.length);
    call->copy.length = call->data.length;
    call->generation = faulty.info.generation;
    return KERR_OK;
}

enum kerr faulty_touch(struct faulty_touch_call *call)
{
    call->generation = faulty.info.generation;
    return KERR_OK;
}

enum kerr faulty_hold(struct faulty_hold_call *call)
{
    struct fibre_event never = { .waiter = NULL };

    faulty.held++;
    return deck_wait(call->request, &never, UINT64_MAX);
}

enum kerr faulty_count(struct faulty_count_call *call)
{
    call->next = call->params->from + 1;
    return KERR_OK;
}

enum kerr faulty_held(struct faulty_held_call *call)
{
    call->count = faulty.held;
    return KERR_OK;
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

/* The compiler must not know that an address is bad, or that a loop does nothing. */
static volatile uintptr_t nowhere = 0;
static volatile uint64_t sink;
static volatile uint64_t endless = UINT64_MAX;
static uint8_t code[16] = { 0xc3 };
static const uint8_t constant[16] = { 1 };

__attribute__((noinline)) static void write_through_null(void)
{
    *(volatile uint32_t *)nowhere = 1; /* test_deck_faults.py looks for this line */
}

__attribute__((noinline)) static uint64_t overrun_stack(uint64_t depth)
{
    volatile uint8_t frame[1024];

    frame[depth % sizeof(frame)] = (uint8_t)depth;
    return depth == endless ? 0 : overrun_stack(depth + 1) + frame[0];
}

static void run_bytes(uintptr_t address)
{
    void (*function)(void);

    memcpy(&function, &address, sizeof(function));
    function();
}

enum kerr faulty_crash(struct faulty_crash_call *call)
{
    switch (call->params->how) {
    case 0:
        write_through_null();
        break;
    case 1:
        run_bytes(nowhere);
        break;
    case 2:
        sink = overrun_stack(0);
        break;
    case 3:
        run_bytes((uintptr_t)code);
        break;
    case 4:
        __asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; mov $1, %%eax; div %%ecx"
                         :
                         :
                         : "eax", "ecx", "edx");
        break;
    default:
        __asm__ volatile("hlt");
        break;
    }
    return KERR_OK;
}

enum kerr faulty_fibre_crash(struct faulty_fibre_crash_call *call)
{
    (void)call;
    sink = overrun_stack(0);
    return KERR_OK;
}

enum kerr faulty_give_up(struct faulty_give_up_call *call)
{
    switch (call->params->how) {
    case 0:
        abort();
    case 1:
        exit(0);
    case 2:
        deck_die("as %s", "told");
    default:
        __builtin_trap();
    }
}

enum kerr faulty_spin(struct faulty_spin_call *call)
{
    (void)call;
    for (;;) {
        sink = sink + 1;
    }
}

enum kerr faulty_poll(struct faulty_poll_call *call)
{
    (void)call;
    for (;;) {
        kwe_call_deck_next(0);
    }
}

enum kerr faulty_calls(struct faulty_calls_call *call)
{
    static const uint64_t bad[] = {
        0, 8, 0x7fffffffffff, 0x800000000000, KERNEL_ADDRESS, UINT64_MAX - 7
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct kwe_deck_info *info = (struct kwe_deck_info *)(uintptr_t)bad[i];
        call->wrong += kwe_call_deck_info(info) != -KERR_BAD_ADDRESS;
        call->wrong += kwe_call_statistics(info, 64) != -KERR_BAD_ADDRESS;
        call->wrong += kwe_call_log((const char *)info, 8) != -KERR_BAD_ADDRESS;
    }
    /* What it may read and not write: the nucleus's frames, an arena's first segment. */
    call->wrong += kwe_call_deck_info((void *)(uintptr_t)faulty.info.frames) != -KERR_BAD_ADDRESS;
    call->wrong +=
        kwe_call_deck_info((void *)(uintptr_t)call->request->work.arena_base) != -KERR_BAD_ADDRESS;
    call->wrong += kwe_call_dma_alloc(0) != -KERR_BAD_CALL;
    call->wrong += kwe_call_dma_alloc(UINT64_MAX) != -KERR_BAD_CALL;
    call->wrong += kwe_call_dma_alloc(16u << 20) != -KERR_NO_MEMORY; /* more than its heap_max */
    call->wrong += kwe_call_ring_create(8, (void *)call, 0) != -KERR_NOT_PERMITTED;
    call->wrong += kwe_call_workflow_register(call, 64, (void *)call) != -KERR_NOT_PERMITTED;
    call->wrong += kwe_call_kernel_notify(1, KWE_NOTIFY_WAIT, 1, UINT64_MAX) != -KERR_NOT_PERMITTED;
    call->wrong += kwe_call_inject(0, 0, 0) != -KERR_NOT_PERMITTED;
    call->wrong += kwe_call_control_write(call, 8) != -KERR_NOT_PERMITTED;
    call->generation = faulty.info.generation;
    return KERR_OK;
}

enum kerr faulty_scribble(struct faulty_scribble_call *call)
{
    uint64_t target[] = {
        (uintptr_t)call->data.data, call->request->work.arena_base, /* segment 0 stands first */
        faulty.info.frames,         KERNEL_ADDRESS,
        (uintptr_t)faulty_echo,     (uintptr_t)constant,
    };

    *(volatile uint8_t *)target[call->params->where] = 0xee;
    return KERR_OK;
}

/* ---- lies --------------------------------------------------------------------------------------------------------- */

/* Past the deck library: a completion as it likes, and a turn of the doorbell. */
static void push_raw(const struct kwe_completion *completion)
{
    struct ring *done = (struct ring *)faulty.info.done_ring;
    uint32_t tail = done->tail;

    memcpy(&done->slot[tail % faulty.info.ring_slots], completion, sizeof(*completion));
    __atomic_store_n(&done->tail, tail + 1, __ATOMIC_RELEASE);
}

enum kerr faulty_lie(struct faulty_lie_call *call)
{
    struct kwe_completion completion = { .ticket = call->request->work.ticket, .status = KERR_OK };

    switch (call->params->how) {
    case 0:
        completion.ticket =
            (completion.ticket + 1) % faulty.info.depth; /* generation 0: never given out */
        break;
    case 1:
        completion.ticket -= 0x100;
        break;
    case 2:
        push_raw(&completion);
        break;
    case 3:
        completion.out_length = call->request->work.out_capacity + 1;
        break;
    case 4:
        completion.status = 0xfffe;
        break;
    case 5:
        __atomic_store_n(&((struct ring *)faulty.info.done_ring)->tail, 0x80000000u,
                         __ATOMIC_RELEASE);
        break;
    default:
        __atomic_store_n(&((struct ring *)faulty.info.work_ring)->head, 0x80000000u,
                         __ATOMIC_RELEASE);
        break;
    }
    if (call->params->how < 5) {
        push_raw(&completion);
    }
    kwe_call_deck_next(0);
    deck_log("its lie was believed");
    return KERR_OK;
}

enum kerr faulty_too_long(struct faulty_too_long_call *call)
{
    call->copy.length = call->copy.capacity + 1;
    return KERR_OK;
}
