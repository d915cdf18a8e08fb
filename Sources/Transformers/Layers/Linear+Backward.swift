internal import COpenBLAS
internal import CSiltKernels
internal import TensorTypes

extension Linear {
    /// From the gradient at the output to those of weight and bias and that at the input.
    ///
    /// - Parameters:
    ///   - input: what the layer saw, [rows, inputs].
    ///   - outputGradient: [rows, outputs].
    ///   - isSum: whether the input's gradient is added to what is at `inputGradient` [rows, inputs].
    func backward(
        _ input: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>, rows: Int, _ sink: GradientSink,
        isSum: Bool = false, to inputGradient: UnsafeMutablePointer<Float>
    ) {
        unsafe sink.observer?.observe(
            layer: index, input: input, inputs: inputs, outputGradient: outputGradient, outputs: outputs, rows: rows)
        let (rowCount, inputCount, outputCount) = (Int32(rows), Int32(inputs), Int32(outputs))
        if let target = unsafe sink.start(weight) {
            if isTransposed {
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasTrans, CblasNoTrans, inputCount, outputCount, rowCount, 1, input, inputCount,
                    outputGradient, outputCount, 1, target, outputCount)
            } else {
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasTrans, CblasNoTrans, outputCount, inputCount, rowCount, 1, outputGradient,
                    outputCount, input, inputCount, 1, target, inputCount)
            }
        }
        if let bias, let target = unsafe sink.start(bias) {
            unsafe silt_sum_rows(KernelLevel.best.rawValue, outputGradient, rows, outputs, target)
        }
        unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, isTransposed ? CblasTrans : CblasNoTrans, rowCount, inputCount, outputCount, 1,
            outputGradient, outputCount, weight.start, isTransposed ? outputCount : inputCount, isSum ? 1 : 0,
            inputGradient, inputCount)
    }
}
