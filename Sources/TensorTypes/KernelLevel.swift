internal import CSiltKernels

/// Which form of the kernels runs.
///
/// All give the same bits; tests force each. A kernel that has no form for a level takes the next lower one.
package struct KernelLevel: Sendable, Hashable {
    /// The level as the kernels take it (`SILT_LEVEL_...`).
    package let rawValue: Int32

    /// The form without vector instructions of its own.
    package static let scalar = KernelLevel(rawValue: Int32(SILT_LEVEL_SCALAR))
    /// AVX2, FMA and F16C.
    package static let avx2 = KernelLevel(rawValue: Int32(SILT_LEVEL_AVX2))
    /// AVX-512 (F, BW, DQ, VL) and BMI2.
    package static let avx512 = KernelLevel(rawValue: Int32(SILT_LEVEL_AVX512))
    /// The fastest that this processor has.
    package static let best = KernelLevel(rawValue: silt_best_level())
    /// All that this processor has.
    package static let available = [scalar, avx2, avx512].filter { $0.rawValue <= best.rawValue }
}
