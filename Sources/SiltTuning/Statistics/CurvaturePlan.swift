internal import DeltaPruning
internal import TensorTypes
internal import Transformers

/// Of which tensors what is summed up for curvature.
struct CurvaturePlan: Sendable {
    /// A table of embeddings, V x H: its rows are looked up, or it is the last layer too.
    struct Table: Sendable {
        let name: String
        let rows: Int
        let columns: Int
    }

    let layers: [LinearLayer]
    /// Layers whose weight is nothing else besides, by position.
    let plain: [Int]
    let tables: [Table]
    let vectors: [(name: String, count: Int)]
    /// Sides up to this long have a Gram matrix.
    let gramLimit: Int
    /// Values of the gradients of tables and vectors.
    let gradientValues: Int
    /// Bytes of the sums.
    let bytes: Int

    init(
        _ model: TransformerModel, _ weights: WeightTable, gramLimit: Int, memoryLimit: Int, tableLimit: Int
    ) throws(SiltError) {
        layers = model.linears
        let names = Dictionary(grouping: layers.indices, by: { model.linears[$0].weight })
        var tables: [Table] = []
        var vectors: [(name: String, count: Int)] = []
        var values = 0
        for name in model.parameterNames {
            guard let shape = weights[name]?.shape else { continue }
            let count = shape.reduce(1, *)
            if shape.count == 1 {
                vectors.append((name, count))
                values += count
            } else if shape.count == 2, names[name] == nil || name == model.tiedTable, count <= tableLimit {
                tables.append(Table(name: name, rows: shape[0], columns: shape[1]))
                values += count
            }
        }
        let isTable = Set(tables.map(\.name))
        plain = layers.indices.filter { !isTable.contains(model.linears[$0].weight) }
        (self.tables, self.vectors, gradientValues) = (tables, vectors, values)
        let sides = plain.flatMap { [model.linears[$0].inputs, model.linears[$0].outputs] } + tables.map(\.columns)
        func bytes(_ limit: Int) -> Int {
            sides.reduce(0) { sum, side in
                let (total, isTooLarge) = sum.addingReportingOverflow(
                    InputStatistics.bytes(columns: side, gramLimit: limit))
                return isTooLarge ? .max : total
            }
        }
        var limit = gramLimit
        while limit > 0, bytes(limit) > memoryLimit { limit /= 2 }
        self.gramLimit = limit
        self.bytes = bytes(limit)
    }

    /// Tensors whose gradients are wanted as such.
    var gradients: Set<String> { Set(vectors.map(\.name) + tables.map(\.name)) }

    /// Tensors with a curvature.
    var matrices: [String] { plain.map { layers[$0].weight } + tables.map(\.name) }
}
