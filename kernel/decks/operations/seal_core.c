/* seal_core.c - see seal_core.h. */
#include "kernel/decks/operations/seal_core.h"

#include <sodium.h>
#include <string.h>

_Static_assert(SEAL_KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "the cipher's");
_Static_assert(SEAL_NONCE_BYTES == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "the cipher's");
_Static_assert(SEAL_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "the cipher's");

bool seal_init(void)
{
    return sodium_init() >= 0;
}

enum kerr seal_data(const uint8_t *key, size_t key_bytes, const uint8_t *data, size_t bytes,
                    uint8_t *sealed, size_t capacity, size_t *length)
{
    unsigned long long ciphertext_bytes;

    if (key_bytes != SEAL_KEY_BYTES) {
        return KERR_BAD_KEY;
    }
    *length = bytes + SEAL_EXTRA_BYTES;
    if (capacity < SEAL_EXTRA_BYTES || capacity - SEAL_EXTRA_BYTES < bytes) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    randombytes_buf(sealed, SEAL_NONCE_BYTES);
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed + SEAL_NONCE_BYTES, &ciphertext_bytes, data,
                                              bytes, NULL, 0, NULL, sealed, key);
    *length = SEAL_NONCE_BYTES + (size_t)ciphertext_bytes;
    return KERR_OK;
}

enum kerr seal_open(const uint8_t *key, size_t key_bytes, const uint8_t *sealed, size_t bytes,
                    bool changing, uint8_t *data, size_t capacity, size_t *length)
{
    uint8_t nonce[SEAL_NONCE_BYTES];
    unsigned long long plain_bytes;

    if (key_bytes != SEAL_KEY_BYTES) {
        return KERR_BAD_KEY;
    }
    if (bytes < SEAL_EXTRA_BYTES) {
        return KERR_NOT_AUTHENTIC;
    }
    const uint8_t *ciphertext = sealed + SEAL_NONCE_BYTES;
    size_t ciphertext_bytes = bytes - SEAL_NONCE_BYTES;
    const size_t needed = changing ? ciphertext_bytes : bytes - SEAL_EXTRA_BYTES;
    if (capacity < needed) {
        *length = needed;
        return KERR_OUTPUT_TOO_LARGE;
    }
    memcpy(nonce, sealed, SEAL_NONCE_BYTES);
    if (changing) {
        memcpy(data, ciphertext, ciphertext_bytes);
        ciphertext = data;
    }
    if (crypto_aead_chacha20poly1305_ietf_decrypt(data, &plain_bytes, NULL, ciphertext,
                                                  ciphertext_bytes, NULL, 0, nonce, key) != 0) {
        return KERR_NOT_AUTHENTIC;
    }
    *length = (size_t)plain_bytes;
    return KERR_OK;
}
