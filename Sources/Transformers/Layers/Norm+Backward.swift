internal import CSiltKernels
internal import TensorTypes

extension Norm {
    /// From the gradient at the output to those of gain and bias and that at the input.
    ///
    /// `output` may be `gradient`, unless what is there is added to.
    func backward(
        _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, rows: Int, _ sink: GradientSink,
        isSum: Bool = false, to output: UnsafeMutablePointer<Float>
    ) {
        unsafe silt_norm_backward(
            KernelLevel.best.rawValue, input, gradient, rows, gain.count, gain.start, epsilon, isRootMeanSquare ? 1 : 0,
            isSum ? 1 : 0, output, sink.start(gain), bias.flatMap { unsafe sink.start($0) })
    }
}
