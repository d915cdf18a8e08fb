internal import DeltaKernels
internal import Transformers

/// A pruned tensor as a function of its rescale factors q: base + kept / q, in binary32, not rounded to the tensor's type.
struct ScaledDelta: Sendable {
    let name: String
    /// The tensor without what q divides.
    private let base: FloatTensor
    private let kept: SparseValues
    /// The part of the kept values that each factor divides.
    private let parts: [Range<Int>]

    /// - Parameters:
    ///   - kept: dense and not divided, the first `kept.count` elements of the tensor.
    ///   - rows: rows that have a factor each; nil: all have one.
    init(name: String, base: FloatTensor, kept: [Float], rows: Int?) {
        (self.name, self.base) = (name, base)
        self.kept = SparseValues(kept)
        if let rows, rows > 0 {
            parts = self.kept.parts(rows: rows, columns: kept.count / rows)
        } else {
            parts = [0..<self.kept.count]
        }
    }

    /// Number of factors.
    var factors: Int { parts.count }

    /// The tensor with these factors.
    func tensor(_ factors: [Double]) -> FloatTensor {
        unsafe FloatTensor(shape: base.shape) { target in
            unsafe target.update(from: base.start, count: base.count)
            for (part, factor) in zip(parts, factors) { unsafe kept.add(part, dividedBy: Float(factor), to: target) }
        }
    }

    /// The slopes of a loss with respect to the factors, from its gradient with respect to the tensor: -<gradient, kept> / q^2.
    func slopes(_ gradient: GradientTable.Tensor, _ factors: [Double]) -> [Double] {
        zip(parts, factors).map { part, factor in unsafe -kept.dot(part, gradient.start) / (factor * factor) }
    }
}
