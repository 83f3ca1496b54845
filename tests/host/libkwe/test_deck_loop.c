/*
 * The deck library on the host: its loop and its fibres over a nucleus that is played by this file.
 * uses: userland/libkwe/deck/loop.c userland/libkwe/deck/observed.c userland/libkwe/deck/request.c userland/libkwe/deck/services.c userland/libkwe/deck/fibre.c kernel/lib/ring.c kernel/lib/errors.c
 */
#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/common/clock.h"
#include "userland/libkwe/deck/internal.h"

/* The host's build knows C files only; the switch is plain assembly. */
__asm__(".include \"userland/libkwe/deck/fibre_switch.S\"");

#define SLOTS 16u
#define DEPTH 8u

enum op {
    OP_ECHO = 1, /* inline: input to output, value 0 is the parameter */
    OP_WAIT,     /* fibre: waits for an event (signalled by an interrupt), no end */
    OP_SLEEP, /* fibre: waits until the time in its parameters, answers TIMED_OUT when nobody signalled */
    OP_LOCK,    /* fibre: takes the mutex, waits for an event, gives it back */
    OP_SLOW,    /* inline: takes 2 ms */
    OP_FAIL,    /* inline: sets values and a length, then fails */
    OP_LARGE,   /* inline: its output takes as many bytes as the parameter says, and does not fit */
    OP_DEEP,    /* fibre: uses much of its stack */
    OP_TRIGGER, /* fibre: says twice that it is armed, then waits for an event */
};

/* ---- the nucleus's side --------------------------------------------------------------------------------------------- */

static uint64_t clock_ns;
static union {
    struct ring ring;
    uint8_t bytes[192 + SLOTS * 64];
} work_memory, done_memory, seen_memory[2]; /* what was published: of two programs */
static struct kwe_work_frame frames[DEPTH];
static struct ring_producer work, seen, seen_too;
static struct ring_consumer done;
static struct deck_loop loop;
static uint64_t asked_deadline_ns, interrupt_bits;
static unsigned visits;
static jmp_buf died;
static char last_words[240];
static _Alignas(64) uint8_t arena[8192];
static struct kwe_result observed[2 * SLOTS];
static uint32_t observed_count;
static enum kerr start_answer;

uint64_t kwe_now_ns(void)
{
    return clock_ns;
}

static int64_t describe(struct kwe_deck_info *info)
{
    *info = (struct kwe_deck_info){
        .work_ring = (uintptr_t)&work_memory,
        .done_ring = (uintptr_t)&done_memory,
        .frames = (uintptr_t)frames,
        .observed_ring = (uintptr_t)&seen_memory[0],
        .observed_stride = sizeof(seen_memory[0]),
        .observed_rings = 2,
        .observed_slots = SLOTS,
        .ring_slots = SLOTS,
        .depth = DEPTH,
        .prefix = 5,
    };
    return 0;
}

int64_t kwe_call6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                  uint64_t f)
{
    (void)c, (void)d, (void)e, (void)f;
    switch (number) {
    case KWE_CALL_DECK_INFO:
        return describe((struct kwe_deck_info *)(uintptr_t)a);
    case KWE_CALL_DECK_DIE:
        memcpy(last_words, (const void *)(uintptr_t)a, b);
        last_words[b] = '\0';
        longjmp(died, 1);
    default:
        return 0;
    }
}

struct kwe_pair kwe_call_pair(uint64_t number, uint64_t argument)
{
    struct kwe_pair answer = { 0, interrupt_bits };

    assert(number == KWE_CALL_DECK_NEXT);
    asked_deadline_ns = argument;
    interrupt_bits = 0;
    visits++;
    return answer;
}

