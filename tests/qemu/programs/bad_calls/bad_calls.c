/*
 * bad_calls.c - every call of the kernel with pointers that are not the caller's, with numbers that are no calls, and then thousands with
 * whatever comes. The nucleus answers each with a code; this program is alive at the end.
 */
#include <stdint.h>
#include <sys/mman.h>

#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_operations.h"

#define PAGE          4096u
#define LINUX_EFAULT  14
#define FUZZ_CALLS    60000u
#define FUZZ_ARGUMENT 32u

static const char text_constant[] = "not to be written";

struct places {
    uint8_t *own;      /* two pages of its own, then nothing */
    uint8_t *readable; /* a page that it may only read */
    uint64_t workflow, ring;
    uint64_t arena; /* read-only parts of its arena */
};

/* ---- pointers ---- */

enum use {
    READS,  /* the nucleus reads from there */
    WRITES, /* ... writes there */
};

/* A call, which argument is a pointer, what the others are. */
struct pointer_case {
    uint64_t number;
    unsigned pointer;
    uint64_t argument[6];
    enum use use;
    int64_t refused; /* the answer to a bad one */
};

#define OWN_RING     0xabcd0001u /* stands for the real number */
#define OWN_WORKFLOW 0xabcd0002u
#define OWN_MEMORY   0xabcd0003u

static const struct pointer_case cases[] = {
    { KWE_CALL_RING_CREATE, 1, { 8 }, WRITES, -KERR_BAD_ADDRESS },
    { KWE_CALL_WORKFLOW_REGISTER, 0, { 0, 256, OWN_MEMORY }, READS, -KERR_BAD_ADDRESS },
    { KWE_CALL_WORKFLOW_REGISTER, 2, { OWN_MEMORY, 256, 0 }, WRITES, -KERR_BAD_ADDRESS },
    { KWE_CALL_ARENA_CREATE, 0, { 0, 40, OWN_MEMORY }, READS, -KERR_BAD_ADDRESS },
    { KWE_CALL_ARENA_CREATE, 2, { OWN_MEMORY, 40, 0 }, WRITES, -KERR_BAD_ADDRESS },
    { KWE_CALL_WORKFLOW_STATUS, 1, { OWN_WORKFLOW, 0, 4096 }, WRITES, -KERR_BAD_ADDRESS },
    { KWE_CALL_WORKFLOW_PLAN, 1, { OWN_WORKFLOW, 0, 4096 }, WRITES, -KERR_BAD_ADDRESS },
    { KWE_CALL_STATISTICS, 0, { 0, 2000 }, WRITES, -KERR_BAD_ADDRESS },
    { KWE_CALL_BOOT_FILE, 0, { 0, 0, OWN_MEMORY, 16 }, READS, -KERR_BAD_ADDRESS },
    { KWE_CALL_BOOT_FILE, 2, { OWN_MEMORY, 0, 0, 16 }, WRITES, -KERR_BAD_ADDRESS },
    { KWE_CALL_CONTROL_WRITE, 0, { 0, 64 }, READS, -KERR_BAD_ADDRESS },
    { KWE_CALL_LOG, 0, { 0, 64 }, READS, -KERR_BAD_ADDRESS },
    { 1, 1, { 1, 0, 64 }, READS, -LINUX_EFAULT },      /* write */
    { 20, 1, { 1, 0, 2 }, READS, -LINUX_EFAULT },      /* writev */
    { 5, 1, { 1, 0 }, WRITES, -LINUX_EFAULT },         /* fstat */
    { 13, 2, { 10, 0, 0, 8 }, WRITES, -LINUX_EFAULT }, /* rt_sigaction */
    { 14, 2, { 0, 0, 0, 8 }, WRITES, -LINUX_EFAULT },  /* rt_sigprocmask */
    { 63, 0, { 0 }, WRITES, -LINUX_EFAULT },           /* uname */
    { 79, 0, { 0, 64 }, WRITES, -LINUX_EFAULT },       /* getcwd */
    { 96, 0, { 0 }, WRITES, -LINUX_EFAULT },           /* gettimeofday */
    { 158, 1, { 0x1003 }, WRITES, -LINUX_EFAULT },     /* arch_prctl(GET_FS) */
    { 201, 0, { 0 }, WRITES, -LINUX_EFAULT },          /* time */
    { 204, 2, { 0, 8 }, WRITES, -LINUX_EFAULT },       /* sched_getaffinity */
    { 228, 1, { 1 }, WRITES, -LINUX_EFAULT },          /* clock_gettime */
    { 229, 1, { 1 }, WRITES, -LINUX_EFAULT },          /* clock_getres */
    { 302, 3, { 0, 3, 0 }, WRITES, -LINUX_EFAULT },    /* prlimit64 */
    { 318, 0, { 0, 64 }, WRITES, -LINUX_EFAULT },      /* getrandom */
};

