internal import CSiltKernels
package import TensorTypes

/// The work of one step, cut into blocks of elements that threads may do at once.
///
/// There are three passes: the gradient is measured, moments follow it, parameters move. Each must be done before the next begins.
///
/// The numbers that a pass returns are to be added in the order of the blocks: then no bit depends on the threads.
package struct Optimizer: Sendable {
    /// Elements of a block: few enough for the caches.
    static let blockElements = 1 << 15

    private struct Block: Sendable {
        let parameter: Int
        let range: Range<Int>
    }

    package let rule: OptimizerRule
    package let parameters: [TrainedParameter]
    /// Elements of all parameters.
    package let count: Int
    private let cut: [Block]
    private let level: Int32

    package init(_ rule: OptimizerRule, _ parameters: [TrainedParameter], level: KernelLevel = .best) {
        (self.rule, self.parameters, self.level) = (rule, parameters, level.rawValue)
        count = parameters.reduce(0) { $0 + $1.count }
        cut = parameters.indices.flatMap { index in
            stride(from: 0, to: parameters[index].count, by: Optimizer.blockElements).map { start in
                Block(
                    parameter: index,
                    range: start..<min(parameters[index].count, start + Optimizer.blockElements))
            }
        }
    }

    /// Number of blocks.
    package var blocks: Int { cut.count }

    /// The sum of the squares of the gradient.
    package func squares(_ index: Int, _ gradients: Gradients) -> Double {
        let (parameter, range) = (cut[index].parameter, cut[index].range)
        return unsafe silt_sum_of_squares(level, gradients.starts[parameter] + range.lowerBound, range.count)
    }

    /// Lets the moments follow `scale` times the gradient.
    ///
    /// Returns the sum of the second moments.
    package func follow(_ index: Int, _ gradients: Gradients, scale: Float) -> Double {
        let (parameter, range) = (cut[index].parameter, cut[index].range)
        return unsafe silt_adam_moments(
            level, gradients.starts[parameter] + range.lowerBound, scale, rule.beta1, rule.beta2,
            parameters[parameter].first.start + range.lowerBound,
            parameters[parameter].second.start + range.lowerBound, range.count)
    }

    /// Moves the parameters: those that the base lacks by `new`, without a pull.
    package func move(_ index: Int, _ step: OptimizerStep, new: OptimizerStep) {
        let (parameter, range) = (parameters[cut[index].parameter], cut[index].range)
        let chosen = parameter.base == nil ? new : step
        var numbers = silt_step(
            pull: chosen.pull, is_sign: chosen.isSign ? 1 : 0, decay: chosen.decay, rate: chosen.rate,
            root: chosen.root, epsilon: chosen.epsilon)
        unsafe silt_adam_step(
            level, &numbers, parameter.first.start + range.lowerBound, parameter.second.start + range.lowerBound,
            parameter.base.map { unsafe $0.start + range.lowerBound }, parameter.values.start + range.lowerBound,
            range.count)
    }
}

/// Where the gradients of all parameters stand, in the parameters' order; the tables must live as long.
@safe package struct Gradients: @unchecked Sendable {
    let starts: [UnsafeMutablePointer<Float>]

    /// - Precondition: the table has a gradient of every parameter.
    package init(_ table: GradientTable, _ parameters: [TrainedParameter]) {
        unsafe starts = parameters.map { parameter in
            guard let gradient = table[parameter.name] else { preconditionFailure("no gradient of \(parameter.name)") }
            return unsafe gradient.start
        }
    }
}
