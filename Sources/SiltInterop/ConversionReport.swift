/// What a conversion wrote.
public struct ConversionReport: Sendable {
    /// Files written.
    public let files: Int
    /// Tensors written.
    public let tensors: Int
    /// Tensors whose form changed, or that an update changed.
    public let converted: Int
    /// Elements that were -0 and are 0 now.
    public let negativeZeros: Int

    init(files: Int, tensors: Int, converted: Int, negativeZeros: Int = 0) {
        (self.files, self.tensors) = (files, tensors)
        (self.converted, self.negativeZeros) = (converted, negativeZeros)
    }
}
