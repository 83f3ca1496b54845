/*
 * hardware_accelerator.h - puts work before the accelerator behind ivshmem and waits on fibres for its answers.
 */
#pragma once

#include "kernel/abi/accel.h"
#include "kernel/abi/errors.h"
#include "userland/libkwe/deck/deck.h"

/* Without the device, or with one that speaks something else, accelerator_run() says NO_DEVICE. */
void accelerator_start(const struct kwe_device_info *info);
/* Something may have come: on an interrupt. */
void accelerator_look(void);
/* As deck_idle(): until when the worker's heart need not be looked at. */
uint64_t accelerator_idle(void);

/* One request as the worker is to see it, and room for its output; out.length is set. */
struct accelerator_call {
    enum kwe_accel_op op;
    const void *params; /* a parameter struct of the op, at most KWE_ACCEL_PARAMS_BYTES */
    size_t params_bytes;
    struct deck_bytes in;
    struct deck_room out;
};
/*
 * On a fibre: have it computed. NO_DEVICE, TOO_LARGE (it can never fit the window), DEVICE_GONE, DEVICE_TIMEOUT, DEVICE_REFUSED (or the
 * answer cannot be), CANCELLED; OUTPUT_TOO_LARGE, with the length that it takes.
 */
enum kerr accelerator_run(struct deck_request *request, struct accelerator_call *call);
