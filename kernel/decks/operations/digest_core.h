/*
 * digest_core.h - SHA-256 (FIPS 180-4) in parts: the state between two parts travels as bytes, by libsodium. Knows nothing of rings.
 *
 * The bytes have a layout of our own, not the library's, and are believed only as far as they can be checked: whoever forges them gets a
 * digest of nothing, and no more than that.
 *
 *    0  u32      magic
 *    4  u32      version
 *    8  u64      bytes seen
 *   16  u32[8]   the hash value after the last whole block
 *   48  u8[64]   what has been seen of the block after it, then zeros
 */
#pragma once

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/errors.h"

#define DIGEST_BYTES       32u
#define DIGEST_STATE_BYTES 112u

struct digest_state {
    crypto_hash_sha256_state hash;
};

/* Reads the bytes once: they may change meanwhile. None at all: the beginning.  BAD_STATE: digest_store() never wrote them. */
enum kerr digest_load(struct digest_state *state, const uint8_t *bytes, size_t length);
/* TOO_LARGE: more in all than FIPS 180-4 has a length for. */
enum kerr digest_update(struct digest_state *state, const uint8_t *data, size_t bytes);
/* Writes DIGEST_STATE_BYTES. */
void digest_store(const struct digest_state *state, uint8_t *bytes);
/* Bytes taken in so far. */
uint64_t digest_seen(const struct digest_state *state);
/* Writes DIGEST_BYTES; the state is used up. */
void digest_final(struct digest_state *state, uint8_t *digest);
