internal import DeltaKernels
internal import DeltaPruning
internal import Transformers

/// A tensor as a function of the rescale factors of its delta, in binary32, not rounded to the tensor's type.
///
/// It is base + kept / q of a pruned delta, and base + the sum of component k / q_k of a low-rank one.
struct ScaledDelta: Sendable {
    /// What the factors divide.
    private enum Scaled: Sendable {
        /// Kept values, and the part of them that each factor divides.
        case kept(SparseValues, parts: [Range<Int>])
        /// A factor for each component.
        case product(ComponentProduct)
    }

    let name: String
    /// The tensor without what the factors divide.
    private let base: FloatTensor
    private let scaled: Scaled

    /// A pruned delta.
    ///
    /// - Parameters:
    ///   - kept: dense and not divided, the first `kept.count` elements of the tensor.
    ///   - rows: rows that have a factor each; nil: all have one.
    init(name: String, base: FloatTensor, kept: [Float], rows: Int?) {
        (self.name, self.base) = (name, base)
        let values = SparseValues(kept)
        if let rows, rows > 0 {
            scaled = .kept(values, parts: values.parts(rows: rows, columns: kept.count / rows))
        } else {
            scaled = .kept(values, parts: [0..<values.count])
        }
    }

    /// A low-rank delta, of the first elements of the tensor.
    init(name: String, base: FloatTensor, product: ComponentProduct) {
        (self.name, self.base, scaled) = (name, base, .product(product))
    }

    /// Number of factors.
    var factors: Int {
        switch scaled {
        case .kept(_, let parts): parts.count
        case .product(let product): product.rank
        }
    }

    /// The tensor with these factors.
    func tensor(_ factors: [Double]) -> FloatTensor {
        unsafe FloatTensor(shape: base.shape) { target in
            unsafe target.update(from: base.start, count: base.count)
            switch scaled {
            case .kept(let kept, let parts):
                for (part, factor) in zip(parts, factors) {
                    unsafe kept.add(part, dividedBy: Float(factor), to: target)
                }
            case .product(let product): unsafe product.add(dividedBy: factors, to: target)
            }
        }
    }

    /// The slopes of a loss with respect to the factors, from its gradient with respect to the tensor: -<gradient, part> / q^2.
    func slopes(_ gradient: GradientTable.Tensor, _ factors: [Double]) -> [Double] {
        let dots =
            switch scaled {
            case .kept(let kept, let parts): parts.map { unsafe kept.dot($0, gradient.start) }
            case .product(let product): unsafe product.dots(gradient.start)
            }
        return zip(dots, factors).map { -$0 / ($1 * $1) }
    }
}
