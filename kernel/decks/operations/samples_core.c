/* samples_core.c - see samples_core.h. */
#include "kernel/decks/operations/samples_core.h"

enum kerr samples_view(struct samples *samples, uint32_t format, const uint8_t *bytes,
                       size_t length)
{
    static const size_t size_bytes[] = {
        [SAMPLES_I16] = sizeof(int16_t),
        [SAMPLES_F32] = sizeof(float),
        [SAMPLES_F64] = sizeof(double),
    };

    if (format > SAMPLES_F64) {
        return KERR_BAD_PARAMETER;
    }
    if (length == 0 || length % size_bytes[format] != 0) {
        return KERR_BAD_SAMPLES;
    }
    *samples = (struct samples){ .bytes = bytes,
                                 .count = length / size_bytes[format],
                                 .format = (enum samples_format)format };
    return KERR_OK;
}