static void give(uint32_t index, enum op op, uint64_t parameter)
{
    struct kwe_work slot = {
        .ticket = index | 7u << 8,
        .op = (uint16_t)op,
        .input_count = 1,
        .params_bytes = 8,
        .arena_base = (uintptr_t)arena,
        .out_offset = 4096 + index * 64,
        .out_capacity = 64,
    };

    frames[index].input[0] =
        (struct kwe_buffer){ .offset = index * 64, .length = 16, .segment = index % 2 };
    memcpy(frames[index].params, &parameter, 8);
    assert(ring_push(&work, &slot) == RING_OK);
}

/* The next answer, which must be there. */
static struct kwe_completion taken(void)
{
    struct kwe_completion completion;

    assert(ring_pop(&done, &completion) == RING_OK);
    assert(completion.ticket >> 8 == 7);
    return completion;
}

static bool none_answered(void)
{
    uint32_t count;

    return ring_used(&done, &count) == RING_OK && count == 0;
}

static void start(void)
{
    clock_ns = 1000;
    visits = 0;
    ring_init(&work_memory.ring, 0);
    ring_init(&done_memory.ring, 0);
    ring_init(&seen_memory[0].ring, 0);
    ring_init(&seen_memory[1].ring, 0);
    ring_producer_init(&work, &work_memory.ring, SLOTS, 0);
    ring_producer_init(&seen, &seen_memory[0].ring, SLOTS, 0);
    ring_producer_init(&seen_too, &seen_memory[1].ring, SLOTS, 0);
    observed_count = 0;
    ring_consumer_init(&done, &done_memory.ring, SLOTS, 0);
    free(loop.requests);
    free(loop.observed.newest);
    memset(&loop, 0, sizeof(loop));
    deck_loop_start(&loop);
}

/* ---- the deck --------------------------------------------------------------------------------------------------------- */

static struct fibre_event events[64];
static struct fibre_mutex mutex;
static unsigned order[64], order_count, idle_calls;
static uint64_t idle_deadline_ns = UINT64_MAX;

enum kerr deck_start(const struct kwe_deck_info *info)
{
    assert(info->prefix == 5);
    return start_answer;
}

void deck_interrupt(uint64_t bits)
{
    for (unsigned i = 0; i < 64; i++) {
        if (bits >> i & 1) {
            fibre_signal(&events[i]);
        }
    }
}

uint64_t deck_idle(void)
{
    idle_calls++;
    return idle_deadline_ns;
}

void deck_observe(const struct kwe_result *results, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        observed[observed_count++] = results[i];
    }
}

bool deck_op_uses_fibre(uint16_t op)
{
    return op == OP_WAIT || op == OP_SLEEP || op == OP_LOCK || op == OP_DEEP || op == OP_TRIGGER;
}

static enum kerr echo(struct deck_request *request, uint64_t parameter)
{
    struct deck_bytes in = deck_input(request, 0);
    struct deck_room out = deck_output(request);

    assert(out.capacity == 64 && deck_input(request, 1).data == NULL);
    memcpy(out.data, in.data, in.length);
    deck_set_output_length(request, in.length);
    deck_set_value(request, 0, parameter);
    deck_set_value(request, 1, in.writable_by_program);
    return KERR_OK;
}

static __attribute__((noinline)) unsigned dig(unsigned depth)
{
    volatile char bytes[1000];

    memset((char *)bytes, (int)depth, sizeof(bytes));
    return depth == 0 ? 0 : dig(depth - 1) + (unsigned)bytes[7];
}

enum kerr deck_dispatch(struct deck_request *request, uint16_t op)
{
    uint64_t parameter;

