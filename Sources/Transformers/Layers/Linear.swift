internal import COpenBLAS
internal import CSiltKernels
internal import TensorTypes

/// y = x W^T + b.
struct Linear: Sendable {
    let weight: Parameter
    let bias: Parameter?
    let inputs: Int
    let outputs: Int
    /// Whether the weight is stored as [inputs, outputs].
    let isTransposed: Bool
    /// Position in the model's `linears`.
    let index: Int

    /// output = x W^T + b, or output + x W^T + b.
    func run(
        _ input: UnsafePointer<Float>, rows: Int, adding: Bool = false, to output: UnsafeMutablePointer<Float>
    ) {
        if let bias {
            unsafe silt_spread_row(KernelLevel.best.rawValue, bias.start, rows, outputs, adding ? 1 : 0, output)
        }
        unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, isTransposed ? CblasNoTrans : CblasTrans, Int32(rows), Int32(outputs),
            Int32(inputs), 1, input, Int32(inputs), weight.start, Int32(isTransposed ? outputs : inputs),
            adding || bias != nil ? 1 : 0, output, Int32(outputs))
    }
}
