/// What a conversion wrote.
package struct ConversionReport: Sendable {
    /// Files written.
    package let files: Int
    /// Tensors written.
    package let tensors: Int
    /// Tensors whose form changed, or that an update changed.
    package let converted: Int
    /// Elements that were -0 and are 0 now.
    package let negativeZeros: Int

    init(files: Int, tensors: Int, converted: Int, negativeZeros: Int = 0) {
        (self.files, self.tensors) = (files, tensors)
        (self.converted, self.negativeZeros) = (converted, negativeZeros)
    }
}
