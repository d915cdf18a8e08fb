internal import SiltEvaluation
internal import Workers
internal import DeltaPruning
internal import Synchronization
internal import TensorTypes
internal import Transformers

/// Finds rescale factors by descending the slopes of what the whole model answers: DAREx's gradient search.
///
/// Every step runs a few examples through the fine-tuned model and the candidate, and the candidate back. A fifth of the examples
/// takes no part in that: they say which factors are best, and when to stop.
struct GradientSearch {
    /// What the factors are to lessen.
    enum Objective: Sendable {
        /// The mean squared difference where the fine-tuned model's five largest logits are: as published.
        case largestLogits
        /// The mean Kullback-Leibler divergence from the fine-tuned model.
        case divergence
    }

    /// How fast, and for how long, factors descend.
    struct Course: Sendable {
        /// About how far a factor moves in a step at the beginning.
        let rate: Double
        let steps: Int

        /// As published.
        static let published = Course(rate: 0.01, steps: FactorDescent.publishedSteps)
        /// Of components, which begin at 1 and end between 0.7 and 1.1: twice the rate, and half the steps, for the same divergence.
        static let components = Course(rate: 0.02, steps: FactorDescent.publishedSteps / 2)
    }

    /// The largest rate, as a share of the factor at the start.
    ///
    /// At p = 0.99 the published rate is as much as q itself: one step doubles it, and no later one makes that good.
    private static let share = 0.1
    /// Examples of a step.
    private static let examples = 8
    /// Examples of a batch: fixed, so that the number of threads decides nothing.
    private static let batchExamples = 4
    /// Steps from one look at the held-out examples to the next, and looks without a gain that end the search.
    private static let (pause, patience) = (10, 5)
    /// Of so many examples, one is held out; fewer than twice as many serve for both.
    private static let heldOutShare = 5

    /// Factors by tensor, in the order of the deltas.
    struct Result {
        var factors: [[Double]]
        /// The loss of the held-out examples, as a share of that at the start.
        var remaining: Double
        /// Steps and looks.
        var evaluations: Int
    }

    private let deltas: [ScaledDelta]
    private let isShared: Bool
    private let objective: Objective
    private let configuration: ModelConfiguration
    private let teacher: TransformerModel
    /// The candidate's tensors that no factor is about, and any of the others.
    private let weights: WeightTable
    private let gradients: GradientPass
    private let pool: WorkerPool
    private let training: TokenData
    private let order: ExampleOrder
    private let held: [TokenBatch]
    private let heldAnswers: [[Float]]

    /// Prepares the search.
    ///
    /// - Parameters:
    ///   - isShared: whether all deltas have one factor together.
    ///   - seed: of the order of the examples.
    /// - Throws: `usage` if the data are not for the model, or memory does not suffice.
    init(
        _ deltas: [ScaledDelta], isShared: Bool, _ objective: Objective, _ configuration: ModelConfiguration,
        fineTuned: WeightTable, candidate: WeightTable, _ data: TokenData, seed: UInt64, _ pool: WorkerPool
    ) throws(SiltError) {
        (self.deltas, self.isShared, self.objective) = (deltas, isShared, objective)
        (self.configuration, self.pool) = (configuration, pool)
        weights = candidate
        teacher = try TransformerModel(configuration, fineTuned)
        gradients = try GradientPass(candidate, Set(deltas.map(\.name)), file: data.file, pool)
        let all = Array(0..<data.count)
        let share = GradientSearch.heldOutShare
        let isSplit = data.count >= 2 * share
        training = isSplit ? data.picked(all.filter { ($0 + 1) % share != 0 }) : data
        order = ExampleOrder(count: training.count, seed: seed)
        let rest = isSplit ? data.picked(all.filter { ($0 + 1) % share == 0 }) : data
        held = try rest.batches(tokens: 512, for: teacher)
        heldAnswers = try GradientSearch.answers(teacher, held, pool)
    }

    /// Searches from `start`, above `floor`, with a factor for each of the deltas', or one for all.
    ///
    /// The best factors on the held-out examples are returned, which are those at the start if nothing is better.
    func run(start: Double, floor: Double, _ course: Course) throws(SiltError) -> Result {
        let count = isShared ? 1 : deltas.reduce(0) { $0 + $1.factors }
        var descent = FactorDescent(
            start: [Double](repeating: start, count: count), floor: floor,
            rate: min(course.rate, GradientSearch.share * start), steps: course.steps)
        var best = (factors: [Double](repeating: start, count: count), loss: 0.0)
        let first = try heldOutLoss(best.factors)
        best.loss = first
        var (looks, idle, next) = (1, 0, Examples(order))
        while descent.count < course.steps, idle < GradientSearch.patience {
            descent.step(try slopes(descent.factors, next.take(min(GradientSearch.examples, training.count))))
            guard descent.count % GradientSearch.pause == 0 else { continue }
            let loss = try heldOutLoss(descent.factors)
            looks += 1
            idle += 1
            if loss < best.loss { (best, idle) = ((descent.factors, loss), 0) }
        }
        return Result(
            factors: split(best.factors), remaining: first > 0 ? best.loss / first : 1,
            evaluations: descent.count + looks)
    }

