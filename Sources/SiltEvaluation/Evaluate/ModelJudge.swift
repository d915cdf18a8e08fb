package import Workers
internal import Synchronization
package import TensorTypes
package import Transformers

/// Runs models on one data set: how well they do the task, and how near their answers are to a reference model's.
///
/// Batches run at once on the pool's threads; sums are added in the order of the batches, so that the number of threads does
/// not matter.
package final class ModelJudge: Sendable {
    /// Tokens of a batch: enough for the products, few enough for the caches.
    private static let batchTokens = 1_024
    /// Bytes that the answers of a reference may take.
    private static let referenceLimit = 4 << 30

    package let configuration: ModelConfiguration
    package let data: TokenData
    private let batches: [TokenBatch]
    private let head: ModelHead
    /// Whether tokens see those before them only.
    package let isDecoder: Bool
    private let pool: WorkerPool
    private let reference = Mutex<[Answers]>([])

    /// What is kept of a run besides its metrics.
    private enum Keeping {
        case nothing
        /// What `examine` gives: not the logits of causal models, which are many times their losses.
        case results
        /// All that later models are compared with.
        case answers
    }

    /// What a model answers to a batch.
    private struct Answers: Sendable {
        let logits: [Float]
        let hidden: [Float]
    }

    /// What a batch adds to the verdict.
    private struct Part: Sendable {
        var predictions: [Int] = []
        var values: [Float] = []
        var loss = Mean()
        var top1 = Mean()
        var divergence = Mean()
        var change = Mean()
        /// What the reference expects changed answers to cost, summed, and its squares.
        var regret = (sum: 0.0, squares: 0.0)
        var answers: Answers?
        var losses: [(example: Int, position: Int, loss: Float)] = []
    }

    /// Prepares `data` for models of this configuration.
    ///
    /// - Parameter weights: of any of them: shapes are checked against it.
    /// - Throws: `usage` if the data are not for the model, or the model has no head.
    package init(
        _ configuration: ModelConfiguration, _ weights: WeightTable, _ data: TokenData, _ pool: WorkerPool
    ) throws(SiltError) {
        let model = try TransformerModel(configuration, weights)
        guard model.head != .none else {
            throw SiltError(
                .usage, "the model has no head, so it has no outputs to judge", file: configuration.file,
                advice: "give the fine-tuned model, or measure with \(option: .evaluator) CMD")
        }
        self.configuration = configuration
        self.data = data
        self.pool = pool
        head = model.head
        isDecoder = model.isDecoder
        batches = try data.batches(tokens: ModelJudge.batchTokens, for: model)
        let longest = batches.map(\.tokens).max() ?? 0
        try ModelMemory.check(
            values: longest * (head.isCausal ? head.columns : 1), "the logits of \(longest) tokens", file: data.file,
            advice: "make the examples shorter")
    }

    /// Examples of the data set.
    package var examples: Int { data.count }

    private var isClassifier: Bool { if case .classifier = head { true } else { false } }

    /// Whether the data say what the answers ought to be.
    package var hasLabels: Bool { head.isCausal || data.labels != nil }

    /// The metric by which models are judged; nil if the data have no labels.
    package var metric: TaskMetric? {
        switch head {
        case .causal: .loss
        case .classifier: hasLabels ? .accuracy : nil
        case .regression: hasLabels ? .pearson : nil
        case .none: nil
        }
    }

    /// Keeps the answers of the model with these weights, to which later ones are compared.
    package func remember(_ weights: WeightTable) throws(SiltError) {
        let model = try TransformerModel(configuration, weights)
        let tokens = batches.reduce(0) { $0 + $1.tokens }
        let columns = (head.isCausal ? head.columns : 0) + model.hidden
        guard tokens.multipliedReportingOverflow(by: 4 * columns).partialValue <= ModelJudge.referenceLimit else {
            throw SiltError(
                .usage, "the outputs for \(tokens) tokens take more than 4 GiB of memory", file: data.file,
                advice: "read fewer examples with \(option: .examples)")
        }
        let parts = try run(model, .answers, against: [])
        reference.withLock { $0 = parts.compactMap(\.answers) }
    }

    /// Judges the model with these weights.
    ///
    /// - Throws: `usage` if its answers are not finite.
    package func judge(_ weights: WeightTable) throws(SiltError) -> Verdict {
        let known = reference.withLock { $0 }
        return verdict(try run(try TransformerModel(configuration, weights), .nothing, against: known), against: known)
    }

    /// Values of a tensor.
    package typealias Table = (shape: [Int], values: [Float])

    /// Judges the model with these weights, and gives its answers.
    ///
    /// They are logits [examples, labels], or the loss of each token of a causal model, [examples, length - 1], 0 where
    /// there is none.
    func examine(_ weights: WeightTable) throws(SiltError) -> (verdict: Verdict, answers: Table) {
        let known = reference.withLock { $0 }
        let parts = try run(try TransformerModel(configuration, weights), .results, against: known)
        return (verdict(parts, against: known), answers(parts))
    }

    private func verdict(_ parts: [Part], against known: [Answers]) -> Verdict {
        var total = Part()
        for part in parts {
            total.predictions += part.predictions
            total.values += part.values
            total.loss += part.loss
            total.top1 += part.top1
            total.divergence += part.divergence
            total.change += part.change
            total.regret.sum += part.regret.sum
            total.regret.squares += part.regret.squares
        }
        let metrics = measures(total)
        return Verdict(
            metric: metric ?? .loss, value: metrics.first?.value ?? 0, metrics: metrics,
            divergence: known.isEmpty ? nil : total.divergence.value,
            change: known.isEmpty ? nil : total.change.value,
            expectedLoss: known.isEmpty || !isClassifier ? nil : total.regret.sum / Double(max(1, data.count)),
            uncertainty: known.isEmpty ? 0 : uncertainty(total))
    }

    private func answers(_ parts: [Part]) -> Table {
        guard head.isCausal else {
            return ([data.count, head.columns], parts.flatMap { $0.answers?.logits ?? [] })
        }
        var losses = [Float](repeating: 0, count: data.count * (data.length - 1))
        for part in parts {
            for item in part.losses { losses[item.example * (data.length - 1) + item.position] = item.loss }
        }
        return ([data.count, data.length - 1], losses)
    }

    private func run(
        _ model: TransformerModel, _ keeping: Keeping, against known: [Answers]
    ) throws(SiltError) -> [Part] {
        let (batches, head, isDecoder, file) = (batches, head, isDecoder, data.file)
        return try pool.map(
            count: batches.count, makeWorker: { ForwardWorkspace() },
            work: { (workspace, index) throws(SiltError) -> Part in
                model.forward(batches[index], workspace)
                do throws(SiltError) {
                    return try ModelJudge.part(
                        workspace, batches[index], head, isDecoder: isDecoder, keeping,
                        against: known.isEmpty ? nil : known[index])
                } catch {
                    throw error.at(file: file)
                }
            })
    }

    private static func part(
        _ workspace: ForwardWorkspace, _ batch: TokenBatch, _ head: ModelHead, isDecoder: Bool, _ keeping: Keeping,
        against known: Answers?
    ) throws(SiltError) -> Part {
        var part = Part()
        let logits = try LogitRows(workspace.logits, columns: head.columns)
        switch head {
        case .classifier: part.predictions = logits.predictions
        case .regression: part.values = workspace.logits.values
        case .causal:
            let next = NextToken(batch, logits)
            (part.loss, part.top1) = (next.loss, next.top1)
            if keeping == .results { part.losses = zip(next.places, next.losses).map { ($0.example, $0.position, $1) } }
        case .none: break
        }
        switch keeping {
        case .results where !head.isCausal: part.answers = Answers(logits: workspace.logits.values, hidden: [])
        case .answers: part.answers = Answers(logits: workspace.logits.values, hidden: workspace.hidden.values)
        default: break
        }
        guard let known else { return part }
        try unsafe known.logits.withUnsafeBufferPointer { (buffer) throws(SiltError) in
            guard let start = buffer.baseAddress else { return }
            let reference = try unsafe LogitRows(start, rows: logits.rows, columns: head.columns)
            if case .classifier = head {
                part.regret = reference.regret(logits)
            }
            if head == .regression {
                let half = reference.squaredDifference(logits)
                part.divergence = Mean(sum: half.sum / 2, count: half.count)
            } else {
                part.divergence = reference.divergence(logits)
            }
            // The paper's objectives: the decoder's five largest logits, the encoder's last hidden state.
            if isDecoder { part.change = reference.squaredDifference(logits, atLargest: 5) }
        }
        guard !isDecoder else { return part }
        let columns = batch.tokens == 0 ? 0 : workspace.hidden.count / batch.tokens
        try unsafe known.hidden.withUnsafeBufferPointer { (buffer) throws(SiltError) in
            guard let start = buffer.baseAddress else { return }
            let hidden = try LogitRows(workspace.hidden, columns: columns)
            part.change = try unsafe LogitRows(start, rows: hidden.rows, columns: columns).absoluteDifference(hidden)
        }
        return part
    }

    /// The standard error that `Verdict` asks for.
    ///
    /// Classifiers: of the expected loss. Causal models, of the loss: the logarithm of a ratio of probabilities has a variance of
    /// about twice its mean, which is the divergence. Correlations: not known, 0.
    private func uncertainty(_ part: Part) -> Double {
        switch head {
        case .classifier: part.regret.squares.squareRoot() / Double(max(1, data.count))
        case .causal: (2 * max(0, part.divergence.value) / Double(max(1, part.loss.count))).squareRoot()
        case .regression, .none: 0
        }
    }

    private func measures(_ part: Part) -> [(name: String, value: Double)] {
        switch (head, data.labels) {
        case (.causal, _):
            return [
                ("loss", part.loss.value), ("perplexity", NextToken.perplexity(part.loss)), ("top1", part.top1.value),
            ]
        case (.classifier(let count), .classes(let labels)):
            let classes = Classes(predicted: part.predictions, labels: labels)
            return [
                ("accuracy", classes.accuracy), ("f1", classes.f1(classes: count)), ("matthews", classes.matthews),
            ]
        case (.regression, let labels?):
            let (values, numbers) = (part.values.map { Double($0) }, labels.numbers)
            return [
                ("pearson", Correlation.pearson(values, numbers)), ("spearman", Correlation.spearman(values, numbers)),
            ]
        default: return []
        }
    }
}
