/* digest_core.c - see digest_core.h. */
#include "kernel/decks/operations/digest_core.h"

#include <stdbool.h>
#include <string.h>

#define MAGIC       0x32415348u /* "HSA2" */
#define VERSION     1u
#define BLOCK_BYTES 64u
/* The library counts bits in 64 of them. */
#define SEEN_MAX (UINT64_MAX / 8)

/* As the bytes lie. */
struct wire {
    uint32_t magic;
    uint32_t version;
    uint64_t seen;
    uint32_t value[8];
    uint8_t block[BLOCK_BYTES];
};
_Static_assert(sizeof(struct wire) == DIGEST_STATE_BYTES, "deck.yaml says so");
_Static_assert(DIGEST_BYTES == crypto_hash_sha256_BYTES, "FIPS 180-4");
/* The three fields that are all of the library's state, as its public header has them since 1.0.4. */
_Static_assert(sizeof(crypto_hash_sha256_state) == 104 &&
                   sizeof(((crypto_hash_sha256_state *)0)->state) == 32 &&
                   sizeof(((crypto_hash_sha256_state *)0)->buf) == BLOCK_BYTES,
               "libsodium keeps something else");

static size_t in_block(uint64_t seen)
{
    return (size_t)(seen % BLOCK_BYTES);
}

/* Before the first whole block the hash value is FIPS 180-4's own. */
static bool is_fresh(const uint32_t value[8])
{
    crypto_hash_sha256_state begin;

    crypto_hash_sha256_init(&begin);
    return memcmp(value, begin.state, sizeof(begin.state)) == 0;
}

static bool is_plausible(const struct wire *wire)
{
    static const uint8_t zeros[BLOCK_BYTES];
    const size_t filled = in_block(wire->seen);

    return wire->magic == MAGIC && wire->version == VERSION && wire->seen <= SEEN_MAX &&
           memcmp(wire->block + filled, zeros, BLOCK_BYTES - filled) == 0 &&
           (wire->seen >= BLOCK_BYTES || is_fresh(wire->value));
}

enum kerr digest_load(struct digest_state *state, const uint8_t *bytes, size_t length)
{
    struct wire wire;

    crypto_hash_sha256_init(&state->hash);
    if (length == 0) {
        return KERR_OK;
    }
    if (length != sizeof(wire)) {
        return KERR_BAD_STATE;
    }
    memcpy(&wire, bytes, sizeof(wire));
    if (!is_plausible(&wire)) {
        return KERR_BAD_STATE;
    }
    memcpy(state->hash.state, wire.value, sizeof(wire.value));
    memcpy(state->hash.buf, wire.block, sizeof(wire.block));
    state->hash.count = wire.seen * 8;
    return KERR_OK;
}

enum kerr digest_update(struct digest_state *state, const uint8_t *data, size_t bytes)
{
    if (bytes > SEEN_MAX - digest_seen(state)) {
        return KERR_TOO_LARGE;
    }
    crypto_hash_sha256_update(&state->hash, data, bytes);
    return KERR_OK;
}

void digest_store(const struct digest_state *state, uint8_t *bytes)
{
    struct wire wire = { .magic = MAGIC, .version = VERSION, .seen = digest_seen(state) };

    memcpy(wire.value, state->hash.state, sizeof(wire.value));
    /* The library leaves older bytes behind those that count. */
    memcpy(wire.block, state->hash.buf, in_block(wire.seen));
    memcpy(bytes, &wire, sizeof(wire));
}

uint64_t digest_seen(const struct digest_state *state)
{
    return state->hash.count / 8;
}

void digest_final(struct digest_state *state, uint8_t *digest)
{
    crypto_hash_sha256_final(&state->hash, digest);
}
