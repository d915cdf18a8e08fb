internal import CSiltKernels
internal import TensorTypes

/// Brings each row to a common scale: layer norm, or with the root mean square alone.
struct Norm: Sendable {
    let gain: Parameter
    /// Of layer norms.
    let bias: Parameter?
    let epsilon: Float
    let isRootMeanSquare: Bool

    /// `output` may be `input`.
    func run(_ input: UnsafePointer<Float>, rows: Int, to output: UnsafeMutablePointer<Float>) {
        let level = KernelLevel.best.rawValue
        if isRootMeanSquare {
            unsafe silt_rms_norm(level, input, rows, gain.count, gain.start, epsilon, output)
        } else {
            unsafe silt_layer_norm(level, input, rows, gain.count, gain.start, bias?.start, epsilon, output)
        }
    }
}
