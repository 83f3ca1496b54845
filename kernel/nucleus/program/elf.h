/*
 * elf.h - load a static ELF file (x86-64, ET_EXEC or static-pie) into a space, and build its first stack.
 *
 * The file may say anything: every number is checked before it is used, in elf_check(), which touches no space.
 * Relocations are the program's own business (static-pie start files do them), and so is thread-local storage.
 */
#pragma once

#include "kernel/nucleus/mem/space.h"

#define ELF_MAX_SEGMENTS 8

struct elf_segment {
    uint64_t file_offset, file_bytes;
    uint64_t address, memory_bytes; /* before the load bias */
    unsigned rights;                /* enum port_prot */
};

/* What a checked file asks for. */
struct elf_image {
    const uint8_t *file;
    uint64_t file_bytes;
    bool position_independent;
    uint64_t entry;           /* before the load bias */
    uint64_t headers_address; /* where the program headers lie in memory, 0: nowhere */
    uint16_t header_count;
    uint64_t low, high; /* all segments lie in [low, high), whole pages */
    uint32_t segment_count;
    struct elf_segment segment[ELF_MAX_SEGMENTS];
};

struct elf_loaded {
    vaddr_t entry;
    vaddr_t headers; /* AT_PHDR */
    uint16_t header_count;
    uint64_t bias; /* what was added to the file's addresses: the symbolizer needs it */
};

/* Check a file. NULL: it can be loaded as *image says; else a sentence that says what is wrong with it. */
const char *elf_check(const void *file, uint64_t bytes, struct elf_image *image);
/* Map a checked file. NULL, or a sentence; what was mapped before that stays in the space. */
const char *elf_map(const struct elf_image *image, struct space *space, struct elf_loaded *loaded);

#define ELF_MAX_ARGUMENTS  16
#define ELF_STACK_TEXT_MAX 1024

/*
 * Map a stack of `bytes` and write argc, argv, envp and the auxiliary vector as the System V ABI says. `arguments` and
 * `environment` end in NULL and may be NULL; arguments[0] is also AT_EXECFN. *stack: what rsp is at the entry.
 * NULL, or a sentence.
 */
const char *elf_build_stack(struct space *space, const struct elf_loaded *loaded, uint64_t bytes,
                            const char *const *arguments, const char *const *environment,
                            vaddr_t *stack);