static uint64_t meant(const struct places *places, uint64_t argument)
{
    switch (argument) {
    case OWN_RING:
        return places->ring;
    case OWN_WORKFLOW:
        return places->workflow;
    case OWN_MEMORY:
        return (uintptr_t)places->own;
    default:
        return argument;
    }
}

static bool may_be_null(const struct pointer_case *tried)
{
    return tried->number == 13 || tried->number == 14 || tried->number == 96 ||
           tried->number == 201 || tried->number == 229 || tried->number == 302;
}

static void try_pointers(const struct places *places)
{
    uint64_t end = (uintptr_t)places->own + 2 * PAGE;
    const uint64_t bad[] = {
        0,
        1,
        8,
        PAGE - 1,
        PAGE,
        0x7fff00000000,
        0x7fffffffffff,
        0x800000000000,
        0x0000900000000000,
        0xffff7fffffffffff,
        0xffff800000000000,
        0xffff800000100000,
        0xffffffff80100000,
        UINT64_MAX - PAGE,
        UINT64_MAX - 7,
        UINT64_MAX,
        end,
        end + 1,
        end - 1,
        (uintptr_t)places->own - 1,
    };
    const uint64_t unwritable[] = { (uintptr_t)text_constant, (uintptr_t)try_pointers,
                                    (uintptr_t)places->readable, places->arena };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct pointer_case *tried = &cases[i];
        size_t bad_count = sizeof(bad) / sizeof(bad[0]);
        size_t more = tried->use == WRITES ? sizeof(unwritable) / sizeof(unwritable[0]) : 0;
        for (size_t j = 0; j < bad_count + more; j++) {
            uint64_t argument[6];
            for (unsigned k = 0; k < 6; k++) {
                argument[k] = meant(places, tried->argument[k]);
            }
            argument[tried->pointer] = j < bad_count ? bad[j] : unwritable[j - bad_count];
            if (j == 0 && may_be_null(tried)) {
                continue;
            }
            memset(places->own, 'x', 2 * PAGE);
            memcpy(places->own, "seed", 5); /* a boot file's name */
            int64_t answer = kwe_call6(tried->number, argument[0], argument[1], argument[2],
                                       argument[3], argument[4], argument[5]);
            CHECK(answer == tried->refused, "call 0x%llx, argument %u = 0x%llx: %lld, not %lld",
                  (unsigned long long)tried->number, tried->pointer,
                  (unsigned long long)argument[tried->pointer], (long long)answer,
                  (long long)tried->refused);
        }
    }
}

/* Pointers that are all right, though odd: unaligned, over a page's end, the same for two things. */
static void try_odd_pointers(const struct places *places)
{
    uint8_t *across = places->own + PAGE - 3;

    CHECK(kwe_call_statistics(across, sizeof(struct kwe_statistics)) > 0,
          "statistics over a page's end");
    CHECK(kwe_call_statistics(across, 1) == 1, "one byte of statistics");
    CHECK(kwe_call_statistics(NULL, 0) == 0, "no byte of statistics");
    int64_t ring = kwe_call_ring_create(8, (struct kwe_ring_info *)(void *)(places->own + 1), 0);
    CHECK(ring > 0, "ring_create: %lld", (long long)ring);
    CHECK(kwe_call_ring_destroy((uint32_t)ring) == 0, "ring_destroy");
    /* The answer overwrites the blob. */
    CHECK(kwe_call_workflow_register(places->own, 256,
                                     (struct kwe_workflow_info *)(void *)places->own) ==
              -KERR_BAD_WORKFLOW,
          "register over itself");
}

/* ---- numbers ---- */