    memcpy(&parameter, deck_params(request), 8);
    switch (op) {
    case OP_ECHO:
        return echo(request, parameter);
    case OP_WAIT:
        assert(fibre_running());
        return fibre_wait(&events[parameter], UINT64_MAX) ? KERR_OK : KERR_TIMED_OUT;
    case OP_SLEEP:
        return fibre_wait(&events[60], parameter) ? KERR_OK : KERR_TIMED_OUT;
    case OP_LOCK:
        fibre_lock(&mutex);
        order[order_count++] = (unsigned)parameter;
        fibre_wait(&events[parameter], UINT64_MAX);
        fibre_unlock(&mutex);
        return KERR_OK;
    case OP_SLOW:
        assert(!fibre_running());
        clock_ns += 2000000;
        return KERR_OK;
    case OP_FAIL:
        deck_set_output_length(request, 10);
        return KERR_CORRUPT_DATA;
    case OP_LARGE:
        deck_set_output_length(request, parameter);
        return KERR_OUTPUT_TOO_LARGE;
    case OP_TRIGGER:
        deck_armed(request);
        deck_armed(request);
        return fibre_wait(&events[parameter], UINT64_MAX) ? KERR_OK : KERR_TIMED_OUT;
    case OP_DEEP:
        return dig(40) > 0 ? KERR_OK : KERR_IO_ERROR;
    default:
        return KERR_UNKNOWN_OP;
    }
}

/* ---- what must hold ------------------------------------------------------------------------------------------------------ */

static void test_a_vector_of_inline_ops_is_one_visit(void)
{
    start();
    memcpy(arena, "sixteen bytes ok", 16);
    give(0, OP_ECHO, 41);
    give(1, OP_ECHO, 42);
    give(2, KWE_OP_NOP, 0);
    give(3, OP_FAIL, 0);
    give(4, 99, 0);

    deck_loop_turn(&loop);

    assert(visits == 1 && asked_deadline_ns == UINT64_MAX);
    struct kwe_completion first = taken();
    assert(first.ticket == 0x700 && first.status == KERR_OK && first.out_length == 16 &&
           first.value[0] == 41);
    assert(memcmp(arena + 4096, "sixteen bytes ok", 16) == 0);
    struct kwe_completion second = taken();
    assert(second.value[0] == 42 && first.value[1] == 0 && second.value[1] == 1);
    assert(taken().status == KERR_OK);
    struct kwe_completion failed = taken();
    assert(failed.status == KERR_CORRUPT_DATA && failed.out_length == 0);
    assert(taken().status == KERR_UNKNOWN_OP);
    assert(none_answered());
}

static void test_an_output_that_does_not_fit_asks_for_what_it_takes_when_that_is_known(void)
{
    start();
    give(0, OP_LARGE, 65);
    give(1, OP_LARGE, 64); /* no more than there is room for: that says nothing */
    give(2, OP_LARGE, 0);
    give(3, OP_LARGE, 1ull << 40);

    deck_loop_turn(&loop);

    const struct kwe_completion asked = taken();
    assert(asked.status == KERR_NEED_ROOM && asked.value[0] == 65 && asked.out_length == 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct kwe_completion refused = taken();
        assert(refused.status == KERR_OUTPUT_TOO_LARGE && refused.out_length == 0);
    }
    const struct kwe_completion most = taken();
    assert(most.status == KERR_NEED_ROOM && most.value[0] == UINT32_MAX);
}

/* Whatever lay in the DoneRing before; the rings wrap, and other work comes between. */
static void test_work_for_nothing_is_answered_in_order_over_the_wrap(void)
{
    start();
    memset(done_memory.bytes + sizeof(struct ring), 0xff, SLOTS * RING_SLOT_BYTES);
    for (unsigned round = 0; round < 3 * SLOTS; round++) {
        const uint32_t count = 1 + round % DEPTH, other = round % 5;
        for (uint32_t i = 0; i < count; i++) {
            give(i, i == other ? OP_ECHO : KWE_OP_NOP, 7);
        }

        deck_loop_turn(&loop);

        for (uint32_t i = 0; i < count; i++) {
            struct kwe_completion answer = taken();
            assert(KWE_TICKET_INDEX(answer.ticket) == i);
            if (i == other) {
                assert(answer.status == KERR_OK && answer.value[0] == 7);
                continue;
            }
            const struct kwe_completion nothing = { .ticket = answer.ticket };
            assert(memcmp(&answer, &nothing, sizeof(answer)) == 0);
        }
        assert(none_answered());
    }
}

