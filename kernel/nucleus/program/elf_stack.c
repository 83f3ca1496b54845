/*
 * elf_stack.c - a program's first stack (System V ABI, x86-64 supplement, 3.4.1):
 *
 *   top      | texts: arguments, environment; 16 random bytes | random slack
 *            | auxiliary vector, AT_NULL                       |
 *            | environment pointers, NULL                      |
 *            | argument pointers, NULL                         |
 *   rsp ---> | argument count                                  | 16-byte aligned
 */
#include "kernel/abi/clock.h"
#include "kernel/lib/string.h"
#include "kernel/nucleus/program/elf.h"

enum auxiliary {
    AT_NULL = 0,
    AT_PHDR = 3,
    AT_PHENT = 4,
    AT_PHNUM = 5,
    AT_PAGESZ = 6,
    AT_BASE = 7,
    AT_FLAGS = 8,
    AT_ENTRY = 9,
    AT_UID = 11,
    AT_EUID = 12,
    AT_GID = 13,
    AT_EGID = 14,
    AT_HWCAP = 16,
    AT_CLKTCK = 17,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_HWCAP2 = 26,
    AT_EXECFN = 31,
};

/* CPUID.1:EDX as every x86-64 CPU has it (up to SSE2); libraries ask the CPU themselves for more. */
#define BASELINE_FEATURES 0x078bfbffu
#define CLOCK_TICKS       100
#define MAX_AUXILIARY     20
#define RANDOM_BYTES      16

struct builder {
    struct space *space;
    uint64_t top;        /* texts grow down from here */
    uint64_t text_bytes; /* so far */
    uint64_t word[1 + 2 * (ELF_MAX_ARGUMENTS + 1) + 2 * MAX_AUXILIARY];
    size_t word_count;
};

static void add_word(struct builder *builder, uint64_t word)
{
    KASSERT(builder->word_count < sizeof(builder->word) / sizeof(builder->word[0]),
            "a stack vector is full");
    builder->word[builder->word_count++] = word;
}

static void add_pair(struct builder *builder, uint64_t type, uint64_t value)
{
    add_word(builder, type);
    add_word(builder, value);
}

static uint64_t push_bytes(struct builder *builder, const void *data, size_t bytes)
{
    builder->top -= bytes;
    builder->text_bytes += bytes;
    space_fill(builder->space, vaddr(builder->top), data, bytes);
    return builder->top;
}

/* Check a list of texts: how many; *bytes grows by what they take. SIZE_MAX: too many. */
static size_t measure(const char *const *texts, size_t *bytes)
{
    size_t count = 0;
    for (; texts != NULL && texts[count] != NULL; count++) {
        if (count == ELF_MAX_ARGUMENTS) {
            return SIZE_MAX;
        }
        *bytes += strlen(texts[count]) + 1;
    }
    return count;
}

/* Push the texts and add a pointer to each, then NULL. Returns the first one's address. */
static uint64_t add_texts(struct builder *builder, const char *const *texts, size_t count)
{
    uint64_t first = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t address = push_bytes(builder, texts[i], strlen(texts[i]) + 1);
        first = i == 0 ? address : first;
        add_word(builder, address);
    }
    add_word(builder, 0);
    return first;
}

static void add_auxiliary(struct builder *builder, const struct elf_loaded *loaded, uint64_t name)
{
    uint64_t random[RANDOM_BYTES / 8] = { port_random_u64(), port_random_u64() };
    uint64_t clock_base, clock_rate;

    port_clock(&clock_base, &clock_rate);

    add_pair(builder, AT_PHDR, loaded->headers.value);
    add_pair(builder, AT_PHENT, 56);
    add_pair(builder, AT_PHNUM, loaded->headers.value == 0 ? 0 : loaded->header_count);
    add_pair(builder, AT_PAGESZ, PAGE_SIZE);
    add_pair(builder, AT_BASE, 0); /* no interpreter */
    add_pair(builder, AT_FLAGS, 0);
    add_pair(builder, AT_ENTRY, loaded->entry.value);
    add_pair(builder, AT_UID, 0);
    add_pair(builder, AT_EUID, 0);
    add_pair(builder, AT_GID, 0);
    add_pair(builder, AT_EGID, 0);
    add_pair(builder, AT_HWCAP, BASELINE_FEATURES);
    add_pair(builder, AT_HWCAP2, 0);
    add_pair(builder, AT_CLKTCK, CLOCK_TICKS);
    add_pair(builder, AT_SECURE, 0);
    add_pair(builder, AT_RANDOM, push_bytes(builder, random, sizeof(random)));
    add_pair(builder, AT_EXECFN, name);
    add_pair(builder, KWE_AT_CLOCK_BASE, clock_base);
    add_pair(builder, KWE_AT_CLOCK_RATE, clock_rate);
    add_pair(builder, AT_NULL, 0);
}

const char *elf_build_stack(struct space *space, const struct elf_loaded *loaded, uint64_t bytes,
                            const char *const *arguments, const char *const *environment,
                            vaddr_t *stack)
{
    struct builder builder = { .space = space };
    size_t text_bytes = 0;
    size_t argument_count = measure(arguments, &text_bytes);
    size_t environment_count = measure(environment, &text_bytes);
    vaddr_t top;

    if (argument_count == SIZE_MAX || environment_count == SIZE_MAX ||
        text_bytes > ELF_STACK_TEXT_MAX) {
        return "its arguments and environment are too long";
    }
    if (bytes < 4 * PAGE_SIZE || space_map_stack(space, bytes, &top) != KERR_OK) {
        return "there is not enough memory for its stack";
    }
    /* Random below the page too: up to a page, in steps of 16 bytes. */
    builder.top = top.value - port_random_u64() % (PAGE_SIZE / 16) * 16;

    add_word(&builder, argument_count);
    uint64_t name = add_texts(&builder, arguments, argument_count);
    add_texts(&builder, environment, environment_count);
    add_auxiliary(&builder, loaded, name);

    uint64_t vector_bytes = builder.word_count * sizeof(uint64_t);
    uint64_t pointer = (builder.top - vector_bytes) & ~15ull;
    space_fill(space, vaddr(pointer), builder.word, vector_bytes);
    *stack = vaddr(pointer);
    return NULL;
}
