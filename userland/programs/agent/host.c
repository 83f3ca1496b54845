/* host.c - see host.h. No frame has a payload, so that each is always the same bytes: the newest that came are held against them. */
#include "userland/programs/agent/host.h"

#include <string.h>

#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/common/crc32c.h"

static const enum kwe_control_type words[] = { KWE_CONTROL_STOP, KWE_CONTROL_MARK_BEGIN,
                                               KWE_CONTROL_MARK_END };
#define WORDS (sizeof(words) / sizeof(words[0]))

static uint8_t newest[sizeof(struct kwe_control_frame)];

static struct kwe_control_frame frame_of(enum kwe_control_type type)
{
    struct kwe_control_frame frame = { .magic = KWE_CONTROL_MAGIC, .type = (uint16_t)type };
    const size_t from = offsetof(struct kwe_control_frame, type);

    frame.crc32c = crc32c(0, (const uint8_t *)&frame + from,
                          offsetof(struct kwe_control_frame, crc32c) - from);
    return frame;
}

enum kwe_control_type host_says(uint64_t timeout_ns)
{
    uint8_t data[64];
    int64_t count = kwe_call_control_read(data, sizeof(data), timeout_ns);
    enum kwe_control_type said = 0;

    for (int64_t i = 0; i < count; i++) {
        memmove(newest, newest + 1, sizeof(newest) - 1);
        newest[sizeof(newest) - 1] = data[i];
        for (size_t word = 0; word < WORDS; word++) {
            const struct kwe_control_frame frame = frame_of(words[word]);
            said = memcmp(newest, &frame, sizeof(frame)) == 0 ? words[word] : said;
        }
    }
    return said;
}
