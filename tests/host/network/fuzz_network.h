/* fuzz_network.h - the parts of fuzz_network.c: bytes of the input, frames made of them, work made of them. */
#pragma once

#include <string.h>

#include "tests/host/network/network_world.h"

/* What is left of an input. */
struct input {
    const uint8_t *next;
    size_t left;
};

/* The next bytes, at most so many; zeroes behind the end. Returns how many there were. */
size_t take(struct input *input, uint8_t *to, size_t most);
uint32_t take_number(struct input *input, unsigned bytes);

/* fuzz_frames.c: the peer knows nothing yet. */
void frames_begin(void);
void put_raw(struct input *input);
void put_segment(struct input *input);
void put_datagram(struct input *input);
void put_icmp6(struct input *input);
void put_arp(struct input *input);

/* fuzz_work.c: operations, as a workflow would start them. */
void start_work(struct input *input);

/* fuzz_deck.c: requests are answered in ways drawn from the request's argument. */
void serve_anything(struct deck_request *request);
