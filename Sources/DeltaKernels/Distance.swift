internal import CSiltKernels
package import TensorTypes

/// How far a run of rebuilt elements is from the fine-tuned ones: the sums behind a receipt (Formats/Silt.md, section 12.7), over
/// the elements at which result, fine-tuned and base are finite.
package struct Distance: Sendable, Hashable {
    /// Sum of (result - fine-tuned)^2, of (fine-tuned - base)^2, of (result - base)^2, and of the products of the last two.
    package let error, delta, change, product: Double
    /// Largest |result - fine-tuned|.
    package let maximum: Double
    /// How many elements these are, and how many of them have other patterns than the fine-tuned's.
    package let elements, changed: Int
    /// Elements that are finite in the fine-tuned checkpoint and the base, and not in the result.
    package let lost: Int

    /// Measures `count` elements; all levels give the same bits.
    package init(
        result: UnsafePointer<Float>, fineTuned: UnsafePointer<Float>, base: UnsafePointer<Float>, count: Int,
        level: KernelLevel = .best
    ) {
        var sums = silt_distance()
        unsafe silt_distance_of(level.rawValue, result, fineTuned, base, count, &sums)
        (error, delta, change, product) = (sums.error, sums.delta, sums.change, sums.product)
        maximum = sums.maximum
        (elements, changed, lost) = (Int(sums.elements), Int(sums.changed), Int(sums.lost))
    }
}