static void try_numbers(const struct places *places)
{
    static const uint64_t bad[] = { KWE_CALL_LOG + 1, KWE_CALL_LOG + 2, 0x1fff,     0xffff,
                                    0x80000000,       0xffffffff,       1ull << 32, 1ull << 63,
                                    UINT64_MAX,       UINT64_MAX - 1 };
    static const uint64_t deck_calls[] = { KWE_CALL_DECK_NEXT, KWE_CALL_DECK_DIE,
                                           KWE_CALL_DECK_INFO, KWE_CALL_DMA_ALLOC };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t answer = kwe_call6(bad[i], 1, 2, 3, 4, 5, 6);
        CHECK(answer == -KERR_BAD_CALL, "call 0x%llx: %lld", (unsigned long long)bad[i],
              (long long)answer);
    }
    for (size_t i = 0; i < sizeof(deck_calls) / sizeof(deck_calls[0]); i++) {
        int64_t answer = kwe_call6(deck_calls[i], (uintptr_t)places->own, 4096, 0, 0, 0, 0);
        CHECK(answer == -KERR_NOT_PERMITTED, "call 0x%llx: %lld", (unsigned long long)deck_calls[i],
              (long long)answer);
    }
    CHECK(kwe_call_inject(0, 0, 0) == -KERR_NOT_PERMITTED, "inject without debug");
    CHECK(kwe_call_trace_read(places->own, 4096) == -KERR_NOT_PERMITTED, "no trace is kept");
    for (uint64_t number = 335; number < 0x1000; number++) {
        CHECK(kwe_call6(number, 1, 2, 3, 4, 5, 6) == -38, "Linux call %llu",
              (unsigned long long)number);
    }
}

static void try_handles(const struct places *places)
{
    const uint64_t bad[] = { 0,
                             1,
                             2,
                             0xff,
                             0x100,
                             0x1ff,
                             0xffffffff,
                             1ull << 32,
                             1ull << 32 | places->ring,
                             UINT64_MAX,
                             places->ring + 0x100,
                             places->workflow + 0x100,
                             places->ring ^ 1,
                             1ull << 32 | places->workflow };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (bad[i] != places->ring) {
            CHECK(kwe_call6(KWE_CALL_KERNEL_NOTIFY, bad[i], 3, 1, UINT64_MAX, 0, 0) ==
                      -KERR_BAD_HANDLE,
                  "ring 0x%llx", (unsigned long long)bad[i]);
            CHECK(kwe_call6(KWE_CALL_RING_DESTROY, bad[i], 0, 0, 0, 0, 0) == -KERR_BAD_HANDLE,
                  "ring 0x%llx", (unsigned long long)bad[i]);
        }
        if (bad[i] != places->workflow) {
            CHECK(kwe_call6(KWE_CALL_WORKFLOW_CANCEL, bad[i], 0, 0, 0, 0, 0) == -KERR_BAD_HANDLE,
                  "workflow 0x%llx", (unsigned long long)bad[i]);
            CHECK(kwe_call6(KWE_CALL_WORKFLOW_UNREGISTER, bad[i], 0, 0, 0, 0, 0) ==
                      -KERR_BAD_HANDLE,
                  "workflow 0x%llx", (unsigned long long)bad[i]);
            CHECK(kwe_call6(KWE_CALL_WORKFLOW_STATUS, bad[i], (uintptr_t)places->own, 4096, 0, 0,
                            0) == -KERR_BAD_HANDLE,
                  "workflow 0x%llx", (unsigned long long)bad[i]);
        }
    }
    for (uint64_t flags = 4; flags != 0; flags <<= 1) {
        CHECK(kwe_call6(KWE_CALL_KERNEL_NOTIFY, places->ring, flags, 0, 0, 0, 0) == -KERR_BAD_CALL,
              "flags 0x%llx", (unsigned long long)flags);
    }
    static const uint64_t slots[] = {
        0, 1, 4, 7, 9, 12, 4095, 8192, 1ull << 31, 1ull << 32, 1ull << 32 | 8, UINT64_MAX
    };
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        CHECK(kwe_call6(KWE_CALL_RING_CREATE, slots[i], (uintptr_t)places->own, 0, 0, 0, 0) ==
                  -KERR_BAD_CALL,
              "%llu slots", (unsigned long long)slots[i]);
    }
}

