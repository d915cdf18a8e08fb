internal import TensorTypes

/// Counts the magnitudes of deltas for histograms: one run of elements after the other, in a buffer of its own.
final class DeltaCounter {
    /// Bins below the first power of two of a normal Float, and one for each of its exponents; the last are not finite.
    static let slots = 256

    private let counters = ByteBuffer(capacity: (DeltaCounter.slots + 1) * MemoryLayout<Int>.stride)

    /// Counts of the delta `values` less `base`: by biased exponent, and last of zeros.
    func count(_ values: UnsafePointer<Float>, _ base: UnsafePointer<Float>, count: Int) -> [Int] {
        let size = DeltaCounter.slots + 1
        let slots = unsafe counters.start.bindMemory(to: Int.self, capacity: size)
        unsafe slots.initialize(repeating: 0, count: size)
        for index in 0..<count {
            let magnitude = unsafe (values[index] - base[index]).magnitude.bitPattern
            // Zeros have a counter of their own, past those of the exponents; they are most of a sparse delta.
            let slot = magnitude == 0 ? DeltaCounter.slots : Int(truncatingIfNeeded: magnitude &>> 23)
            unsafe slots[slot] &+= 1
        }
        return unsafe Array(UnsafeBufferPointer(start: slots, count: size))
    }
}
