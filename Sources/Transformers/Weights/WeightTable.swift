internal import TensorTypes

/// The weights of a model by tensor name.
///
/// A value: a candidate is a copy in which some tensors are others. The tensors themselves are shared.
package struct WeightTable: Sendable {
    private var tensors: [ByteName: FloatTensor] = [:]

    /// A table without tensors.
    package init() {}

    /// The tensor of this name; nil removes it.
    package subscript(name: String) -> FloatTensor? {
        get { tensors[ByteName(name)] }
        set { tensors[ByteName(name)] = newValue }
    }

    /// The names, sorted by their bytes.
    package var names: [String] {
        tensors.keys.map(\.string).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
