/* CBLAS from OpenBLAS, and the few LAPACK routines that Silt calls, which OpenBLAS brings along without a C header. */
#include <cblas.h>
#include <stddef.h>

/* OpenBLAS starts a thread for each other processor when it is loaded, and these look for work for some 25 ms before they sleep.
 * Ends them; nothing starts them again while one thread a call is set. Builds without threads of their own have no such call. */
extern void blas_thread_shutdown_(void) __attribute__((weak));
static inline void openblas_end_threads(void) {
    if (blas_thread_shutdown_) blas_thread_shutdown_();
}

/* Thin singular value decomposition, divide and conquer. The last argument is the hidden length of `jobz`. */
void sgesdd_(const char *jobz, const int *m, const int *n, float *a, const int *lda, float *s, float *u, const int *ldu,
             float *vt, const int *ldvt, float *work, const int *lwork, int *iwork, int *info, size_t jobz_length);
/* QR factorisation, and its orthogonal factor. */
void sgeqrf_(const int *m, const int *n, float *a, const int *lda, float *tau, float *work, const int *lwork, int *info);
void sorgqr_(const int *m, const int *n, const int *k, float *a, const int *lda, const float *tau, float *work,
             const int *lwork, int *info);
/* Cholesky factorisation of a symmetric positive definite matrix. */
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t uplo_length);
/* Eigenvalues, ascending, and eigenvectors of a symmetric matrix, divide and conquer. */
void ssyevd_(const char *jobz, const char *uplo, const int *n, float *a, const int *lda, float *w, float *work,
             const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length, size_t uplo_length);
