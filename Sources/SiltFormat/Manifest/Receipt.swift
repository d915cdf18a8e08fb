/// How far a result is from the fine-tuned checkpoint (Formats/Silt.md, section 12.7).
package struct Receipt: Sendable, Hashable {
    /// |result - fine-tuned| / |fine-tuned - base|.
    package var l2: Double
    /// The largest |result - fine-tuned|.
    package var max: Double
    /// Cosine of result - base and fine-tuned - base.
    package var cosine: Double
    /// Share of elements whose bits are not the fine-tuned's.
    package var changed: Double

    package init(l2: Double, max: Double, cosine: Double, changed: Double) {
        self.l2 = l2
        self.max = max
        self.cosine = cosine
        self.changed = changed
    }
}