    /// Examples in the order of one epoch after the other.
    private struct Examples {
        private let order: ExampleOrder
        private var epoch = 0
        private var left: ArraySlice<Int> = []

        init(_ order: ExampleOrder) { self.order = order }

        mutating func take(_ count: Int) -> [Int] {
            if left.count < count {
                left = order.examples(epoch: epoch)[...]
                epoch += 1
            }
            defer { left = left.dropFirst(count) }
            return Array(left.prefix(count))
        }
    }

    /// The factors of each delta.
    private func split(_ factors: [Double]) -> [[Double]] {
        guard !isShared else { return deltas.map { Array(repeating: factors[0], count: $0.factors) } }
        var end = 0
        return deltas.map { delta in
            defer { end += delta.factors }
            return Array(factors[end..<end + delta.factors])
        }
    }

    /// The candidate with these factors.
    private func model(_ factors: [Double]) throws(SiltError) -> TransformerModel {
        let (deltas, own) = (deltas, split(factors))
        let tensors = try pool.map(
            count: deltas.count, makeWorker: {},
            work: { (_, index) throws(SiltError) in deltas[index].tensor(own[index]) })
        var table = weights
        for (delta, tensor) in zip(deltas, tensors) { table[delta.name] = tensor }
        return try TransformerModel(configuration, table)
    }

    /// The slopes of the mean loss of some examples.
    private func slopes(_ factors: [Double], _ examples: [Int]) throws(SiltError) -> [Double] {
        var batches: [TokenBatch] = []
        for first in stride(from: 0, to: examples.count, by: GradientSearch.batchExamples) {
            let some = examples[first..<min(first + GradientSearch.batchExamples, examples.count)]
            batches += try training.picked(Array(some)).batches(tokens: .max, for: teacher)
        }
        let answers = try GradientSearch.answers(teacher, batches, pool)
        let columns = teacher.head.columns
        let (objective, deltas, own) = (objective, deltas, split(factors))
        let rows = answers.reduce(0) { $0 + $1.count / columns }
        let scale = 1 / Float(rows * (objective == .largestLogits ? min(5, columns) : 1))
        let sums = Mutex(own.map { $0.map { _ in 0.0 } })
        _ = try unsafe gradients.run(
            try model(factors), batches,
            loss: { (index, logits, gradient) throws(SiltError) in
                try GradientSearch.withRows(answers[index], columns) { reference in
                    unsafe objective.loss(reference).measure(logits, scale: scale, to: gradient)
                }
            },
            reduce: { table in
                deltas.indices.map { index in
                    table[deltas[index].name].map { deltas[index].slopes($0, own[index]) } ?? []
                }
            },
            commit: { slopes in
                sums.withLock { sums in
                    for (index, part) in slopes.enumerated() {
                        for (place, slope) in part.enumerated() { sums[index][place] += slope }
                    }
                }
            })
        let slopes = sums.withLock { $0 }.flatMap { $0 }
        return isShared ? [slopes.reduce(0, +)] : slopes
    }

    /// The mean loss of the held-out examples.
    private func heldOutLoss(_ factors: [Double]) throws(SiltError) -> Double {
        let columns = teacher.head.columns
        let candidates = try GradientSearch.answers(try model(factors), held, pool)
        var mean = Mean()
        for (reference, candidate) in zip(heldAnswers, candidates) {
            mean += try GradientSearch.withRows(reference, columns) { reference throws(SiltError) in
                try GradientSearch.withRows(candidate, columns) { objective.measure(reference, $0) }
            }
        }
        return mean.value
    }

    /// The logits of every batch.
    private static func answers(
        _ model: TransformerModel, _ batches: [TokenBatch], _ pool: WorkerPool
    ) throws(SiltError) -> [[Float]] {
        try pool.map(
            count: batches.count, makeWorker: { ForwardWorkspace() },
            work: { (workspace, index) throws(SiltError) in
                model.forward(batches[index], workspace)
                return workspace.logits.values
            })
    }

    private static func withRows<Output>(
        _ logits: [Float], _ columns: Int, _ body: (LogitRows) throws(SiltError) -> Output
    ) throws(SiltError) -> Output {
        try unsafe logits.withUnsafeBufferPointer { (buffer) throws(SiltError) -> Output in
            guard let start = buffer.baseAddress else { preconditionFailure("every batch has a row") }
            return try body(unsafe LogitRows(start, rows: logits.count / columns, columns: columns))
        }
    }
}

extension GradientSearch.Objective {
    fileprivate func loss(_ reference: LogitRows) -> Loss {
        switch self {
        case .largestLogits: .largestLogits(reference)
        case .divergence: .divergence(reference)
        }
    }

    fileprivate func measure(_ reference: LogitRows, _ candidate: LogitRows) -> Mean {
        switch self {
        case .largestLogits: reference.squaredDifference(candidate, atLargest: 5)
        case .divergence where reference.columns == 1: reference.squaredDifference(candidate)
        case .divergence: reference.divergence(candidate)
        }
    }
}
