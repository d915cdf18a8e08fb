/*
 * SHA-256 of OpenSSL's libcrypto, which uses the processor's instructions for it.
 *
 * The functions of the algorithm itself, which OpenSSL 3 keeps but advises against: those of EVP can fail, read a configuration that the
 * environment names, and touch 2 MiB of libcrypto before the first byte is hashed.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

typedef SHA256_CTX silt_sha256;

static inline void silt_sha256_begin(silt_sha256 *hash) { SHA256_Init(hash); }

static inline void silt_sha256_add(silt_sha256 *hash, const void *bytes, size_t count) {
    SHA256_Update(hash, bytes, count);
}

/* Writes the 32 bytes of the hash; nothing can be added after that. */
static inline void silt_sha256_finish(silt_sha256 *hash, unsigned char *bytes) { SHA256_Final(bytes, hash); }
