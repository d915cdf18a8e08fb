internal import Workers
internal import TensorTypes
internal import Transformers

/// One step of the optimizer on the pool's threads.
///
/// It is never interrupted: parameters of which some have moved and others have not are no state to go on from.
struct OptimizerPass: Sendable {
    let optimizer: Optimizer
    /// The largest norm of the gradient; 0: any.
    let clip: Double
    private let pool: WorkerPool

    init(_ optimizer: Optimizer, clip: Double, threads: Int) {
        (self.optimizer, self.clip) = (optimizer, clip)
        pool = WorkerPool(threads: threads, cancellation: Cancellation())
    }

    /// Takes step `step`, from 1, with this gradient and the rates of old and of new layers.
    ///
    /// Returns the norm of the gradient, before it is clipped; if that is not finite, nothing has moved.
    func run(_ step: Int, _ gradients: Gradients, rate: Double, newRate: Double) throws(SiltError) -> Double {
        let optimizer = optimizer
        let norm = try sum { optimizer.squares($0, gradients) }.squareRoot()
        guard norm.isFinite else { return norm }
        let scale = clip > 0 ? min(1, clip / (norm + 1e-6)) : 1
        let moment = try sum { optimizer.follow($0, gradients, scale: Float(scale)) } / Double(max(1, optimizer.count))
        let known = optimizer.rule.step(step, rate: rate, secondMoment: moment)
        let new = optimizer.rule.step(step, rate: newRate, secondMoment: moment)
        _ = try sum {
            optimizer.move($0, known, new: new)
            return 0
        }
        return norm
    }

    /// The sum of what the blocks give, in their order.
    private func sum(_ work: @escaping @Sendable (Int) -> Double) throws(SiltError) -> Double {
        try pool.map(
            count: optimizer.blocks, makeWorker: {},
            work: { (_, index) throws(SiltError) in work(index) }
        ).reduce(0, +)
    }
}
