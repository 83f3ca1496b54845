/* The ELF loader: well-made files, one wrong number at a time, thousands of mutations, and the first stack. */
/* uses: kernel/nucleus/mem/frames.c kernel/nucleus/mem/heap.c kernel/nucleus/mem/region.c kernel/nucleus/mem/space.c kernel/nucleus/mem/space_copy.c kernel/nucleus/mem/space_lent.c kernel/nucleus/mem/space_user.c kernel/nucleus/program/elf.c kernel/nucleus/program/elf_stack.c tests/host/port_fake.c tests/host/log_fake.c tests/host/relax_fake.c */
#include <assert.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/clock.h"
#include "kernel/nucleus/program/elf.h"
#include "tests/host/port_fake.h"

#define FILE_BYTES 0x3000u

static struct fake_machine machine;
static struct space *space;

struct file {
    union {
        Elf64_Ehdr header;
        uint8_t bytes[FILE_BYTES];
    };
};

static Elf64_Phdr *program_header(struct file *file, unsigned index)
{
    return (Elf64_Phdr *)(void *)(file->bytes + sizeof(Elf64_Ehdr)) + index;
}

/* Headers and text in one segment, data and 5000 bytes of BSS in another. */
static struct file good_file(uint16_t type)
{
    struct file file;
    uint64_t base = type == ET_EXEC ? 0x400000 : 0;
    memset(&file, 0, sizeof(file));
    memcpy(file.header.e_ident, "\177ELF\2\1\1", 7);
    file.header.e_type = type;
    file.header.e_machine = EM_X86_64;
    file.header.e_version = 1;
    file.header.e_entry = base + 0x1010;
    file.header.e_phoff = sizeof(Elf64_Ehdr);
    file.header.e_ehsize = sizeof(Elf64_Ehdr);
    file.header.e_phentsize = sizeof(Elf64_Phdr);
    file.header.e_phnum = 3;
    *program_header(&file, 0) =
        (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, base, base, 0x1100, 0x1100, 0x1000 };
    *program_header(&file, 1) = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0x1ff0,       base + 0x2ff0,
                                              base,    0x800,       0x800 + 5000, 0x1000 };
    *program_header(&file, 2) = (Elf64_Phdr){ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 };
    memset(file.bytes + 0x1000, 0xc3, 0x100);
    memset(file.bytes + 0x1ff0, 0xd1, 0x800);
    return file;
}

static void begin(uint64_t seed)
{
    fake_machine_start(&machine, 2000, seed);
    space = space_create(&machine.frames, &machine.heap, 0);
}

static void end(void)
{
    space_destroy(space);
    assert(machine.heap.used_blocks == 0);
    assert(machine.frames.free_frames == machine.frames.total_frames - machine.heap.held_frames);
    fake_machine_stop(&machine);
}

static const char *load(const struct file *file, struct elf_loaded *loaded)
{
    struct elf_image image;
    const char *wrong = elf_check(file->bytes, sizeof(file->bytes), &image);
    return wrong != NULL ? wrong : elf_map(&image, space, loaded);
}

static uint8_t byte_at(uint64_t address)
{
    uint8_t byte;
    enum kerr status = space_copy_in(space, &byte, (uaddr_t){ address }, 1);
    assert(status == KERR_OK);
    return byte;
}

static void test_a_fixed_image_lies_where_it_says_with_its_rights(void)
{
    struct file file = good_file(ET_EXEC);
    struct elf_loaded loaded;
    begin(1);

    assert(load(&file, &loaded) == NULL);

    assert(loaded.entry.value == 0x401010 && loaded.bias == 0);
    assert(loaded.headers.value == 0x400040 && loaded.header_count == 3);
    assert(byte_at(0x401000) == 0xc3 && byte_at(0x4010ff) == 0xc3 && byte_at(0x401100) == 0);
    assert(byte_at(0x402fef) == 0 && byte_at(0x402ff0) == 0xd1 && byte_at(0x4037ef) == 0xd1);
    assert(byte_at(0x4037f0) == 0 && byte_at(0x404fff) == 0); /* BSS */
    assert(space_find(space, 0x400000)->rights == (PORT_READ | PORT_EXEC));
    assert(space_find(space, 0x402fff)->rights == (PORT_READ | PORT_WRITE));
    assert(space_find(space, 0x405000) == NULL);
    end();
}

static void test_a_position_independent_image_lies_at_a_random_page(void)
{
    struct file file = good_file(ET_DYN);
    struct elf_loaded loaded;
    uint64_t last = 0;
    for (uint64_t seed = 1; seed < 6; seed++) {
        begin(seed);
        assert(load(&file, &loaded) == NULL);
        assert(loaded.bias >= SPACE_PIE_BEGIN && loaded.bias < SPACE_PIE_END &&
               loaded.bias != last);
        assert(loaded.entry.value == loaded.bias + 0x1010 &&
               loaded.headers.value == loaded.bias + 0x40);
        assert(byte_at(loaded.bias + 0x2ff0) == 0xd1);
        last = loaded.bias;
        end();
    }
}