static void test_long_vectors_are_handed_back_on_the_way(void)
{
    start();
    give(0, OP_SLOW, 0);
    give(1, OP_SLOW, 0);
    give(2, OP_SLOW, 0);
    idle_calls = 0;

    deck_loop_turn(&loop);

    assert(asked_deadline_ns == 0 && idle_calls == 0);
    assert(taken().elapsed_ns == 2000000 && none_answered());
    deck_loop_turn(&loop);
    deck_loop_turn(&loop);
    assert(taken().elapsed_ns == 2000000);
    assert(taken().elapsed_ns == 2000000);
    assert(none_answered());
    deck_loop_turn(&loop);
    assert(asked_deadline_ns == UINT64_MAX && idle_calls > 0);
}

static void test_fibres_are_answered_in_the_order_of_their_interrupts(void)
{
    start();
    for (uint32_t i = 0; i < DEPTH; i++) {
        give(i, OP_WAIT, i);
    }
    deck_loop_turn(&loop);
    assert(none_answered());

    for (uint32_t i = 0; i < DEPTH; i++) {
        interrupt_bits = 1ull << (DEPTH - 1 - i);
        clock_ns += 500;
        deck_loop_turn(&loop);
        assert(none_answered());
        deck_loop_turn(&loop);
        struct kwe_completion completion = taken();
        assert(completion.ticket == (0x700 | (DEPTH - 1 - i)) && completion.status == KERR_OK);
        assert(completion.elapsed_ns == 500 * (i + 1));
    }
}

static void test_a_trigger_says_once_that_it_is_armed(void)
{
    start();
    for (uint32_t i = 0; i < DEPTH; i++) {
        give(i, OP_TRIGGER, i);
    }
    interrupt_bits = (1ull << DEPTH) - 1;
    deck_loop_turn(&loop);
    deck_loop_turn(&loop);

    for (uint32_t i = 0; i < DEPTH; i++) {
        struct kwe_completion said = taken();
        assert(said.ticket == (0x700 | i) && said.status == KWE_STATUS_ARMED);
    }
    for (uint32_t i = 0; i < DEPTH; i++) {
        struct kwe_completion completion = taken();
        assert(completion.ticket == (0x700 | i) && completion.status == KERR_OK);
    }
    assert(none_answered());
}

static void test_stacks_are_used_again(void)
{
    start();
    for (unsigned round = 0; round < 200; round++) {
        for (uint32_t i = 0; i < DEPTH; i++) {
            give(i, OP_DEEP, 0);
        }
        deck_loop_turn(&loop);
        for (uint32_t i = 0; i < DEPTH; i++) {
            assert(taken().status == KERR_OK);
        }
    }
}

static void test_a_deadline_wakes_the_fibre(void)
{
    start();
    idle_deadline_ns = 90000;
    give(0, OP_SLEEP, 50000);
    deck_loop_turn(&loop);
    assert(asked_deadline_ns == 50000 && none_answered());
    clock_ns = 50000;
    deck_loop_turn(&loop);
    deck_loop_turn(&loop);
    assert(taken().status == KERR_TIMED_OUT);
    assert(asked_deadline_ns == 90000);
    idle_deadline_ns = UINT64_MAX;

    give(0, OP_SLEEP, 70000);
    deck_loop_turn(&loop);
    interrupt_bits = 1ull << 60;
    deck_loop_turn(&loop);
    deck_loop_turn(&loop);
    assert(taken().status == KERR_OK && asked_deadline_ns == UINT64_MAX);
}

static void test_a_signal_before_the_wait_is_remembered(void)
{
    start();
    fibre_signal(&events[3]);
    give(0, OP_WAIT, 3);
    deck_loop_turn(&loop);
    assert(taken().status == KERR_OK);
}

