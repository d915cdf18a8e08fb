/* SHA-256 of OpenSSL's libcrypto, which uses the processor's instructions for it. */
#include <openssl/evp.h>

/* A new running hash, or NULL if memory or the algorithm is missing. */
static inline EVP_MD_CTX *silt_sha256_begin(void) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return context;
}

/* Adds bytes; says whether that went well. */
static inline int silt_sha256_add(EVP_MD_CTX *context, const void *bytes, size_t count) {
    return EVP_DigestUpdate(context, bytes, count) == 1;
}

/* Writes the 32 bytes of the hash; the context can only be freed after that. */
static inline int silt_sha256_finish(EVP_MD_CTX *context, unsigned char *hash) {
    return EVP_DigestFinal_ex(context, hash, NULL) == 1;
}