/* One wrong number each, and the sentence that it must earn. */
static void test_each_wrong_number_is_named(void)
{
    struct elf_loaded loaded;
    begin(3);
#define WRONG(change, words)                                                                       \
    do {                                                                                           \
        struct file file = good_file(ET_EXEC);                                                     \
        Elf64_Phdr *text = program_header(&file, 0), *data = program_header(&file, 1),             \
                   *last = program_header(&file, 2);                                               \
        (void)text, (void)data, (void)last;                                                        \
        change;                                                                                    \
        const char *wrong = load(&file, &loaded);                                                  \
        if (wrong == NULL || strstr(wrong, words) == NULL) {                                       \
            fprintf(stderr, #change ": %s\n", wrong == NULL ? "was accepted" : wrong);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
    WRONG(file.bytes[0] = 0, "64-bit");
    WRONG(file.header.e_ident[4] = 1, "64-bit");
    WRONG(file.header.e_machine = EM_AARCH64, "x86-64");
    WRONG(file.header.e_type = ET_REL, "x86-64");
    WRONG(file.header.e_phentsize = 32, "program headers");
    WRONG(file.header.e_phnum = 0, "program headers");
    WRONG(file.header.e_phnum = 0xffff, "program headers");
    WRONG(file.header.e_phoff = UINT64_MAX - 8, "outside the file");
    WRONG(file.header.e_phoff = FILE_BYTES - 100, "outside the file");
    WRONG(text->p_filesz = FILE_BYTES + 1, "outside the file");
    WRONG(data->p_offset = UINT64_MAX, "outside the file");
    WRONG(data->p_filesz = data->p_memsz + 1, "outside the file");
    WRONG(data->p_memsz = UINT64_MAX, "out of range");
    WRONG(data->p_vaddr = UINT64_MAX - 10, "out of range");
    WRONG(data->p_vaddr = 0xffffffff80000000, "out of range");
    WRONG((text->p_vaddr = 0, file.header.e_entry = 0x1010), "out of range");
    WRONG(data->p_flags |= PF_X, "both writable and executable");
    WRONG(data->p_vaddr = 0x401200, "share a page");
    WRONG(data->p_vaddr = 0x3ff000, "in order");
    WRONG(last->p_type = PT_INTERP, "dynamically linked");
    WRONG(last->p_flags |= PF_X, "executable stack");
    WRONG(file.header.e_entry = 0x402ff0, "entry point");
    WRONG(file.header.e_entry = 0, "entry point");
    WRONG(text->p_type = PT_NULL, "entry point");
#undef WRONG
    struct elf_image image;
    struct file file = good_file(ET_EXEC);
    assert(strstr(elf_check(file.bytes, 63, &image), "shorter") != NULL);
    end();
}

static void test_an_image_without_enough_memory_is_refused(void)
{
    struct file file = good_file(ET_EXEC);
    struct elf_loaded loaded;
    begin(4);
    program_header(&file, 1)->p_memsz = 500ull << 20;

    assert(strstr(load(&file, &loaded), "memory") != NULL);

    end();
}

static void map_and_check(const struct elf_image *image)
{
    struct elf_loaded loaded;
    struct space *own = space_create(&machine.frames, &machine.heap, 0);
    if (elf_map(image, own, &loaded) == NULL) {
        const struct region *region = space_find(own, loaded.entry.value);
        assert(region != NULL && region->rights == (PORT_READ | PORT_EXEC));
    }
    space_destroy(own);
}

/* Whatever the file says: no fault, no panic, and an accepted one keeps its promises. */
static void test_mutated_files_are_refused_or_loaded_within_bounds(void)
{
    unsigned accepted = 0;
    begin(5);
    for (unsigned round = 0; round < 60000; round++) {
        static struct file file;
        struct elf_image image;
        file = good_file(round % 2 == 0 ? ET_EXEC : ET_DYN);
        for (unsigned i = 0; i <= round % 3; i++) {
            size_t where = port_random_u64() % 232; /* the headers */
            static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff };
            bool edge = port_random_u64() % 2 == 0;
            file.bytes[where] = edge ? edges[port_random_u64() % 5] : (uint8_t)port_random_u64();
        }
        /* A copy of exact size, so that the sanitizer sees a read beyond it. */
        size_t bytes = port_random_u64() % 8 == 0 ? port_random_u64() % FILE_BYTES : FILE_BYTES;
        uint8_t *exact = malloc(bytes + 1);
        memcpy(exact, file.bytes, bytes);
        if (elf_check(exact, bytes, &image) == NULL) {
            assert(image.high > image.low && image.high - image.low <= 1ull << 31);
            if (accepted++ % 16 == 0 && image.high - image.low < 100 * PAGE_SIZE) {
                map_and_check(&image);
            }
        }
        free(exact);
    }
    assert(accepted > 1000);
    end();
}

/* ---- the stack ---- */

static uint64_t word_at(uint64_t address)
{
    uint64_t word;
    enum kerr status = space_copy_in(space, &word, (uaddr_t){ address }, sizeof(word));
    assert(status == KERR_OK);
    return word;
}

static bool text_is(uint64_t address, const char *expected)
{
    char text[64];
    return space_copy_in_string(space, text, sizeof(text), (uaddr_t){ address }) == KERR_OK &&
           strcmp(text, expected) == 0;
}

/* The value of an auxiliary entry, behind argc 2 and one variable. */
static uint64_t auxiliary(uint64_t stack, uint64_t type)
{
    for (uint64_t at = stack + (1 + 3 + 2) * 8; word_at(at) != AT_NULL; at += 16) {
        if (word_at(at) == type) {
            return word_at(at + 8);
        }
    }
    abort();
}

static void test_the_first_stack_is_as_the_abi_says(void)
{
    static const char *const arguments[] = { "agent", "-v", NULL };
    static const char *const environment[] = { "HOME=/", NULL };
    struct file file = good_file(ET_DYN);
    struct elf_loaded loaded;
    vaddr_t stack;
    begin(6);
    assert(load(&file, &loaded) == NULL);

    assert(elf_build_stack(space, &loaded, 16 * PAGE_SIZE, arguments, environment, &stack) == NULL);

    uint64_t at = stack.value;
    assert(at % 16 == 0 && at >= SPACE_STACK_BEGIN && at < SPACE_STACK_END);
    assert(word_at(at) == 2);
    assert(text_is(word_at(at + 8), "agent") && text_is(word_at(at + 16), "-v") &&
           word_at(at + 24) == 0);
    assert(text_is(word_at(at + 32), "HOME=/") && word_at(at + 40) == 0);
    assert(auxiliary(at, AT_PHDR) == loaded.headers.value && auxiliary(at, AT_PHNUM) == 3);
    assert(auxiliary(at, AT_ENTRY) == loaded.entry.value && auxiliary(at, AT_PHENT) == 56);
    assert(auxiliary(at, AT_PAGESZ) == PAGE_SIZE && auxiliary(at, AT_BASE) == 0);
    assert(word_at(auxiliary(at, AT_RANDOM)) != 0 && text_is(auxiliary(at, AT_EXECFN), "agent"));
    assert(auxiliary(at, AT_SECURE) == 0);
    assert(auxiliary(at, KWE_AT_CLOCK_BASE) == 7000 && auxiliary(at, KWE_AT_CLOCK_RATE) == 0);
    const struct region *region = space_find(space, at);
    assert(region->rights == (PORT_READ | PORT_WRITE) &&
           region->end - region->begin == 16 * PAGE_SIZE);
    assert(space_find(space, region->begin - 1) == NULL && space_find(space, region->end) == NULL);
    end();
}

static void test_stacks_and_their_canaries_differ(void)
{
    struct elf_loaded loaded = { .entry = { 0 } };
    uint64_t last_stack = 0;
    for (uint64_t seed = 1; seed < 5; seed++) {
        vaddr_t stack;
        begin(seed);
        assert(elf_build_stack(space, &loaded, 8 * PAGE_SIZE, NULL, NULL, &stack) == NULL);
        assert(word_at(stack.value) == 0 && stack.value != last_stack);
        last_stack = stack.value;
        end();
    }
}

static void test_arguments_that_do_not_fit_are_refused(void)
{
    static char long_text[ELF_STACK_TEXT_MAX + 1];
    const char *too_long[] = { long_text, NULL };
    const char *too_many[ELF_MAX_ARGUMENTS + 2] = { NULL };
    struct elf_loaded loaded = { .entry = { 0 } };
    vaddr_t stack;
    begin(7);
    memset(long_text, 'x', ELF_STACK_TEXT_MAX);
    for (unsigned i = 0; i <= ELF_MAX_ARGUMENTS; i++) {
        too_many[i] = "x";
    }

    assert(elf_build_stack(space, &loaded, 8 * PAGE_SIZE, too_long, NULL, &stack) != NULL);
    assert(elf_build_stack(space, &loaded, 8 * PAGE_SIZE, NULL, too_many, &stack) != NULL);
    too_many[ELF_MAX_ARGUMENTS] = NULL;
    assert(elf_build_stack(space, &loaded, 8 * PAGE_SIZE, too_many, too_many, &stack) == NULL);
    end();
}

int main(void)
{
    test_a_fixed_image_lies_where_it_says_with_its_rights();
    test_a_position_independent_image_lies_at_a_random_page();
    test_each_wrong_number_is_named();
    test_an_image_without_enough_memory_is_refused();
    test_mutated_files_are_refused_or_loaded_within_bounds();
    test_the_first_stack_is_as_the_abi_says();
    test_stacks_and_their_canaries_differ();
    test_arguments_that_do_not_fit_are_refused();
    return 0;
}
