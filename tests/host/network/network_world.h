/*
 * network_world.h - the Network deck on the host: its own code and lwIP, over a card, a clock and a deck library that are played here.
 *
 * One deck, for the whole life of the process; between two inputs world_rest() puts it back to where it began, and sees that nothing is left.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userland/libkwe/deck/deck.h"

#define WORLD_REQUESTS 32u

struct deck_request {
    bool is_busy, recalled;
    uint32_t workflow;
    struct fibre_event *waits_for;
    /* what it does */
    void (*run)(struct deck_request *request);
    uint64_t argument[2];
    uint8_t room[12288];
};

/* The test defines them: what the deck sends; what is started once; what is taken from the deck at the end of each input. */
void world_sent(const uint8_t *frame, size_t bytes);
void world_serve(void);
void world_drain(void);

/* The deck as it has just started: it has a card, and nothing has been asked of it. */
void world_boot(void);
/* The first time: start the deck and the stack, which takes its address by itself. */
void world_begin(void);
/* A frame comes; is_checked: its TCP or UDP sum was. */
void world_put(const uint8_t *frame, size_t bytes, bool is_checked);
/* Go on until nothing happens without time. */
void world_run(void);
void world_advance(uint64_t ms);
/* Let the deck do something on a fibre. */
void world_start(void (*run)(struct deck_request *request), uint64_t argument);
/* The same for a workflow of this number; others are 1. */
void world_start_as(uint32_t workflow, void (*run)(struct deck_request *request),
                    uint64_t argument);
void world_recall(unsigned index);
/* The allocation after so many others fails, once; 0: none does. */
void world_refuse(uint32_t allocation);
/* The card keeps the frames that it was given, until it does not any more, or time passes. */
void world_keep_frames(bool keep);
/* End all, and check that it was. */
void world_rest(void);
