package import TensorTypes

extension ConversionReport {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "files": .integer(files), "tensors": .integer(tensors), "converted": .integer(converted),
            "negative_zeros": .integer(negativeZeros),
        ])
    }
}
