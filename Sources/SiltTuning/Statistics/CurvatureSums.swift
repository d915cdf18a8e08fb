internal import DeltaPruning
internal import TensorTypes
internal import Transformers

/// Sums over batches from which curvature is made: of linear layers the Gram matrices of inputs and of gradients at the outputs, of
/// tables the energy of each row's gradient and the Gram matrix of these gradients, of vectors the energy of the gradient.
///
/// Batches are added in their order by one thread.
final class CurvatureSums: GradientObserver, @unchecked Sendable {
    private let plan: CurvaturePlan
    private var inputs: [InputStatistics]
    private var outputs: [InputStatistics]
    private var energies: [[Double]]
    private var directions: [InputStatistics]
    private var squares: [Double]
    /// Answers that the model gave.
    private var answers = 0

    /// Seed of the signs of `LogitRows.fisherRoot`.
    private static let seed: UInt64 = 0x5117

    /// Rows of a table that are added at once.
    private static let gathered = 256
    /// What is added to each row's share of a table, in even shares.
    private static let unseen = 0.1
    /// Errors in tables count less than the quadratic says: at equal divergence on two pairs, bytes were fewest with steps about
    /// three times as coarse as the layers'.
    private static let tableWeight = 1.0 / 9

    init(_ plan: CurvaturePlan) {
        self.plan = plan
        let limit = plan.gramLimit
        // Of layers that are tables too, no more than the smallest statistics.
        let isPlain = Set(plan.plain)
        inputs = plan.layers.indices.map {
            InputStatistics(columns: isPlain.contains($0) ? plan.layers[$0].inputs : 0, gramLimit: limit)
        }
        outputs = plan.layers.indices.map {
            InputStatistics(columns: isPlain.contains($0) ? plan.layers[$0].outputs : 0, gramLimit: limit)
        }
        energies = plan.tables.map { [Double](repeating: 0, count: $0.rows) }
        directions = plan.tables.map { InputStatistics(columns: $0.columns, gramLimit: limit) }
        squares = [Double](repeating: 0, count: plan.vectors.count)
    }

    func observe(
        layer: Int, input: UnsafePointer<Float>, inputs columns: Int, outputGradient: UnsafePointer<Float>,
        outputs width: Int, rows: Int
    ) {
        guard inputs[layer].columns == columns else { return }
        unsafe inputs[layer].add(input, rows: rows, columns: columns)
        unsafe outputs[layer].add(outputGradient, rows: rows, columns: width)
    }

    /// Runs a batch.
    func add(
        _ batch: TokenBatch, _ model: TransformerModel, _ workspace: BackwardWorkspace, _ gradients: GradientTable
    ) throws(SiltError) {
        gradients.clear()
        var rows = 0
        _ = try unsafe model.backward(batch, workspace, into: gradients, observer: self) { logits, gradient in
            rows = logits.rows
            let draw = LabelDraw(seed: CurvatureSums.seed, batch, isCausal: model.head.isCausal)
            unsafe logits.fisherRoot(draw, to: gradient)
            return 0
        }
        answers += rows
        for (index, table) in plan.tables.enumerated() {
            guard let gradient = gradients[table.name] else { continue }
            add(table, gradient, index)
        }
        for (index, vector) in plan.vectors.enumerated() {
            guard let gradient = gradients[vector.name] else { continue }
            unsafe squares[index] += CurvatureSums.energy(UnsafePointer(gradient.start), gradient.count)
        }
    }

    /// Adds a batch's gradient of a table.
    ///
    /// Rows that the batch did not take are 0, and most are of that kind: the others are gathered first.
    private func add(_ table: CurvaturePlan.Table, _ gradient: GradientTable.Tensor, _ index: Int) {
        let columns = table.columns
        var gathered = [Float](repeating: 0, count: CurvatureSums.gathered * columns)
        var count = 0
        for row in 0..<table.rows {
            let start = unsafe UnsafePointer(gradient.start + row * columns)
            let energy = unsafe CurvatureSums.energy(start, columns)
            if energy > 0 {
                energies[index][row] += energy
                for column in 0..<columns { unsafe gathered[count * columns + column] = start[column] }
                count += 1
            }
            guard count == CurvatureSums.gathered || (row == table.rows - 1 && count > 0) else { continue }
            unsafe directions[index].add(gathered, rows: count, columns: columns)
            count = 0
        }
    }

    /// Adds the sums over later batches.
    func add(_ other: CurvatureSums) {
        answers += other.answers
        for index in inputs.indices {
            inputs[index].add(other.inputs[index])
            outputs[index].add(other.outputs[index])
        }
        for index in energies.indices {
            for row in energies[index].indices { energies[index][row] += other.energies[index][row] }
            directions[index].add(other.directions[index])
        }
        for index in squares.indices { squares[index] += other.squares[index] }
    }

    var isFinite: Bool {
        (inputs + outputs + directions).allSatisfy(\.isFinite) && squares.allSatisfy(\.isFinite)
    }

    /// The mean squared gradient of the elements of all plain layers, for each answer.
    var meanWeight: Double {
        var (energy, elements) = (0.0, 0)
        for index in plan.plain {
            let (input, output) = (inputs[index], outputs[index])
            energy += input.meanSquares.reduce(0, +) * output.meanSquares.reduce(0, +) * share(output)
            elements += input.columns * output.columns
        }
        return energy / Double(max(elements, 1))
    }

    /// The mean squared gradient of each vector's elements.
    var vectorWeights: [String: Double] {
        var weights: [String: Double] = [:]
        for (vector, square) in zip(plan.vectors, squares) {
            weights[vector.name] = square / Double(max(answers, 1)) / Double(max(vector.count, 1))
        }
        return weights
    }

    /// What errors of this tensor cost; nil if nothing is known.
    func curvature(_ name: String, damping: (inputs: Double, gradients: Double)) -> Curvature? {
        if let index = plan.plain.first(where: { plan.layers[$0].weight == name }) {
            guard let columns = inputs[index].metric(damping: damping.inputs),
                let rows = outputs[index].metric(damping: damping.gradients, factor: share(outputs[index]))
            else { return nil }
            return plan.layers[index].isTransposed
                ? Curvature(rows: columns, columns: rows) : Curvature(rows: rows, columns: columns)
        }
        guard let index = plan.tables.firstIndex(where: { $0.name == name }) else { return nil }
        let sum = energies[index].reduce(0, +)
        guard sum > 0, sum.isFinite else { return nil }
        // For tokens that the data do not have.
        let floor = CurvatureSums.unseen / Double(plan.tables[index].rows)
        guard let rows = ErrorMetric(diagonal: energies[index].map { $0 / sum + floor }),
            let columns = directions[index].metric(
                damping: damping.gradients, factor: CurvatureSums.tableWeight * share(directions[index]))
        else { return nil }
        return Curvature(rows: rows, columns: columns)
    }

    /// Gradients for each answer.
    private func share(_ gradients: InputStatistics) -> Double { Double(gradients.count) / Double(max(answers, 1)) }

    private static func energy(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
        var sum = 0.0
        for index in 0..<count { sum += unsafe Double(values[index]) * Double(values[index]) }
        return sum
    }
}
