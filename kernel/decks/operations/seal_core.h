/* seal_core.h - ChaCha20-Poly1305 (RFC 8439) by libsodium: nonce (12 bytes), ciphertext, tag (16 bytes). Knows nothing of rings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"

#define SEAL_KEY_BYTES   32u
#define SEAL_NONCE_BYTES 12u
#define SEAL_TAG_BYTES   16u
#define SEAL_EXTRA_BYTES (SEAL_NONCE_BYTES + SEAL_TAG_BYTES)

/* Once, before all others. False: the library cannot work, for instance without random numbers. */
bool seal_init(void);

/*
 * With a fresh random nonce. A random one of 96 bits is safe for some 2^32 seals by one key.
 * KERR_BAD_KEY: not 32 bytes.  KERR_OUTPUT_TOO_LARGE: *length says what would fit.
 */
enum kerr seal_data(const uint8_t *key, size_t key_bytes, const uint8_t *data, size_t bytes,
                    uint8_t *sealed, size_t capacity, size_t *length);

/*
 * KERR_NOT_AUTHENTIC: changed, cut, or another key; nothing of the data is in the output then.  KERR_BAD_KEY.  KERR_OUTPUT_TOO_LARGE.
 * `changing`: someone else may write `sealed` meanwhile, so what was checked and what is deciphered must be one copy (in the output,
 * which must have room for the sealed bytes then).
 */
enum kerr seal_open(const uint8_t *key, size_t key_bytes, const uint8_t *sealed, size_t bytes,
                    bool changing, uint8_t *data, size_t capacity, size_t *length);
