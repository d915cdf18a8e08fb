/// A tensor of a model, with the name that it has in the checkpoint.
struct Parameter: Sendable {
    let name: String
    let tensor: FloatTensor

    /// Number of values.
    var count: Int { tensor.count }
    /// Where the values begin, in C order.
    var start: UnsafePointer<Float> { unsafe tensor.start }
}
