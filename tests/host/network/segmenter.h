/*
 * segmenter.h - what a card does with a frame that it was left to finish (virtio 1.2, 5.1.6.2): computes its sum, cuts it into segments.
 * Written from RFC 791, 8200 and 9293 alone, it knows nothing of how the Network deck has put the frame together.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "drivers/virtio_net/virtio_net.h"

#define SEGMENTER_BYTES 65549u /* of the longest frame */

/* Called with each frame that goes onto the wire, whole and with all its sums. */
typedef void (*segmenter_sink)(void *argument, const uint8_t *frame, size_t bytes);

/* Aborts where the card could not do it. */
void segmenter_cut(const struct virtio_net_frame *frame, segmenter_sink sink, void *argument);
/* The sum that belongs at start + offset: of all from start on, where the pseudo-header's lies there. */
void segmenter_finish_sum(uint8_t *frame, size_t bytes, size_t start, size_t offset);