static void test_the_lock_is_handed_on_in_order(void)
{
    start();
    order_count = 0;
    for (uint32_t i = 0; i < 4; i++) {
        give(i, OP_LOCK, i);
    }
    deck_loop_turn(&loop);
    assert(order_count == 1);
    for (uint32_t i = 0; i < 4; i++) {
        interrupt_bits = 1ull << i;
        deck_loop_turn(&loop);
        deck_loop_turn(&loop);
        assert(taken().ticket == (0x700 | i));
    }
    assert(order_count == 4 && order[0] == 0 && order[1] == 1 && order[2] == 2 && order[3] == 3);
    assert(mutex.owner == NULL);
}

static void test_a_deck_that_could_not_start_answers_why(void)
{
    start_answer = KERR_NO_DEVICE;
    start();
    start_answer = KERR_OK;
    give(0, OP_ECHO, 0);
    give(1, OP_WAIT, 0);
    give(2, KWE_OP_NOP, 0);
    deck_loop_turn(&loop);
    assert(taken().status == KERR_NO_DEVICE);
    assert(taken().status == KERR_NO_DEVICE);
    assert(taken().status == KERR_OK);
}

static void test_what_was_published_is_observed_in_order_over_the_wrap(void)
{
    struct kwe_result result = { .workflow = 3, .status = KERR_IO_ERROR };
    uint64_t given = 0, told = 0;

    start();
    assert(deck_observed(0) == NULL);
    for (unsigned round = 0; round < 20; round++) {
        while ((result.cookie = given, ring_push(&seen, &result)) == RING_OK) {
            given++;
            if (given % 5 == 0) {
                break;
            }
        }
        observed_count = 0;
        deck_loop_turn(&loop);
        for (uint32_t i = 0; i < observed_count; i++) {
            assert(observed[i].cookie == told && observed[i].workflow == 3);
            told++;
        }
        assert(told == given && deck_observed(0)->cookie == given - 1);
    }
    /* Half a ring stays to be looked at. */
    for (uint32_t back = 0; back < SLOTS / 2; back++) {
        assert(deck_observed(back)->cookie == given - 1 - back);
    }
    assert(deck_observed(SLOTS / 2) == NULL && none_answered());
}

static void test_what_two_programs_did_is_kept_in_the_order_of_time(void)
{
    static const uint8_t whose[] = { 0, 0, 1, 0, 1, 1 };

    start();
    for (uint32_t i = 0; i < sizeof(whose); i++) {
        const struct kwe_result result = { .cookie = i, .workflow = 3, .finished_ns = 100 + i };
        assert(ring_push(whose[i] == 0 ? &seen : &seen_too, &result) == RING_OK);
        assert(deck_observed(0) == NULL);
    }
    observed_count = 0;
    deck_loop_turn(&loop);
    assert(observed_count == sizeof(whose));
    for (uint32_t back = 0; back < sizeof(whose); back++) {
        assert(deck_observed(back)->cookie == sizeof(whose) - 1 - back);
    }
    assert(deck_observed(sizeof(whose)) == NULL);
    /* More of one of them. */
    const struct kwe_result result = { .cookie = 99, .finished_ns = 200 };
    assert(ring_push(&seen, &result) == RING_OK);
    deck_loop_turn(&loop);
    assert(deck_observed(0)->cookie == 99 && deck_observed(1)->cookie == sizeof(whose) - 1);
}

static void test_a_progress_mark_moves(void)
{
    start();
    uint64_t before = done_memory.ring.progress;
    deck_progress();
    assert(done_memory.ring.progress == before + 1);
}

