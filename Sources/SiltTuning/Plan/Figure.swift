internal import TensorTypes

/// Numbers in sentences.
package enum Figure {
    /// Four significant digits.
    package static func short(_ value: Double) -> String {
        "\(value.rounded(digits: 4))"
    }

    /// `part` in hundredths of `whole`, with one decimal.
    package static func percent(_ part: Double, of whole: Double) -> String {
        guard whole > 0, (100_000 * part / whole).isFinite else { return "?" }
        let tenths = (1_000 * part / whole).rounded() / 10
        return tenths == tenths.rounded() && abs(tenths) < 1e9 ? "\(Int(tenths))" : "\(tenths)"
    }
}
