internal import TensorTypes

/// Finds the tensors of a model and checks their shapes.
struct WeightReader {
    let table: WeightTable
    /// What stands before the names of the model's body: `bert.`, or nothing.
    let prefix: String

    /// Takes the first of `prefixes` with which the tensor `probe` is there.
    init(_ table: WeightTable, prefixes: [String], probe: String) throws(SiltError) {
        guard let prefix = prefixes.first(where: { table[$0 + probe] != nil }) else {
            throw SiltError(
                .noMatch, "the checkpoint has no tensor of this name, with or without the model type's prefix",
                tensor: (prefixes.first ?? "") + probe,
                advice: "does config.json belong to these weights? \(option: .evaluator) CMD runs any model")
        }
        self.table = table
        self.prefix = prefix
    }

    /// Whether the body has the tensor.
    func has(_ name: String) -> Bool { table[prefix + name] != nil }

    /// A tensor of the body.
    func body(_ name: String, _ shape: [Int]) throws(SiltError) -> Parameter { try whole(prefix + name, shape) }

    /// A tensor by its whole name.
    func whole(_ name: String, _ shape: [Int]) throws(SiltError) -> Parameter {
        guard let tensor = table[name] else {
            throw SiltError(
                .noMatch, "the model of config.json has this tensor, the checkpoint does not", tensor: name,
                advice: "does config.json belong to these weights?")
        }
        guard tensor.shape == shape else {
            throw SiltError(
                .noMatch, "config.json asks for the shape \(shape), the tensor has \(tensor.shape)", tensor: name,
                advice: "does config.json belong to these weights?")
        }
        return Parameter(name: name, tensor: tensor)
    }
}