static void test_rules_that_are_broken_end_the_deck(void)
{
    start();
    done_memory.ring.head = 100; /* no such count */
    give(0, KWE_OP_NOP, 0);
    if (setjmp(died) == 0) {
        deck_loop_turn(&loop);
        assert(!"the deck went on");
    }
    assert(strstr(last_words, "DoneRing") != NULL);

    start();
    work_memory.ring.tail = 100;
    if (setjmp(died) == 0) {
        deck_loop_turn(&loop);
        assert(!"the deck went on");
    }
    assert(strstr(last_words, "WorkRing") != NULL);

    start();
    give(0, KWE_OP_NOP, 0);
    give(1, OP_WAIT, 0);
    give(1, KWE_OP_NOP, 0);
    if (setjmp(died) == 0) {
        deck_loop_turn(&loop);
        assert(!"the deck went on");
    }
    assert(strstr(last_words, "in hand already") != NULL);

    start();
    give(0, KWE_OP_NOP, 0);
    ring_push(&work, &(struct kwe_work){ .ticket = DEPTH, .op = KWE_OP_NOP });
    if (setjmp(died) == 0) {
        deck_loop_turn(&loop);
        assert(!"the deck went on");
    }
    assert(strstr(last_words, "names no frame") != NULL);

    start();
    if (setjmp(died) == 0) {
        fibre_wait(&events[0], UINT64_MAX);
        assert(!"waited on the main loop");
    }
    assert(strstr(last_words, "main loop") != NULL);
}

static void test_paths_are_held_to_the_manifest(void)
{
    struct kwe_manifest_entry *manifest = (struct kwe_manifest_entry *)(void *)(arena + 1024);
    struct deck_request request = {
        .work = { .arena_base = (uintptr_t)arena, .manifest_offset = 1024, .manifest_count = 2 },
    };

    memset(manifest, 0, 2 * sizeof(*manifest));
    manifest[0].rights = KWE_MANIFEST_READ;
    manifest[0].path = (struct kwe_path){ .length = 5, .bytes = "/clip" };
    manifest[1].rights = KWE_MANIFEST_READ | KWE_MANIFEST_WRITE;
    manifest[1].path = (struct kwe_path){ .length = 5, .bytes = "/out/" };
    assert(deck_path_allowed(&request, "/clip/a.jpg", 11, KWE_MANIFEST_READ));
    assert(deck_path_allowed(&request, "/clip", 5, KWE_MANIFEST_READ));
    assert(!deck_path_allowed(&request, "/clip/a.jpg", 11, KWE_MANIFEST_WRITE));
    assert(!deck_path_allowed(&request, "/clips/a.jpg", 12, KWE_MANIFEST_READ));
    assert(!deck_path_allowed(&request, "/cli", 4, KWE_MANIFEST_READ));
    assert(deck_path_allowed(&request, "/out/x", 6, KWE_MANIFEST_WRITE | KWE_MANIFEST_READ));
    assert(deck_path_allowed(&request, "/out", 4, KWE_MANIFEST_WRITE));
    manifest[0].path = (struct kwe_path){ .length = 1, .bytes = "/" };
    assert(deck_path_allowed(&request, "/anything", 9, KWE_MANIFEST_READ));
    assert(!deck_path_allowed(&request, "", 0, KWE_MANIFEST_READ));
}

int main(void)
{
    test_a_vector_of_inline_ops_is_one_visit();
    test_an_output_that_does_not_fit_asks_for_what_it_takes_when_that_is_known();
    test_work_for_nothing_is_answered_in_order_over_the_wrap();
    test_long_vectors_are_handed_back_on_the_way();
    test_fibres_are_answered_in_the_order_of_their_interrupts();
    test_a_trigger_says_once_that_it_is_armed();
    test_stacks_are_used_again();
    test_a_deadline_wakes_the_fibre();
    test_a_signal_before_the_wait_is_remembered();
    test_the_lock_is_handed_on_in_order();
    test_a_deck_that_could_not_start_answers_why();
    test_what_was_published_is_observed_in_order_over_the_wrap();
    test_what_two_programs_did_is_kept_in_the_order_of_time();
    test_a_progress_mark_moves();
    test_rules_that_are_broken_end_the_deck();
    test_paths_are_held_to_the_manifest();
    return 0;
}
