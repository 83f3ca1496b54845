/* host.c - see host.h. A STOP has no payload, so that its frame is always the same bytes: the newest that came are held against them. */
#include "userland/programs/agent/host.h"

#include <string.h>

#include "kernel/abi/control.h"
#include "userland/libkwe/common/calls.h"
#include "userland/libkwe/common/crc32c.h"

static uint8_t newest[sizeof(struct kwe_control_frame)];

static struct kwe_control_frame stop_frame(void)
{
    struct kwe_control_frame frame = { .magic = KWE_CONTROL_MAGIC, .type = KWE_CONTROL_STOP };
    const size_t from = offsetof(struct kwe_control_frame, type);

    frame.crc32c = crc32c(0, (const uint8_t *)&frame + from,
                          offsetof(struct kwe_control_frame, crc32c) - from);
    return frame;
}

bool host_says_stop(uint64_t timeout_ns)
{
    const struct kwe_control_frame stop = stop_frame();
    uint8_t data[64];
    int64_t count = kwe_call_control_read(data, sizeof(data), timeout_ns);
    bool was_said = false;

    for (int64_t i = 0; i < count; i++) {
        memmove(newest, newest + 1, sizeof(newest) - 1);
        newest[sizeof(newest) - 1] = data[i];
        was_said = was_said || memcmp(newest, &stop, sizeof(stop)) == 0;
    }
    return was_said;
}
