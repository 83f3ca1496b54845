/*
 * sha256_instead.c - libsodium's SHA-256 of a whole buffer, computed by another file's sha256_c(): linked with -Wl,--wrap=crypto_hash_sha256 into
 * the image that is compared with another system (SHA256= in tools/make/image.mk), so that both compute with the same code.
 */
#include <stddef.h>
#include <stdint.h>

void sha256_c(const uint8_t *data, size_t bytes, uint8_t digest[32]);
int __wrap_crypto_hash_sha256(unsigned char *digest, const unsigned char *data,
                              unsigned long long bytes);

int __wrap_crypto_hash_sha256(unsigned char *digest, const unsigned char *data,
                              unsigned long long bytes)
{
    sha256_c(data, bytes, digest);
    return 0;
}
