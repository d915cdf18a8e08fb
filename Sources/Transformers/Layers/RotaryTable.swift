internal import CSiltKernels
internal import TensorTypes

/// Cosines and sines for the positions met so far; a worker's own.
struct RotaryTable {
    private var configuration: RotaryConfiguration?
    private var positions = 0
    private var cosines: [Float] = []
    private var sines: [Float] = []

    /// Makes rows for the positions below `count`.
    mutating func prepare(_ wanted: RotaryConfiguration, positions count: Int) {
        guard configuration != wanted || positions < count else { return }
        // Twice as many as asked for, so that lengths that grow do not ask again and again.
        let half = wanted.frequencies.count
        let room = max(count, configuration == wanted ? 2 * positions : 0)
        cosines = [Float](repeating: 0, count: room * half)
        sines = cosines
        unsafe silt_rotary_table(wanted.frequencies, half, 0, room, wanted.scale, &cosines, &sines)
        (configuration, positions) = (wanted, room)
    }

    /// Rotates every head of the rows at `values`.
    func rotate(_ values: UnsafeMutablePointer<Float>, _ batch: TokenBatch, heads: Int, width: Int) {
        unsafe silt_rotate(
            KernelLevel.best.rawValue, values, batch.tokens, heads, width, width / 2, cosines, sines, batch.positions)
    }

    /// The gradient of what `rotate` rotated, in place.
    func rotateBackward(_ gradients: UnsafeMutablePointer<Float>, _ batch: TokenBatch, heads: Int, width: Int) {
        unsafe silt_rotate_backward(
            KernelLevel.best.rawValue, gradients, batch.tokens, heads, width, width / 2, cosines, sines,
            batch.positions)
    }
}
