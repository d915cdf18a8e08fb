package import TensorTypes

/// Why a matrix has no singular value decomposition here.
package enum DecompositionError: Error, Sendable, Hashable {
    /// An element is an infinity or a NaN, or the squares overflow.
    case notFinite
    /// The matrix, or the workspace that LAPACK asks for, has more elements than LAPACK's 32-bit integers count.
    case tooLarge
    /// A band of the matrix could not be read; the error is that of whoever reads it.
    case unreadable(SiltError)
    /// LAPACK gave up, with this status.
    case didNotConverge(Int)
}