/* ---- whatever comes ---- */

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Calls that end the program, sleep for as long as they are told, or take its own memory from under it, are tested elsewhere. */
static bool is_left_out(uint64_t number)
{
    static const uint16_t left_out[] = {
        9, 10, 11, 12, 25, 28, 35, 60, 62, 158, 200, 230, 231, 234
    };
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if (left_out[i] == number) {
            return true;
        }
    }
    return number == KWE_CALL_CONTROL_WRITE || number == KWE_CALL_LOG || number == 1 ||
           number == 20; /* they fill the host's log */
}

static void try_whatever(const struct places *places)
{
    uint64_t pool[FUZZ_ARGUMENT] = {
        0,
        1,
        2,
        3,
        8,
        64,
        4095,
        4096,
        1u << 20,
        1u << 31,
        UINT32_MAX,
        1ull << 32,
        1ull << 47,
        1ull << 63,
        UINT64_MAX,
        UINT64_MAX - 7,
        0xffffffff80100000,
        0xffff800000100000,
        (uintptr_t)places->own,
        (uintptr_t)places->own + PAGE - 5,
        (uintptr_t)places->own + 2 * PAGE - 5,
        (uintptr_t)places->readable,
        (uintptr_t)text_constant,
        places->arena,
        places->workflow,
        places->ring,
        places->workflow + 1,
        places->ring + 1,
        16,
        128,
        56,
        72,
    };
    for (uint32_t i = 0; i < FUZZ_CALLS; i++) {
        uint64_t number = next_random() % 4 == 0 ? next_random() % 335
                                                 : KWE_CALL_FIRST + next_random() % KWE_CALL_COUNT;
        uint64_t argument[6];
        for (unsigned k = 0; k < 6; k++) {
            argument[k] = pool[next_random() % FUZZ_ARGUMENT];
        }
        if (is_left_out(number)) {
            continue;
        }
        if ((number == KWE_CALL_KERNEL_NOTIFY && argument[3] > 1000) ||
            (number == KWE_CALL_CONTROL_READ && argument[2] > 1000)) {
            continue; /* it would sleep, as it should */
        }
        if (number == KWE_CALL_UPCALL_SET && argument[0] == places->ring) {
            argument[1] |= 1ull << 47; /* else it would be jumped to */
        }
        if ((number == KWE_CALL_RING_DESTROY && argument[0] == places->ring) ||
            (number == KWE_CALL_WORKFLOW_UNREGISTER && argument[0] == places->workflow)) {
            continue;
        }
        if (next_random() % 8 == 0) {
            for (unsigned k = 0; k < 64; k++) {
                places->own[next_random() % (2 * PAGE)] = (uint8_t)next_random();
            }
        }
        int64_t ring = kwe_call6(number, argument[0], argument[1], argument[2], argument[3],
                                 argument[4], argument[5]);
        if (number == KWE_CALL_RING_CREATE && ring > 0 && next_random() % 4 != 0) {
            kwe_call_ring_destroy((uint32_t)ring);
        }
    }
}

int main(void)
{
    struct kwe_workflow_info info;
    struct kwe_rings rings;
    struct kwe_result result;
    struct places places;
    char seed[24];

    struct kwe_builder *builder = kwe_builder_create("digest");
    kwe_stage_t stage = kwe_operations_sha256(builder, "digest", KWE_STAGE_NONE);
    kwe_input_event(builder, stage, 0);
    kwe_result(builder, stage);
    check_register(builder, &info);
    check_rings(&rings, 8);
    uint8_t *area =
        mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED && munmap(area, PAGE) == 0 && munmap(area + 3 * PAGE, PAGE) == 0 &&
              munmap(area + 5 * PAGE, PAGE) == 0 && mprotect(area + 4 * PAGE, PAGE, PROT_READ) == 0,
          "the pages");
    places = (struct places){ .own = area + PAGE,
                              .readable = area + 4 * PAGE,
                              .workflow = info.workflow,
                              .ring = rings.id,
                              .arena = info.arena_base };
    try_pointers(&places);
    try_odd_pointers(&places);
    try_numbers(&places);
    try_handles(&places);
    random_state = strtoull(check_option("seed", seed, sizeof(seed)), NULL, 10) | 1;
    try_whatever(&places);
    struct kwe_event event = { .cookie = 5, .workflow = info.workflow, .input_length = 8 };
    check_run(&rings, &event, &result);
    CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    return 0;
}
