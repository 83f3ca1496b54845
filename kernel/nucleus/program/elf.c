/* elf.c - check and map a static ELF file (System V ABI, x86-64 supplement). */
#include "kernel/nucleus/program/elf.h"

#include "kernel/lib/string.h"

#define EM_X86_64    62
#define ET_EXEC      2
#define ET_DYN       3
#define PT_LOAD      1
#define PT_INTERP    3
#define PT_GNU_STACK 0x6474e551u
#define PF_X         1u
#define PF_W         2u
#define MAX_HEADERS  64
#define MAX_IMAGE    (1ull << 30)

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_bytes, program_header_bytes, program_header_count;
    uint16_t section_header_bytes, section_header_count, section_names;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF64");

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};
_Static_assert(sizeof(struct program_header) == 56, "ELF64");

static uint64_t page_down(uint64_t value)
{
    return value & ~(uint64_t)(PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t value)
{
    return page_down(value + PAGE_SIZE - 1);
}

static const char *check_header(const struct elf_header *header, uint64_t bytes)
{
    static const uint8_t ident[7] = {
        0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little endian */, 1
    };

    if (memcmp(header->ident, ident, sizeof(ident)) != 0) {
        return "it is not a 64-bit little-endian ELF file";
    }
    if (header->machine != EM_X86_64 || (header->type != ET_EXEC && header->type != ET_DYN)) {
        return "it is not an executable for x86-64";
    }
    if (header->program_header_bytes != sizeof(struct program_header) ||
        header->program_header_count == 0 || header->program_header_count > MAX_HEADERS) {
        return "it has no, too many or odd program headers";
    }
    uint64_t table = (uint64_t)header->program_header_count * sizeof(struct program_header);
    if (header->program_headers > bytes || table > bytes - header->program_headers) {
        return "its program headers lie outside the file";
    }
    return NULL;
}

static const char *add_segment(struct elf_image *image, const struct program_header *header)
{
    uint64_t limit = image->position_independent ? MAX_IMAGE : SPACE_FIXED_END;

    if (header->memory_bytes == 0) {
        return NULL;
    }
    if (header->file_bytes > header->memory_bytes || header->offset > image->file_bytes ||
        header->file_bytes > image->file_bytes - header->offset) {
        return "a segment's contents lie outside the file";
    }
    if (header->address >= limit || header->memory_bytes > limit - header->address) {
        return "a segment's address is out of range";
    }
    if ((header->flags & PF_W) != 0 && (header->flags & PF_X) != 0) {
        return "a segment is both writable and executable";
    }
    if (image->segment_count == ELF_MAX_SEGMENTS) {
        return "it has too many segments";
    }
    if (image->segment_count > 0 && page_down(header->address) < image->high) {
        return "its segments are not in order, or share a page";
    }
    if (image->segment_count == 0) {
        image->low = page_down(header->address);
    }
    image->high = page_up(header->address + header->memory_bytes);
    image->segment[image->segment_count++] = (struct elf_segment){
        .file_offset = header->offset,
        .file_bytes = header->file_bytes,
        .address = header->address,
        .memory_bytes = header->memory_bytes,
        .rights = PORT_READ | ((header->flags & PF_W) != 0 ? PORT_WRITE : 0u) |
                  ((header->flags & PF_X) != 0 ? PORT_EXEC : 0u),
    };
    return NULL;
}

static const char *add_header(struct elf_image *image, const struct program_header *header)
{
    switch (header->type) {
    case PT_LOAD:
        return add_segment(image, header);
    case PT_INTERP:
        return "it is dynamically linked: link it with -static or -static-pie";
    case PT_GNU_STACK:
        return (header->flags & PF_X) != 0 ? "it wants an executable stack" : NULL;
    default:
        return NULL;
    }
}

/* Where the program headers lie in memory: in the segment that carries their part of the file. */
static uint64_t find_headers(const struct elf_image *image, const struct elf_header *header)
{
    uint64_t offset = header->program_headers;
    uint64_t bytes = (uint64_t)header->program_header_count * sizeof(struct program_header);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segment[i];
        if (offset >= segment->file_offset && bytes <= segment->file_bytes &&
            offset - segment->file_offset <= segment->file_bytes - bytes) {
            return segment->address + (offset - segment->file_offset);
        }
    }
    return 0;
}

static bool entry_is_executable(const struct elf_image *image)
{
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segment[i];
        if ((segment->rights & PORT_EXEC) != 0 && image->entry >= segment->address &&
            image->entry - segment->address < segment->memory_bytes) {
            return true;
        }
    }
    return false;
}

const char *elf_check(const void *file, uint64_t bytes, struct elf_image *image)
{
    struct elf_header header;

    if (bytes < sizeof(header)) {
        return "it is shorter than an ELF header";
    }
    memcpy(&header, file, sizeof(header));
    const char *wrong = check_header(&header, bytes);
    if (wrong != NULL) {
        return wrong;
    }
    *image = (struct elf_image){
        .file = file,
        .file_bytes = bytes,
        .position_independent = header.type == ET_DYN,
        .entry = header.entry,
        .header_count = header.program_header_count,
    };
    for (uint32_t i = 0; i < header.program_header_count; i++) {
        struct program_header program_header;
        memcpy(&program_header, image->file + header.program_headers + i * sizeof(program_header),
               sizeof(program_header));
        wrong = add_header(image, &program_header);
        if (wrong != NULL) {
            return wrong;
        }
    }
    if (!image->position_independent && image->segment_count > 0 &&
        image->low < SPACE_FIXED_BEGIN) {
        return "a segment's address is out of range";
    }
    if (!entry_is_executable(image)) {
        return "its entry point does not lie in executable memory";
    }
    image->headers_address = find_headers(image, &header);
    return NULL;
}

/* What is added to the file's addresses: 0, or what brings it to a random page. */
static uint64_t choose_bias(const struct elf_image *image)
{
    if (!image->position_independent) {
        return 0;
    }
    uint64_t pages = (SPACE_PIE_END - SPACE_PIE_BEGIN - (image->high - image->low)) / PAGE_SIZE;
    return SPACE_PIE_BEGIN + port_random_u64() % pages * PAGE_SIZE - image->low;
}

const char *elf_map(const struct elf_image *image, struct space *space, struct elf_loaded *loaded)
{
    uint64_t bias = choose_bias(image);

    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segment[i];
        uint64_t begin = page_down(segment->address);
        uint64_t end = page_up(segment->address + segment->memory_bytes);
        enum kerr status =
            space_map_at(space, REGION_IMAGE, vaddr(begin + bias), end - begin, segment->rights);
        if (status != KERR_OK) {
            return status == KERR_NO_MEMORY ? "there is not enough memory for it"
                                            : "a segment's place is taken";
        }
        space_fill(space, vaddr(segment->address + bias), image->file + segment->file_offset,
                   segment->file_bytes);
    }
    *loaded = (struct elf_loaded){
        .entry = vaddr(image->entry + bias),
        .headers = vaddr(image->headers_address == 0 ? 0 : image->headers_address + bias),
        .header_count = image->header_count,
        .bias = bias,
    };
    return NULL;
}
