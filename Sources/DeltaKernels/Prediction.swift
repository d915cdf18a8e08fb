internal import CSiltKernels
package import TensorTypes

/// The arithmetic of components (Formats/Silt.md, section 12.2).
package enum Prediction {
    /// The patterns of base plus sum; `dtype` is F32, F16 or BF16.
    ///
    /// `out` may be `base`; both are aligned to the dtype.
    package static func apply(
        _ dtype: DType, base: UnsafeRawPointer, sum: UnsafePointer<Float>, count: Int,
        into out: UnsafeMutableRawPointer, level: KernelLevel = .best
    ) {
        guard let type = FloatConversion.code(dtype) else {
            preconditionFailure("components are for F32, F16 and BF16")
        }
        unsafe silt_predict(level.rawValue, type, base, sum, count, out)
    }

    /// The same where the sum has `values`, in order, where a bit of `words` is set, and 0 elsewhere.
    ///
    /// - Parameters:
    ///   - words: `count` bits, and none set after them.
    ///   - kept: how many bits are set.
    package static func apply(
        _ dtype: DType, base: UnsafeRawPointer, words: UnsafePointer<UInt64>, values: UnsafePointer<Float>, kept: Int,
        count: Int, into out: UnsafeMutableRawPointer, level: KernelLevel = .best
    ) {
        guard let type = FloatConversion.code(dtype) else {
            preconditionFailure("components are for F32, F16 and BF16")
        }
        unsafe silt_predict_kept(level.rawValue, type, base, words, count, values, kept, out)
    }

    /// Rows of a low-rank product.
    ///
    /// - Parameters:
    ///   - left: L(0, i) of the first of the rows; L(k, i) is `k * leftStride` further on.
    ///   - right: H, `rank` rows of `columns`.
    ///   - scale: what every element is multiplied by; nil: nothing.
    ///   - out: `rows` rows of `columns`, which are overwritten.
    package static func lowRank(
        left: UnsafePointer<Float>, leftStride: Int, right: UnsafePointer<Float>, columns: Int, rank: Int, rows: Int,
        scale: Float?, into out: UnsafeMutablePointer<Float>, level: KernelLevel = .best
    ) {
        if let scale {
            unsafe withUnsafePointer(to: scale) {
                unsafe silt_low_rank(level.rawValue, left, leftStride, right, columns, rank, rows, $0, out)
            }
        } else {
            unsafe silt_low_rank(level.rawValue, left, leftStride, right, columns, rank, rows, nil, out)
        }
    }

    /// Puts the values, in order, where a bit is set among `count`, and +0 elsewhere.
    package static func scatter(
        _ words: UnsafePointer<UInt64>, count: Int, values: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>, level: KernelLevel = .best
    ) {
        unsafe silt_scatter(level.rawValue, words, count, values, out)
    }

    /// The inverse of `scatter`; returns how many values there are.
    @discardableResult
    package static func gather(
        _ words: UnsafePointer<UInt64>, count: Int, dense: UnsafePointer<Float>,
        into values: UnsafeMutablePointer<Float>, level: KernelLevel = .best
    ) -> Int {
        unsafe silt_gather(level.rawValue, words, count, dense, values)
    }

    /// Adds `count` terms to as many sums.
    package static func add(_ sum: UnsafeMutablePointer<Float>, _ terms: UnsafePointer<Float>, count: Int) {
        unsafe silt_add(sum, terms, count)
    }
}
