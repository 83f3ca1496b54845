/*
 * The Hardware deck as a process of the host, with the real worker behind the real server; test_hardware_deck.py drives it.
 *
 * This file plays the nucleus (the kernel's calls) and the device (registers in plain memory). Descriptors from the parent: 3 the
 * interrupt's eventfd, 4 the shared memory, 5 the arena. Standard input: "work TICKET WIDTH HEIGHT IN_BYTES" each on a line.
 * Standard output: "ring" for each doorbell, "done TICKET STATUS LENGTH COPIED WIDTH HEIGHT" for each answer, "log TEXT".
 * The picture of a ticket lies at TICKET * STRIDE in the arena, its output half the arena further on.
 */
// uses: kernel/decks/hardware/hardware_deck.c kernel/decks/hardware/hardware_accelerator.c kernel/decks/hardware/hardware_core.c
// uses: kernel/decks/hardware/hardware_timer.c
// uses: kernel/decks/hardware/hardware_dispatch.c
// uses: drivers/ivshmem/ivshmem_hw.c drivers/ivshmem/ivshmem_link.c drivers/ivshmem/ivshmem_window.c
// uses: userland/libkwe/deck/loop.c userland/libkwe/deck/observed.c userland/libkwe/deck/request.c userland/libkwe/deck/services.c
// uses: userland/libkwe/deck/fibre.c userland/libkwe/deck/fibre_switch.S userland/libkwe/common/clock.c
// uses: kernel/lib/ring.c kernel/lib/errors.c
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel/abi/hardware.h"
#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/deck/internal.h"

#define DEPTH  32u
#define SLOTS  32u
#define STRIDE (1u << 20)

enum { INTERRUPT = 3, WINDOW = 4, ARENA = 5 };

static struct kwe_work_frame frames[DEPTH];
static uint32_t registers[64];
static uint8_t *window, *arena;
static uint64_t window_bytes, arena_bytes;
static struct ring *work_memory, *done_memory;
static struct ring_producer work;
static struct ring_consumer done;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint8_t *map(int descriptor, uint64_t *bytes)
{
    struct stat status;
    fstat(descriptor, &status);
    *bytes = (uint64_t)status.st_size;
    return mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
}

static void fill_info(struct kwe_deck_info *info)
{
    *info = (struct kwe_deck_info){
        .work_ring = (uintptr_t)work_memory,
        .done_ring = (uintptr_t)done_memory,
        .frames = (uintptr_t)frames,
        .ring_slots = SLOTS,
        .depth = DEPTH,
        .prefix = HARDWARE_PREFIX,
        .generation = 1,
        .device_count = 1,
    };
    info->device[0].present = 1;
    info->device[0].interrupt_count = 1;
    info->device[0].bar_address[0] = (uintptr_t)registers;
    info->device[0].bar_address[2] = (uintptr_t)window;
    info->device[0].bar_bytes[2] = window_bytes;
}

int64_t kwe_call6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                  uint64_t f)
{
    (void)c, (void)d, (void)e, (void)f;
    switch (number) {
    case KWE_CALL_DECK_INFO:
        fill_info((struct kwe_deck_info *)(uintptr_t)a);
        return 0;
    case KWE_CALL_LOG:
        printf("log %.*s\n", (int)b, (const char *)(uintptr_t)a);
        return 0;
    case KWE_CALL_DECK_DIE:
        printf("die %.*s\n", (int)b, (const char *)(uintptr_t)a);
        exit(1);
    default:
        return -(int64_t)KERR_BAD_CALL;
    }
}

static void submit(uint32_t ticket, uint32_t width, uint32_t height, uint32_t in_bytes)
{
    struct hardware_convolve_params params = { .width = width, .height = height, .divisor = 1 };
    struct kwe_work slot = {
        .ticket = ticket,
        .op = HARDWARE_OP_CONVOLVE,
        .input_count = 1,
        .params_bytes = sizeof(params),
        .arena_base = (uintptr_t)arena,
        .out_offset = arena_bytes / 2 + (uint64_t)ticket * STRIDE,
        .out_capacity = in_bytes,
    };

    for (unsigned i = 0; i < 9; i++) {
        params.weights[i] = i == 4 ? 8 : -1;
    }
    memcpy(frames[ticket].params, &params, sizeof(params));
    frames[ticket].input[0] = (struct kwe_buffer){ .offset = (uint64_t)ticket * STRIDE,
                                                   .length = in_bytes,
                                                   .segment = 2 };
    if (ring_push(&work, &slot) != RING_OK) {
        abort();
    }
}

/* Lines come whole: each is one write of a few bytes to a pipe. */
static void read_command(void)
{
    static char text[1 << 16];
    ssize_t length = read(STDIN_FILENO, text, sizeof(text) - 1);
    if (length <= 0) {
        exit(0);
    }
    text[length] = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        uint32_t ticket, width, height, in_bytes;
        if (sscanf(line, "work %u %u %u %u", &ticket, &width, &height, &in_bytes) != 4 ||
            ticket >= DEPTH) {
            abort();
        }
        submit(ticket, width, height, in_bytes);
    }
}

/* Pass doorbells and answers on. */
static void report(void)
{
    struct kwe_completion completion;

    if (registers[3] != UINT32_MAX) {
        registers[3] = UINT32_MAX;
        puts("ring");
    }
    while (ring_pop(&done, &completion) == RING_OK) {
        printf("done %u %s %u %u %llu %llu\n", completion.ticket,
               kerr_name((enum kerr)completion.status), completion.out_length,
               completion.copied_device, (unsigned long long)completion.value[0],
               (unsigned long long)completion.value[1]);
    }
    fflush(stdout);
}

struct kwe_pair kwe_call_pair(uint64_t number, uint64_t deadline_ns)
{
    (void)number; /* deck_next is the only one */
    report();
    for (;;) {
        uint32_t waiting;
        uint64_t count;
        struct pollfd polls[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                                  { .fd = INTERRUPT, .events = POLLIN } };
        uint64_t now = now_ns();
        bool late = deadline_ns <= now;
        uint64_t left_ms = late ? 0 : (deadline_ns - now) / 1000000 + 1;

        poll(polls, 2, left_ms > 10000 ? 10000 : (int)left_ms);
        if (polls[0].revents != 0) {
            read_command();
        }
        uint64_t bits =
            polls[1].revents != 0 && read(INTERRUPT, &count, sizeof(count)) == sizeof(count);
        waiting = work.tail - __atomic_load_n(&work.shared->head, __ATOMIC_ACQUIRE);
        if (waiting != 0 || bits != 0 || late) {
            return (struct kwe_pair){ .first = waiting, .second = bits };
        }
    }
}

int main(void)
{
    static struct deck_loop loop;

    window = map(WINDOW, &window_bytes);
    arena = map(ARENA, &arena_bytes);
    registers[2] = (uint32_t)atoi(getenv("PEER"));
    registers[3] = UINT32_MAX;
    work_memory = aligned_alloc(64, ring_bytes(SLOTS));
    done_memory = aligned_alloc(64, ring_bytes(SLOTS));
    ring_init(work_memory, 0);
    ring_init(done_memory, 0);
    ring_producer_init(&work, work_memory, SLOTS, 0);
    ring_consumer_init(&done, done_memory, SLOTS, 0);
    deck_loop_start(&loop);
    for (;;) {
        deck_loop_turn(&loop);
    }
}
