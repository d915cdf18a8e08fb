internal import SiltEvaluation
internal import Workers
internal import TensorTypes
internal import Transformers

/// Gradients of the mean loss of batches: parts of a batch at once on the pool's threads, added up in their order.
///
/// What is in a part depends on the batch alone, so that the number of threads decides nothing.
final class BatchGradient: Sendable {
    /// Tokens that go through the model at once: what bounds the memory of activations and logits.
    private static let partTokens = 2_048

    private let model: TransformerModel
    private let data: TokenData
    private let groups: Int
    private let pass: GradientPass
    private let total: GradientTable
    private let place: Gradients

    /// - Parameter groups: parts into which a batch is cut; one with too many tokens is cut again.
    init(
        _ model: TransformerModel, _ weights: WeightTable, _ parameters: [TrainedParameter], _ data: TokenData,
        groups: Int, _ pool: WorkerPool
    ) throws(SiltError) {
        (self.model, self.data, self.groups) = (model, data, groups)
        pass = try GradientPass(weights, Set(weights.names), file: data.file, pool)
        total = GradientTable(for: weights)
        place = Gradients(total, parameters)
    }

    /// The mean loss of these examples, and its gradient, which is there until the next run.
    ///
    /// Throws `interrupted` on request, and `usage` if answers or gradients are not finite.
    func run(_ examples: [Int]) throws(SiltError) -> (loss: Double, gradients: Gradients) {
        let count = min(groups, examples.count)
        var (batches, labels): ([TokenBatch], [Labels?]) = ([], [])
        for group in 0..<count {
            let range = group * examples.count / count..<(group + 1) * examples.count / count
            let own = data.picked(Array(examples[range]))
            let parts = try own.batches(tokens: BatchGradient.partTokens, for: model)
            batches += parts
            labels += parts.map { _ in own.labels }
        }
        let head = model.head
        let terms = zip(batches, labels).reduce(0) { sum, part in
            sum + (Loss.task(head, part.1, part.0)?.terms(columns: head.columns) ?? 0)
        }
        let (cut, labelled, total, scale) = (batches, labels, total, 1 / Float(max(1, terms)))
        total.clear()
        let mean = try unsafe pass.run(
            model, cut,
            loss: { (index, logits, gradient) throws(SiltError) in
                guard let loss = Loss.task(head, labelled[index], cut[index]) else { return Mean() }
                return unsafe loss.measure(logits, scale: scale, to: gradient)
            }, reduce: { $0 }, commit: { total.add($0) })
        return (mean.value, place)
    }
}
