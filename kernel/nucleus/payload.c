/* payload.c - find decks and programs in the archive that came with the kernel. */
#include "kernel/nucleus/payload.h"

#include "kernel/lib/string.h"

#define NAME_MAX_BYTES 48

struct archive_header {
    char magic[8];
    uint32_t count;
    uint32_t reserved;
};
_Static_assert(sizeof(struct archive_header) == 16, "tools/kwe/kpak.py writes it");

struct archive_entry {
    char name[NAME_MAX_BYTES]; /* NUL-padded */
    uint64_t offset, bytes;    /* from the archive's first byte */
};
_Static_assert(sizeof(struct archive_entry) == 64, "tools/kwe/kpak.py writes it");

bool payload_open(struct payload *payload, const void *archive, uint64_t bytes)
{
    static const char magic[8] = "KWEPAK1";
    struct archive_header header;

    *payload = (struct payload){ .archive = NULL };
    if (bytes < sizeof(header)) {
        return false;
    }
    memcpy(&header, archive, sizeof(header));
    if (memcmp(header.magic, magic, sizeof(magic)) != 0 ||
        header.count > (bytes - sizeof(header)) / sizeof(struct archive_entry)) {
        return false;
    }
    *payload = (struct payload){ .archive = archive, .bytes = bytes, .count = header.count };
    return true;
}

/* Write "kind/name", NUL-padded as in the archive. False: too long. */
static bool full_name(char out[NAME_MAX_BYTES], const char *kind, const char *name)
{
    size_t kind_length = strlen(kind);
    size_t name_length = strlen(name);
    if (kind_length >= NAME_MAX_BYTES || name_length >= NAME_MAX_BYTES - kind_length - 1) {
        return false;
    }
    memset(out, 0, NAME_MAX_BYTES);
    memcpy(out, kind, kind_length);
    out[kind_length] = '/';
    memcpy(out + kind_length + 1, name, name_length);
    return true;
}

bool payload_find(const struct payload *payload, const char *kind, const char *name,
                  const void **part, uint64_t *bytes)
{
    char wanted[NAME_MAX_BYTES];
    if (!full_name(wanted, kind, name)) {
        return false;
    }
    for (uint32_t i = 0; i < payload->count; i++) {
        struct archive_entry entry;
        memcpy(&entry, payload->archive + sizeof(struct archive_header) + i * sizeof(entry),
               sizeof(entry));
        if (memcmp(entry.name, wanted, NAME_MAX_BYTES) != 0) {
            continue;
        }
        if (entry.offset > payload->bytes || entry.bytes > payload->bytes - entry.offset) {
            return false;
        }
        *part = payload->archive + entry.offset;
        *bytes = entry.bytes;
        return true;
    }
    return false;
}
